//! `neargate down`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use neargate_base::Diagnostic;
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

/// Arguments of `down`.
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// Also remove the data directory: stacks, logs, images
    #[arg(long)]
    purge: bool,
    /// The data directory to purge where no engine runs [default: `neargate` in the user's data directory]
    #[arg(long, value_name = "DIR", requires = "purge")]
    data_dir: Option<PathBuf>,
}

/// Stops the engine.
pub(super) fn run(args: &DownArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint();
    let running = endpoint.status().ok();
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
    let is_purged = args.purge && purge(&data_dir)?;
    if is_purged {
        screen.step("purged", &data_dir.display().to_string());
    }
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

fn purge(data_dir: &Path) -> Outcome<bool> {
    if !data_dir.exists() {
        return Ok(false);
    }
    let images_alone = data_dir.join("images/oci-layout").is_file();
    if neargate_engine::purge(data_dir)? {
        return Ok(true);
    }
    if !images_alone {
        let message = format!("`{}` is no data directory of an engine, so it is not removed", data_dir.display());
        return Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message)));
    }
    std::fs::remove_dir_all(data_dir)
        .map_err(|error| Failure::failed(places::file_error("remove", data_dir, &error)))?;
    Ok(true)
}
