//! A property's value: known now, or known to deployment.

use std::fmt;

use crate::token::{Json, Part, Token, parts};

/// A literal, or a token that stands for one.
///
/// A literal string may embed tokens: [`fmt::Display`] writes a token's text form, so `format!("{arn}:*")` is a fine value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<T> {
    /// Known now.
    Literal(T),
    /// Known to deployment.
    Token(Token),
}

impl<T> Value<T> {
    /// The literal, where it is one.
    pub fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Token(_) => None,
        }
    }
}

impl Value<String> {
    /// The text, where it is wholly known: a literal without embedded tokens.
    pub fn known(&self) -> Option<&str> {
        let text = self.literal()?;
        parts(text).iter().all(|part| matches!(part, Part::Text(_))).then_some(text)
    }
}

impl<T: Default> Default for Value<T> {
    fn default() -> Self {
        Self::Literal(T::default())
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::Literal(value)
    }
}

impl From<&str> for Value<String> {
    fn from(value: &str) -> Self {
        Self::Literal(value.to_owned())
    }
}

impl<T: fmt::Display> fmt::Display for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => value.fmt(f),
            Self::Token(token) => token.fmt(f),
        }
    }
}

impl<T: Into<Self>> From<Value<T>> for Json {
    fn from(value: Value<T>) -> Self {
        match value {
            Value::Literal(value) => value.into(),
            Value::Token(token) => Self::Token(token),
        }
    }
}
