use super::super::{Condition, Context, Truth};

fn holds(operator: &str, values: &[&str], got: Option<&[&str]>) -> bool {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let condition = Condition::read(operator, "Some:Key", owned(values)).unwrap();
    let context = got.map_or_else(Context::default, |got| Context::default().with("some:key", owned(got)));
    condition.holds(&context, true) == Truth::Yes
}

#[test]
fn each_operator_on_one_value() {
    for (operator, wanted, got, expected) in [
        ("StringEquals", "a", "a", true),
        ("StringEquals", "a", "A", false),
        ("StringEquals", "a*", "ab", false),
        ("StringNotEquals", "a", "b", true),
        ("StringEqualsIgnoreCase", "aB", "Ab", true),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", false),
        ("StringLike", "a*c?", "abcd", true),
        ("StringLike", "A*", "abcd", false),
        ("StringNotLike", "a*", "abcd", false),
        ("NumericEquals", "1.0", "1", true),
        ("NumericNotEquals", "1", "2", true),
        ("NumericLessThan", "2", "1", true),
        ("NumericLessThan", "2", "2", false),
        ("NumericLessThanEquals", "2", "2", true),
        ("NumericGreaterThan", "2", "10", true),
        ("NumericGreaterThanEquals", "2", "1", false),
        ("NumericEquals", "x", "x", false),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", true),
        ("DateNotEquals", "2026-01-01", "2026-01-02T00:00:00Z", true),
        ("DateLessThan", "2026-01-02", "2026-01-01T23:59:59Z", true),
        ("DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", true),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "1767225600", true),
        ("Bool", "true", "True", true),
        ("Bool", "false", "true", false),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", true),
        ("BinaryEquals", "QmluYXJ5", "qmluYXJ5", false),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", true),
        ("IpAddress", "203.0.113.0/24", "203.0.114.7", false),
        ("IpAddress", "203.0.113.7", "203.0.113.7", true),
        ("IpAddress", "0.0.0.0/0", "8.8.8.8", true),
        ("IpAddress", "0.0.0.0/33", "8.8.8.8", false),
        ("IpAddress", "2001:db8::/32", "2001:db8:1::1", true),
        ("IpAddress", "::/0", "8.8.8.8", false),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", true),
        ("ArnEquals", "arn:aws:ecs:*:1:cluster/a", "arn:aws:ecs:x:1:cluster/a", true),
        ("ArnLike", "arn:aws:ecs:*:1:cluster/?", "arn:aws:ecs:x:1:cluster/ab", false),
        ("ArnNotEquals", "arn:aws:ecs:*:1:cluster/a", "arn:aws:ecs:x:1:cluster/b", true),
        ("ArnNotLike", "arn:aws:ecs:*:1:*", "arn:aws:ecs:x:1:cluster/b", false),
        ("Null", "true", "x", false),
        ("Null", "false", "x", true),
    ] {
        assert_eq!(holds(operator, &[wanted], Some(&[got])), expected, "{operator} {wanted} {got}");
    }
}

#[test]
fn what_a_missing_key_means() {
    for (operator, expected) in [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("NotIpAddress", true),
        ("StringEqualsIfExists", true),
        ("StringNotEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
        ("ForAnyValue:StringEqualsIfExists", true),
    ] {
        assert_eq!(holds(operator, &["a"], None), expected, "{operator}");
    }
    assert!(holds("Null", &["true"], None));
    assert!(!holds("Null", &["false"], None));
    assert!(!holds("StringEqualsIfExists", &["a"], Some(&["b"])));
}

#[test]
fn several_values_on_either_side() {
    for (operator, wanted, got, expected) in [
        ("StringEquals", &["a", "b"][..], &["b"][..], true),
        ("StringNotEquals", &["a", "b"], &["b"], false),
        ("StringNotEquals", &["a", "b"], &["c"], true),
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], true),
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false),
        ("ForAnyValue:StringEquals", &["a", "b"], &["a", "c"], true),
        ("ForAnyValue:StringEquals", &["a", "b"], &["c", "d"], false),
        ("ForAnyValue:StringNotEquals", &["a"], &["a", "c"], true),
        ("ForAllValues:StringNotEquals", &["a"], &["b", "c"], true),
        ("ForAllValues:StringNotEquals", &["a"], &["a", "c"], false),
        ("ForAnyValue:StringLike", &["x*"], &["a", "xy"], true),
        ("ForAllValues:StringEquals", &["a"], &[], true),
        ("ForAnyValue:StringEquals", &["a"], &[], false),
    ] {
        assert_eq!(holds(operator, wanted, Some(got)), expected, "{operator} {wanted:?} {got:?}");
    }
}

#[test]
fn what_is_no_operator() {
    for name in
        ["StringEqual", "ForAll:StringEquals", "NullIfExists", "ForAnyValue:Null", "", "IfExists", "stringequals"]
    {
        assert!(Condition::read(name, "k", vec![]).is_none(), "{name}");
    }
}
