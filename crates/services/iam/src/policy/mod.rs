//! The IAM policy language: documents, what they say to a question, and why.
//!
//! ```text
//!   text ──Document::parse──▶ Document ──┐
//!                       Question ────────┴──decide──▶ Verdict      ──explain──▶ a line per statement
//! ```
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.
//!
//! Invariant: pure. No state, no clock: everything a policy may ask about is in the [`Question`].
//! Invariant: a deny that applies wins over every allow; what no statement allows is not allowed.
//! Invariant: an element this module does not know is refused when the document is stored, never skipped when it is evaluated.

mod caller;
mod condition;
mod context;
mod document;
mod evaluate;
mod malformed;
mod pattern;
mod read;

pub use caller::{Caller, PrincipalPattern};
pub use condition::Condition;
pub use context::Context;
pub use document::{Document, Effect, Part, Principals, Statement};
pub use evaluate::{Difference, Policy, Question, Verdict, decide, explain};
pub use malformed::{Kind, Malformed};

#[cfg(test)]
mod tests;
