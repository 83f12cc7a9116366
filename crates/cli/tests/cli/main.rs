//! The command as its users see it: exit codes, stdout, stderr.
//!
//! Tests that need containers are reported as ignored where the machine runs none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and snapshots are long"
)]

mod asked;
mod client;
mod codes;
mod corpora;
mod data_dir;
mod events;
mod fixtures;
mod foreground;
mod harness;
mod help;
mod images;
mod lacks;
mod mistakes;
mod permissions;
mod recorder;
mod running;
mod schedule;
mod seed;
mod signals;
mod synth;
mod trial;
mod unable;
mod upkeep;
mod visible;

use std::process::ExitCode;

use neargate_testkit::needs::{Need, run};

fn main() -> ExitCode {
    run(&[
        Need { name: "containers", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing: harness::missing_containers },
        Need {
            name: "runc",
            required_by: "NEARGATE_REQUIRE_CONTAINERS",
            missing: || neargate_testkit::needs::missing_program("runc"),
        },
        Need { name: "corpora", required_by: "NEARGATE_REQUIRE_CORPORA", missing: missing_corpora },
    ])
}

/// Further cases are in a folder that the environment names.
fn missing_corpora() -> Option<String> {
    let is_named = std::env::var_os("NEARGATE_CORPORA").is_some();
    (!is_named).then(|| "no folder with further cases is named by NEARGATE_CORPORA".to_owned())
}
