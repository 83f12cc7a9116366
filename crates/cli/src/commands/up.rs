//! `neargate up`.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use neargate_base::{Diagnostic, Severity};
use neargate_engine::Config;
use serde_json::{Value as Json, json};

use super::EngineArgs;
use super::app_args::AppArgs;
use super::backend_args::BackendArgs;
use super::clock::moment;
use super::door_args::DoorArgs;
use super::env::exports;
use crate::app::synth::Synthesized;
use crate::app::{self, App};
use crate::deploy::{self, Detail, Order};
use crate::endpoint::Endpoint;
use crate::endpoint::control::{NoticeKind, Status};
use crate::images::Stores;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::Output;
use crate::preflight::{self, Preflight};
use crate::screen::{Paint, Screen};
use crate::session::with_engine;
use crate::signals::{self, Hangup};
use crate::told::tell;
use crate::{codes, images, places};

/// How long tasks may take to stop: a little more than the longest stop timeout there usually is.
const STOP_PATIENCE: Duration = Duration::from_secs(35);
/// How long a detached engine may take to answer.
const START_PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);
/// One wait for notices; an interruption is seen at its end.
const NOTICES_WAIT: Duration = Duration::from_millis(250);

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// The app [default: the one in the current directory, if there is one]
    app: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    of_app: AppArgs,
    /// Return when the stacks are up; the engine goes on
    #[arg(short, long)]
    detach: bool,
    /// Where the engine keeps everything [default: `neargate` in the user's data directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Service time at the start: `system`, or a time such as `2026-12-01T04:00:00Z` [default: as it was]
    #[arg(long, value_name = "TIME")]
    clock: Option<String>,
    /// Do not show what containers write
    #[arg(long)]
    no_logs: bool,
    #[command(flatten)]
    backend: BackendArgs,
    #[command(flatten)]
    door: DoorArgs,
    /// Start the engine alone, whatever is in the current directory
    #[arg(long, hide = true, conflicts_with = "app")]
    no_app: bool,
}

/// Starts an engine and an app's stacks, or the stacks in an engine that runs already.
pub(super) fn run(args: &UpArgs, screen: &Screen) -> Outcome {
    let clock = args.clock.as_deref().map(moment).transpose()?;
    let app = if args.no_app { None } else { app::find(args.app.as_deref(), args.of_app.config.as_deref())? };
    // An engine that was detached has no terminal that could go away.
    let interrupt = signals::watch(if args.no_app { Hangup::Ignored } else { Hangup::Ends })?;
    let endpoint = args.engine.endpoint()?.until(&interrupt);
    if let Some(status) = endpoint.status_if_there()? {
        return in_running_engine(args, screen, &endpoint, app.as_ref(), &status);
    }
    let data_dir = places::absolute(&match &args.data_dir {
        Some(given) => given.clone(),
        None => places::data_dir()?,
    });
    // A directory that is there must be ours, and no other engine's, before anything is tried in it; one that is not is made
    // after the look.
    if data_dir.exists() {
        neargate_engine::claim(&data_dir).map_err(Failure::usage)?;
        neargate_engine::require_free(&data_dir)?;
    }
    // Who started a detached engine has looked.
    let preflight = (!args.no_app).then(|| Preflight::begin(&data_dir, args.backend.kind()));
    let preflight = match (preflight, &app) {
        (Some(preflight), Some(_)) => preflight.require().map(|()| None)?,
        (preflight, _) => preflight,
    };
    neargate_engine::claim(&data_dir).map_err(Failure::usage)?;
    let made = app.as_ref().map(|app| args.of_app.synth(screen, app, None, None)).transpose()?;
    if args.detach {
        preflight.and_then(Preflight::obstacle).into_iter().for_each(|it| warn(screen, it));
        return detached(args, screen, &endpoint, app.as_ref().zip(made.as_ref()), &data_dir);
    }
    let stores = stores(&data_dir);
    if let Some((app, made)) = app.as_ref().zip(made.as_ref()) {
        images::provide(screen, app, made, &stores)?;
    }
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.engine.port()?));
    let door = args.door.config();
    let backend = args.backend.kind();
    let config = Config { data_dir: data_dir.clone(), listen, image_stores: vec![], clock, endpoint: door, backend };
    with_engine(screen, &config, STOP_PATIENCE, &interrupt, |endpoint| {
        let stacks = match app.as_ref().zip(made.as_ref()) {
            Some((app, made)) => deploy::deploy(screen, endpoint, &order(app, made, &stores))?,
            None => vec![],
        };
        preflight.and_then(Preflight::obstacle).into_iter().for_each(|it| warn(screen, it));
        ready(screen, endpoint, &data_dir, &stacks);
        let text = "             ctrl-c stops the engine and its tasks; stacks and other state stay";
        screen.say(&screen.paint(Paint::Dim, text));
        tell_notices(screen, endpoint, !args.no_logs && !args.no_app);
        Ok(())
    })?;
    screen.step("stopped", "the engine");
    Ok(Exit::Done)
}

