//! Values as XML elements, and scalars as text, which forms share.
//!
//! Invariant: recursion follows the shape and the (bounded) nesting of the element, never the shape alone.

use neargate_base::Timestamp;
use neargate_shape::{Kind, Location, Member, Shape, ShapeError, TimestampFormat, Value, scalar};

use crate::xml::{Element, Writer};

/// The element name of a member: of a flattened list, its items' name where they have one.
pub(crate) fn member_name(member: &Member) -> &'static str {
    match member.shape.get().kind {
        Kind::List { member_name, flattened: true, .. } if member_name != "member" => member_name,
        _ => member.message_name(),
    }
}

/// The attributes of a structure's element.
pub(crate) fn write_attributes(shape: &Shape, value: &Value) -> String {
    let mut written = Vec::new();
    for member in shape.members() {
        let (Some(namespace), Some(value)) = (member.attribute, value.get(member.name)) else { continue };
        let name = member.message_name();
        if let Some((prefix, _)) = name.split_once(':') {
            written.push(format!("xmlns:{prefix}=\"{namespace}\""));
        }
        let mut text = Writer::default();
        text.text(&to_text(member.shape.get().kind, value));
        written.push(format!("{name}=\"{}\"", String::from_utf8_lossy(&text.finish())));
    }
    written.join(" ")
}

/// Writes the members of a structure that lie in the body and are elements.
pub(crate) fn write_members(writer: &mut Writer, shape: &Shape, value: &Value) {
    for member in elements(shape) {
        if let Some(value) = value.get(member.name) {
            write(writer, member_name(member), member.shape.get(), value);
        }
    }
}

fn elements(shape: &Shape) -> impl Iterator<Item = &'static Member> {
    shape.members().iter().filter(|member| member.location == Location::Body && member.attribute.is_none())
}

fn write(writer: &mut Writer, name: &str, shape: &Shape, value: &Value) {
    match (shape.kind, value) {
        (Kind::List { member, flattened: true, .. }, Value::List(items)) => {
            items.iter().for_each(|item| write(writer, name, member.get(), item));
        }
        (Kind::List { member, member_name, .. }, Value::List(items)) => {
            writer.open(name, "");
            items.iter().for_each(|item| write(writer, member_name, member.get(), item));
            writer.close(name);
        }
        (Kind::Map { key_name, value: shape, value_name, flattened, .. }, Value::Map(entries)) => {
            let entry = if flattened { name } else { "entry" };
            if !flattened {
                writer.open(name, "");
            }
            for (key, value) in entries {
                writer.open(entry, "");
                writer.leaf(key_name, key);
                write(writer, value_name, shape.get(), value);
                writer.close(entry);
            }
            if !flattened {
                writer.close(name);
            }
        }
        (Kind::Structure { .. }, value) => {
            writer.open(name, &write_attributes(shape, value));
            write_members(writer, shape, value);
            writer.close(name);
        }
        (kind, value) => writer.leaf(name, &to_text(kind, value)),
    }
}

/// Reads the members of a structure.
pub(crate) fn read_members(shape: &Shape, element: &Element) -> Result<Value, ShapeError> {
    let mut members = Vec::new();
    for member in shape.members().iter().filter(|member| member.attribute.is_some()) {
        if let Some(text) = element.attribute(member.message_name()) {
            let value = from_text(member.shape.get().kind, text).map_err(|error| error.under(member.name))?;
            members.push((member.name, value));
        }
    }
    for member in elements(shape) {
        let name = member_name(member);
        let found: Vec<&Element> = element.children.iter().filter(|child| child.name == name).collect();
        if let Some(first) = found.first() {
            let value = read(member.shape.get(), first, &found).map_err(|error| error.under(member.name))?;
            members.push((member.name, value));
        }
    }
    Ok(Value::Structure(members))
}

