//! What can be wrong with a value that should fit a shape.
//!
//! Invariant: paths grow from the inside out, so that nobody carries a path who does not need one.

use std::fmt;

/// A value does not fit its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// Where: member names, `[0]` for list items, `["k"]` for map entries; empty for the whole value.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A value of another kind than expected, in AWS's words for the JSON protocols.
    Kind(String),
    /// A required member is absent.
    Missing,
    /// A name that the shape does not have.
    Unknown,
}

impl ShapeError {
    /// A value of the wrong kind.
    pub fn kind(text: impl Into<String>) -> Self {
        Self { path: String::new(), problem: Problem::Kind(text.into()) }
    }

    /// A required member is absent.
    pub fn missing(path: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Missing }
    }

    /// A name that the shape does not have.
    pub fn unknown(path: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Unknown }
    }

    /// The same error seen from one level further out.
    #[must_use]
    pub fn under(mut self, step: &str) -> Self {
        self.path = match self.path.as_bytes().first() {
            None => step.to_owned(),
            Some(b'[') => format!("{step}{}", self.path),
            Some(_) => format!("{step}.{}", self.path),
        };
        self
    }

    /// The same error, inside the item of a list.
    #[must_use]
    pub fn under_index(self, index: usize) -> Self {
        self.under(&format!("[{index}]"))
    }

    /// The text without the path, as AWS's own deserialisers word it.
    pub fn message(&self) -> String {
        match &self.problem {
            Problem::Kind(text) => text.clone(),
            Problem::Missing => "Member must not be null".to_owned(),
            Problem::Unknown => "Unknown member".to_owned(),
        }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "." } else { &self.path };
        match &self.problem {
            Problem::Kind(text) => write!(f, "`{path}`: {text}"),
            Problem::Missing => write!(f, "`{path}` is required and absent"),
            Problem::Unknown => write!(f, "`{path}` is not known here"),
        }
    }
}

impl std::error::Error for ShapeError {}
