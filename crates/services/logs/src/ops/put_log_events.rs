//! `PutLogEvents`.

use neargate_base::Timestamp;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::invalid;
use crate::access::on_stream;
use crate::api;
use crate::append::{EVENT_OVERHEAD_BYTES, append};
use crate::errors::LogsError;
use crate::frame::Event;
use crate::state::{MS_PER_DAY, group, stream, stream_key};

/// `PutLogEvents` appends a batch to a stream. Events that are too old or too new are left out and said; sequence tokens are
/// ignored, as AWS does since 2023.
pub(crate) struct PutLogEvents;

impl Operation for PutLogEvents {
    const SHAPE: &'static OperationShape = &api::PUT_LOG_EVENTS;
    type Input = api::PutLogEventsInput;
    type Output = api::PutLogEventsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_stream(cx, "logs:PutLogEvents", &input.log_group_name, &input.log_stream_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut stream = stream(cx, &input.log_group_name, &input.log_stream_name)?;
        let group = group(cx, &input.log_group_name)?;
        check(&input.log_events)?;
        if input.entity.is_some() {
            cx.not_simulated("logs:PutLogEvents entity", "accepted; not acted on");
        }
        let now = cx.time();
        let times: Vec<_> = input.log_events.iter().map(|event| event.timestamp).collect();
        let verdict = judge(&times, now, group.retention_days.map(|_| group.kept_since(now)));
        let accepted = input.log_events.into_iter().take(verdict.end).skip(verdict.start);
        let event = |event: api::InputLogEvent| Event {
            timestamp: Timestamp(event.timestamp),
            ingestion_time: now,
            message: event.message,
        };
        let events: Vec<_> = accepted.map(event).collect();
        append(cx, &group, &mut stream, &events)?;
        let next_sequence_token = Some(stream.sequence_token());
        cx.put(&stream_key(&input.log_group_name, &input.log_stream_name), stream);
        Ok(api::PutLogEventsOutput {
            next_sequence_token,
            rejected_log_events_info: verdict.rejected,
            rejected_entity_info: None,
        })
    }
}

/// The most a batch may hold, each event counted with its overhead; an event of its own has the same limit.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// What AWS wants of a batch as a whole.
fn check(events: &[api::InputLogEvent]) -> Result<(), LogsError> {
    let size = |event: &api::InputLogEvent| event.message.len() + EVENT_OVERHEAD_BYTES;
    if let Some(large) = events.iter().map(size).find(|size| *size > BATCH_BYTES_MAX) {
        return Err(LogsError::InvalidParameter(format!(
            "Log event too large: {large} bytes exceeds limit of {BATCH_BYTES_MAX}"
        )));
    }
    let bytes: usize = events.iter().map(size).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(LogsError::InvalidParameter(format!(
            "Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}"
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let span_ms = match (events.first(), events.last()) {
        (Some(first), Some(last)) => last.timestamp.saturating_sub(first.timestamp),
        _ => 0,
    };
    if span_ms > MS_PER_DAY {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

/// How old an event may be when it is put.
const AGE_MS_MAX: i64 = 14 * MS_PER_DAY;
/// How far ahead of the clock an event may be.
const AHEAD_MS_MAX: i64 = 2 * 3_600_000;

/// Which events of a chronological batch are taken: those from `start` up to `end`.
#[derive(Debug, PartialEq)]
struct Verdict {
    start: usize,
    end: usize,
    rejected: Option<api::RejectedLogEventsInfo>,
}

fn judge(times: &[i64], now: Timestamp, kept_since: Option<Timestamp>) -> Verdict {
    let too_old = times.partition_point(|time| *time < now.plus_ms(-AGE_MS_MAX).millis());
    let expired = kept_since.map_or(0, |since| times.partition_point(|time| *time < since.millis()));
    let end = times.partition_point(|time| *time <= now.plus_ms(AHEAD_MS_MAX).millis());
    let index = |at: usize, is_set: bool| is_set.then(|| i32::try_from(at).unwrap_or(i32::MAX));
    let info = api::RejectedLogEventsInfo {
        too_new_log_event_start_index: index(end, end < times.len()),
        too_old_log_event_end_index: index(too_old, too_old > 0),
        expired_log_event_end_index: index(expired, expired > 0),
    };
    let rejected = (info != api::RejectedLogEventsInfo::default()).then_some(info);
    Verdict { start: too_old.max(expired), end, rejected }
}
