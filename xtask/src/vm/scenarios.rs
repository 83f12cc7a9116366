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
const LEFT_OUT: &[&str] = &["fake::", "beside::", "networks::", "images::", "secrecy::", "crash::", "oci::"];
/// What is left out besides unless the whole is asked for: what goes on between engine and shim, whatever the kernel grants.
const LEFT_OUT_IN_SHORT: &[&str] = &["embedded::"];

/// A loaded machine takes several times as long as an idle one.
const TIME: Duration = Duration::from_secs(1800);

/// One guest.
struct Scenario {
    name: &'static str,
    script: &'static str,
    has_systemd: bool,
}

/// Comes before every scenario's own script.
const SHARED: &str = include_str!("guest/lib.sh");
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "places", script: include_str!("guest/places.sh"), has_systemd: false },
    Scenario { name: "units", script: include_str!("guest/units.sh"), has_systemd: true },
];

/// Runs the scenarios named, or all and the conformance suite in short.
pub(super) fn run(names: &[&str]) -> Result<(), String> {
    let wants = |name: &str| names.is_empty() || names.contains(&name);
    let suites = ["conformance", "whole"];
    let known = |name: &&&str| suites.contains(*name) || SCENARIOS.iter().any(|it| it.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(format!("no scenario `{unknown}`: expected places, units, conformance or whole"));
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
        let neargate = built("neargate-cli", "neargate", &["build", "--release"])?;
        for scenario in SCENARIOS.iter().filter(|scenario| wants(scenario.name)) {
            note(scenario.name, Instant::now(), in_guest(&kernel, &neargate, scenario));
        }
    }
    if wants("conformance") {
        note("conformance", Instant::now(), conformance(&kernel, &[LEFT_OUT, LEFT_OUT_IN_SHORT].concat()));
    }
    if names.contains(&"whole") {
        note("whole", Instant::now(), conformance(&kernel, LEFT_OUT));
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
    run_script(kernel, root, &format!("{SHARED}\n{}", scenario.script))
}

/// The runtime's own suite, as far as a kernel has to do with it.
fn conformance(kernel: &Kernel, left_out: &[&str]) -> Result<(), String> {
    let shim = built("neargate-runtime", "neargate-shim", &["build", "--bin", "neargate-shim"])?;
    let suite = built("neargate-runtime", "conformance", &["test", "--no-run", "--test", "conformance"])?;
    let mut root = root_with_programs(kernel)?;
    root.program(&shim, &shim)?;
    root.program(&suite, &suite)?;
    crate::say(&format!("guest conformance: left out are {}", left_out.join(" ")));
    let skips: Vec<String> = left_out.iter().map(|name| format!("--skip {name}")).collect();
    let suite = root::quoted(&suite.display().to_string());
    let script = format!("NEARGATE_REQUIRE_CONTAINERS=1 exec {suite} --color never {}\n", skips.join(" "));
    run_script(kernel, root, &script)
}

pub(super) fn root_with_programs(kernel: &Kernel) -> Result<Root, String> {
    let mut root = Root::new(&cache()?, kernel)?;
    for name in PROGRAMS {
        if let Some(file) = in_path(name) {
            root.program(&file, &Path::new("/usr/bin").join(name))?;
        }
    }
    Ok(root)
}

fn run_script(kernel: &Kernel, root: Root, script: &str) -> Result<(), String> {
    let guest = Guest { memory_mib: 1536, time: TIME };
    match guest.run(kernel, root, script, &mut |line| crate::say(&format!("  {line}")))?.code {
        0 => Ok(()),
        code => Err(format!("exit code {code}")),
    }
}

/// Builds a program of the workspace and answers where it is.
pub(super) fn built(package: &str, name: &str, arguments: &[&str]) -> Result<PathBuf, String> {
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
