//! The `neargate` command.
//!
//! A client of the engine's endpoint, as any AWS client is one; `up` and `try` also start an engine in this process.
//!
//! Invariant: nothing but [`screen`] writes to stdout or stderr: stdout is data, stderr is talk.
//!
//! Invariant: knows no constructs; an app is a program that writes a cloud assembly.

mod app;
mod codes;
mod commands;
mod deploy;
mod endpoint;
mod given;
mod images;
mod lines;
mod outcome;
mod output;
mod panics;
mod places;
mod preflight;
mod screen;
mod session;
mod signals;
mod tasks;
mod told;
mod trial;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

fn main() -> ExitCode {
    // The embedded backend runs this program again as a task's shim, which must be single-threaded from here on.
    if let Some(code) = neargate_runtime::shim_entry() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let arguments = match commands::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return commands::misspelt(&error).code(),
    };
    let screen = Arc::new(screen::Screen::new(arguments.format));
    panics::watch(&screen);
    let exit = match panics::catch(|| commands::run(arguments, &screen)) {
        Ok(exit) => exit,
        Err(failure) => screen.failure(&failure),
    };
    exit.code()
}
