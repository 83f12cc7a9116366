//! Whether containers run on this machine: asked before anything is made.
//!
//! The answer is the doctor's own, a container that really starts among it. It is looked for beside whatever else is to be
//! done first.
//!
//! Invariant: looking leaves nothing behind, and makes nothing in the data directory.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use neargate_base::Diagnostic;
use neargate_runtime::backends::embedded::{EmbeddedConfig, probe_machine, probe_runtimes};
use neargate_runtime::{BackendKind, Capability, RuntimeError};

use crate::codes;
use crate::endpoint::control::Status;
use crate::outcome::{Failure, Outcome};

/// What this machine can do for containers that write to a directory.
fn look(data_dir: &Path, kind: BackendKind) -> Result<Vec<Capability>, RuntimeError> {
    EmbeddedConfig::new("doctor", data_dir).map(|config| probe_machine(&config.with(kind)))
}

/// The same, and what OCI runtimes could do in the place of the backend that was not asked for.
pub(crate) fn look_at_all(data_dir: &Path, kind: BackendKind) -> Result<Vec<Capability>, RuntimeError> {
    let mut capabilities = look(data_dir, kind)?;
    if kind == BackendKind::Embedded && !capabilities.iter().any(Capability::is_obstacle) {
        capabilities.extend(probe_runtimes(&EmbeddedConfig::new("doctor", data_dir)?));
    }
    Ok(capabilities)
}

/// A look that is under way.
#[derive(Debug)]
pub(crate) struct Preflight {
    look: JoinHandle<Result<Vec<Capability>, RuntimeError>>,
    data_dir: PathBuf,
}

impl Preflight {
    /// Begins to look.
    pub(crate) fn begin(data_dir: &Path, kind: BackendKind) -> Self {
        let data_dir = data_dir.to_owned();
        let place = data_dir.clone();
        Self { look: std::thread::spawn(move || look(&place, kind)), data_dir }
    }

    /// Why containers do not run, once that is known; nothing where they do.
    pub(crate) fn obstacle(self) -> Option<Diagnostic> {
        let capabilities = match self.look.join() {
            Ok(Ok(capabilities)) => capabilities,
            Ok(Err(error)) => return Some(Diagnostic::error(codes::NO_CONTAINERS, error.to_string())),
            Err(_) => return Some(Diagnostic::error(codes::NO_CONTAINERS, "the look at this machine failed")),
        };
        obstacle(&capabilities, &self.data_dir)
    }

    /// Refuses where containers do not run.
    pub(crate) fn require(self) -> Outcome<()> {
        self.obstacle().map_or(Ok(()), |diagnostic| Err(Failure::usage(diagnostic)))
    }
}

/// The first thing that stands in the way, the others beside it.
fn obstacle(capabilities: &[Capability], data_dir: &Path) -> Option<Diagnostic> {
    let mut obstacles = capabilities.iter().filter(|it| it.is_obstacle());
    let first = obstacles.next()?;
    let message = if first.name == "rights" {
        first.detail.clone()
    } else {
        format!("containers do not run on this machine: {}: {}", first.name, first.detail)
    };
    let mut diagnostic = Diagnostic::error(codes::NO_CONTAINERS, message);
    if first.name == "overlayfs" || first.name == "container" {
        diagnostic = diagnostic.at(data_dir.display().to_string());
    }
    diagnostic.details.extend(obstacles.map(|it| format!("{}: {}", it.name, it.detail)));
    Some(diagnostic.hint(&first.hint).hint("`neargate doctor` shows all that this machine can do"))
}

/// Refuses where the engine that runs has no containers.
pub(crate) fn require_of_engine(engine: &Status) -> Outcome<()> {
    let reason = engine.no_containers();
    if reason.is_empty() {
        return Ok(());
    }
    let message = format!("the engine has no containers: {reason}");
    let hint = "stop it with `neargate down`, and start it again where `neargate doctor` says that containers run";
    Err(Failure::usage(Diagnostic::error(codes::NO_CONTAINERS, message).hint(hint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(name: &'static str, ok: bool, required: bool) -> Capability {
        Capability { name, ok, required, detail: format!("{name} found"), hint: format!("mend {name}") }
    }

    #[test]
    fn the_first_obstacle_is_told_first_and_the_others_below() {
        let able = [capability("kernel", true, true), capability("loop", false, false)];
        assert_eq!(obstacle(&able, Path::new("/data")), None);
        let unable =
            [capability("rights", false, true), capability("loop", false, false), capability("container", false, true)];
        let told = obstacle(&unable, Path::new("/data")).unwrap();
        assert_eq!(told.message, "rights found");
        assert_eq!(told.details, ["container: container found"]);
        assert!(told.hints.contains(&"mend rights".to_owned()), "{:?}", told.hints);
        let on_overlay = [capability("overlayfs", false, true)];
        let told = obstacle(&on_overlay, Path::new("/data")).unwrap();
        assert_eq!(told.message, "containers do not run on this machine: overlayfs: overlayfs found");
    }
}