/// Where the engine on a data directory finds images.
fn stores(data_dir: &Path) -> Stores {
    Stores { front: data_dir.join("images"), behind: vec![] }
}

/// An image that is missing may still come while the engine runs.
fn order<'a>(app: &'a App, made: &'a Synthesized, stores: &'a Stores) -> Order<'a> {
    Order { app, made, stores, detail: Detail::Resources, without_image: Severity::Warning }
}

/// An engine without an app does much without containers.
fn warn(screen: &Screen, obstacle: Diagnostic) {
    screen.diagnostic(&Diagnostic { severity: Severity::Warning, ..obstacle });
}

/// Says what was accepted since a notice and is not acted on, once each with an example of what it is about.
fn tell_not_acted_on(screen: &Screen, endpoint: &Endpoint, after: u64) -> Outcome<()> {
    let mut said = BTreeSet::new();
    for notice in endpoint.notices(after, Duration::ZERO)? {
        if notice.kind == NoticeKind::NotSimulated && said.insert(notice.text.clone()) {
            tell(screen, &notice);
        }
    }
    Ok(())
}

/// Says where the engine is.
fn ready(screen: &Screen, endpoint: &Endpoint, data_dir: &Path, stacks: &[Json]) {
    let url = format!("http://{}", endpoint.address());
    // Where all stacks are in one place, the variables lead there.
    let places: BTreeSet<_> =
        stacks.iter().map(|stack| (stack["account"].as_str(), stack["region"].as_str())).collect();
    let (account, region) = match places.into_iter().collect::<Vec<_>>().as_slice() {
        [place] => *place,
        _ => (None, None),
    };
    if screen.is_json() {
        let (access_key, secret) = endpoint.exports();
        let mut ready = json!({ "endpoint": url, "data_dir": data_dir.display().to_string(), "stacks": stacks });
        if let Some(members) = ready.as_object_mut().filter(|_| secret != "test") {
            members.insert("access_key_id".to_owned(), access_key.into());
            members.insert("secret_access_key".to_owned(), secret.into());
        }
        screen.json(&ready);
    } else {
        screen.data(&exports(endpoint, account, region));
    }
    screen.step("ready", &format!("{url}  data in {}", data_dir.display()));
}

/// Shows what happens, and what containers write, until the engine is to stop.
fn tell_notices(screen: &Screen, endpoint: &Endpoint, with_output: bool) {
    let (mut after, mut said) = (0, BTreeSet::new());
    let mut output = (with_output && !screen.is_json()).then(Output::default);
    while !endpoint.is_interrupted() {
        // The engine is in this process: one that does not answer is stopping, which ends the loop, or busy.
        let Ok(notices) = endpoint.notices(after, NOTICES_WAIT) else {
            std::thread::sleep(PAUSE);
            continue;
        };
        for notice in notices {
            after = notice.number;
            // One example of what is not acted on is enough.
            if notice.kind != NoticeKind::NotSimulated || said.insert(notice.text.clone()) {
                tell(screen, &notice);
            }
            if let Some(output) = &mut output {
                output.hear(screen, endpoint, &notice);
            }
        }
        if let Some(output) = &mut output {
            output.look(screen);
        }
    }
}

