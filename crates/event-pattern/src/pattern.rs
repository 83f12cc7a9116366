//! A pattern: branches of fields of tests.
//!
//! A pattern matches when one of its branches (the combinations of its `$or` alternatives; one when it has no `$or`)
//! finds a value for each of its fields, all of them consistent about the elements of the event's arrays.
//!
//! Invariant: a branch's fields stand in the order in which Event Ruler visits them, by UTF-16 units of their names;
//! whether `exists: false` holds inside an array depends on that order.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::branch::Branch;
use crate::error::{EventError, PatternError};
use crate::explain::{self, Explanation};
use crate::index::Index;
use crate::walk;

/// An EventBridge event pattern.
///
/// ```
/// use neargate_event_pattern::Pattern;
///
/// let pattern = Pattern::parse(r#"{"detail": {"state": ["stopped", {"prefix": "term"}]}}"#)?;
/// assert_eq!(pattern.matches(br#"{"detail": {"state": "terminated"}}"#), Ok(true));
/// assert_eq!(pattern.explain(br#"{"detail": {}}"#).to_string(), "no match: detail.state is absent");
/// # Ok::<(), neargate_event_pattern::PatternError>(())
/// ```
#[derive(Clone)]
pub struct Pattern {
    branches: Arc<[Branch]>,
    index: OnceLock<Arc<Index>>,
}

impl Pattern {
    /// Reads a pattern from its JSON text.
    ///
    /// Follows <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-content-based-filtering.html>
    /// and, where that is silent, Event Ruler.
    ///
    /// # Errors
    /// What EventBridge would refuse, in its words, with the place in `text`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Ok(Self { branches: crate::parse::branches(text)?.into(), index: OnceLock::new() })
    }

    /// Whether the pattern matches an event, given as JSON text.
    ///
    /// The event is read once and only as far as it can change the answer.
    ///
    /// # Errors
    /// When what was read of the event is not a JSON object, or its arrays combine in too many ways.
    pub fn matches(&self, event: &[u8]) -> Result<bool, EventError> {
        let index = self.index.get_or_init(|| {
            let mut index = Index::default();
            index.add(&self.branches);
            Arc::new(index)
        });
        walk::with_matched(index, event, |matched, undecided| match (matched, undecided) {
            ([], [_, ..]) => Err(EventError::TooComplex),
            _ => Ok(!matched.is_empty()),
        })?
    }

    /// Why the pattern matches an event or not: the first field that failed, what it wanted and what it got.
    #[must_use]
    pub fn explain(&self, event: &[u8]) -> Explanation {
        explain::explain(&self.branches, event)
    }

    pub(crate) fn branches(&self) -> &Arc<[Branch]> {
        &self.branches
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern").field("branches", &self.branches).finish_non_exhaustive()
    }
}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}
