//! `neargate doctor`.

use clap::Args;
use neargate_base::Diagnostic;
use neargate_runtime::Capability;
use serde_json::json;

use super::backend_args::BackendArgs;
use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::ThrowAway;
use crate::preflight;
use crate::screen::{Paint, Screen};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    backend: BackendArgs,
}

/// Tries out what the backend needs, and what OCI runtimes there are.
pub(super) fn run(args: &DoctorArgs, screen: &Screen) -> Outcome {
    let place = ThrowAway::new("doctor")?;
    let capabilities = preflight::look_at_all(place.path(), args.backend.kind())
        .map_err(|error| Failure::failed(Diagnostic::error(codes::ENGINE, error.to_string())))?;
    place.remove()?;
    let is_able = !capabilities.iter().any(Capability::is_obstacle);
    if screen.is_json() {
        let rows: Vec<_> = capabilities
            .iter()
            .map(|it| json!({ "name": it.name, "ok": it.ok, "required": it.required, "detail": it.detail, "hint": it.hint }))
            .collect();
        screen.json(&json!({ "containers": is_able, "capabilities": rows }));
    } else {
        let width = capabilities.iter().map(|capability| capability.name.len()).max().unwrap_or(0);
        for it in &capabilities {
            let mark = match (it.ok, it.required) {
                (true, _) => screen.data_paint(Paint::Green, "yes    "),
                (false, true) => screen.data_paint(Paint::Red, "no     "),
                (false, false) => screen.data_paint(Paint::Yellow, "partly "),
            };
            screen.data(&format!("{mark} {:<width$}  {}", it.name, it.detail));
            if !it.hint.is_empty() && !it.ok {
                screen.data(&format!("        {:<width$}  {}", "", screen.data_paint(Paint::Dim, &it.hint)));
            }
        }
        screen.data(if is_able { "containers run on this machine" } else { "containers do not run on this machine" });
    }
    Ok(if is_able { Exit::Done } else { Exit::Failed })
}
