//! What can be wrong with a pattern or an event.
//!
//! A pattern error speaks Event Ruler's words, which are the words EventBridge puts after `Event pattern is not valid.
//! Reason:`, and says where in the pattern's text the trouble is.
//!
//! Invariant: errors carry no part of an event, so they may be logged.

use std::fmt;

/// A pattern that EventBridge would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    reason: String,
    line: usize,
    column: usize,
    path: String,
}

impl PatternError {
    pub(crate) fn new(reason: impl Into<String>, text: &str, offset: usize, path: &[String]) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Self { reason: reason.into(), line, column, path: path.join(".") }
    }

    /// The reason alone, in Event Ruler's words: `Empty arrays are not allowed`.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The line of the pattern's text, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in that line, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The dotted path of the field inside the pattern (`detail.state`), empty at the top.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, column {}", self.reason, self.line, self.column)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " (`{}`)", self.path) }
    }
}

impl std::error::Error for PatternError {}

/// An event that cannot be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The event's text does not begin with a JSON object.
    NotAnObject,
    /// The part of the event that was read is not JSON; the number is the byte offset.
    Malformed(usize),
    /// Array consistency would need more than [`crate::JOIN_STEPS_MAX`] steps for one rule.
    TooComplex,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("event must be a JSON object"),
            Self::Malformed(offset) => write!(f, "event is not JSON at byte {offset}"),
            Self::TooComplex => write!(
                f,
                "event's arrays combine in more than {} ways for one rule; use fewer arrays below dotted names",
                crate::JOIN_STEPS_MAX
            ),
        }
    }
}

impl std::error::Error for EventError {}
