//! What tasks can run on: one folder per backend, all under the same conformance suite.

#[cfg(target_os = "linux")]
pub mod embedded;
pub mod fake;
