//! What archives made to take memory take, and what half-open requests and large bodies take, above an idle process.
//!
//! The measuring itself is in the tests of `neargate-runtime` and `neargate-cli`, which fail beyond the promise.

use std::process::Command;

use crate::root;

/// Prints both tables.
pub(super) fn run() -> Result<(), String> {
    crate::say("\nmemory of unpacking, by kind of archive (promise: at most 128 MiB above idle)");
    test("neargate-runtime", "--lib", &["images::tests::memory", "--include-ignored"])?;
    crate::say("\nmemory of the endpoint, 500 half-open requests and 40 bodies of 8 to 32 MiB (promise: the same)");
    test("neargate-cli", "--test=endpoint", &["half_open_requests_and_large_bodies"])
}

fn test(package: &str, target: &str, arguments: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["test", "--release", "--quiet", "--package", package, target, "--"]);
    command.args(arguments).args(["--nocapture", "--test-threads=1"]);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the measurement of `{package}` failed")),
    }
}
