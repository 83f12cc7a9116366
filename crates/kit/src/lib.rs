//! What AWS services share.
//!
//! ```text
//!   the call's token ──Pages::read──▶ Pages ──sorted, listed──▶ a page and the token of the next
//!   tags of a call ──Tagging::add──▶ tags of a resource, or the flaw for which the service refuses them
//! ```
//!
//! Nothing here knows a service, its shapes or its errors: a service says what its tags look like and answers in its own words.
//!
//! Invariants:
//! - Pure: no state, no clock, no randomness.
//! - A token that a list did not give, or gave for another filter, account or region, is refused and never taken for the beginning.

mod fingerprint;
mod pages;
mod tags;

pub use pages::{ForeignToken, Pages};
pub use tags::{Keys, TagFlaw, Tagging};
