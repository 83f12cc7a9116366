//! Every backend passes the same suite; the embedded one also shows that nothing is left behind and nothing lost.
//!
//! Tests with real containers are ignored, with the reason, where this machine cannot run them; with `NEARGATE_REQUIRE_CONTAINERS=1`
//! they fail instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and speaks to its reader"
)]

#[cfg(target_os = "linux")]
mod beside;
#[cfg(target_os = "linux")]
mod containers;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(target_os = "linux")]
mod differences;
#[cfg(target_os = "linux")]
mod embedded;
mod fake;
#[cfg(target_os = "linux")]
mod full_disk;
mod host;
#[cfg(target_os = "linux")]
mod images;
#[cfg(target_os = "linux")]
mod isolation;
#[cfg(target_os = "linux")]
mod leftovers;
#[cfg(target_os = "linux")]
mod networks;
#[cfg(target_os = "linux")]
mod oci;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod secrecy;
#[cfg(target_os = "linux")]
mod storage;
mod suite;

use neargate_testkit::needs::Need;

fn main() -> std::process::ExitCode {
    #[cfg(target_os = "linux")]
    {
        if let Some(code) = neargate_runtime::shim_entry() {
            std::process::exit(code);
        }
        if std::env::args().nth(1).as_deref() == Some(probe::ARGUMENT) {
            probe::run();
            return std::process::ExitCode::SUCCESS;
        }
    }
    neargate_testkit::needs::run(&[
        #[cfg(target_os = "linux")]
        Need { name: "containers", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing: embedded::missing_containers },
        Need {
            name: "root",
            required_by: "NEARGATE_REQUIRE_CONTAINERS",
            missing: neargate_testkit::needs::missing_root,
        },
        #[cfg(target_os = "linux")]
        Need { name: "runc", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing: beside::missing_runc },
        #[cfg(target_os = "linux")]
        Need { name: "python", required_by: "NEARGATE_REQUIRE_CONTAINERS", missing: networks::missing_python },
    ])
}
