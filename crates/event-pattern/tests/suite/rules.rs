//! Rules of the language that deserve to be read: arrays, absence, names, views of a value.

use neargate_event_pattern::Pattern;

#[track_caller]
fn check(pattern: &str, event: &str, expect: &str) {
    let pattern = Pattern::parse(pattern).unwrap();
    let explained = pattern.explain(event.as_bytes());
    assert_eq!(explained.to_string(), expect);
    assert_eq!(pattern.matches(event.as_bytes()), explained.matches());
}

const PEOPLE: &str =
    r#"{"people": [{"first": "Ann", "last": "Smith"}, {"first": "Bob", "last": "Jones"}, {"first": "Cid"}]}"#;

#[test]
fn fields_meet_in_one_element_of_an_array() {
    check(r#"{"people": {"first": ["Bob"], "last": ["Jones"]}}"#, PEOPLE, "match");
    check(
        r#"{"people": {"first": ["Ann"], "last": ["Jones"]}}"#,
        PEOPLE,
        "no match: people.first and people.last match only in different elements of an array",
    );
}

#[test]
fn absence_is_asked_of_the_element_chosen_before() {
    check(r#"{"people": {"first": ["Cid"], "last": [{"exists": false}]}}"#, PEOPLE, "match");
    check(
        r#"{"people": {"first": ["Bob"], "last": [{"exists": false}]}}"#,
        PEOPLE,
        r#"no match: people.last is "Smith", "Jones", wanted [{"exists": false}]"#,
    );
    // `age` is visited before any element is chosen, so any `age` anywhere counts.
    let event = r#"{"people": [{"age": 3}, {"first": "Ann"}]}"#;
    check(
        r#"{"people": {"age": [{"exists": false}], "first": ["Ann"]}}"#,
        event,
        r#"no match: people.age is 3, wanted [{"exists": false}]"#,
    );
}

#[test]
fn a_deeper_value_may_be_chosen_for_the_sake_of_an_absence() {
    // The `x` right in the array binds nothing, so `a.c` would be present; the one in the second item rules it out.
    let pattern = r#"{"a": ["x"], "a.c": [{"exists": false}]}"#;
    check(pattern, r#"{"a": ["x", ["x"], [{"c": 1}]]}"#, "match");
    check(pattern, r#"{"a": ["x", [{"c": 1}]]}"#, "no match: a.c is 1, wanted [{\"exists\": false}]");
    let dotted = r#"{"a": {"b": ["x"], "c": [{"exists": false}]}}"#;
    check(dotted, r#"{"a": [{"b": "x", "c": 1}, {"b": "x"}], "a.b": "x"}"#, "match");
}

#[test]
fn scalars_of_an_array_bind_nothing() {
    check(r#"{"tags": ["x"], "more": ["y"]}"#, r#"{"tags": ["w", "x"], "more": ["y"]}"#, "match");
    check(
        r#"{"a": {"b": [1], "c": [2]}}"#,
        r#"{"a": [[{"b": 1}, {"c": 2}]]}"#,
        "no match: a.b and a.c match only in different elements of an array",
    );
    check(r#"{"a": {"b": [1], "c": [2]}}"#, r#"{"a": {"b": [1, 2], "c": [2, 3]}}"#, "match");
}

#[test]
fn arrays_that_dotted_names_put_side_by_side_bind_nothing_of_each_other() {
    let pattern = r#"{"a": {"b": {"x": [1], "y": [2]}}}"#;
    check(pattern, r#"{"a.b": [{"x": 1}, {"y": 2}], "a": {"b": [{"y": 2}]}}"#, "match");
    check(pattern, r#"{"a.b": [{"y": 2}], "a": {"b": [{"y": 2}, {"x": 1}]}}"#, "match");
    let only_different = "no match: a.b.x and a.b.y match only in different elements of an array";
    check(pattern, r#"{"a.b": [{"x": 1}, {"y": 2}], "a": {"b": [{"y": 3}]}}"#, only_different);
}

#[test]
fn anything_but_wants_a_value() {
    let pattern = r#"{"detail": {"state": [{"anything-but": "ok"}]}}"#;
    check(pattern, r#"{"detail": {}}"#, "no match: detail.state is absent");
    check(pattern, r#"{"detail": {"state": []}}"#, "no match: detail.state is absent");
    check(pattern, r#"{"detail": {"state": null}}"#, "match");
    check(pattern, r#"{"detail": {"state": ["ok", "bad"]}}"#, "match");
}

#[test]
fn the_last_of_equal_names_counts() {
    check(r#"{"a": ["x"]}"#, r#"{"a": "x", "b": 1, "a": "z"}"#, r#"no match: a is "z", wanted ["x"]"#);
    check(
        r#"{"a": {"b": ["x"]}}"#,
        r#"{"a": {"b": "x"}, "\u0061": {"b": "y"}}"#,
        r#"no match: a.b is "y", wanted ["x"]"#,
    );
    check(r#"{"a": {"b": ["x"]}}"#, r#"{"a": {"b": "y"}, "a": {"b": "x"}}"#, "match");
    check(r#"{"a": {"b": ["x"]}}"#, r#"{"a": {"b": "y"}, "a.b": "x"}"#, "match");
}

#[test]
fn an_address_is_an_address_to_every_test_of_its_field() {
    check(r#"{"ip": ["10.0.0.5"]}"#, r#"{"ip": "010.0.0.5"}"#, "match");
    check(
        r#"{"ip": ["10.0.0.5", {"prefix": "10.1"}]}"#,
        r#"{"ip": "10.1.0.9"}"#,
        r#"no match: ip is "10.1.0.9", wanted ["10.0.0.5", {"prefix": "10.1"}]"#,
    );
}

#[test]
fn quotes_belong_to_a_string() {
    check(r#"{"a": [{"prefix": "\""}]}"#, r#"{"a": ""}"#, "match");
    check(r#"{"a": [{"suffix": "x\""}]}"#, r#"{"a": "x"}"#, r#"no match: a is "x", wanted [{"suffix": "x\""}]"#);
}

#[test]
fn the_branch_that_came_nearest_is_explained() {
    check(r#"{"$or": [{"a": [1], "b": [2]}, {"c": [3]}]}"#, r#"{"a": 1, "b": 5}"#, "no match: b is 5, wanted [2]");
}

#[test]
fn a_malformed_or_is_a_field() {
    check(r#"{"$or": ["x"]}"#, r#"{"$or": "x"}"#, "match");
    check(r#"{"$or": [{"prefix": "x"}, {"suffix": "y"}]}"#, r#"{"$or": "xz"}"#, "match");
}
