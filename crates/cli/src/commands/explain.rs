//! `neargate explain`: how something came about.

mod task;

use clap::Subcommand;

use crate::outcome::Outcome;
use crate::screen::Screen;

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainCommand {
    /// Say how a task came about and how it ended, link by link
    Task(task::TaskArgs),
}

/// Runs a subcommand.
pub(super) fn run(command: &ExplainCommand, screen: &Screen) -> Outcome {
    match command {
        ExplainCommand::Task(args) => task::run(args, screen),
    }
}
