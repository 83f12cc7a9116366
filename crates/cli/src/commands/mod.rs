//! The commands: one file each.
//!
//! Invariant: a command answers with data on stdout and an exit; whatever it has to say on the way goes to stderr.

mod app_args;
mod backend_args;
mod clock;
mod completions;
mod doctor;
mod door_args;
mod down;
mod env;
mod events;
mod explain;
mod image;
mod logs;
mod run;
mod schedule;
mod synth;
mod task;
mod try_app;
mod up;

use clap::{Args, Parser, Subcommand};

pub(crate) use events::put as put_events;

use crate::endpoint::{self, DEFAULT_PORT, Endpoint};
use crate::outcome::{Exit, Outcome};
use crate::screen::{Format, Screen};

const AFTER_HELP: &str = "\
APP is a directory with `neargate.toml` or `cdk.json`, a cloud assembly (`cdk.out`) or a template (`.json`, `.yaml`).
Exit codes: 0 done, 1 the check, stack or engine failed, 2 usage or bad input; 129, 130, 141 and 143 broken off by SIGHUP,
SIGINT, a reader that went away (SIGPIPE) and SIGTERM. `try` and `run --wait` end with a container's own code, with 127 where
its program was not found, 126 where it may not be run, and 125 for all else that failed before or beside it, wrong usage
among it; `try` ends with 123 where an event matched no rule, or what was fired started no task.

Planned, not implemented yet: check, diff, deploy, destroy, init, schema, mail, events tail, explain rule|event|request|schedule,
task exec|forward|interrupt, logs query, image push.";

/// Define, prove and run AWS Fargate workloads on this machine
#[derive(Debug, Parser)]
#[command(name = "neargate", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    /// How data on stdout is written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an app's templates and check that they can be read; whether they come up is for `try`
    Synth(synth::SynthArgs),
    /// Start an app in a throw-away engine, fire it, wait for its tasks, show them, and tear everything down
    Try(try_app::TryArgs),
    /// Start an engine, and an app's stacks in it
    Up(up::UpArgs),
    /// Stop a running engine; stacks and state stay
    Down(down::DownArgs),
    /// Run one task
    Run(run::RunArgs),
    /// Put events, test patterns, show what targets receive
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Say when schedules fire, and let them fire
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// List, read and stop tasks
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// Say how something came about
    #[command(subcommand)]
    Explain(explain::ExplainCommand),
    /// Read log groups
    #[command(subcommand)]
    Logs(logs::LogsCommand),
    /// Build, import, list and remove images
    #[command(subcommand)]
    Image(image::ImageCommand),
    /// Show and turn the engine's clock
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Say what this machine can do, and what it lacks
    Doctor(doctor::DoctorArgs),
    /// Write the variables with which AWS clients find the engine
    #[command(after_help = env::AFTER_HELP)]
    Env(env::EnvArgs),
    /// Write a completion script for a shell
    Completions(completions::CompletionsArgs),
}

/// Which engine.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// The engine's port [default: that of AWS_ENDPOINT_URL on this machine, or else 4566]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

impl EngineArgs {
    /// The port.
    pub(crate) fn port(&self) -> Outcome<u16> {
        match self.port {
            Some(port) => Ok(port),
            None => Ok(endpoint::port_of_environment()?.unwrap_or(DEFAULT_PORT)),
        }
    }

    /// The engine's endpoint, whether it is there or not.
    pub(crate) fn endpoint(&self) -> Outcome<Endpoint> {
        self.port().map(Endpoint::on_port)
    }
}

/// Says what is wrong with the command line, or what was asked of it: help, the version.
pub(crate) fn misspelt(error: &clap::Error) -> Exit {
    // A reader that has gone away has seen enough.
    let _ = error.print();
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    match (error.use_stderr(), command_of(&words)) {
        (false, _) => Exit::Done,
        (true, Some("run" | "try")) => Exit::Usage.beside_containers(),
        (true, _) => Exit::Usage,
    }
}

/// The command that is meant, whatever else is wrong: the first word that is neither an option of all commands nor its value.
fn command_of(words: &[String]) -> Option<&str> {
    let mut words = words.iter().map(String::as_str);
    loop {
        match words.next()? {
            "--format" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => return Some(word),
        }
    }
}

/// Runs a command.
pub(crate) fn run(arguments: Arguments, screen: &Screen) -> Outcome {
    match arguments.command {
        Command::Synth(args) => synth::run(&args, screen),
        Command::Try(args) => try_app::run(&args, screen),
        Command::Up(args) => up::run(&args, screen),
        Command::Down(args) => down::run(&args, screen),
        Command::Run(args) => run::run(&args, screen),
        Command::Events(command) => events::run(&command, screen),
        Command::Schedule(command) => schedule::run(&command, screen),
        Command::Task(command) => task::run(&command, screen),
        Command::Explain(command) => explain::run(&command, screen),
        Command::Logs(command) => logs::run(&command, screen),
        Command::Image(command) => image::run(&command, screen),
        Command::Clock(command) => clock::run(&command, screen),
        Command::Env(args) => env::run(&args, screen),
        Command::Doctor(args) => doctor::run(&args, screen),
        Command::Completions(args) => completions::run(&args, screen),
    }
}
