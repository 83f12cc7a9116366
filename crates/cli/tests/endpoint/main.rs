//! The endpoint as programs, web pages and nuisances meet it: who is let in, and what a connection can cost.
//!
//! The tests with a browser are ignored where there is no `chromium`, unless `NEARGATE_REQUIRE_BROWSER=1`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures are for who reads the log")]

mod auth;
mod bounds;
mod browser;
mod door;
mod engine;
mod pages;
mod scope;
mod unguarded;

use neargate_testkit::needs::{Need, missing_program};

fn main() -> std::process::ExitCode {
    neargate_testkit::needs::run(&[
        Need { name: "chromium", required_by: "NEARGATE_REQUIRE_BROWSER", missing: || missing_program("chromium") },
        Need { name: "root", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing: not_root },
    ])
}

/// Only root can be somebody else.
fn not_root() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    (!is_root).then(|| "this is not root, who alone can act as another user".to_owned())
}
