//! JSON values by AWS's rules: timestamps as seconds since the epoch, blobs as base64, null as absence.
//!
//! Members are keyed by the model's names, but in [`from_message`] and [`to_message`], which are for bodies of the rest protocols.
//!
//! Invariant: what is read from a JSON value that was written from a value is that value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use neargate_base::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::descriptor::{Kind, Location, Member, Shape};
use crate::error::ShapeError;
use crate::value::Value;

/// A JSON value of a value; members that are null are left out.
pub fn to_json(value: &Value) -> Json {
    // Only maps with keys that are no text fail, and there are none.
    serde_json::to_value(value).unwrap_or_default()
}

/// AWS's JSON, as [`to_json`], straight into any serialiser.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Long(number) => serializer.serialize_i64(*number),
            Self::Double(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::Double(number) if number.is_nan() => serializer.serialize_str("NaN"),
            Self::Double(number) => serializer.serialize_str(if *number > 0.0 { "Infinity" } else { "-Infinity" }),
            Self::String(text) => serializer.serialize_str(text),
            Self::Blob(bytes) => serializer.serialize_str(&base64_encode(bytes)),
            // Nothing reads this back as a reference: whoever sends it names nobody's bytes.
            Self::Stored(stored) => stored.blob.serialize(serializer),
            Self::Timestamp(time) if time.millis() % 1000 == 0 => serializer.serialize_i64(time.millis() / 1000),
            Self::Timestamp(time) => serializer.serialize_f64(time.seconds_f64()),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
            Self::Structure(members) => {
                let present = members.iter().filter(|(_, value)| !value.is_null());
                serializer.collect_map(present.map(|(name, value)| (name, value)))
            }
            Self::Document(json) => json.serialize(serializer),
        }
    }
}

/// Reads a JSON value as a shape. Members that the shape does not have are left out, and their paths added to `unknown`.
///
/// # Errors
/// Where a value is of another kind than the shape, in the words of AWS's JSON protocols.
pub fn from_json(shape: &Shape, json: Json, unknown: &mut Vec<String>) -> Result<Value, ShapeError> {
    read(shape, json, false, &mut String::new(), unknown)
}

/// The same for a message's body: members have their message names, and those that lie outside the body are unknown.
///
/// # Errors
/// As [`from_json`].
pub fn from_message(shape: &Shape, json: Json, unknown: &mut Vec<String>) -> Result<Value, ShapeError> {
    read(shape, json, true, &mut String::new(), unknown)
}

/// A JSON value of a message's body: members have their message names, and those that lie outside the body are left out.
pub fn to_message(shape: &Shape, value: &Value) -> Json {
    match (shape.kind, value) {
        (Kind::List { member, .. }, Value::List(items)) => {
            items.iter().map(|item| to_message(member.get(), item)).collect()
        }
        (Kind::Map { value: shape, .. }, Value::Map(entries)) => {
            entries.iter().map(|(key, value)| (key.clone(), to_message(shape.get(), value))).collect()
        }
        (Kind::Structure { members }, Value::Structure(_)) => {
            let present = members.iter().filter(|member| member.location == Location::Body);
            let present = present.filter_map(|member| Some((member, value.get(member.name)?)));
            present
                .map(|(member, value)| (member.message_name().to_owned(), to_message(member.shape.get(), value)))
                .collect()
        }
        _ => to_json(value),
    }
}

fn find(shape: &Shape, name: &str, message: bool) -> Option<&'static Member> {
    if !message {
        return shape.member(name);
    }
    shape.members().iter().find(|member| member.message_name() == name && member.location == Location::Body)
}

