//! `cargo xtask vm test`: what this machine's kernel, user and manager cannot show, seen in guests.
//!
//! Invariant: a scenario that fails or cannot be run fails the task; the others are run all the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::kernel::{self, Kernel};
use super::machine::Guest;
use super::root::{self, Root};
use super::{cache, in_path};
use crate::root as checkout;

/// Programs of this machine that tests and scenarios use where busybox's are less.
const PROGRAMS: &[&str] = &[
    "sh",
    "cat",
    "ls",
    "head",
    "tail",
    "wc",
    "mkdir",
    "mknod",
    "mount",
    "sleep",
    "touch",
    "id",
    "grep",
    "setpriv",
    "unshare",
    "mkfs.ext4",
    "stat",
    "df",
    "tr",
    "cut",
    "readlink",
    "env",
    "ip",
];
/// What the conformance suite does not do in a guest: what has no kernel in it, what needs programs that are not there, and
/// what repeats itself at many moments.
const LEFT_OUT: &[&str] = &["fake::", "beside::", "networks::", "images::", "secrecy::", "crash::"];

/// One guest.
struct Scenario {
    name: &'static str,
    script: &'static str,
    has_systemd: bool,
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "places", script: include_str!("guest/places.sh"), has_systemd: false },
    Scenario { name: "units", script: include_str!("guest/units.sh"), has_systemd: true },
];

/// Runs the scenarios named, or all and the conformance suite.
pub(super) fn run(names: &[&str]) -> Result<(), String> {
    let wants = |name: &str| names.is_empty() || names.contains(&name);
    let known = |name: &&&str| **name == "conformance" || SCENARIOS.iter().any(|it| it.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(format!("no scenario `{unknown}`: expected places, units or conformance"));
    }
    let kernel = kernel::find(&cache()?)?;
    let mut failed = vec![];
    let mut note = |name: &str, started: Instant, outcome: Result<(), String>| {
        let seconds = started.elapsed().as_secs();
        match outcome {
            Ok(()) => crate::say(&format!("guest {name}: ok ({seconds} s)")),
            Err(error) => failed.push(format!("guest {name}: {error} ({seconds} s)")),
        }
    };
    if SCENARIOS.iter().any(|scenario| wants(scenario.name)) {
        let neargate = built("neargate-cli", "neargate", &["build"])?;
        for scenario in SCENARIOS.iter().filter(|scenario| wants(scenario.name)) {
            note(scenario.name, Instant::now(), in_guest(&kernel, &neargate, scenario));
        }
    }
    if wants("conformance") {
        note("conformance", Instant::now(), conformance(&kernel));
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn in_guest(kernel: &Kernel, neargate: &Path, scenario: &Scenario) -> Result<(), String> {
    let mut root = root_with_programs(kernel)?;
    root.program(neargate, Path::new("/usr/bin/neargate"))?;
    root.write("vm/app/neargate.toml", include_str!("guest/app/neargate.toml"))?;
    root.write("vm/app/task.yaml", include_str!("guest/app/task.yaml"))?;
    if scenario.has_systemd {
        root.systemd()?;
    }
    run_script(kernel, root, scenario.script)
}

/// The runtime's own suite, as far as a kernel has to do with it.
fn conformance(kernel: &Kernel) -> Result<(), String> {
    let shim = built("neargate-runtime", "neargate-shim", &["build", "--bin", "neargate-shim"])?;
    let suite = built("neargate-runtime", "conformance", &["test", "--no-run", "--test", "conformance"])?;
    let mut root = root_with_programs(kernel)?;
    root.program(&shim, &shim)?;
    root.program(&suite, &suite)?;
    let left_out: Vec<String> = LEFT_OUT.iter().map(|name| format!("--skip {name}")).collect();
    crate::say(&format!("guest conformance: without {}", LEFT_OUT.join(" ")));
    let suite = root::quoted(&suite.display().to_string());
    run_script(kernel, root, &format!("NEARGATE_REQUIRE_CONTAINERS=1 exec {suite} {}\n", left_out.join(" ")))
}

fn root_with_programs(kernel: &Kernel) -> Result<Root, String> {
    let mut root = Root::new(&cache()?, kernel)?;
    for name in PROGRAMS {
        if let Some(file) = in_path(name) {
            root.program(&file, &Path::new("/usr/bin").join(name))?;
        }
    }
    Ok(root)
}

fn run_script(kernel: &Kernel, root: Root, script: &str) -> Result<(), String> {
    let guest = Guest { memory_mib: 1536, time: Duration::from_secs(420) };
    match guest.run(kernel, root, script, &mut |line| crate::say(&format!("  {line}")))?.code {
        0 => Ok(()),
        code => Err(format!("exit code {code}")),
    }
}

/// Builds a program of the workspace and answers where it is.
fn built(package: &str, name: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(checkout())
        .args(arguments)
        .args(["--quiet", "--message-format=json", "--package", package])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let is_named = |message: &serde_json::Value| message.pointer("/target/name").is_some_and(|it| it == name);
    let mut files = messages
        .filter(is_named)
        .filter_map(|message| message.get("executable").and_then(|it| it.as_str()).map(PathBuf::from));
    files.next_back().filter(|_| output.status.success()).ok_or_else(|| format!("cannot build `{name}`"))
}
