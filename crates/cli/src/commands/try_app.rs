//! `neargate try`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use neargate_base::{Diagnostic, Severity};
use neargate_engine::Config;
use serde_json::json;

use super::app_args::AppArgs;
use crate::app::event::{self, EventEntry};
use crate::app::synth::Synthesized;
use crate::app::{self, App};
use crate::deploy::{self, Detail};
use crate::endpoint::Endpoint;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::ThrowAway;
use crate::screen::{Paint, Screen};
use crate::session::with_engine;
use crate::trial::{Fire, Trial, Verdict};
use crate::words::counted;
use crate::{images, places};

/// How long tasks that still run may take to stop before they are killed: nobody will miss them.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// What its directory is called after.
const PURPOSE: &str = "try";
/// The engine's directory in it.
const DATA: &str = "data";

/// Arguments of `try`.
#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// The app [default: the one in the current directory]
    app: Option<PathBuf>,
    #[command(flatten)]
    of_app: AppArgs,
    /// A JSON file with the event or events to put [default: those of the configuration; without any, every schedule fires once]
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Turn the clock until the rule with this name, or every rule with a schedule, has fired once
    #[arg(long, value_name = "NAME|all")]
    fire: Option<String>,
    /// Give up on tasks that have not stopped after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
}

/// Tries the app.
pub(super) fn run(args: &TryArgs, screen: &Screen) -> Outcome {
    let started = Instant::now();
    let app = app::require(args.app.as_deref(), args.of_app.config.as_deref())?;
    let events = events(args, &app)?;
    let place = ThrowAway::new(PURPOSE)?;
    sweep_earlier(screen);
    let made = args.of_app.synth(screen, &app, Some(&place.path().join("cdk.out")))?;
    let data_dir = place.path().join(DATA);
    let behind = behind();
    images::provide(screen, &app, &data_dir.join("images"), &behind)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config { data_dir: data_dir.clone(), listen, image_stores: behind, clock: None };
    let outcome = with_engine(&config, STOP_PATIENCE, |endpoint| attempt(args, screen, endpoint, &app, &made, &events));
    let purged = neargate_engine::purge(&data_dir).map_err(Failure::failed);
    let removed = place.remove();
    let verdict = outcome?;
    let exit = conclude(screen, &verdict, started.elapsed());
    purged.and(removed).map(|()| exit)
}

/// Removes what tries that were killed have left.
fn sweep_earlier(screen: &Screen) {
    for place in ThrowAway::abandoned(PURPOSE) {
        let purged = neargate_engine::purge(&place.path().join(DATA));
        if let Err(problem) = purged.map_err(Failure::failed).and_then(|_| place.remove()) {
            problem
                .diagnostics
                .into_iter()
                .for_each(|it| screen.diagnostic(&Diagnostic { severity: Severity::Warning, ..it }));
        }
    }
}

/// The user's own images can be used too.
fn behind() -> Vec<PathBuf> {
    places::data_dir().map(|dir| dir.join("images")).into_iter().collect()
}

fn events(args: &TryArgs, app: &App) -> Outcome<Vec<EventEntry>> {
    if let Some(file) = &args.event {
        return event::read(file);
    }
    if args.fire.is_some() {
        return Ok(vec![]);
    }
    let mut events = app.config.events.clone();
    for file in &app.config.event_files {
        events.extend(event::read(&app.config_dir.join(file))?);
    }
    Ok(events)
}

fn attempt(
    args: &TryArgs,
    screen: &Screen,
    endpoint: &Endpoint,
    app: &App,
    made: &Synthesized,
    events: &[EventEntry],
) -> Outcome<Verdict> {
    let stacks = deploy::deploy(screen, endpoint, app, made, Detail::Stacks)?;
    let fire = match &args.fire {
        Some(name) => Fire::Schedules(name),
        None => Fire::Events(events),
    };
    let endpoints = deploy::environments(made);
    let endpoints =
        endpoints.iter().map(|(account, region)| endpoint.in_environment(account.as_deref(), region.as_deref()));
    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    Trial::new(screen, endpoint, endpoints.collect(), deadline)?.run(&fire, stacks)
}

/// Says how it went, and ends as the container did.
fn conclude(screen: &Screen, verdict: &Verdict, took: Duration) -> Exit {
    if screen.is_json() {
        screen.json(&json!({
            "exit_code": verdict.exit.number(), "seconds": took.as_secs_f64(), "stacks": verdict.stacks,
            "tasks": verdict.tasks, "notices": verdict.notices, "diagnostics": verdict.diagnostics,
        }));
    }
    for diagnostic in &verdict.diagnostics {
        screen.diagnostic(diagnostic);
    }
    let (paint, word) = if verdict.exit == Exit::Done { (Paint::Green, "passed") } else { (Paint::Red, "failed") };
    let tasks = counted(verdict.tasks.len(), "task");
    let code = match verdict.exit {
        Exit::Container(code) => format!("exit code {code}, "),
        Exit::Done => "exit code 0, ".to_owned(),
        _ => String::new(),
    };
    screen.step_in(paint, word, &format!("{tasks}, {code}{:.1} s", took.as_secs_f64()));
    verdict.exit
}
