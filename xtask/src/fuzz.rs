//! `cargo xtask fuzz`: random cases against second implementations, for as long as one likes.
//!
//! The fuzzing itself is each crate's differential test, of which `cargo test` runs a short slice; here it runs optimised.
//!
//! Invariant: a run prints its first seed, a failure the seed or the expression that shows it again.

use std::process::Command;

use crate::root;

const USAGE: &str = "usage: cargo xtask fuzz patterns [--pairs N] [--seed S] | schedules [--expressions N] [--seed S]";

/// One fuzz run: the crate, its test binary, the option for the number of cases and how many there are without it.
struct Target {
    name: &'static str,
    package: &'static str,
    binary: &'static str,
    count: &'static str,
    default: u64,
    variables: [&'static str; 2],
}

const TARGETS: [Target; 2] = [
    Target {
        name: "patterns",
        package: "neargate-event-pattern",
        binary: "suite",
        count: "--pairs",
        default: 10_000_000,
        variables: ["EVENT_PATTERN_PAIRS", "EVENT_PATTERN_SEED"],
    },
    Target {
        name: "schedules",
        package: "neargate-schedule",
        binary: "schedule",
        count: "--expressions",
        default: 100_000,
        variables: ["SCHEDULE_EXPRESSIONS", "SCHEDULE_SEED"],
    },
];

/// Runs one fuzz target.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let (name, options) = args.split_first().ok_or(USAGE)?;
    let target = TARGETS.iter().find(|target| target.name == *name).ok_or(USAGE)?;
    let [mut count, mut seed] = [target.default, 1];
    for option in options.chunks(2) {
        let [option, value] = option else { return Err(USAGE.to_owned()) };
        let value = value.replace('_', "").parse().map_err(|_| format!("`{option}` takes a number, got `{value}`"))?;
        match *option {
            "--seed" => seed = value,
            option if option == target.count => count = value,
            option => return Err(format!("no option `{option}`; {USAGE}")),
        }
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let [of_count, of_seed] = target.variables;
    let status = Command::new(cargo)
        .current_dir(root())
        .args(["test", "--release", "--quiet", "--package", target.package, "--test", target.binary])
        .args(["differential", "--", "--nocapture"])
        .env(of_count, count.to_string())
        .env(of_seed, seed.to_string())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("the fuzz run `{name}` found a difference")),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}
