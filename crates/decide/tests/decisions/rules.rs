//! Every condition operator in every form on every state of its key, and every way to write a value, by the rules of AWS's pages.
//!
//! - Which states satisfy which form:
//!   <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>,
//!   <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>.
//! - Which values an operator takes for which:
//!   <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
//! - Variables: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

use neargate_decide::{Caller, Context, Document, Kind, Policy, Question, Verdict, decide};
use serde_json::{Value as Json, json};

const ACTION: &str = "s3:GetObject";
const RESOURCE: &str = "arn:aws:s3:::examplebucket/key";
const KEY: &str = "aws:TagKeys";

/// What a statement with this condition does: whether it applies as an allow, and whether as a deny.
fn applies(version: &str, condition: &Json, context: &Context, resource: (&str, &str)) -> (bool, bool) {
    let (pattern, resource) = resource;
    let of = |effect: &str| {
        let mut statement = json!({"Effect": effect, "Action": "*", "Resource": pattern});
        if !condition.is_null() {
            statement["Condition"] = condition.clone();
        }
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let statements = if effect == "Allow" { json!([statement]) } else { json!([everything, statement]) };
        let text = json!({"Version": version, "Statement": statements}).to_string();
        let document = Document::parse(&text, Kind::Inline).unwrap_or_else(|malformed| panic!("{text}: {malformed}"));
        let caller = Caller::default();
        let question = Question { caller: &caller, action: ACTION, resource, context };
        decide(&[Policy { name: "p", document: &document }], &question)
    };
    (matches!(of("Allow"), Verdict::Allowed { .. }), matches!(of("Deny"), Verdict::Denied { .. }))
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// An operator, its negated form, two values of a policy, two of a request that match one of those, and two that match neither.
type Operator = (&'static str, Option<&'static str>, [&'static str; 2], [&'static str; 2], [&'static str; 2]);

const OPERATORS: &[Operator] = &[
    ("StringEquals", Some("StringNotEquals"), ["a", "b"], ["b", "a"], ["A", "ab"]),
    ("StringEqualsIgnoreCase", Some("StringNotEqualsIgnoreCase"), ["a", "B"], ["b", "A"], ["ab", "c"]),
    ("StringLike", Some("StringNotLike"), ["a*", "?b"], ["ac", "xb"], ["Ac", "b"]),
    ("NumericEquals", Some("NumericNotEquals"), ["1", "2.5"], ["1.0", "2.50"], ["3", "x"]),
    ("NumericLessThan", None, ["1", "5"], ["4.9", "-3"], ["5", "x"]),
    ("NumericLessThanEquals", None, ["1", "5"], ["5", "0"], ["5.1", "x"]),
    ("NumericGreaterThan", None, ["1", "5"], ["1.1", "10"], ["1", "x"]),
    ("NumericGreaterThanEquals", None, ["1", "5"], ["1", "10"], ["0.9", "x"]),
    (
        "DateEquals",
        Some("DateNotEquals"),
        ["2026-01-01", "2027"],
        ["2026-01-01T00:00:00Z", "1798761600"],
        ["2028", "x"],
    ),
    ("DateLessThan", None, ["2026-01-01", "2025"], ["2025-12-31T23:59:59Z", "0"], ["2026-01-01T00:00:00Z", "x"]),
    ("DateLessThanEquals", None, ["2026-01-01", "2025"], ["2026-01-01T00:00:00Z", "0"], ["2026-01-01T00:00:01Z", "x"]),
    ("DateGreaterThan", None, ["2026-01-01", "2027"], ["2026-01-01T00:00:01Z", "2028"], ["2026-01-01T00:00:00Z", "x"]),
    ("DateGreaterThanEquals", None, ["2026-01-01", "2027"], ["2026-01-01T00:00:00Z", "2028"], ["2025", "x"]),
    ("Bool", None, ["true", "true"], ["true", "TRUE"], ["false", "x"]),
    ("BinaryEquals", None, ["QQ==", "Qg=="], ["Qg==", "QQ=="], ["qQ==", "x"]),
    (
        "IpAddress",
        Some("NotIpAddress"),
        ["10.0.0.0/8", "2001:db8::/32"],
        ["10.9.8.7", "2001:DB8::1"],
        ["11.0.0.1", "::1"],
    ),
    (
        "ArnEquals",
        Some("ArnNotEquals"),
        ["arn:aws:a:*:1:b/*", "arn:aws:c:::d"],
        ["arn:aws:a:x:1:b/c", "arn:aws:c:::d"],
        ["arn:aws:a:x:2:b/c", "x"],
    ),
    (
        "ArnLike",
        Some("ArnNotLike"),
        ["arn:aws:a:*:1:b/?", "arn:aws:c:::d"],
        ["arn:aws:a:x:1:b/c", "arn:aws:c:::d"],
        ["arn:aws:a:x:1:b/cc", "x"],
    ),
];

/// The states of a key, and which of plain, `ForAnyValue` and `ForAllValues` hold there, each without and with `IfExists`.
/// `m` is a value that matches one of the policy's, `n` one that matches none. A plain operator on several values is not documented.
const POSITIVE: &[(Option<&str>, [Option<bool>; 6])] = &[
    (None, [Some(false), Some(true), Some(false), Some(true), Some(true), Some(true)]),
    (Some(""), [Some(false), Some(true), Some(false), Some(true), Some(true), Some(true)]),
    (Some("m"), [Some(true); 6]),
    (Some("n"), [Some(false); 6]),
    (Some("mm"), [None, None, Some(true), Some(true), Some(true), Some(true)]),
    (Some("mn"), [None, None, Some(true), Some(true), Some(false), Some(false)]),
    (Some("nn"), [None, None, Some(false), Some(false), Some(false), Some(false)]),
];
/// The same for negated operators: a value satisfies one where it matches none of the policy's.
const NEGATED: &[(Option<&str>, [Option<bool>; 6])] = &[
    (None, [Some(true), Some(true), Some(false), Some(true), Some(true), Some(true)]),
    (Some(""), [Some(true), Some(true), Some(false), Some(true), Some(true), Some(true)]),
    (Some("m"), [Some(false); 6]),
    (Some("n"), [Some(true); 6]),
    (Some("mm"), [None, None, Some(false), Some(false), Some(false), Some(false)]),
    (Some("mn"), [None, None, Some(true), Some(true), Some(false), Some(false)]),
    (Some("nn"), [None, None, Some(true), Some(true), Some(true), Some(true)]),
];
const FORMS: [(&str, &str); 6] = [
    ("", ""),
    ("", "IfExists"),
    ("ForAnyValue:", ""),
    ("ForAnyValue:", "IfExists"),
    ("ForAllValues:", ""),
    ("ForAllValues:", "IfExists"),
];

#[test]
fn every_operator_in_every_form_on_every_state_of_its_key() {
    let (mut cases, mut wrong) = (0, vec![]);
    for (positive, negated, wanted, matching, others) in OPERATORS {
        let operators = [(Some(positive), POSITIVE), (negated.as_ref(), NEGATED)];
        for (name, states) in operators.into_iter().filter_map(|(name, states)| Some((name?, states))) {
            for (state, holds) in states {
                // Each of the two values of either kind comes first once.
                for turn in 0..2 {
                    let of = |(at, kind): (usize, char)| [matching, others][usize::from(kind == 'n')][(at + turn) % 2];
                    let values: Option<Vec<&str>> = state.map(|state| state.chars().enumerate().map(of).collect());
                    let context = values
                        .as_ref()
                        .map_or_else(Context::default, |values| Context::default().with(KEY, owned(values)));
                    for ((prefix, suffix), expected) in FORMS.iter().zip(holds) {
                        let Some(expected) = *expected else { continue };
                        let condition = json!({format!("{prefix}{name}{suffix}"): {KEY: wanted}});
                        let got = applies("2012-10-17", &condition, &context, ("*", RESOURCE));
                        cases += 1;
                        if got != (expected, expected) {
                            wrong.push(format!("{condition} on {values:?}: expected {expected}, got {got:?}"));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 26 * 2 * (6 * 4 + 4 * 3));
}

#[test]
fn null_asks_whether_a_key_has_values() {
    for (values, is_null) in
        [(None, true), (Some(&[][..]), true), (Some(&["a"][..]), false), (Some(&["a", "b"]), false)]
    {
        let context = values.map_or_else(Context::default, |values| Context::default().with(KEY, owned(values)));
        for (wanted, expected) in [
            (json!("true"), is_null),
            (json!("false"), !is_null),
            (json!(true), is_null),
            (json!(false), !is_null),
            (json!(["true", "false"]), true),
            (json!("x"), false),
        ] {
            let got = applies("2012-10-17", &json!({"Null": {KEY: wanted}}), &context, ("*", RESOURCE));
            assert_eq!(got, (expected, expected), "{wanted} on {values:?}");
        }
    }
    for name in ["NullIfExists", "ForAnyValue:Null", "ForAllValues:Null"] {
        let text = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {name: {KEY: "true"}}}});
        assert!(Document::parse(&text.to_string(), Kind::Inline).is_err(), "{name}");
    }
}

/// The keys are one whatever the letters' case, their values are not.
#[test]
fn names_of_keys_ignore_case() {
    let context = Context::default().with("AWS:requesttag/TEAM", owned(&["A"]));
    for (operator, expected) in [("StringEquals", false), ("StringEqualsIgnoreCase", true)] {
        let condition = json!({operator: {"aws:RequestTag/Team": "a"}});
        assert_eq!(applies("2012-10-17", &condition, &context, ("*", RESOURCE)).0, expected, "{operator}");
    }
}

#[test]
fn every_way_to_write_a_value() {
    for (operator, wanted, got, expected) in [
        ("StringEquals", "a?", "ab", false),
        ("StringEquals", "a*", "a*", true),
        ("StringEquals", "", "", true),
        ("StringLike", "*", "", true),
        ("StringLike", "?", "", false),
        ("StringLike", "a*b*c", "abbc", true),
        ("StringLike", "a**", "a", true),
        ("StringLike", "é?", "éü", true),
        ("StringLike", "*:*", "a:b:c", true),
        ("StringEqualsIgnoreCase", "ÉTÉ", "été", true),
        ("NumericEquals", "9007199254740993", "9007199254740992", false),
        ("NumericEquals", "-0", "0", true),
        ("NumericEquals", "0.10", "0.1", true),
        ("NumericLessThan", "10", "9", true),
        ("NumericLessThan", "", "9", false),
        ("DateEquals", "2026", "2026-01-01T00:00:00Z", true),
        ("DateEquals", "2026-05", "2026-05-01T00:00:00Z", true),
        ("DateEquals", "2026-05-03", "2026-05-03T00:00:00Z", true),
        ("DateEquals", "2026-05-03T10:20Z", "2026-05-03T10:20:00Z", true),
        ("DateEquals", "2026-05-03T10:20+02:00", "2026-05-03T08:20:00Z", true),
        ("DateEquals", "2026-05-03T10:20:30-02:00", "2026-05-03T12:20:30Z", true),
        ("DateEquals", "2026-05-03T10:20:30.5Z", "2026-05-03T10:20:30.500Z", true),
        ("DateEquals", "1777804200", "2026-05-03T10:30:00Z", true),
        ("DateEquals", "2026-05-03T10:30:00Z", "1777804200", true),
        ("DateLessThan", "2026-02-28T23:59:59Z", "2026-02-30T00:00:00Z", false),
        ("Bool", "False", "false", true),
        ("Bool", "1", "true", false),
        ("BinaryEquals", "QUJD", "QUJD", true),
        ("BinaryEquals", "QUJD", "QUJE", false),
        ("IpAddress", "203.0.113.5", "203.0.113.5", true),
        ("IpAddress", "203.0.113.5", "203.0.113.6", false),
        ("IpAddress", "203.0.113.4/31", "203.0.113.5", true),
        ("IpAddress", "203.0.113.77/24", "203.0.113.5", true),
        ("IpAddress", "0.0.0.0/0", "203.0.113.5", true),
        ("IpAddress", "203.0.113.5/33", "203.0.113.5", false),
        ("IpAddress", "203.0.113.*", "203.0.113.5", false),
        ("IpAddress", "2001:db8::1", "2001:0db8:0:0:0:0:0:1", true),
        ("IpAddress", "2001:db8::1", "2001:db8::2", false),
        ("IpAddress", "2001:db8:1234:5678::/64", "2001:db8:1234:5678:ffff::1", true),
        ("IpAddress", "2001:db8:1234:5678::/64", "2001:db8:1234:5679::1", false),
        ("IpAddress", "::/0", "2001:db8::1", true),
        ("IpAddress", "::/0", "203.0.113.5", false),
        ("IpAddress", "::/129", "2001:db8::1", false),
        ("ArnLike", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/a/b", true),
        ("ArnLike", "arn:aws:*:*:*:*", "arn:aws:sqs:x:1:q", true),
        ("ArnLike", "arn:aws:s*:*:*:*", "arn:aws:iam::1:role/a", false),
        ("ArnLike", "arn:aws:sns:*", "arn:aws:sns:x:1:t", false),
        ("ArnLike", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:x:1:log-group:a:log-stream:b", true),
        (
            "ArnLike",
            "arn:aws:someservice:*:111122223333:finance/*",
            "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
            false,
        ),
        (
            "StringLike",
            "arn:aws:someservice:*:111122223333:finance/*",
            "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
            true,
        ),
        ("ArnEquals", "arn:aws:sns:x:1:t?", "arn:aws:sns:x:1:t1", true),
        ("ArnEquals", "arn:aws:sns:x:1:t", "arn:aws:sns:x:1:T", false),
    ] {
        let context = Context::default().with(KEY, owned(&[got]));
        let (found, _) = applies("2012-10-17", &json!({operator: {KEY: wanted}}), &context, ("*", RESOURCE));
        assert_eq!(found, expected, "{operator} {wanted} {got}");
    }
}

/// Where a variable stands for a value, and what else `${` means.
#[test]
fn variables_in_conditions() {
    let context = Context::default()
        .with("aws:username", owned(&["a*"]))
        .with("aws:SourceAccount", owned(&["111122223333"]))
        .with("aws:CalledVia", owned(&["x", "y"]))
        .with("aws:PrincipalTag/empty", vec![]);
    for (operator, wanted, got, old, new) in [
        ("StringEquals", "${aws:username}", "a*", false, true),
        ("StringEquals", "${AWS:UserName}", "a*", false, true),
        ("StringEquals", "${aws:username}", "${aws:username}", true, false),
        ("StringLike", "${aws:username}", "ab", false, false),
        ("StringLike", "${aws:username}/*", "a*/b", false, true),
        ("StringNotEquals", "${aws:username}", "b", true, true),
        ("StringNotEquals", "${aws:username}", "a*", true, false),
        // A variable without a value is like nothing.
        ("StringEquals", "${aws:userid}", "", false, false),
        ("StringLike", "*${aws:userid}", "x", false, false),
        ("StringNotEquals", "${aws:userid}", "x", true, true),
        ("StringNotLike", "${aws:userid}", "x", true, true),
        ("StringEquals", "${aws:PrincipalTag/empty}", "", false, false),
        // A key of several values is no variable.
        ("StringEquals", "${aws:CalledVia}", "x", false, false),
        // Defaults stand in single quotes.
        ("StringEquals", "${aws:userid, 'none'}", "none", false, true),
        ("StringEquals", "${aws:userid, ''}", "", false, true),
        ("StringEquals", "${aws:PrincipalTag/empty, 'none'}", "none", false, true),
        ("StringEquals", "${aws:username, 'none'}", "none", false, false),
        ("StringLike", "${aws:userid, 'n*'}", "none", false, false),
        ("StringLike", "${aws:userid, 'n*'}", "n*", false, true),
        // Letters that mean something else.
        ("StringLike", "a${*}", "a*", false, true),
        ("StringLike", "a${*}", "ab", false, false),
        ("StringLike", "a${?}", "a?", false, true),
        ("StringLike", "a${?}", "ab", false, false),
        ("StringLike", "${$}{x}", "${x}", false, true),
        ("StringEquals", "a${*}b${?}c${$}", "a*b?c$", false, true),
        ("ArnLike", "arn:aws:iam::${aws:SourceAccount}:role/*", "arn:aws:iam::111122223333:role/a", false, true),
        ("ArnNotLike", "arn:aws:iam::${aws:SourceAccount}:role/*", "arn:aws:iam::111122223333:role/a", true, false),
        // Numbers, dates, addresses and the like know no variables.
        ("NumericEquals", "${aws:SourceAccount}", "111122223333", false, false),
        ("Bool", "${aws:username}", "a*", false, false),
    ] {
        let context = context.clone().with(KEY, owned(&[got]));
        let holds = |version| applies(version, &json!({operator: {KEY: wanted}}), &context, ("*", RESOURCE)).0;
        assert_eq!(holds("2008-10-17"), old, "of old: {operator} {wanted} {got}");
        assert_eq!(holds("2012-10-17"), new, "{operator} {wanted} {got}");
    }
}

#[test]
fn variables_and_wildcards_in_resources() {
    let context = Context::default()
        .with("aws:username", owned(&["ana"]))
        .with("aws:RequestedRegion", owned(&["us-east-1"]))
        .with("aws:PrincipalTag/any", owned(&["*"]));
    for (pattern, resource, old, new) in [
        ("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/ana", false, true),
        ("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:username}", true, false),
        ("arn:aws:s3:::${aws:username}*", "arn:aws:s3:::ana/k", false, true),
        ("arn:aws:s3:::b/${aws:PrincipalTag/any}", "arn:aws:s3:::b/k", false, false),
        ("arn:aws:s3:::b/${aws:PrincipalTag/any}", "arn:aws:s3:::b/*", false, true),
        ("arn:aws:s3:::b/${aws:userid}", "arn:aws:s3:::b/", false, false),
        ("arn:aws:s3:::b/${aws:userid, 'all'}/*", "arn:aws:s3:::b/all/k", false, true),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", false, true),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/k", false, false),
        // Only the last part of an ARN knows variables.
        ("arn:aws:sqs:${aws:RequestedRegion}:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", false, false),
        (
            "arn:aws:sqs:*:111122223333:${aws:RequestedRegion}",
            "arn:aws:sqs:us-east-1:111122223333:us-east-1",
            false,
            true,
        ),
        // `*` reaches over slashes, and over colons at the end of a part; `?` is one character.
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1///test///object.jpg", true, true),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/object.jpg", true, true),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", false, false),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test.jpg", false, false),
        (
            "arn:aws:logs:*:111122223333:log-group:/a*",
            "arn:aws:logs:x:111122223333:log-group:/a:log-stream:b",
            true,
            true,
        ),
        ("arn:aws:sqs:us-*-1:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", true, true),
        ("arn:aws:sqs:us-*-1:111122223333:q", "arn:aws:sqs:us-east:x-1:111122223333:q", false, false),
        ("arn:aws:sqs:us-east-?:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", true, true),
        ("arn:aws:sqs:us-east-1?111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", false, false),
        ("arn:aws:sqs:us-east-1:111122223333:Q", "arn:aws:sqs:us-east-1:111122223333:q", false, false),
        ("arn:aws:sqs:us-*", "arn:aws:sqs:us-east-1:111122223333:q", true, true),
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:q", true, true),
    ] {
        let fits = |version| applies(version, &Json::Null, &context, (pattern, resource)).0;
        assert_eq!(fits("2008-10-17"), old, "of old: {pattern} {resource}");
        assert_eq!(fits("2012-10-17"), new, "{pattern} {resource}");
    }
}
