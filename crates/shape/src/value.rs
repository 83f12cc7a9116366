//! Dynamic values: what lies between bytes and structs.
//!
//! Invariant: a value knows nothing of its shape; order of members and entries is kept.

use std::ops::Range;

use neargate_base::{BlobRef, Timestamp};

/// Any value of any shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing; in a structure the same as the member's absence.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Integers of every width.
    Long(i64),
    /// Floats of every width.
    Double(f64),
    /// Text, enums included.
    String(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Bytes that are kept elsewhere: the body of a streaming member.
    Stored(Stored),
    /// A point in time.
    Timestamp(Timestamp),
    /// Values of one shape.
    List(Vec<Value>),
    /// Values by text, in the order they came.
    Map(Vec<(String, Value)>),
    /// Members by their names in the model.
    Structure(Vec<(&'static str, Value)>),
    /// Free-form JSON.
    Document(serde_json::Value),
}

impl Value {
    /// The member of a structure or entry of a map; `None` where there is none or it is null.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let found = match self {
            Self::Structure(members) => members.iter().find(|(n, _)| *n == name).map(|(_, value)| value),
            Self::Map(entries) => entries.iter().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        };
        found.filter(|value| !value.is_null())
    }

    /// The value at a path of member names and list indices: `value.at(&["tasks", "0", "taskArn"])`.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, step| match value {
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        })
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The integer.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Long(number) = self { Some(*number) } else { None }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// What kind of value this is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Long(_) => "integer",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Blob(_) | Self::Stored(_) => "blob",
            Self::Timestamp(_) => "timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Structure(_) => "structure",
            Self::Document(_) => "document",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

/// Bytes that the JSON protocols send as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

/// A part of bytes that are kept elsewhere, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub blob: BlobRef,
    /// Which of them.
    pub range: Range<u64>,
}

impl Stored {
    /// How many bytes these are.
    pub fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

/// All of a blob.
impl From<BlobRef> for Stored {
    fn from(blob: BlobRef) -> Self {
        Self { blob, range: 0..blob.length }
    }
}

/// Bytes of any length: here, or kept elsewhere.
///
/// Invariant: a reference comes from whoever kept the bytes, never from a message, so no caller can name the bytes of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamingBlob {
    /// These.
    Whole(Vec<u8>),
    /// Those that were kept.
    Stored(Stored),
}

impl Default for StreamingBlob {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl StreamingBlob {
    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Stored(stored) => stored.length(),
        }
    }
}

/// Free-form JSON as a member's type.
pub type Document = serde_json::Value;
