//! `cargo xtask bench`: what the product promises in numbers, measured beside a peer in the same run.
//!
//! Invariant: every table names its runs, medians, spread and the machine's load; nothing here fails a build by time.

mod bodies;
pub(crate) mod client;
mod credentials;
mod endpoint;
mod engines;
mod event_to_container;
mod fires;
mod noisy;
mod stack;
mod start;
mod stats;
mod synth;
mod unpack;

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// The benchmarks there are.
const NAMES: [&str; 11] = [
    "bodies",
    "start",
    "container",
    "fires",
    "noisy",
    "credentials",
    "endpoint",
    "patterns",
    "schedules",
    "synth",
    "unpack",
];

/// Runs the benchmarks named, or all. `--seconds N` is for how long `noisy` prints.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let (args, seconds) = seconds(args)?;
    let wants = |name: &str| args.is_empty() || args.contains(&name);
    if let Some(unknown) = args.iter().find(|name| !NAMES.contains(name)) {
        return Err(format!("no benchmark `{unknown}`: expected one of {}", NAMES.join(", ")));
    }
    crate::say(&format!("load average {}", load_average()));
    if ["start", "container", "fires", "noisy", "credentials", "endpoint"].into_iter().any(wants) {
        let neargate = build()?;
        if wants("start") {
            start::run(&neargate)?;
        }
        if wants("container") {
            event_to_container::run(&neargate)?;
        }
        if wants("fires") {
            fires::run(&neargate)?;
        }
        if wants("noisy") {
            noisy::run(&neargate, seconds)?;
        }
        if wants("credentials") {
            credentials::run(&neargate)?;
        }
        if wants("endpoint") {
            endpoint::run(&neargate)?;
        }
    }
    if wants("patterns") {
        engines::patterns()?;
    }
    if wants("schedules") {
        engines::schedules()?;
    }
    if wants("synth") {
        synth::run()?;
    }
    if wants("bodies") {
        bodies::run()?;
    }
    if wants("unpack") {
        unpack::run()?;
    }
    crate::say(&format!("load average {}", load_average()));
    Ok(())
}

/// The names among the arguments, and the seconds.
fn seconds<'a>(args: &[&'a str]) -> Result<(Vec<&'a str>, u64), String> {
    let Some(at) = args.iter().position(|arg| *arg == "--seconds") else { return Ok((args.to_vec(), noisy::SECONDS)) };
    let given = args.get(at + 1).and_then(|text| text.parse().ok());
    let seconds = given.filter(|seconds| *seconds > 0).ok_or("`--seconds` wants a number of seconds")?;
    let named = args.iter().enumerate().filter(|(index, _)| *index != at && *index != at + 1);
    Ok((named.map(|(_, arg)| *arg).collect(), seconds))
}

/// Builds the release binary and answers where it is.
fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root())
        .args(["build", "--release", "--quiet", "--package", "neargate-cli"])
        .status();
    if !status.map_err(|error| format!("cannot run cargo: {error}"))?.success() {
        return Err("the release build failed".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release/neargate"))
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}
