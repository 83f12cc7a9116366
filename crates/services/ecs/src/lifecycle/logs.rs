//! The awslogs driver: streams are made and written as the execution role, so its policies decide.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault, Lines, LinesPart, Notice, NoticeKind};
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
    let behind_ms = cx.now.service.millis() - cx.now.process.millis();
    let input = Value::Structure(vec![
        ("logGroupName", Value::from(route.group.as_str())),
        ("logStreamName", Value::from(route.stream.as_str())),
    ]);
    let written = task.assume_execution_role(cx).map_err(Fault::internal).and_then(|writer| {
        cx.as_principal(writer, |cx| {
            cx.in_region(route.region.as_deref(), |cx| {
                let mut calls = calls(lines.moved(behind_ms));
                calls.try_for_each(|lines| cx.call_with_lines("logs", "PutLogEvents", &input, lines))
            })
        })
    });
    if let Err(fault) = written {
        let text = format!("lost {} log lines of task {}: {fault}", lines.len(), task.id());
        cx.notice(Notice { kind: NoticeKind::Failed, subject: task.arn().to_owned(), text, hint: fault.hint });
    }
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
