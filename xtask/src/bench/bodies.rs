//! A body of 1 GiB in and out of a store of blobs, beside a plain file on the same disk.
//!
//! The measuring itself is an example of `neargate-blobs`, so that nothing else is in its memory.

use std::process::Command;

use crate::root;

/// Prints the table.
pub(super) fn run() -> Result<(), String> {
    crate::say(
        "\na body of 1 GiB in and out (promise: at least half of the disk's own speed, at most 16 MiB above idle)",
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| root().join("target").into_os_string());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
        .args(["run", "--release", "--quiet", "--package", "neargate-blobs", "--example", "bodies", "--"])
        .arg(target);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the measurement of bodies failed".to_owned()),
    }
}
