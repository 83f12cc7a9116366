//! Branches and fields: what a pattern is made of.
//!
//! Invariant: names are ordered by their UTF-16 units, as Event Ruler visits fields.

use std::sync::Arc;

use crate::condition::Test;

/// The dotted name of a field, ordered as Java orders strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldName(pub(crate) Arc<str>);

impl Ord for FieldName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for FieldName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One combination of `$or` alternatives.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) fields: Box<[Arc<Field>]>,
}

/// A field and the tests of which one must pass.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) tests: Box<[Test]>,
    /// `exists: false` is among the alternatives.
    pub(crate) absent: bool,
    /// The array of alternatives as the pattern spells it.
    pub(crate) wanted: String,
}
