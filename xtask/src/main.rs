//! Development tasks: `cargo xtask <task>`.
//!
//! One module per task; each takes the arguments after its name and answers with what went wrong, on one or more lines.
//!
//! Invariant: no task changes anything outside the checkout.

mod bench;
mod codegen;
mod fuzz;
mod tidy;
mod vm;

use std::io::Write as _;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask codegen [wire|l1|iam] [--check] | tidy | bench [start] [container] [fires] [noisy [--seconds N]] [credentials] [patterns] \
                     [schedules] [synth] | fuzz patterns|schedules | vm run|test|cuts";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["codegen", rest @ ..] => codegen::run(rest),
        ["tidy"] => tidy::run(),
        ["bench", rest @ ..] => bench::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["vm", rest @ ..] => vm::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Where standard error is closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the checkout.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(std::path::Path::new(".")).to_path_buf()
}

/// Prints a line of a task's result.
fn say(line: &str) {
    // Where standard output is closed there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}
