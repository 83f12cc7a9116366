//! A backend's reports as ECS's news.

use std::sync::Arc;

use neargate_base::Timestamp;
use neargate_ecs::order::News;
use neargate_kernel::Lines;
use neargate_runtime::{EventKind, EventSink, GoneReason, OutputLines, RuntimeEvent, StartFailure, StartFailureKind};

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
            return shared.report_output(&run, &event.task_id, name, kept(lines), next_offset);
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

/// Lines as texts; what is no UTF-8 is replaced. CloudWatch Logs has no empty message: the awslogs driver leaves empty lines out.
fn kept(lines: OutputLines) -> Lines {
    let (bytes, ends) = lines.into_parts();
    let (bytes, cut) = match String::from_utf8(bytes) {
        // A line that was cut may end within a character.
        Ok(text) => match Lines::cut(text, ends.clone()) {
            Ok(lines) => (vec![], Some(lines)),
            Err(text) => (text.into_bytes(), None),
        },
        Err(error) => (error.into_bytes(), None),
    };
    let mut lines = cut.unwrap_or_else(|| replaced(&bytes, ends));
    lines.drop_empty();
    lines
}

fn replaced(bytes: &[u8], ends: impl Iterator<Item = (Timestamp, usize)>) -> Lines {
    let mut begin = 0;
    let line = |(at, end)| {
        (at, String::from_utf8_lossy(bytes.get(std::mem::replace(&mut begin, end)..end).unwrap_or_default()))
    };
    ends.map(line).collect()
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

#[cfg(test)]
mod tests {
    use neargate_runtime::{OutputLine, Stream};

    use super::*;

    fn texts(lines: &[&[u8]]) -> Vec<(i64, String)> {
        let mut output = OutputLines::default();
        for (at, bytes) in lines.iter().enumerate() {
            output.push(OutputLine { stream: Stream::Stdout, at: Timestamp(at as i64), bytes, partial: false });
        }
        kept(output).moved(0).iter().map(|(at, text)| (at.millis(), text.to_owned())).collect()
    }

    #[test]
    fn lines_are_texts_whatever_their_bytes_are() {
        let row = |at: i64, text: &str| (at, text.to_owned());
        assert_eq!(texts(&[b"a", b"", "\u{e9}".as_bytes(), b""]), [row(0, "a"), row(2, "\u{e9}")]);
        assert_eq!(texts(&[b"a", b"\xff", b"b"]), [row(0, "a"), row(1, "\u{fffd}"), row(2, "b")]);
        // One character over two lines: together they are UTF-8, alone they are not.
        assert_eq!(texts(&[b"a\xc3", b"\xa9b", b""]), [row(0, "a\u{fffd}"), row(1, "\u{fffd}b")]);
        assert_eq!(texts(&[]), []);
    }
}
