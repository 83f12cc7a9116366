//! `cargo xtask vm`: a guest under software emulation, for what the kernel of this machine lacks.
//!
//! The guest has Debian's cloud kernel, control groups of version 2 with their controllers, users, loop devices and
//! nftables. Its only network is loopback; it ends with this program, or when its time is over.
//!
//! Invariant: where a guest cannot be started the task fails and names what is missing; nothing passes in its place.

mod cpio;
mod cuts;
mod kernel;
mod machine;
mod modules;
mod root;
mod scenarios;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::machine::{Ended, Guest};
use self::root::Root;
use crate::root as checkout;

const USAGE: &str = "usage: cargo xtask vm run [--memory MIB] [--time S] [--with FILE]... <program> [argument]... | test [places|units|conformance|whole]... \
                     | cuts [--seed N] [--count N] [--lie]";

/// Runs a task of the guest.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    match args {
        ["run", rest @ ..] => run_program(rest),
        ["test", names @ ..] => scenarios::run(names),
        ["cuts", rest @ ..] => cuts::run(rest),
        // Runs in the guest of a drill.
        ["client", rest @ ..] => cuts::run_client(rest),
        _ => Err(USAGE.to_owned()),
    }
}

/// Runs one program of this machine in a guest.
fn run_program(args: &[&str]) -> Result<(), String> {
    let mut guest = Guest { memory_mib: 1024, time: Duration::from_secs(300) };
    let mut with = vec![];
    let mut rest = args;
    let number = |value: &str| value.parse::<u32>().map_err(|_| format!("expected a number, got `{value}`"));
    loop {
        match rest {
            ["--memory", mib, more @ ..] => (guest.memory_mib, rest) = (number(mib)?, more),
            ["--time", s, more @ ..] => (guest.time, rest) = (Duration::from_secs(number(s)?.into()), more),
            ["--with", file, more @ ..] => {
                with.push(PathBuf::from(file));
                rest = more;
            }
            _ => break,
        }
    }
    let (program, arguments) = rest.split_first().ok_or(USAGE)?;
    let kernel = kernel::find(&cache()?)?;
    let mut root = Root::new(&cache()?, &kernel)?;
    for file in &with {
        root.program(file, &absolute(file)?)?;
    }
    let program = absolute(Path::new(program))?;
    root.program(&program, &program)?;
    let words = arguments.iter().map(|word| root::quoted(word)).collect::<Vec<_>>().join(" ");
    let script = format!("exec {} {words}\n", root::quoted(&program.display().to_string()));
    match guest.run(&kernel, root, &script, &mut |line| crate::say(line))? {
        Ended { code: 0, .. } => Ok(()),
        Ended { code, .. } => Err(format!("`{}` ended in the guest with exit code {code}", program.display())),
    }
}

fn absolute(file: &Path) -> Result<PathBuf, String> {
    std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Where kernels are kept and guests are put together.
fn cache() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout().join("target"), PathBuf::from);
    let cache = target.join("vm");
    std::fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    Ok(cache)
}

/// Whether a program is in PATH, and where.
fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let usual = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// A program that a guest cannot do without.
fn needed(program: &str, package: &str) -> Result<PathBuf, String> {
    in_path(program).ok_or_else(|| format!("left out: no `{program}` on this machine: install `{package}`"))
}

/// Runs a program of this machine to its end.
fn command(program: &Path, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    let shown = program.display();
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{shown}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
