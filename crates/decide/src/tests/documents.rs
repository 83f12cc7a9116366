use expect_test::{Expect, expect};

use super::super::{Context, Document, Kind};
use super::ask;

fn refused(kind: Kind, text: &str, expected: &Expect) {
    let malformed = Document::parse(text, kind).unwrap_err();
    expected.assert_eq(&format!("{malformed} | {}", malformed.hint().unwrap_or("-")));
}

/// Documents that were stored before an `Id` had to be text.
#[test]
fn an_id_that_is_no_text_is_refused_anew_and_read_when_stored() {
    for id in ["1", "null", r#"["a"]"#] {
        let text = format!(r#"{{"Id":{id},"Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}}}"#);
        assert!(Document::parse(&text, Kind::Identity).is_err(), "{id}");
        assert!(Document::load(&text, Kind::Identity).is_ok(), "{id}");
    }
}

#[test]
fn identity_policies_that_are_refused() {
    let statement = |rest: &str| format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{rest}}}}}"#);
    let refused = |text: &str, expected: Expect| refused(Kind::Identity, text, &expected);
    refused("{", expect!["Syntax errors in policy. | EOF while parsing an object at line 1 column 1"]);
    refused(
        r#"{"Version":"2012-10-17"}"#,
        expect!["Syntax errors in policy. | `Statement` must be an object or a list of objects"],
    );
    refused(r#"{"Version":"2012-10-17","Statement":[]}"#, expect!["Syntax errors in policy. | `Statement` is empty"]);
    refused(
        r#"{"Version":"2012-10-17","Statements":[]}"#,
        expect!["Syntax errors in policy. | got `Statements`, expected one of `Version`, `Id`, `Statement`"],
    );
    refused(
        r#"{"Version":"2012","Statement":[]}"#,
        expect![[r#"Syntax errors in policy. | got version `"2012"`, expected `2012-10-17`"#]],
    );
    refused(
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        expect!["Policy document must be version 2012-10-17 or greater. | -"],
    );
    let old = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    refused(old, expect!["Policy document must be version 2012-10-17 or greater. | -"]);
    refused(&statement(r#""Resource":"*""#), expect!["Policy statement must contain actions. | -"]);
    refused(&statement(r#""Action":[],"Resource":"*""#), expect!["Policy statement must contain actions. | -"]);
    refused(&statement(r#""Action":"s3:*""#), expect!["Policy statement must contain resources. | -"]);
    refused(&statement(r#""Action":"s3:*","Resource":[]"#), expect!["Policy statement must contain resources. | -"]);
    refused(
        &statement(r#""Action":"GetObject","Resource":"*""#),
        expect!["Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. | -"],
    );
    refused(&statement(r#""Action":"s3 :Get","Resource":"*""#), expect!["Vendor s3  is not valid | -"]);
    refused(
        &statement(r#""Action":"s3:*","Resource":"bucket""#),
        expect![[r#"Resource bucket must be in ARN format or "*". | -"#]],
    );
    refused(
        &statement(r#""Action":"s3:*","Resource":{"Ref":"x"}"#),
        expect!["Syntax errors in policy. | `Resource` must be text or a list of texts"],
    );
    refused(
        &statement(r#""Action":"s3:*","Resource":"*","Principal":"*""#),
        expect!["Policy document should not specify a principal. | -"],
    );
    refused(
        &statement(r#""Action":"s3:*","NotAction":"s3:*","Resource":"*""#),
        expect!["Syntax errors in policy. | a statement has `Action` or `NotAction`, not both"],
    );
    refused(
        &statement(r#""Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a":"b"}}"#),
        expect!["Syntax errors in policy. | there is no condition operator `StringIs`"],
    );
    let twice = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    refused(twice, expect!["Statement IDs (SID) in a single policy must be unique. | -"]);
    refused(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#,
        expect!["The policy failed legacy parsing | got effect `allow`, expected `Allow` or `Deny`"],
    );
}

/// The refusals of identity policies by what is refused first, and what AWS takes although it looks wrong.
#[test]
fn identity_policies_pass_two_parsers_in_order() {
    const COLONS: &str = "Actions/Condition can contain only one colon.";
    const LEGACY: &str = "The policy failed legacy parsing";
    const VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    const BUCKET: &str = r#""Action":"s3:Get*","Resource":"arn:aws:s3:::b""#;
    let since = |date: &str| format!(r#"{BUCKET},"Condition":{{"DateLessThan":{{"aws:CurrentTime":"{date}"}}}}"#);
    let to = |resource: &str| format!(r#""Action":"s3:Get*","Resource":"{resource}""#);
    let does = |action: &str| format!(r#""Action":"{action}","Resource":"*""#);
    let paths = "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
                 instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
                 access-report/.";
    for (rest, expected) in [
        (does("s3:Get:Object"), COLONS),
        (does("ecs:Run:*"), COLONS),
        (r#""Action":"GetObject""#.to_owned(), VENDOR),
        (does(""), VENDOR),
        (does("s3.x:Get"), ""),
        (does("s3_x:Get"), "Vendor s3_x is not valid"),
        (to(""), r#"Resource  must be in ARN format or "*"."#),
        (to("x"), r#"Resource x must be in ARN format or "*"."#),
        (to("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."),
        (to("x:y"), r#"Partition "y" is not valid for resource "arn:y:*:*:*:*"."#),
        (to("x:y:z"), r#"Partition "y" is not valid for resource "arn:y:z:*:*:*"."#),
        (to("arn:azure:s3:::b"), r#"Partition "azure" is not valid for resource "arn:azure:s3:::b"."#),
        (to("arn:aws-us-gov:s3:::b"), ""),
        (to("arn:*:s3:::b"), ""),
        (to("arn:aws:s3::b"), LEGACY),
        (to("arn:aws::::b"), LEGACY),
        (to("arn:aws:sns"), ""),
        (to("arn:aws:s3:eu-west-1::b"), "Resource arn:aws:s3:eu-west-1::b can not contain region information."),
        (to("arn:aws:s3:eu-west-1:111122223333:accesspoint/a"), ""),
        (
            to("arn:aws:iam:eu-west-1:111122223333:role/a"),
            "IAM resource arn:aws:iam:eu-west-1:111122223333:role/a cannot contain region information.",
        ),
        (to("arn:aws:iam:::rule/a"), paths),
        (to("arn:aws:iam::111122223333:*"), ""),
        (to("arn:aws:iam::111122223333:root"), ""),
        (to("arn:aws:iam::111122223333:r*/a"), ""),
        (r#""Action":"s3:Get*","Resource":["arn:aws:s3:::b",null]"#.to_owned(), ""),
        (
            r#""Action":"s3:Get*","Resource":["x:z","x:y"]"#.to_owned(),
            r#"Partition "y" is not valid for resource "arn:y:*:*:*:*"."#,
        ),
        (since("2026-01-01"), ""),
        (since("2026"), ""),
        (since("1767225600"), ""),
        (since("2026-01-01T00:00:00.5+01:00"), ""),
        (since("soon"), LEGACY),
        (since("2026-13"), LEGACY),
        (since("2026-01-01T24:00:00Z"), LEGACY),
        (since("2026-01-01T00:00:00+1"), LEGACY),
        (since("-5"), ""),
        (r#""Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}"#.to_owned(), LEGACY),
        (format!(r#"{BUCKET},"Condition":{{"Unknown":{{}}}}"#), ""),
        (format!(r#"{BUCKET},"Condition":{{"ForAnyValue::StringEquals":{{"a":"b"}}}}"#), "Syntax errors in policy."),
    ] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{rest}}}}}"#);
        let got =
            Document::parse(&text, Kind::Identity).map_or_else(|malformed| malformed.to_string(), |_| String::new());
        assert_eq!(got, expected, "{text}");
        assert!(Document::load(&text, Kind::Identity).is_ok() || expected.starts_with("Syntax"), "{text}");
    }
}

#[test]
fn trust_policies_that_are_refused() {
    let statement = |rest: &str| format!(r#"{{"Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
    let refused = |text: &str, expected: Expect| refused(Kind::Trust, text, &expected);
    refused("nope", expect!["This policy contains invalid Json | expected ident at line 1 column 2"]);
    refused(&statement(r#""Action":"sts:AssumeRole""#), expect!["Missing required field Principal | -"]);
    refused(
        &statement(r#""Action":"sts:AssumeRole","Principal":"*","Resource":"*""#),
        expect!["Has prohibited field Resource | -"],
    );
    refused(
        &statement(r#""Action":"s3:Get*","Principal":"*""#),
        expect!["AssumeRole policy may only specify STS AssumeRole actions. | -"],
    );
    refused(
        &statement(r#""Action":"sts:AssumeRole","Principal":{"Role":"x"}"#),
        expect![
            "This policy contains invalid Json | got principal type `Role`, expected `AWS`, `Service`, `Federated` or `CanonicalUser`"
        ],
    );
    refused(
        &statement(r#""Action":"sts:AssumeRole","NotPrincipal":{"AWS":"000000000000"}"#),
        expect!["Has prohibited field NotPrincipal | -"],
    );
    for action in ["sts:AssumeRoles", "sts:Get*Token?"] {
        refused(
            &statement(&format!(r#""Action":"{action}","Principal":"*""#)),
            expect!["AssumeRole policy may only specify STS AssumeRole actions. | -"],
        );
    }
    let pattern = statement(r#""Action":"STS:assumerole*","Principal":"*""#);
    assert!(Document::parse(&pattern, Kind::Trust).is_ok());
    let accepted = statement(
        r#""Action":["sts:AssumeRole","sts:TagSession"],"Principal":{"Service":["a.amazonaws.com"],"AWS":"000000000000"}"#,
    );
    assert!(!Document::parse(&accepted, Kind::Trust).unwrap().has_variables);
}

#[test]
fn a_policy_of_a_resource_allows_nobody_by_exception() {
    let of = |effect: &str| {
        let principal = r#""NotPrincipal":{"AWS":"000000000000"},"Action":"*","Resource":"*""#;
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}",{principal}}}}}"#)
    };
    assert!(Document::parse(&of("Deny"), Kind::Resource).is_ok());
    refused(
        Kind::Resource,
        &of("Allow"),
        &expect!["Syntax errors in policy. | `NotPrincipal` is for `Deny` alone; name who is allowed in `Principal`"],
    );
    assert!(Document::load(&of("Allow"), Kind::Resource).is_ok(), "one that was stored is read");
}

#[test]
fn a_deny_wins_and_every_statement_is_accounted_for() {
    let document = r#"{"Version":"2012-10-17","Id":"x","Statement":[
        {"Sid":"Read","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]},
        {"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::*"},
        {"Sid":"Mfa","Effect":"Allow","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":true}}},
        {"Sid":"No","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/*"}]}"#;
    let check = |action: &str, resource: &str, expected: Expect| {
        expected.assert_eq(&ask(document, action, resource, &Context::default()).replace("; ", "\n  "));
    };
    check(
        "s3:GetObject",
        "arn:aws:s3:::b/k",
        expect![[r"
        Allowed { reach: Session }: p, statement `Read`: allows it
          p, statement 2: excepts resource `arn:aws:s3:::*`
          p, statement `Mfa`: is for action `s3:Delete*`
          p, statement `No`: is for resource `arn:aws:s3:::b/secret/*`"]],
    );
    check(
        "s3:GetObject",
        "arn:aws:s3:::b/secret/k",
        expect![[r#"
        Denied { by: "statement `No` of p" }: p, statement `Read`: allows it
          p, statement 2: excepts resource `arn:aws:s3:::*`
          p, statement `Mfa`: is for action `s3:Delete*`
          p, statement `No`: denies it"#]],
    );
    check(
        "s3:DeleteObject",
        "arn:aws:s3:::b/k",
        expect![[r"
        NotAllowed: p, statement `Read`: is for action `s3:Get*`, `s3:List*`
          p, statement 2: excepts resource `arn:aws:s3:::*`
          p, statement `Mfa`: condition Bool `aws:MultiFactorAuthPresent`: expected `true`, got nothing
          p, statement `No`: is for resource `arn:aws:s3:::b/secret/*`"]],
    );
    check(
        "ecs:RunTask",
        "arn:aws:ecs:eu-west-1:000000000000:task-definition/a:1",
        expect![[r"
        Allowed { reach: Session }: p, statement `Read`: is for action `s3:Get*`, `s3:List*`
          p, statement 2: allows it
          p, statement `Mfa`: is for action `s3:Delete*`
          p, statement `No`: is for action `s3:*`"]],
    );
    check(
        "iam:CreateRole",
        "arn:aws:iam::000000000000:role/a",
        expect![[r"
        NotAllowed: p, statement `Read`: is for action `s3:Get*`, `s3:List*`
          p, statement 2: excepts action `iam:*`
          p, statement `Mfa`: is for action `s3:Delete*`
          p, statement `No`: is for action `s3:*`"]],
    );
}

#[test]
fn a_policy_of_a_role_or_a_session_alone_may_leave_the_version_out() {
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!(
            r#"{{{version}"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${{aws:username}}"}}}}"#
        );
        assert!(!Document::parse(&text, Kind::Inline).unwrap().has_variables, "{text}");
    }
}
