//! `neargate synth`.

use std::path::PathBuf;

use clap::Args;
use neargate_base::Diagnostic;
use serde_json::json;

use crate::app::{self, Source, synth::synth};
use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::Screen;
use crate::words::counted;

/// Arguments of `synth`.
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// The app [default: the one in the current directory]
    app: Option<PathBuf>,
    /// The directory for the cloud assembly [default: `cdk.out` in the app's directory]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Makes the templates and lists them.
pub(super) fn run(args: &SynthArgs, screen: &Screen) -> Outcome {
    let app = app::require(args.app.as_deref(), None)?;
    if args.output.is_some() && !matches!(app.source, Source::Command { .. }) {
        let message = format!("`--output` has no meaning here: `{}` is no program that writes templates", app.name);
        return Err(Failure::usage(Diagnostic::error(codes::ARGUMENT, message).hint("leave `--output` out")));
    }
    let made = synth(screen, &app, None, args.output.as_deref())?;
    for warning in &made.warnings {
        screen.diagnostic(warning);
    }
    if screen.is_json() {
        let stacks = made.stacks.iter().map(|stack| {
            json!({
                "name": stack.name, "display_name": stack.display_name, "template": stack.file.display().to_string(),
                "account": stack.account, "region": stack.region, "resources": stack.template.resources.len(),
            })
        });
        let stacks: Vec<_> = stacks.collect();
        let directory = made.directory.display().to_string();
        screen.json(&json!({ "assembly": directory, "stacks": stacks, "diagnostics": made.warnings }));
    } else {
        for stack in &made.stacks {
            screen.data(&stack.file.display().to_string());
            screen.step(
                "stack",
                &format!("{}  {}", stack.display_name, counted(stack.template.resources.len(), "resource")),
            );
        }
    }
    Ok(Exit::Done)
}
