//! Tests that need something of the machine: containers, a program, root.
//!
//! A test binary with `harness = false` lists what its tests may need in its `main`, and marks each test with `#[needs(...)]` where other
//! binaries have `#[test]`. What the machine lacks is asked once. A test whose need is not met is reported as ignored, with the need in its
//! name, and the reason is printed at the end; where the need's variable is `1`, it fails instead.
//!
//! - Invariant: no test passes without having run.
//! - Invariant: arguments and output are those of the standard harness, so `cargo test` and nextest need no setting.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
pub use {inventory, neargate_testkit_attribute::needs};

/// One test, registered by the attribute.
#[derive(Debug)]
pub struct Case {
    /// The function's path, with the binary's name in front.
    pub path: &'static str,
    /// The names of what it needs.
    pub needs: &'static [&'static str],
    /// The test.
    pub run: fn(),
}

inventory::collect!(Case);

/// Something that a machine may lack.
#[derive(Debug)]
pub struct Need {
    /// What `#[needs(...)]` calls it.
    pub name: &'static str,
    /// The environment variable that turns a missing need into a failure when it is `1`.
    pub required_by: &'static str,
    /// Why the machine does not have it; `None` where it has.
    pub missing: fn() -> Option<String>,
}

/// A need for a program on the `PATH` that answers `--version`.
pub fn missing_program(name: &str) -> Option<String> {
    let answered = std::process::Command::new(name).arg("--version").output().is_ok_and(|it| it.status.success());
    (!answered).then(|| format!("there is no `{name}` on the PATH"))
}

/// A need for the rights of root.
pub fn missing_root() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    (ids.split_whitespace().nth(1) != Some("0")).then(|| "it does not run as root".to_owned())
}

/// Runs the binary's tests: what `main` returns.
pub fn run(needs: &[Need]) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut answers = BTreeMap::new();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut trials = vec![];
    for case in inventory::iter::<Case> {
        let unmet = case.needs.iter().find_map(|name| {
            let answer = answers.entry(*name).or_insert_with(|| ask(needs, name));
            answer.clone().map(|missing| (*name, missing))
        });
        let name = case.path.split_once("::").map_or(case.path, |(_, below)| below);
        let run = case.run;
        let trial = match unmet {
            None => Trial::test(name, move || {
                run();
                Ok(())
            }),
            Some((_, Missing::AndRequired(reason))) => Trial::test(name, move || Err(reason.into())),
            Some((need, Missing::AndIgnored(_))) => {
                *left_out.entry(need).or_default() += 1;
                let trial = Trial::test(name, move || {
                    run();
                    Ok(())
                });
                trial.with_kind(format!("needs {need}")).with_ignored_flag(true)
            }
        };
        trials.push(trial);
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        let mut out = std::io::stderr().lock();
        for (need, count) in left_out {
            if let Some(Some(Missing::AndIgnored(reason))) = answers.get(need) {
                // Nobody listens where this fails.
                let _ = writeln!(out, "left out, {count} tests that need {need}: {reason}");
            }
        }
    }
    conclusion.exit_code()
}

#[derive(Clone, Debug)]
enum Missing {
    AndRequired(String),
    AndIgnored(String),
}

fn ask(needs: &[Need], name: &str) -> Option<Missing> {
    let Some(need) = needs.iter().find(|need| need.name == name) else {
        return Some(Missing::AndRequired(format!("the binary's `main` does not know the need `{name}`")));
    };
    let reason = (need.missing)()?;
    let required = std::env::var(need.required_by).is_ok_and(|value| value == "1");
    Some(if required {
        Missing::AndRequired(format!("{reason}, and {} is set", need.required_by))
    } else {
        Missing::AndIgnored(reason)
    })
}
