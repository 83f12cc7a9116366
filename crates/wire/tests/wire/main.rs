//! Tests of the codecs and of Signature Version 4 over every operation in the allow-list.
//!
//! Invariant: random values come from fixed seeds; a failure names its seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests may panic and print, and the oracle is a program"
)]

mod apis;
mod arbitrary;
mod botocore;
mod chunks;
mod identify;
mod oracle;
mod restxml;
mod robust;
mod roundtrip;
mod signatures;
mod strangers;

use neargate_shape::ServiceShape;
use neargate_testkit::needs::Need;

/// Every service that is there, and those that are only here.
fn services() -> Vec<&'static ServiceShape> {
    neargate_api::ALL.iter().chain(apis::ALL).copied().collect()
}

fn main() -> std::process::ExitCode {
    neargate_testkit::needs::run(&[Need {
        name: "botocore",
        required_by: "NEARGATE_REQUIRE_ORACLES",
        missing: oracle::missing,
    }])
}
