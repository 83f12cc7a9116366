//! A backend's reports as ECS's news.

use std::sync::Arc;

use neargate_ecs::order::News;
use neargate_runtime::{EventKind, EventSink, GoneReason, RuntimeEvent, StartFailure, StartFailureKind};

use super::Shared;

/// The sink that a backend reports to.
pub(crate) fn sink(shared: &Arc<Shared>) -> EventSink {
    let shared = Arc::clone(shared);
    Arc::new(move |event| take(&shared, event))
}

fn take(shared: &Arc<Shared>, event: RuntimeEvent) {
    let run = shared.standing(&event.task_id, |it| it.run.clone());
    let news = match event.kind {
        EventKind::NetworkReady | EventKind::ExecExited { .. } => return,
        EventKind::ContainerStarted { name, pid, .. } => News::Started { container: name, pid },
        EventKind::ContainerFailed { name, failure, .. } => cannot_start(name, &failure),
        EventKind::Output { name, lines, next_offset } => {
            // A task without an order has nobody to keep its output for.
            let Some(run) = run else { return shared.release(&event.task_id, &name, next_offset) };
            let lines = lines.into_iter().map(|line| (line.at, text(line.bytes))).collect();
            return shared.report_output(&run, &event.task_id, name, lines, next_offset);
        }
        EventKind::ContainerExited { name, exit_code, oom_killed, .. } => {
            News::Exited { container: name, exit_code, oom_killed }
        }
        EventKind::Remark { text } => News::Remark { text },
        EventKind::TaskGone { reason: GoneReason::Lost(reason) } => News::Lost { reason },
        EventKind::TaskGone { reason: GoneReason::Removed } => return shared.gone(&event.task_id),
    };
    let Some(run) = run else { return };
    shared.report(&run, &news, false);
}

/// A line as text; what is no UTF-8 is replaced.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A container that did not start, with what its user can do.
pub(super) fn cannot_start(container: String, failure: &StartFailure) -> News {
    let hint = match failure.kind {
        StartFailureKind::CommandNotFound => {
            "the command's first word must be a program in the image: check `command`, `entryPoint` and the image's PATH"
        }
        StartFailureKind::PermissionDenied => "the program needs its execute permission in the image: `chmod +x`",
        StartFailureKind::ExecFormat => {
            "the program is built for another processor, or is a script without `#!`: build the image for this machine"
        }
        StartFailureKind::Cancelled => return News::NeverStarted { container, reason: failure.reason() },
        StartFailureKind::UnknownUser => "the image's /etc/passwd does not have this user: use a numeric id",
        _ => {
            return News::CannotStart {
                container,
                reason: failure.reason(),
                exit_code: Some(failure.exit_code()),
                hint: None,
            };
        }
    };
    let hint = Some(hint.to_owned());
    News::CannotStart { container, reason: failure.reason(), exit_code: Some(failure.exit_code()), hint }
}
