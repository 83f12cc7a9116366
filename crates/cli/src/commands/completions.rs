//! `neargate completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Arguments;
use crate::outcome::{Exit, Outcome};
use crate::screen::Screen;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script.
pub(super) fn run(args: &CompletionsArgs, screen: &Screen) -> Outcome {
    let mut script = vec![];
    generate(args.shell, &mut Arguments::command(), "neargate", &mut script);
    screen.data(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
