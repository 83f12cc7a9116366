//! The IAM decision: policy documents, what they say to a request, and why. Pure.
//!
//! ```text
//!   text ──Document::parse──▶ Document ──┐
//!                       Question ────────┴──decide──▶ Verdict      ──explain──▶ a line per statement
//!
//!   identity, boundary, session, resource ──authorize──▶ Outcome
//! ```
//!
//! ```
//! use neargate_decide::{Caller, Context, Document, Kind, Policy, Question, Verdict, decide, explain};
//! let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}}"#;
//! let document = Document::parse(text, Kind::Identity).unwrap();
//! let policies = [Policy { name: "p", document: &document }];
//! let (caller, context) = (Caller::default(), Context::default());
//! let question = Question { caller: &caller, action: "s3:PutObject", resource: "arn:aws:s3:::b/k", context: &context };
//! assert_eq!(decide(&policies, &question), Verdict::NotAllowed);
//! assert_eq!(explain(&policies, &question), ["p, statement 1: is for action `s3:Get*`"]);
//! ```
//!
//! A condition key has a value, is absent from the request, or is not known: AWS would fill it and the evaluator cannot. A deny that
//! depends on a key that is not known denies, an allow that depends on it does not allow, and both say so.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.
//!
//! Invariants:
//! - Pure. No state, no clock: everything a policy may ask about is in the [`Question`].
//! - A deny that applies wins over every allow; what no statement allows is not allowed.
//! - An element this crate does not know is refused when the document is stored, never skipped when it is evaluated.

mod caller;
mod check;
mod condition;
mod context;
mod document;
mod evaluate;
mod keys;
mod malformed;
mod pattern;
mod read;
mod request;
mod truth;

pub use caller::{Caller, PrincipalPattern, Reach};
pub use condition::Condition;
pub use context::{Context, Lookup};
pub use document::{Document, Effect, Part, Principals, Statement};
pub use evaluate::{Difference, Policy, Question, Verdict, decide, explain};
pub use keys::{ActionKeys, Row, ServiceKeys, of_action as keys_of_action, services as keys_of_services};
pub use malformed::{Kind, Malformed};
pub use request::{Identity, Layer, Outcome, Request, ResourcePolicy, authorize};
pub use truth::Truth;

#[cfg(test)]
mod tests;
