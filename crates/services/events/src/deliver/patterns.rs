//! Compiled patterns, remembered by their text: an event meets every rule of its bus, a rule every event.
//!
//! Invariant: pure but for time spent. What is remembered depends on the text alone, so forgetting it changes nothing.

use std::cell::RefCell;
use std::collections::HashMap;

use neargate_event_pattern::Pattern;

/// How many are remembered; one more, and all are forgotten.
const PATTERNS_MAX: usize = 4096;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Pattern>>> = RefCell::default();
}

/// Whether an event matches a pattern. One that cannot be read matches nothing.
pub(super) fn matches(pattern: &str, event: &str) -> bool {
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            if compiled.len() >= PATTERNS_MAX {
                compiled.clear();
            }
            compiled.insert(pattern.to_owned(), Pattern::parse(pattern).ok());
        }
        let known = compiled.get(pattern).and_then(Option::as_ref);
        known.is_some_and(|pattern| pattern.matches(event.as_bytes()).unwrap_or(false))
    })
}
