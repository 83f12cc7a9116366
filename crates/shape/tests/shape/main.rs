//! The declared structs, their ways to values and JSON, and what is said of values that do not fit.

#![allow(clippy::unwrap_used, reason = "tests may panic")]
#![allow(missing_docs, reason = "the structs are made up")]

use neargate_base::Timestamp;
use neargate_shape::{
    Blob, Document, Protocol, Shape, ShapeError, Value, Wire, describe, from_json, from_properties, refusal, shape,
    to_json, validate,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

static NAME: Shape = Shape::string("Name").min(1).max(8).pattern("[a-z]+");
static SIZE: Shape = Shape::integer("Size").min(1).max(10);
static KIND: Shape = Shape::string("Kind").one_of(&["EC2", "FARGATE"]);
static NAMES: Shape = Shape::list("Names", neargate_shape::Link::Static(&NAME)).max(3);

shape! {
    pub struct Thing as "Thing" {
        name: String = "name" { shape(&NAME) },
        size: Option<i32> = "size" { shape(&SIZE) },
        kind: Option<String> = "kind" { shape(&KIND) },
        names: Option<Vec<String>> = "names" { shape(&NAMES) },
        r#type: Option<bool> = "type",
        version: Option<i64> = "version",
        weight: Option<f64> = "weight",
        created_at: Option<Timestamp> = "createdAt",
        data: Option<Blob> = "data",
        children: Option<Vec<Thing>> = "children",
        next: Option<Box<Thing>> = "next",
        tags: Option<Vec<Tag>> = "tags",
        labels: Option<BTreeMap<String, String>> = "labels",
        anything: Option<Document> = "anything",
    }

    pub struct Tag as "Tag" {
        key: String = "key",
        value: Option<String> = "value",
    }
}

fn full() -> Thing {
    Thing {
        name: "a".into(),
        size: Some(3),
        kind: Some("EC2".into()),
        names: Some(vec!["x".into()]),
        r#type: Some(true),
        version: Some(1 << 60),
        weight: Some(0.5),
        created_at: Some(Timestamp(1_500)),
        data: Some(Blob(vec![0, 255])),
        children: Some(vec![Thing { name: "b".into(), ..Thing::default() }]),
        next: Some(Box::new(Thing { name: "c".into(), ..Thing::default() })),
        tags: Some(vec![Tag { key: "k".into(), value: None }]),
        labels: Some(BTreeMap::from([("l".into(), "v".into())])),
        anything: Some(json!({"deep": [1, null]})),
    }
}

#[test]
fn structs_survive_values_and_json() {
    assert_eq!(Thing::from_value(full().into_value()), Ok(full()));
    let json = serde_json::to_value(full()).unwrap();
    assert_eq!(json["createdAt"], json!(1.5));
    assert_eq!(json["data"], json!("AP8="));
    assert_eq!(serde_json::from_value::<Thing>(json).unwrap(), full());
    assert_eq!(serde_json::to_string(&Tag::default()).unwrap(), r#"{"key":""}"#);
}

#[test]
fn structs_show_as_json_and_compare_by_member() {
    let tag = Tag { key: "k".into(), value: Some("v".into()) };
    assert_eq!(format!("{tag:?}"), r#"Tag {"key":"k","value":"v"}"#);
    assert_ne!(tag, Tag { value: None, ..tag.clone() });
}

#[test]
fn values_are_found_by_path() {
    let value = full().into_value();
    assert_eq!(value.at(&["children", "0", "name"]).and_then(Value::as_str), Some("b"));
    assert_eq!(value.at(&["children", "1", "name"]), None);
    assert_eq!(value.get("nothing"), None);
}

#[test]
fn json_members_that_do_not_exist_are_reported_and_nulls_are_absent() {
    let mut unknown = Vec::new();
    let json = json!({"name": "a", "size": null, "x": 1, "children": [{"name": "b", "y": {}}], "labels": {"z": "1"}});
    let value = from_json(Thing::shape(), json, &mut unknown).unwrap();
    assert_eq!(unknown, ["x", "children[0].y"]);
    assert_eq!(value.get("size"), None);
    assert_eq!(to_json(&value), json!({"name": "a", "children": [{"name": "b"}], "labels": {"z": "1"}}));
}

fn kind_error(json: Json) -> String {
    from_json(Thing::shape(), json, &mut Vec::new()).and_then(Thing::from_value).unwrap_err().to_string()
}

#[test]
fn json_of_the_wrong_kind_is_refused_with_its_path() {
    assert_eq!(kind_error(json!({"name": 1})), "`name`: NUMBER_VALUE can not be converted to a String");
    assert_eq!(
        kind_error(json!({"name": "a", "children": [{"size": "1"}]})),
        "`children[0].size`: STRING_VALUE can not be converted to an Integer"
    );
    assert_eq!(kind_error(json!({"name": ["a"]})), "`name`: Start of list found where not expected");
    assert_eq!(kind_error(json!({"name": "a", "version": 1.5})), "`version`: 1.5 can not be converted to an integer");
    assert_eq!(kind_error(json!({"name": "a", "data": "*"})), "`data`: Invalid base64-encoded value");
    assert_eq!(kind_error(json!({"name": "a", "size": 1_i64 << 40})), "`size`: `1099511627776` does not fit 32 bits");
    assert_eq!(kind_error(json!({"name": "a", "next": {}})), "`next.name` is required and absent");
    assert_eq!(kind_error(json!({"name": "a", "names": [null]})), "`names[0]`: expected string, got null");
}

fn properties(json: &Json) -> Result<Json, ShapeError> {
    from_properties(Thing::shape(), json).map(|value| to_json(&value))
}

#[test]
fn properties_are_read_loosely() {
    let loose = json!({
        "Name": 5, "Size": "3", "Type": "true", "Version": "9", "Weight": "0.5", "CREATEDAT": "1970-01-01T00:00:01Z", "Kind": null,
        "Names": [true], "Tags": {"a": "1", "b": 2}, "Labels": [{"Key": "x", "Value": "y"}], "Anything": {"As": ["is"]},
        "Children": [{"Name": {"Statement": []}}],
    });
    let strict = json!({
        "name": "5", "size": 3, "type": true, "version": 9, "weight": 0.5, "createdAt": 1, "names": ["true"],
        "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}], "labels": {"x": "y"}, "anything": {"As": ["is"]},
        "children": [{"name": "{\"Statement\":[]}"}],
    });
    assert_eq!(properties(&loose), Ok(strict));
}

#[test]
fn unknown_and_ill_fitting_properties_are_refused_with_their_path() {
    let error = |json: Json| properties(&json).unwrap_err().to_string();
    assert_eq!(error(json!({"Nam": "a"})), "`Nam` is not known here");
    assert_eq!(error(json!({"Children": [{}, {"Names_": []}]})), "`Children[1].Names_` is not known here");
    assert_eq!(error(json!({"Size": "three"})), "`Size`: STRING_VALUE can not be converted to an Integer");
    assert_eq!(error(json!({"Tags": "a"})), "`Tags`: STRING_VALUE can not be converted to a List");
}

fn violations(json: Json) -> String {
    let value = from_json(Thing::shape(), json, &mut Vec::new()).unwrap();
    let violations = validate(Thing::shape(), &value);
    if violations.is_empty() { String::new() } else { describe(&violations) }
}

#[test]
fn violations_are_worded_as_by_aws() {
    assert_eq!(violations(json!({"name": "a", "names": ["a", "b"]})), "");
    assert_eq!(
        violations(json!({})),
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    );
    assert_eq!(
        violations(json!({"name": "a", "kind": "X", "size": 11})),
        "2 validation errors detected: Value '11' at 'size' failed to satisfy constraint: Member must have value less than or \
         equal to 10; Value 'X' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [EC2, FARGATE]"
    );
    assert_eq!(
        violations(json!({"name": "a", "children": [{"name": ""}]})),
        "2 validation errors detected: Value '' at 'children.1.member.name' failed to satisfy constraint: Member must have \
         length greater than or equal to 1; Value '' at 'children.1.member.name' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: [a-z]+"
    );
    assert_eq!(
        violations(json!({"name": "a", "names": ["a", "B"]})),
        "1 validation error detected: Value '[a, B]' at 'names' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 8, Member must have length greater than or equal to 1, Member must \
         satisfy regular expression pattern: [a-z]+]"
    );
}

#[test]
fn each_protocol_refuses_in_its_own_way() {
    let violations = validate(Thing::shape(), &Value::Structure(vec![]));
    let code = |protocol| refusal(protocol, &violations).unwrap();
    assert_eq!(code(Protocol::AwsJson11).0, "ValidationException");
    assert_eq!(code(Protocol::Query).0, "ValidationError");
    assert_eq!(code(Protocol::Ec2), ("MissingParameter", "The request must contain the parameter Name".to_owned()));
    assert_eq!(refusal(Protocol::Ec2, &[]), None);
}
