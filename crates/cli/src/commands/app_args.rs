//! What `up` and `try` can be told about an app.

use std::path::{Path, PathBuf};

use clap::Args;
use neargate_base::Diagnostic;

use crate::app::App;
use crate::app::synth::{Synthesized, synth};
use crate::codes;
use crate::deploy;
use crate::endpoint::Endpoint;
use crate::outcome::{Failure, Outcome};
use crate::screen::Screen;

/// Arguments of everything that deploys an app.
#[derive(Debug, Args)]
pub(super) struct AppArgs {
    /// A configuration for an app that has no `neargate.toml` of its own
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Only this stack and those it depends on; may be given again
    #[arg(long = "stack", value_name = "NAME")]
    stacks: Vec<String>,
    /// A value for a parameter of the templates, before `[parameters]`; may be given again
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Let CloudWatch Logs use the customer keys of log groups, where the template's key policies do not
    #[arg(long)]
    fix_log_key: bool,
}

impl AppArgs {
    /// The app's stacks as they are to be deployed; a program writes its assembly into `out`, or where it always does.
    pub(super) fn synth(
        &self,
        screen: &Screen,
        app: &App,
        engine: Option<&Endpoint>,
        out: Option<&Path>,
    ) -> Outcome<Synthesized> {
        let parameters = self.parameters()?;
        let mut made = synth(screen, app, engine, out)?;
        made.give(&parameters)?;
        if !self.stacks.is_empty() {
            made.keep(&self.stacks)?;
        }
        if self.fix_log_key {
            deploy::fix_log_keys(screen, &mut made);
        }
        Ok(made)
    }

    fn parameters(&self) -> Outcome<Vec<(&str, &str)>> {
        let pair = |given: &'_ String| {
            let message = format!("`--parameter` must be `NAME=VALUE`, got `{given}`");
            Failure::usage(Diagnostic::error(codes::ARGUMENT, message))
        };
        self.parameters.iter().map(|given| given.split_once('=').ok_or_else(|| pair(given))).collect()
    }
}
