//! The crate's tests: against recorded outcomes, against a second implementation, under threads, under attack.

#![allow(clippy::disallowed_methods, reason = "tests read cases from files, and run threads")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may fail loudly; clippy's own exemption stops at test functions"
)]

mod corpora;
mod differential;
mod hostile;
mod naive;
mod random;
mod render;
mod rules;
mod threads;
