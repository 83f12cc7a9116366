//! What makes containers.

use clap::{Args, ValueEnum};
use neargate_base::Diagnostic;
use neargate_runtime::BackendKind;

use crate::codes;
use crate::endpoint::control::Status;
use crate::outcome::{Failure, Outcome};

/// The backends by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Embedded,
    Oci,
}

/// Arguments of everything that starts containers, or an engine that does.
#[derive(Clone, Debug, Args)]
pub(crate) struct BackendArgs {
    /// What makes containers: `embedded` is this program, `oci` is `runc`, else `crun` [default: embedded]
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    backend: Option<Name>,
}

impl BackendArgs {
    /// The backend.
    pub(crate) fn kind(&self) -> BackendKind {
        match self.backend {
            Some(Name::Oci) => BackendKind::Oci,
            Some(Name::Embedded) | None => BackendKind::Embedded,
        }
    }

    /// The same arguments for a program that starts the engine.
    pub(crate) fn words(&self) -> [&'static str; 2] {
        ["--backend", self.kind().name()]
    }

    /// Refuses where the engine that runs has another backend than the one that is asked for.
    pub(crate) fn require_of_engine(&self, engine: &Status) -> Outcome<()> {
        let has = engine.text("backend");
        if self.backend.is_none() || has == self.kind().name() {
            return Ok(());
        }
        let message = format!("the engine runs already, with the backend `{has}`: `--backend` comes too late");
        let hint = format!(
            "stop it with `neargate down`, and start it again with `neargate up --backend {}`",
            self.kind().name()
        );
        Err(Failure::usage(Diagnostic::error(codes::ENGINE, message).hint(hint)))
    }
}