fn in_running_engine(
    args: &UpArgs,
    screen: &Screen,
    endpoint: &Endpoint,
    app: Option<&App>,
    status: &Status,
) -> Outcome {
    let data_dir = status.data_dir.as_path();
    let is_other = args.data_dir.as_ref().is_some_and(|given| places::absolute(given) != places::absolute(data_dir));
    let late = [is_other.then_some("--data-dir"), args.clock.as_ref().map(|_| "--clock"), args.door.given()];
    if let Some(flag) = late.into_iter().flatten().next() {
        let message = format!(
            "an engine runs at `{}` already, with its data in `{}`: `{flag}` comes too late",
            endpoint.address(),
            data_dir.display()
        );
        let hint = "stop it with `neargate down`, or start another with `--port`; `neargate clock` turns the clock of a running one";
        return Err(Failure::usage(Diagnostic::error(codes::ENGINE, message).hint(hint)));
    }
    args.backend.require_of_engine(status)?;
    screen.step("engine", &format!("runs already at http://{}", endpoint.address()));
    let stacks = match app {
        Some(app) => {
            preflight::require_of_engine(status)?;
            let made = args.of_app.synth(screen, app, Some(endpoint), None)?;
            let stores = stores(data_dir);
            images::provide(screen, app, &made, &stores)?;
            let before = endpoint.notices(0, Duration::ZERO)?.last().map_or(0, |notice| notice.number);
            let stacks = deploy::deploy(screen, endpoint, &order(app, &made, &stores))?;
            tell_not_acted_on(screen, endpoint, before)?;
            stacks
        }
        None => vec![],
    };
    ready(screen, endpoint, data_dir, &stacks);
    Ok(Exit::Done)
}

fn detached(
    args: &UpArgs,
    screen: &Screen,
    endpoint: &Endpoint,
    app: Option<(&App, &Synthesized)>,
    data_dir: &Path,
) -> Outcome {
    let (mut engine, log_start) = start_detached(args, data_dir)?;
    let outcome = wait_for_engine(endpoint, &mut engine, data_dir, log_start).and_then(|()| match app {
        Some((app, made)) => {
            let stores = stores(data_dir);
            images::provide(screen, app, made, &stores)?;
            let stacks = deploy::deploy(screen, endpoint, &order(app, made, &stores))?;
            tell_not_acted_on(screen, endpoint, 0)?;
            Ok(stacks)
        }
        None => Ok(vec![]),
    });
    match outcome {
        Ok(stacks) => {
            ready(screen, endpoint, data_dir, &stacks);
            Ok(Exit::Done)
        }
        Err(failure) => {
            // As in the foreground: what did not come up does not stay half up.
            let _ = endpoint.ask_to_stop();
            let _ = engine.wait();
            Err(failure)
        }
    }
}

/// The engine's process, and where in its log it begins to write.
fn start_detached(args: &UpArgs, data_dir: &Path) -> Outcome<(Child, usize)> {
    let cannot = |error: std::io::Error| {
        Failure::failed(Diagnostic::error(codes::ENGINE, format!("cannot start the engine: {error}")))
    };
    let log_file = log_file(data_dir);
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&log_file);
    let log = log.map_err(|error| Failure::failed(places::file_error("write", &log_file, &error)))?;
    let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
    command.args(["up", "--no-app", "--port", &args.engine.port()?.to_string(), "--data-dir"]).arg(data_dir);
    if let Some(clock) = &args.clock {
        command.args(["--clock", clock]);
    }
    command.args(args.door.words()).args(args.backend.words());
    // A group of its own: ctrl-c at this terminal is not for the engine.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log));
    let log_start = fs::read(&log_file).map_or(0, |log| log.len());
    command.spawn().map(|child| (child, log_start)).map_err(cannot)
}

fn log_file(data_dir: &Path) -> PathBuf {
    data_dir.join("engine.log")
}

fn wait_for_engine(endpoint: &Endpoint, engine: &mut Child, data_dir: &Path, log_start: usize) -> Outcome<()> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        signals::check()?;
        if endpoint.status().is_ok_and(|status| status.pid == i64::from(engine.id())) {
            return Ok(());
        }
        let ended = engine.try_wait().ok().flatten();
        if ended.is_some() || Instant::now() > deadline {
            let message = match ended {
                Some(status) => format!("the engine did not start: {status}"),
                None => format!("the engine does not answer after {} s", START_PATIENCE.as_secs()),
            };
            let log = fs::read(log_file(data_dir)).unwrap_or_default();
            let log = String::from_utf8_lossy(log.get(log_start..).unwrap_or_default());
            let lines: Vec<&str> = log.lines().collect();
            let mut diagnostic = Diagnostic::error(codes::ENGINE, message).at(log_file(data_dir).display().to_string());
            diagnostic.details.extend(lines.iter().skip(lines.len().saturating_sub(8)).map(|line| (*line).to_owned()));
            return Err(Failure::failed(diagnostic));
        }
        std::thread::sleep(PAUSE);
    }
}
