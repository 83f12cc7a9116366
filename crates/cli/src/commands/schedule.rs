//! `neargate schedule`: when an expression fires here; the schedules of an engine beside it.

mod engine;
mod next;

use clap::Subcommand;

use crate::outcome::Outcome;
use crate::screen::Screen;

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// List an engine's rules with a schedule, and when each fires next
    Ls(engine::ListArgs),
    /// Say when a schedule expression fires
    #[command(after_help = next::AFTER_HELP)]
    Next(next::NextArgs),
    /// Let a rule with a schedule fire once, now; its schedule goes on as it was
    Fire(engine::FireArgs),
}

/// Runs a subcommand.
pub(super) fn run(command: &ScheduleCommand, screen: &Screen) -> Outcome {
    match command {
        ScheduleCommand::Ls(args) => engine::list(args, screen),
        ScheduleCommand::Next(args) => next::run(args, screen),
        ScheduleCommand::Fire(args) => engine::fire(args, screen),
    }
}
