//! The backend `oci` under the very tests of the embedded one, with the `runc` of this machine.

use std::process::Command;

use neargate_testkit::needs::needs;

use crate::embedded::{BACKEND, kind};

/// Runs tests of this binary, by a part of their name, with containers that an OCI runtime makes.
fn with_oci(tests: &str) {
    if std::env::var_os(BACKEND).is_some() {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([tests, "--test-threads=2"])
        .env(BACKEND, "oci")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test result: ok.") && !text.contains(" 0 passed"), "{text}");
    assert!(!text.contains("ignored\n"), "with {:?}: {text}", kind());
}

#[needs(containers, runc)]
fn what_every_backend_does() {
    with_oci("embedded::");
}
