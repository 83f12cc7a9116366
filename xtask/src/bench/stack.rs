//! The stack that benchmarks run in: a static program that prints the time, as an image, a task definition and a rule.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::root;

/// Prints the time and exits: what every container of a benchmark runs.
const PROGRAM: &str = r#"
unsafe extern "C" { fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32; }
fn main() {
    let mut time = [0i64; 2];
    unsafe { clock_gettime(1, &mut time) };
    println!("{}", time[0] * 1_000_000_000 + time[1]);
}
"#;

/// The static program.
pub(super) fn compile(folder: &Path) -> Result<PathBuf, String> {
    compile_source(folder, PROGRAM)
}

/// A static program of another text.
pub(super) fn compile_source(folder: &Path, text: &str) -> Result<PathBuf, String> {
    let (source, binary) = (folder.join("clock.rs"), folder.join("clock"));
    fs::write(&source, text).map_err(|error| error.to_string())?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition", "2024", "-O", "-C", "target-feature=+crt-static", "-o"])
        .arg(&binary)
        .arg(&source)
        .status();
    match status {
        Ok(status) if status.success() => Ok(binary),
        _ => Err("the static test program does not compile".to_owned()),
    }
}

/// The program as the image that the stack's task definition names.
pub(super) fn build_image(neargate: &Path, data_dir: &Path, binary: &Path) -> Result<(), String> {
    let output = Command::new(neargate)
        .args(["image", "build", "--tag", "bench:1", "--entrypoint", "/clock", "--data-dir"])
        .arg(data_dir)
        .arg("--binary")
        .arg(binary)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Makes the stack and waits until it is there.
pub(super) fn deploy(client: &mut Client) -> Result<(), String> {
    let template =
        fs::read_to_string(root().join("xtask/bench/event-to-container.json")).map_err(|error| error.to_string())?;
    let create = client.query(
        "cloudformation",
        &[
            ("Action", "CreateStack"),
            ("Version", "2010-05-15"),
            ("StackName", "bench"),
            ("TemplateBody", &template),
            ("Capabilities.member.1", "CAPABILITY_IAM"),
        ],
    );
    client.send(&create)?;
    let describe = client
        .query("cloudformation", &[("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", "bench")]);
    wait_for("the stack", || {
        let answer = String::from_utf8_lossy(&client.send(&describe)?).into_owned();
        if answer.contains("ROLLBACK") || answer.contains("_FAILED") {
            return Err(answer);
        }
        Ok(answer.contains("<StackStatus>CREATE_COMPLETE").then_some(()))
    })
}

/// Looks again and again, for half a minute at most.
pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>, String>) -> Result<T, String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!("waited too long for {what}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
