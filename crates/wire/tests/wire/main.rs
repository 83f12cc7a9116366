//! Tests of the codecs and of Signature Version 4 over every operation in the allow-list.
//!
//! Invariant: random values come from fixed seeds; a failure names its seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may panic and print"
)]

mod arbitrary;
mod botocore;
mod identify;
mod oracle;
mod robust;
mod roundtrip;
mod signatures;
mod strangers;

use neargate_testkit::needs::Need;

fn main() -> std::process::ExitCode {
    neargate_testkit::needs::run(&[Need {
        name: "botocore",
        required_by: "NEARGATE_REQUIRE_ORACLES",
        missing: oracle::missing,
    }])
}
