//! Random values that fit a shape, and their plain JSON form, by which values are compared and sent to the oracle.

use neargate_base::Timestamp;
use neargate_shape::{Kind, Location, Protocol, Shape, TimestampFormat, Value, scalar};
use serde_json::{Value as Json, json};

/// What a protocol can carry.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Whether empty lists, maps and structures survive.
    pub(crate) empty: bool,
    /// Whether timestamps have milliseconds.
    pub(crate) milliseconds: bool,
    /// Whether it goes into a header.
    pub(crate) in_header: bool,
}

/// Whether requests of a protocol carry empty lists, maps and structures.
pub(crate) fn carries_empty(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::AwsJson10 | Protocol::AwsJson11 | Protocol::RestJson | Protocol::RpcV2Cbor)
}

/// A value that fits the shape.
pub(crate) fn value(shape: &Shape, limits: Limits, random: &mut fastrand::Rng) -> Value {
    at(shape, limits, random, 0)
}

fn at(shape: &Shape, limits: Limits, random: &mut fastrand::Rng, depth: usize) -> Value {
    let least = usize::from(!limits.empty);
    match shape.kind {
        Kind::Boolean => Value::Bool(random.bool()),
        Kind::Integer => Value::Long(random.i32(..).into()),
        Kind::Long => Value::Long(random.i64(..)),
        Kind::Double => Value::Double(f64::from(random.i32(-1_000_000..1_000_000)) / 64.0),
        Kind::String if !shape.constraints.one_of.is_empty() => {
            Value::String(random.choice(shape.constraints.one_of).unwrap().to_string())
        }
        Kind::String if limits.in_header => Value::String(token(random)),
        Kind::String => Value::String(text(random)),
        Kind::Blob => Value::Blob((0..random.usize(least..20)).map(|_| random.u8(..)).collect()),
        Kind::Timestamp(format) => {
            let time = random.i64(0..4_000_000_000_000);
            let fraction = limits.milliseconds && !limits.in_header && format != Some(TimestampFormat::Rfc822);
            Value::Timestamp(Timestamp(if fraction { time } else { time / 1000 * 1000 }))
        }
        Kind::Document => Value::Document(json!({"a": [1, "x", null, {"b": true}]})),
        Kind::List { member, flattened, .. } => {
            let least = least.max(usize::from(flattened));
            let items = (0..random.usize(least..4)).map(|_| at(member.get(), limits, random, depth + 1)).collect();
            Value::List(items)
        }
        Kind::Map { value, .. } => {
            let key = |random: &mut fastrand::Rng| if limits.in_header { token(random) } else { text(random) };
            let entry =
                |index| (format!("{index}{}", key(random).to_lowercase()), at(value.get(), limits, random, depth + 1));
            Value::Map((least..4).map(entry).collect())
        }
        Kind::Structure { members } => {
            let share = if depth > 6 { 0.05 } else { 0.6 };
            let mut present = Vec::new();
            if shape.constraints.union {
                let member = random.choice(members).unwrap();
                return Value::Structure(vec![(member.name, at(member.shape.get(), limits, random, depth + 1))]);
            }
            for member in members {
                // A response has a status, whatever its value says.
                if member.location == Location::StatusCode {
                    present.push((member.name, Value::Long(200)));
                } else if random.f64() < share || member.required || is_always(member.location) {
                    // Neither a query string nor a header has an empty list, and an empty body is none.
                    let empty = limits.empty && member.location == Location::Body;
                    let in_header = matches!(member.location, Location::Header | Location::Headers);
                    let limits = Limits { empty, in_header, ..limits };
                    present.push((member.name, at(member.shape.get(), limits, random, depth + 1)));
                }
            }
            if let (true, false, Some(member)) = (present.is_empty(), limits.empty, members.first()) {
                present.push((member.name, at(member.shape.get(), limits, random, depth + 1)));
            }
            Value::Structure(present)
        }
        other => panic!("no values of {other:?}"),
    }
}

/// Whether botocore finds a member in every answer: in an empty body an empty structure, in no headers an empty map.
fn is_always(location: Location) -> bool {
    matches!(location, Location::Payload | Location::Headers)
}

/// What a header's name or value may be.
fn token(random: &mut fastrand::Rng) -> String {
    format!("x{}x", (0..random.usize(..8)).map(|_| *random.choice(b"aB7-_.").unwrap() as char).collect::<String>())
}

fn text(random: &mut fastrand::Rng) -> String {
    const LETTERS: &[&str] = &[
        "a", "B", "7", " ", "&", "<", ">", "\"", "'", "%", "+", "=", "/", ".", "ü", "€", "😀", "\n", "\t", "\r", "]]>",
        "\\",
    ];
    // A text of spaces alone is taken for the layout of the document by XML parsers.
    let letters: String = (0..random.usize(..8)).map(|_| *random.choice(LETTERS).unwrap()).collect();
    format!("x{letters}x")
}

/// The value as JSON in which timestamps and blobs are marked.
pub(crate) fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Long(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Blob(bytes) => json!({"$blob": scalar::base64_encode(bytes)}),
        Value::Timestamp(time) => json!({"$ms": time.millis()}),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Structure(members) => members.iter().map(|(name, value)| ((*name).to_owned(), plain(value))).collect(),
        Value::Document(json) => json.clone(),
        Value::Stored(stored) => json!({"$stored": stored.blob}),
    }
}
