//! The transformer against the corpora of known outcomes and against single rules.

#![allow(clippy::disallowed_methods, reason = "tests read cases from files")]

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod rules;
