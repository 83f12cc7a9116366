//! CloudFormation properties as a codec into an operation's input.
//!
//! A resource's `Properties` mostly are the input of the operation that makes it, spelt `PascalCase`, with looser scalars.
//! This module knows what differs in general; what differs for one resource type is that type's own affair.
//!
//! Invariant: a property that the shape does not have is an error, never ignored.

use serde_json::{Map, Value as Json};

use crate::descriptor::{Kind, Link, Member, Shape};
use crate::error::ShapeError;
use crate::json::from_json;
use crate::value::Value;

/// Reads a resource's properties as a shape.
///
/// Names match with either case of the first letter, else in any case. Text is taken for numbers and booleans and the other way
/// round. An object where the shape has text becomes JSON text (policies, event patterns); a list of `Key` and `Value`
/// becomes a map and the other way round (tags). Null is absence.
///
/// # Errors
/// Where a property is unknown, or its value is of another kind.
pub fn from_properties(shape: &Shape, properties: &Json) -> Result<Value, ShapeError> {
    match (shape.kind, properties) {
        (Kind::Document, json) => Ok(Value::Document(json.clone())),
        (_, Json::Null) => Ok(Value::Null),
        (Kind::Structure { members }, Json::Object(object)) => structure(members, object),
        (Kind::List { member, .. }, Json::Array(items)) => {
            let read = |(index, item)| from_properties(member.get(), item).map_err(|error| error.under_index(index));
            items.iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::List)
        }
        (Kind::List { member, .. }, Json::Object(object)) if is_tag(member.get()) => {
            let pair = |(key, value): (&String, &Json)| {
                let tag =
                    Map::from_iter([("Key".to_owned(), Json::from(key.as_str())), ("Value".to_owned(), value.clone())]);
                from_properties(member.get(), &Json::Object(tag)).map_err(|error| error.under(key))
            };
            object.iter().map(pair).collect::<Result<_, _>>().map(Value::List)
        }
        (Kind::Map { value, .. }, Json::Object(object)) => {
            let read = |(key, json): (&String, &Json)| match from_properties(value.get(), json) {
                Ok(value) => Ok((key.clone(), value)),
                Err(error) => Err(error.under(key)),
            };
            object.iter().map(read).collect::<Result<_, _>>().map(Value::Map)
        }
        (Kind::Map { value, .. }, Json::Array(items)) => map_of_pairs(value, items),
        (kind, json) => from_json(shape, loosen(kind, json), &mut Vec::new()),
    }
}

fn structure(members: &'static [Member], object: &Map<String, Json>) -> Result<Value, ShapeError> {
    let mut values = Vec::with_capacity(object.len());
    for (name, json) in object {
        let member = find(members, name).ok_or_else(|| ShapeError::unknown(name))?;
        let value = from_properties(member.shape.get(), json).map_err(|error| error.under(name))?;
        if !value.is_null() {
            values.push((member.name, value));
        }
    }
    Ok(Value::Structure(values))
}

fn find(members: &'static [Member], name: &str) -> Option<&'static Member> {
    let same = |member: &&Member| match (name.split_at_checked(1), member.name.split_at_checked(1)) {
        (Some((a, rest_a)), Some((b, rest_b))) => rest_a == rest_b && a.eq_ignore_ascii_case(b),
        _ => false,
    };
    let exact = members.iter().find(|member| member.name == name).or_else(|| members.iter().find(same));
    exact.or_else(|| members.iter().find(|member| member.name.eq_ignore_ascii_case(name)))
}

fn is_tag(shape: &Shape) -> bool {
    let members = shape.members();
    members.len() == 2 && find(members, "Key").is_some() && find(members, "Value").is_some()
}

fn map_of_pairs(value: Link, items: &[Json]) -> Result<Value, ShapeError> {
    let mut entries = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let (Some(Json::String(key)), Some(json)) = (item.get("Key"), item.get("Value")) else {
            return Err(ShapeError::kind("expected an object, or a list of `Key` and `Value`").under_index(index));
        };
        let value = from_properties(value.get(), json).map_err(|error| error.under("Value").under_index(index))?;
        entries.push((key.clone(), value));
    }
    Ok(Value::Map(entries))
}

/// The JSON value that a scalar's text, or a text's scalar, stands for; anything else as it is.
fn loosen(kind: Kind, json: &Json) -> Json {
    match (kind, json) {
        (Kind::Boolean, Json::String(text)) if text.eq_ignore_ascii_case("true") => Json::Bool(true),
        (Kind::Boolean, Json::String(text)) if text.eq_ignore_ascii_case("false") => Json::Bool(false),
        (Kind::Integer | Kind::Long, Json::String(text)) => {
            text.trim().parse::<i64>().map_or_else(|_| json.clone(), Json::from)
        }
        (Kind::Double, Json::String(text)) => text.trim().parse::<f64>().map_or_else(|_| json.clone(), Json::from),
        (Kind::String, Json::Bool(_) | Json::Number(_) | Json::Object(_) | Json::Array(_)) => {
            Json::String(json.to_string())
        }
        _ => json.clone(),
    }
}
