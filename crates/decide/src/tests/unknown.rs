//! Condition keys without a value: absent from the request, or not known.

use expect_test::{Expect, expect};

use super::super::keys::{is_filled, services};
use super::super::{Caller, Context, Document, Kind, Lookup, Policy, Question, decide, explain};

const DEFINITION: &str = "arn:aws:ecs:eu-west-1:000000000000:task-definition/f:1";

fn ask(context: &Context, statements: &str) -> String {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, Kind::Identity).unwrap();
    let caller = Caller::default();
    let question = Question { caller: &caller, action: "ecs:RunTask", resource: DEFINITION, context };
    let policies = [Policy { name: "p", document: &document }];
    format!("{:?}\n{}", decide(&policies, &question), explain(&policies, &question).join("\n"))
}

fn statement(effect: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"ecs:*","Resource":"*","Condition":{condition}}}"#)
}

const ALLOW: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"},"#;

#[test]
fn a_deny_that_depends_on_a_key_that_is_not_known_denies_and_an_allow_does_not_allow() {
    let open = Context::open("ecs:RunTask", DEFINITION).with("ecs:cluster", vec!["c".to_owned()]);
    let check = |statements: &str, expected: Expect| expected.assert_eq(&ask(&open, statements));
    check(
        &format!("{ALLOW}{}", statement("Deny", r#"{"StringEquals":{"ecs:capacity-provider":"FARGATE_SPOT"}}"#)),
        expect![[r#"
        Denied { by: "statement 2 of p, which depends on `ecs:capacity-provider`, whose value Neargate does not have" }
        p, statement 1: allows it
        p, statement 2: denies it, since it depends on `ecs:capacity-provider`, whose value Neargate does not have"#]],
    );
    check(
        &statement("Allow", r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#),
        expect![[r"
        NotAllowed
        p, statement 1: does not allow it, since it depends on `aws:PrincipalOrgID`, whose value Neargate does not have"]],
    );
    // Another condition that does not hold settles it.
    check(
        &format!("{ALLOW}{}", statement("Deny", r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1","ecs:cluster":"d"}}"#)),
        expect![[r"
        Allowed { reach: Session }
        p, statement 1: allows it
        p, statement 2: condition StringEquals `ecs:cluster`: expected `d`, got `c`"]],
    );
    check(
        r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:ecs:*:*:task-definition/${aws:PrincipalOrgID}:1"}"#,
        expect![[r"
        NotAllowed
        p, statement 1: does not allow it, since it depends on `aws:PrincipalOrgID`, whose value Neargate does not have"]],
    );
    check(
        &format!(
            r#"{ALLOW}{{"Effect":"Deny","Action":"*","NotResource":"arn:aws:ecs:*:*:task-definition/${{aws:PrincipalOrgID}}:1"}}"#
        ),
        expect![[r#"
        Denied { by: "statement 2 of p, which depends on `aws:PrincipalOrgID`, whose value Neargate does not have" }
        p, statement 1: allows it
        p, statement 2: denies it, since it depends on `aws:PrincipalOrgID`, whose value Neargate does not have"#]],
    );
    check(
        &format!(
            r#"{ALLOW}{{"Effect":"Deny","Action":"*","Resource":"arn:aws:ecs:*:*:task/${{aws:PrincipalOrgID}}"}}"#
        ),
        expect![[r"
        Allowed { reach: Session }
        p, statement 1: allows it
        p, statement 2: is for resource `arn:aws:ecs:*:*:task/${aws:PrincipalOrgID}`"]],
    );
}

#[test]
fn every_operator_leaves_a_key_that_is_not_known_open() {
    let open = Context::open("ecs:RunTask", DEFINITION);
    let operators = [
        "StringEquals",
        "StringNotLike",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "StringEqualsIfExists",
        "NumericLessThan",
        "DateGreaterThan",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnNotLike",
        "Null",
    ];
    for operator in operators {
        let value = if operator.starts_with("Date") { "2026-01-01" } else { "true" };
        let deny = statement("Deny", &format!(r#"{{"{operator}":{{"aws:SourceIp":"{value}"}}}}"#));
        assert!(ask(&open, &format!("{ALLOW}{deny}")).starts_with("Denied"), "{operator}");
        let allow = statement("Allow", &format!(r#"{{"{operator}":{{"aws:SourceIp":"{value}"}}}}"#));
        assert!(ask(&open, &allow).starts_with("NotAllowed"), "{operator}");
    }
}

#[test]
fn a_key_is_absent_where_aws_would_not_fill_it_or_where_every_value_is_given() {
    let open = Context::open("ecs:RunTask", DEFINITION)
        .complete("aws:RequestTag/")
        .with("aws:RequestTag/a", vec!["1".to_owned()]);
    for (key, expected) in [
        ("AWS:requesttag/A", Lookup::Values(&["1".to_owned()])),
        ("aws:RequestTag/b", Lookup::Absent),
        ("aws:ResourceTag/a", Lookup::Unknown),
        ("ecs:cluster", Lookup::Unknown),
        ("ecs:service", Lookup::Absent),
        ("ecs:container-name", Lookup::Absent),
        ("ssm:Overwrite", Lookup::Absent),
        ("aws:MultiFactorAuthAge", Lookup::Absent),
        ("aws:username", Lookup::Absent),
        ("aws:SourceVpce", Lookup::Absent),
        ("aws:PrincipalOrgID", Lookup::Unknown),
        ("aws:SomethingNew", Lookup::Unknown),
        ("no-prefix", Lookup::Absent),
    ] {
        assert_eq!(open.lookup(key), expected, "{key}");
    }
    assert!(
        is_filled("ecs:CreateService", "*", "ecs:subnet"),
        "an action without a table: nothing is known to be absent"
    );
    assert!(!is_filled("ecs:CreateService", "*", "ec2:Vpc"));
    // Each type of resource has keys of its own.
    assert!(is_filled("ec2:CreateSubnet", "arn:aws:ec2:eu-west-1:000000000000:vpc/vpc-1", "ec2:Tenancy"));
    assert!(!is_filled("ec2:CreateSubnet", "arn:aws:ec2:eu-west-1:000000000000:subnet/*", "ec2:Tenancy"));
}

#[test]
fn the_tables_are_sorted_and_name_their_pages() {
    for service in services() {
        assert!(service.page.starts_with("https://docs.aws.amazon.com/service-authorization/latest/reference/list_"));
        assert!(service.actions.is_sorted_by(|a, b| a.action < b.action), "{}", service.service);
    }
}
