//! `neargate down`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use neargate_base::Diagnostic;
use neargate_engine::Purged;
use serde_json::json;

use super::EngineArgs;
use crate::codes;
use crate::endpoint::Endpoint;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places;
use crate::screen::Screen;

/// Longer than any task may take to stop.
const PATIENCE: Duration = Duration::from_secs(130);
const PAUSE: Duration = Duration::from_millis(20);
const OTHERS_SHOWN_MAX: usize = 5;

/// Arguments of `down`.
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// Also remove the data directory: stacks, logs, images; files of others beside the engine's own folders stay
    #[arg(long)]
    purge: bool,
    /// The data directory to purge where no engine runs [default: `neargate` in the user's data directory]
    #[arg(long, value_name = "DIR", requires = "purge")]
    data_dir: Option<PathBuf>,
}

/// Stops the engine.
pub(super) fn run(args: &DownArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let running = endpoint.status_if_there()?;
    let data_dir = match (&running, &args.data_dir) {
        (Some(status), None) => status.data_dir.clone(),
        (Some(status), Some(given)) if places::absolute(given) == places::absolute(&status.data_dir) => {
            status.data_dir.clone()
        }
        (Some(status), Some(given)) => {
            let message = format!(
                "the engine at `{}` uses `{}`, got `--data-dir {}`",
                endpoint.address(),
                status.data_dir.display(),
                given.display()
            );
            return Err(Failure::usage(
                Diagnostic::error(codes::ARGUMENT, message)
                    .hint("leave `--data-dir` out, or name the other engine with `--port`"),
            ));
        }
        (None, Some(given)) => given.clone(),
        (None, None) => places::data_dir()?,
    };
    if let Some(status) = &running {
        endpoint.ask_to_stop()?;
        wait_for_end(&endpoint, status.pid)?;
        screen.step("stopped", &format!("the engine at {}", endpoint.address()));
    } else {
        screen.step("nothing", &format!("no engine runs at {}", endpoint.address()));
    }
    let is_purged = args.purge && purge(screen, &data_dir)?;
    if screen.is_json() {
        screen.json(&json!({ "stopped": running.is_some(), "purged": is_purged }));
    }
    Ok(Exit::Done)
}

fn wait_for_end(endpoint: &Endpoint, pid: i64) -> Outcome<()> {
    let deadline = Instant::now() + PATIENCE;
    let process = PathBuf::from(format!("/proc/{pid}"));
    while process.exists() && !is_zombie(&process) {
        if Instant::now() > deadline {
            let message = format!(
                "the engine at `{}` (process {pid}) has not ended in {} s",
                endpoint.address(),
                PATIENCE.as_secs()
            );
            return Err(Failure::failed(Diagnostic::error(codes::ENGINE, message)));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Whether the process has ended and its parent has not looked yet.
fn is_zombie(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// Removes what is the engine's in a data directory, and says what of others stays there.
fn purge(screen: &Screen, data_dir: &Path) -> Outcome<bool> {
    match neargate_engine::purge(data_dir)? {
        Purged::Nothing if data_dir.exists() => {
            let message = format!("`{}` is no data directory of an engine, so it is not removed", data_dir.display());
            Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message)))
        }
        Purged::Nothing => Ok(false),
        Purged::Directory => {
            screen.step("purged", &data_dir.display().to_string());
            Ok(true)
        }
        Purged::Contents(others) => {
            let shown: Vec<_> = others.iter().take(OTHERS_SHOWN_MAX).map(|name| format!("`{name}`")).collect();
            let more = others.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let kept =
                if others.is_empty() { "the directory".to_owned() } else { format!("{}{more}", shown.join(", ")) };
            screen.step("purged", &format!("{}, except what is not the engine's: {kept}", data_dir.display()));
            Ok(true)
        }
    }
}
