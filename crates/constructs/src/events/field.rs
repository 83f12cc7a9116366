//! Fields of the event that a rule hands to its target.

use neargate_l1::{Token, Value};

/// A field of the event that a rule matched. Its value has a meaning only in the input of a rule's target.
///
/// ```
/// use neargate_constructs::events::EventField;
///
/// let command = EventField::from_path("$.detail.command");
/// let greeting = format!("{command} was asked for at {}", EventField::time());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EventField;

impl EventField {
    /// The field at a JSON path: `$.detail.command`, `$.resources[0]`.
    pub fn from_path(path: &str) -> Value<String> {
        Value::Token(Token::EventPath(path.to_owned().into()))
    }

    /// The event's id.
    pub fn event_id() -> Value<String> {
        Self::from_path("$.id")
    }

    /// The event's detail type.
    pub fn detail_type() -> Value<String> {
        Self::from_path("$.detail-type")
    }

    /// Who sent it.
    pub fn source() -> Value<String> {
        Self::from_path("$.source")
    }

    /// The account it happened in.
    pub fn account() -> Value<String> {
        Self::from_path("$.account")
    }

    /// When it happened.
    pub fn time() -> Value<String> {
        Self::from_path("$.time")
    }

    /// The region it happened in.
    pub fn region() -> Value<String> {
        Self::from_path("$.region")
    }
}