/// Adds the paths of elements that a shape does not have.
pub(crate) fn unknown_members(shape: &Shape, element: &Element, path: &str, unknown: &mut Vec<String>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match shape.kind {
        Kind::Structure { .. } => {
            for child in &element.children {
                match elements(shape).find(|member| member_name(member) == child.name).map(|member| member.shape.get())
                {
                    None => unknown.push(under(&child.name)),
                    // The child is an item itself.
                    Some(Shape { kind: Kind::List { member, flattened: true, .. }, .. }) => {
                        unknown_members(member.get(), child, &under(&child.name), unknown);
                    }
                    Some(shape) => unknown_members(shape, child, &under(&child.name), unknown),
                }
            }
        }
        Kind::List { member, .. } => {
            for (index, child) in element.children.iter().enumerate() {
                unknown_members(member.get(), child, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Reads an element; `all` are the elements of its name, which flattened shapes are made of.
fn read(shape: &Shape, element: &Element, all: &[&Element]) -> Result<Value, ShapeError> {
    match shape.kind {
        Kind::Structure { .. } => read_members(shape, element),
        Kind::List { member, flattened, .. } => {
            let items: Vec<&Element> = if flattened { all.to_vec() } else { element.children.iter().collect() };
            let item = |(index, item): (usize, &Element)| {
                read(member.get(), item, &[item]).map_err(|error| error.under_index(index))
            };
            items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::List)
        }
        Kind::Map { key_name, value: shape, value_name, flattened, .. } => {
            let entries: Vec<&Element> = if flattened { all.to_vec() } else { element.children.iter().collect() };
            let entry = |entry: &Element| {
                let (Some(key), Some(value)) = (entry.child(key_name), entry.child(value_name)) else {
                    return Err(ShapeError::kind(format!("expected `{key_name}` and `{value_name}`")));
                };
                let value = read(shape.get(), value, &[value]).map_err(|error| error.under(&key.text))?;
                Ok((key.text.clone(), value))
            };
            entries.into_iter().map(entry).collect::<Result<_, _>>().map(Value::Map)
        }
        kind => from_text(kind, &element.text),
    }
}

/// A scalar as text.
pub(crate) fn to_text(kind: Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Bool(truth)) => truth.to_string(),
        (_, Value::Long(number)) => number.to_string(),
        (_, Value::Double(number)) if number.is_infinite() => {
            (if *number > 0.0 { "Infinity" } else { "-Infinity" }).to_owned()
        }
        (_, Value::Double(number)) => number.to_string(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Blob(bytes)) => scalar::base64_encode(bytes),
        (Kind::Timestamp(Some(TimestampFormat::UnixTimestamp)), Value::Timestamp(time)) => {
            time.seconds_f64().to_string()
        }
        (Kind::Timestamp(Some(TimestampFormat::Rfc822)), Value::Timestamp(time)) => time.to_http_date(),
        (_, Value::Timestamp(time)) => iso(*time),
        (_, Value::Document(json)) => json.to_string(),
        (_, Value::Null | Value::List(_) | Value::Map(_) | Value::Structure(_) | Value::Stored(_)) => String::new(),
    }
}

/// Milliseconds appear only where there are any.
fn iso(time: Timestamp) -> String {
    if time.millis() % 1000 == 0 { time.to_iso_seconds() } else { time.to_string() }
}

/// A scalar from text.
pub(crate) fn from_text(kind: Kind, text: &str) -> Result<Value, ShapeError> {
    let trimmed = text.trim();
    let read = match kind {
        Kind::String => Some(Value::String(text.to_owned())),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Kind::Integer | Kind::Long => trimmed.parse().ok().map(Value::Long),
        Kind::Double => trimmed.parse().ok().map(Value::Double),
        Kind::Blob => scalar::base64_decode(trimmed).map(Value::Blob),
        Kind::Timestamp(_) => {
            let seconds = || trimmed.parse().ok().map(scalar::timestamp_from_seconds);
            let date = || Timestamp::from_http_date(trimmed);
            trimmed.parse().ok().or_else(seconds).or_else(date).map(Value::Timestamp)
        }
        Kind::Document => serde_json::from_str(text).ok().map(Value::Document),
        _ => None,
    };
    read.ok_or_else(|| ShapeError::kind(format!("Invalid value: {text}")))
}