fn read(
    shape: &Shape,
    json: Json,
    message: bool,
    path: &mut String,
    unknown: &mut Vec<String>,
) -> Result<Value, ShapeError> {
    match (shape.kind, json) {
        (Kind::Document, json) => Ok(Value::Document(json)),
        (_, Json::Null) => Ok(Value::Null),
        (Kind::Structure { .. }, Json::Object(object)) => {
            let mut members = Vec::with_capacity(object.len());
            for (name, json) in object {
                let length = step(path, &name);
                match find(shape, &name, message) {
                    Some(member) => match read(member.shape.get(), json, message, path, unknown)? {
                        Value::Null => {}
                        value => members.push((member.name, value)),
                    },
                    None => unknown.push(path.clone()),
                }
                path.truncate(length);
            }
            Ok(Value::Structure(members))
        }
        (Kind::List { member, .. }, Json::Array(items)) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, json) in items.into_iter().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                list.push(read(member.get(), json, message, path, unknown)?);
                path.truncate(length);
            }
            Ok(Value::List(list))
        }
        (Kind::Map { value, .. }, Json::Object(object)) => {
            let mut entries = Vec::with_capacity(object.len());
            for (key, json) in object {
                let length = step(path, &key);
                entries.push((key, read(value.get(), json, message, path, unknown)?));
                path.truncate(length);
            }
            Ok(Value::Map(entries))
        }
        (kind, json) => scalar(kind, json).map_err(|error| error.under(path)),
    }
}

/// `Tag {"key":"a"}`.
///
/// # Errors
/// The formatter's.
pub fn debug(name: &str, value: Value, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    write!(f, "{name} {}", to_json(&value))
}

/// Whether two values are equal.
pub fn equal(left: Value, right: Value) -> bool {
    left == right
}

fn step(path: &mut String, name: &str) -> usize {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(name);
    length
}

fn scalar(kind: Kind, json: Json) -> Result<Value, ShapeError> {
    match (kind, json) {
        (Kind::Boolean, Json::Bool(truth)) => Ok(Value::Bool(truth)),
        (Kind::String, Json::String(text)) => Ok(Value::String(text)),
        (Kind::Integer | Kind::Long, Json::Number(number)) => integer(&number).map(Value::Long),
        (Kind::Double, Json::Number(number)) => Ok(Value::Double(number.as_f64().unwrap_or(f64::NAN))),
        (Kind::Double, Json::String(text)) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
            Ok(Value::Double(text.parse().unwrap_or(f64::NAN)))
        }
        (Kind::Blob, Json::String(text)) => match base64_decode(&text) {
            Some(bytes) => Ok(Value::Blob(bytes)),
            None => Err(ShapeError::kind("Invalid base64-encoded value")),
        },
        (Kind::Timestamp(_), Json::Number(number)) => {
            Ok(Value::Timestamp(timestamp_from_seconds(number.as_f64().unwrap_or_default())))
        }
        (Kind::Timestamp(_), Json::String(text)) => match text.parse() {
            Ok(time) => Ok(Value::Timestamp(time)),
            Err(_) => Err(ShapeError::kind(format!("Invalid timestamp: {text}"))),
        },
        (kind, json) => Err(ShapeError::kind(mismatch(kind, &json))),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "only taken where the fraction is zero and the range is checked")]
fn integer(number: &serde_json::Number) -> Result<i64, ShapeError> {
    if let Some(number) = number.as_i64() {
        return Ok(number);
    }
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 9.0e18 => Ok(float as i64),
        _ => Err(ShapeError::kind(format!("{number} can not be converted to an integer"))),
    }
}

/// AWS's words for a value of the wrong kind.
fn mismatch(kind: Kind, json: &Json) -> String {
    let wanted = match kind {
        Kind::Boolean => "a Boolean",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Double => "a Double",
        Kind::Blob => "a Blob",
        Kind::Timestamp(_) => "a Timestamp",
        Kind::List { .. } => "a List",
        Kind::Map { .. } => "a Map",
        Kind::Structure { .. } => "a Structure",
        Kind::String | Kind::Document => "a String",
    };
    let got = match json {
        Json::Array(_) => return "Start of list found where not expected".to_owned(),
        Json::Object(_) => return "Start of structure or map found where not expected.".to_owned(),
        Json::Bool(true) => "TRUE_VALUE",
        Json::Bool(false) => "FALSE_VALUE",
        Json::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Json::Number(_) => "NUMBER_VALUE",
        Json::String(_) => "STRING_VALUE",
        Json::Null => "NULL_VALUE",
    };
    format!("{got} can not be converted to {wanted}")
}

/// The timestamp nearest to a number of seconds since the epoch.
#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, which is the wanted bound")]
pub fn timestamp_from_seconds(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1000.0).round() as i64)
}

/// Base64 with padding.
pub fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of base64 with padding; `None` where the text is none.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
