//! `neargate try`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use neargate_base::{Diagnostic, Severity};
use neargate_engine::{Config, EndpointConfig};
use serde_json::json;

use super::app_args::AppArgs;
use super::backend_args::BackendArgs;
use crate::app::event::{self, EventEntry};
use crate::app::{self, App};
use crate::deploy::{self, Detail, Order};
use crate::endpoint::Endpoint;
use crate::images::Stores;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::ThrowAway;
use crate::preflight::Preflight;
use crate::screen::{Paint, Screen};
use crate::session::with_engine;
use crate::signals::{self, Hangup};
use crate::trial::{Fire, Trial, Verdict};
use crate::words::counted;
use crate::{images, panics, places};

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
    #[command(flatten)]
    backend: BackendArgs,
    /// A JSON file with the event or events to put, `-` for stdin [default: those of the configuration; without any, every schedule fires once]
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Turn the clock until the rule with this name, or every rule with a schedule, has fired once; after `--event`
    #[arg(long, value_name = "NAME|all")]
    fire: Option<String>,
    /// List everything that is recorded and not acted on
    #[arg(short, long)]
    verbose: bool,
    /// Give up on tasks that have not stopped after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
}

/// Tries the app. What fails and is no container's end has exit codes of its own.
pub(super) fn run(args: &TryArgs, screen: &Screen) -> Outcome {
    panics::catch(|| try_once(args, screen)).map_err(Failure::beside_containers)
}

fn try_once(args: &TryArgs, screen: &Screen) -> Outcome {
    let started = Instant::now();
    let interrupt = signals::watch(Hangup::Ends)?;
    let app = app::require(args.app.as_deref(), args.of_app.config.as_deref())?;
    let events = events(args, &app)?;
    let place = ThrowAway::new(PURPOSE)?;
    Preflight::begin(place.path(), args.backend.kind()).require()?;
    sweep_earlier(screen);
    let made = args.of_app.synth(screen, &app, None, Some(&place.path().join("cdk.out")))?;
    let data_dir = place.path().join(DATA);
    neargate_engine::claim(&data_dir)?;
    let behind = behind();
    let stores = Stores { front: data_dir.join("images"), behind: behind.clone() };
    images::provide(screen, &app, &made, &stores)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config {
        data_dir: data_dir.clone(),
        listen,
        image_stores: behind,
        clock: None,
        endpoint: EndpointConfig::default(),
        backend: args.backend.kind(),
    };
    signals::check()?;
    let order =
        Order { app: &app, made: &made, stores: &stores, detail: Detail::Stacks, without_image: Severity::Error };
    let outcome = with_engine(screen, &config, STOP_PATIENCE, &interrupt, |endpoint| {
        attempt(args, screen, endpoint, &order, &events)
    });
    let purged = neargate_engine::purge(&data_dir).map_err(Failure::failed);
    let cleared = purged.and(place.remove());
    let verdict = outcome.map_err(|failure| with_clearing(failure, cleared.as_ref().err()))?;
    let exit = conclude(screen, &verdict, started.elapsed());
    cleared.map(|()| exit)
}

/// A trial that was broken off says what has become of all it had started.
fn with_clearing(mut failure: Failure, problem: Option<&Failure>) -> Failure {
    match (problem, failure.diagnostics.first_mut()) {
        (Some(problem), _) => failure.diagnostics.extend(problem.diagnostics.iter().cloned()),
        (None, Some(first)) if matches!(failure.exit, Exit::Signal(_)) => {
            first.message.push_str("; everything that was started has been taken down");
        }
        _ => {}
    }
    failure
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
    order: &Order<'_>,
    events: &[EventEntry],
) -> Outcome<Verdict> {
    let stacks = deploy::deploy(screen, endpoint, order)?;
    let fire = Fire { events, schedules: args.fire.as_deref(), verbose: args.verbose };
    let endpoints = deploy::environments(order.made);
    let endpoints =
        endpoints.iter().map(|(account, region)| endpoint.in_environment(account.as_deref(), region.as_deref()));
    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    Trial::new(screen, endpoint, endpoints.collect(), deadline)?.run(fire, stacks)
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
