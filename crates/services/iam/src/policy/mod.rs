//! The IAM policy language: documents, what they say to a question, and why.
//!
//! ```text
//!   text ──Document::parse──▶ Document ──┐
//!                       Question ────────┴──decide──▶ Verdict      ──explain──▶ a line per statement
//! ```
//!
//! ```
//! use neargate_iam::policy::{Caller, Context, Document, Kind, Policy, Question, Verdict, decide, explain};
//! let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}}"#;
//! let document = Document::parse(text, Kind::Identity).unwrap();
//! let policies = [Policy { name: "p", document: &document }];
//! let (caller, context) = (Caller::default(), Context::default());
//! let question = Question { caller: &caller, action: "s3:PutObject", resource: "arn:aws:s3:::b/k", context: &context };
//! assert_eq!(decide(&policies, &question), Verdict::NotAllowed);
//! assert_eq!(explain(&policies, &question), ["p, statement 1: is for action `s3:Get*`"]);
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
