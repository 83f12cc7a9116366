//! EventBridge event patterns, decided exactly as EventBridge does.
//!
//! [`Pattern`] is one pattern: parse it, match events against it, ask why an event did not match. [`RuleSet`] is any
//! number of patterns under keys, compiled into one automaton that reads an event once and may be changed while other
//! threads match.
//!
//! The rules are those of Event Ruler, the open-source engine behind EventBridge, with EventBridge's own limit on
//! wildcards. They cover the whole language: exact values, `null`, `exists`, `prefix`, `suffix`, `equals-ignore-case`,
//! both affixes without case, `wildcard`, `numeric`, `cidr`, `anything-but` in every form, `$or`, nested fields,
//! arrays and the consistency of their elements.
//!
//! What it costs, with `n` the event's bytes:
//! - reading: at most two passes over `n`, usually less than one; a third when a name comes twice in one object;
//! - tests: hash look-ups for equality and affixes (one per affix length in use), and for every other test on a field
//!   at most its length times the value's;
//! - arrays: [`JOIN_STEPS_MAX`] steps at most for a rule with several fields, else [`EventError::TooComplex`];
//! - patterns: nesting to 1000, 1000 combinations of `$or`, wildcards to EventBridge's complexity.
//!
//! Invariant: no IO, no dependency, no recursion that input could drive deep, no panic on any input; the same rules
//! added in the same order give the same answers in the same order.

mod branch;
mod condition;
mod error;
mod explain;
mod fold;
mod hash;
mod index;
mod ip;
mod join;
mod lexer;
mod number;
mod operators;
mod parse;
mod pattern;
mod rule_set;
mod scan;
mod slab;
mod superseded;
mod table;
mod tail;
mod walk;
mod wildcard;

pub use error::{EventError, PatternError};
pub use explain::Explanation;
pub use join::STEPS_MAX as JOIN_STEPS_MAX;
pub use pattern::Pattern;
pub use rule_set::{Decision, RuleSet};
