//! The awslogs driver: streams are made and written as the execution role, so its policies decide.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault, Lines, LinesPart, Notice, NoticeKind, Now};
use neargate_shape::Value;

use crate::state::{LogRoute, Task};

/// Why a task has no log stream.
pub(super) struct NoStream {
    /// Fargate's own text.
    pub(super) reason: String,
    pub(super) hint: String,
}

/// Makes the log stream of every container that has one.
pub(super) fn open_streams(cx: &mut Cx<'_>, id: &str) -> Result<(), NoStream> {
    let Some(task) = cx.get::<Task>(id).cloned() else { return Ok(()) };
    let routes: Vec<_> = task.containers.iter().filter_map(|container| container.log.clone()).collect();
    if routes.is_empty() {
        return Ok(());
    }
    let writer = task.assume_execution_role(cx).map_err(|text| NoStream {
        reason: format!("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: {text}"),
        hint: "the task definition needs an execution role that `ecs-tasks.amazonaws.com` may assume".to_owned(),
    })?;
    cx.as_principal(writer, |cx| routes.iter().try_for_each(|route| open_stream(cx, route))).map_err(|fault| NoStream {
        reason: format!(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to \
             create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: \
             {}, api error {}: {} : exit status 1",
            fault.status, fault.code, fault.message
        ),
        hint: match fault.code {
            "ResourceNotFoundException" => {
                "make the log group before the task starts, or set the option `awslogs-create-group`".to_owned()
            }
            _ => "the execution role must allow `logs:CreateLogStream` and `logs:PutLogEvents` on the log group".to_owned(),
        },
    })
}

fn open_stream(cx: &mut Cx<'_>, route: &LogRoute) -> Result<(), Fault> {
    let group = ("logGroupName", Value::from(route.group.as_str()));
    cx.in_region(route.region.as_deref(), |cx| {
        if route.create_group {
            match cx.call("logs", "CreateLogGroup", Value::Structure(vec![group.clone()])) {
                Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault),
                _ => {}
            }
        }
        let input = Value::Structure(vec![group, ("logStreamName", Value::from(route.stream.as_str()))]);
        match cx.call("logs", "CreateLogStream", input) {
            Err(fault) if fault.code != "ResourceAlreadyExistsException" => Err(fault),
            _ => Ok(()),
        }
    })
}

/// Logs lines of a container, each with its time of service. A refusal is said, and the container goes on.
pub(super) fn put_lines(cx: &mut Cx<'_>, task: &Task, route: &LogRoute, lines: &Lines) {
    let now = cx.now;
    let input = Value::Structure(vec![
        ("logGroupName", Value::from(route.group.as_str())),
        ("logStreamName", Value::from(route.stream.as_str())),
    ]);
    let written = task.assume_execution_role(cx).map_err(Fault::internal).and_then(|writer| {
        cx.as_principal(writer, |cx| {
            cx.in_region(route.region.as_deref(), |cx| {
                let mut calls = calls(in_service_time(lines, now));
                calls.try_for_each(|lines| cx.call_with_lines("logs", "PutLogEvents", &input, lines))
            })
        })
    });
    if let Err(fault) = written {
        let text = format!("lost {} log lines of task {}: {fault}", lines.len(), task.id());
        cx.notice(Notice { kind: NoticeKind::Failed, subject: task.arn().to_owned(), text, hint: fault.hint });
    }
}

/// Lines with their times of service. Of those from before the machine's clock was put back it is not known by how much that was
/// then, and what has been written is not of the future.
fn in_service_time(lines: &Lines, now: Now) -> LinesPart<'_> {
    lines.moved(now.service.millis().saturating_sub(now.process.millis())).until(now.service)
}

/// Lines in one `PutLogEvents`.
const EVENTS_PER_CALL_MAX: usize = 10_000;
/// What the lines in one `PutLogEvents` may weigh, each with 26 bytes more than its text.
const BYTES_PER_CALL_MAX: usize = 1 << 20;
const LINE_OVERHEAD_BYTES: usize = 26;
/// How far the lines in one `PutLogEvents` may lie apart.
const SPAN_MS_MAX: i64 = 86_400_000;

/// Lines in as few calls as AWS's bounds allow. A line that is older than the one before it, since the machine's clock was put
/// back, begins another call: AWS wants them in order of time.
fn calls(mut lines: LinesPart<'_>) -> impl Iterator<Item = LinesPart<'_>> {
    std::iter::from_fn(move || {
        let (first, _) = lines.iter().next()?;
        let (mut bytes, mut last) = (0, first);
        let fits = |(at, text): &(Timestamp, &str)| {
            bytes += text.len() + LINE_OVERHEAD_BYTES;
            let is_in_order = *at >= last && at.millis().saturating_sub(first.millis()) <= SPAN_MS_MAX;
            last = *at;
            bytes <= BYTES_PER_CALL_MAX && is_in_order
        };
        let count = lines.iter().take(EVENTS_PER_CALL_MAX).take_while(fits).count();
        let (call, rest) = lines.split_at(count.max(1));
        lines = rest;
        Some(call)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Lines of these moments, as they are logged at a moment of process and one of service time: how many each call takes, and when
    /// each line is.
    fn logged(written: &[i64], process: i64, service: i64) -> (Vec<usize>, Vec<i64>) {
        let lines: Lines = written.iter().map(|at| (Timestamp(*at), "x")).collect();
        let now = Now { process: Timestamp(process), service: Timestamp(service) };
        let calls: Vec<_> = calls(in_service_time(&lines, now)).collect();
        let times = calls.iter().flat_map(|call| call.iter().map(|(at, _)| at.millis()));
        (calls.iter().map(|call| call.len()).collect(), times.collect())
    }

    #[test]
    fn lines_from_before_the_clock_was_put_back_are_not_of_the_future() {
        // As on every day, with service time elsewhere.
        assert_eq!(logged(&[10, 20], 20, 20), (vec![2], vec![10, 20]));
        assert_eq!(logged(&[10, 20], 25, HOUR), (vec![2], vec![HOUR - 15, HOUR - 5]));
        assert_eq!(logged(&[HOUR, HOUR + 1], HOUR + 1, 5), (vec![2], vec![4, 5]));
        // The machine's clock went from ten hours back to three, and service time went on.
        let (process, service) = (3 * HOUR + 10, 10 * HOUR + 10);
        let written = [10 * HOUR - 5, 10 * HOUR, 3 * HOUR, 3 * HOUR + 5];
        assert_eq!(logged(&written, process, service), (vec![2, 2], vec![service, service, service - 10, service - 5]));
    }
}
