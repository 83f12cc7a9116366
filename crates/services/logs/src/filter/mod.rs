//! Filter patterns: which messages `FilterLogEvents` keeps.
//!
//! Follows <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>. A pattern is a list of terms, a
//! condition on the fields of a JSON message (`{ $.level = "error" }`), or a row of space-delimited fields (`[ip, status = 4*]`).
//!
//! Invariant: a pattern that is not understood is refused, never taken to match everything or nothing.
//! Deliberately absent: regular expressions (`%..%`), which are refused by name.

mod condition;
mod json;
mod row;
mod terms;

use crate::errors::LogsError;
use condition::Condition;
use row::Row;
use terms::Terms;

/// A pattern that was read.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Terms(Terms),
    Json(Condition),
    Row(Row),
}

impl Filter {
    /// Reads a pattern. The empty one matches everything.
    pub(crate) fn parse(text: &str) -> Result<Self, LogsError> {
        let text = text.trim();
        let inside = |open, close: char| text.strip_prefix(open).map(|rest: &str| rest.strip_suffix(close));
        match (inside('{', '}'), inside('[', ']')) {
            (Some(Some(condition)), _) => json::parse(condition).map(Self::Json),
            (Some(None), _) => Err(invalid("If a filter pattern starts with '{' it must end with '}'")),
            (_, Some(Some(fields))) => Row::parse(fields).map(Self::Row),
            (_, Some(None)) => Err(invalid("If a filter pattern starts with '[' it must end with ']'")),
            _ if text.starts_with('%') => Err(LogsError::NotImplemented(REGEX)),
            _ => Terms::parse(text).map(Self::Terms),
        }
    }

    /// Whether a message matches.
    pub(crate) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Json(condition) => json::matches(condition, message),
            Self::Row(row) => row.matches(message),
        }
    }
}

/// What a regular expression is refused as.
const REGEX: &str = "regular expressions in filter patterns (%..%)";

/// AWS's refusal of a pattern.
fn invalid(reason: &str) -> LogsError {
    LogsError::InvalidParameter(format!("Invalid filter pattern: {reason}"))
}

#[cfg(test)]
mod tests;
