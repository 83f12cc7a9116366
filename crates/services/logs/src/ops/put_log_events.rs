//! `PutLogEvents`.

use neargate_base::Timestamp;
use neargate_kernel::{Accesses, Cx, Fault, LinesPart, Notice, NoticeKind, Operation};
use neargate_shape::{OperationShape, Value, Wire, validate};

use super::invalid;
use crate::access::on_stream;
use crate::api;
use crate::append::{EVENT_OVERHEAD_BYTES, append};
use crate::errors::LogsError;
use crate::frame::Draft;
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
        if input.entity.is_some() {
            cx.not_simulated("logs:PutLogEvents entity", "accepted; not acted on");
        }
        let events: Vec<_> = input
            .log_events
            .iter()
            .map(|event| Draft { timestamp: event.timestamp, message: &event.message })
            .collect();
        put(cx, &input.log_group_name, &input.log_stream_name, &events)
    }
}

/// The operation with events that are borrowed. What the shape's constraints refuse is refused by the shape, in its words. Nobody
/// gets the answer, so what it would say of events that were left out is said to the user.
pub(crate) fn put_lines(cx: &mut Cx<'_>, input: &Value, lines: LinesPart<'_>) -> Result<(), Fault> {
    let events: Vec<_> = lines.iter().map(|(at, message)| Draft { timestamp: at.millis(), message }).collect();
    let is_plain = |event: &Draft<'_>| event.timestamp >= 0 && !event.message.is_empty();
    let named = api::PutLogEventsInput::from_value(with_events(input, events.get(..1).unwrap_or_default()));
    let fits = events.len() <= EVENTS_MAX && events.iter().all(is_plain);
    let Some(named) = named.ok().filter(|named| fits && named.entity.is_none() && is_valid(named.clone())) else {
        let answer = cx.call("logs", "PutLogEvents", with_events(input, &events))?;
        let answer = api::PutLogEventsOutput::from_value(answer).map_err(|error| Fault::internal(error.to_string()))?;
        say_lost(cx, input, events.len(), answer.rejected_log_events_info.as_ref());
        return Ok(());
    };
    for access in PutLogEvents::access(cx, &named).iter() {
        cx.authorize(access)?;
    }
    let answer = put(cx, &named.log_group_name, &named.log_stream_name, &events)?;
    say_lost(cx, input, events.len(), answer.rejected_log_events_info.as_ref());
    Ok(())
}

/// Says that events of a batch were left out, and why.
fn say_lost(cx: &mut Cx<'_>, input: &Value, count: usize, rejected: Option<&api::RejectedLogEventsInfo>) {
    let Some(rejected) = rejected else { return };
    let index = |at: Option<i32>, without: usize| at.map_or(without, |at| usize::try_from(at).unwrap_or_default());
    let too_old = index(rejected.too_old_log_event_end_index, 0);
    let expired = index(rejected.expired_log_event_end_index, 0).saturating_sub(too_old);
    let too_new = count.saturating_sub(index(rejected.too_new_log_event_start_index, count));
    let of = |member: &str| input.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (group, stream) = (of("logGroupName"), of("logStreamName"));
    let reasons = [
        (too_old, "more than 14 days old"),
        (expired, "older than the log group keeps them"),
        (too_new, "more than 2 hours ahead of the service clock"),
    ];
    for (count, reason) in reasons.into_iter().filter(|(count, _)| *count > 0) {
        let text = format!("lost {count} log lines of stream {stream}: they are {reason}");
        let subject = cx.scope.arn("logs", &format!("log-group:{group}"));
        cx.notice(Notice { kind: NoticeKind::Failed, subject, text, hint: None });
    }
}

/// As many events as the shape allows.
const EVENTS_MAX: usize = 10_000;

fn with_events(input: &Value, events: &[Draft<'_>]) -> Value {
    let event = |event: &Draft<'_>| {
        let members = vec![("timestamp", Value::Long(event.timestamp)), ("message", Value::from(event.message))];
        Value::Structure(members)
    };
    let mut members = if let Value::Structure(members) = input { members.clone() } else { vec![] };
    members.push(("logEvents", Value::List(events.iter().map(event).collect())));
    Value::Structure(members)
}

fn is_valid(input: api::PutLogEventsInput) -> bool {
    validate((api::PUT_LOG_EVENTS.input)(), &input.into_value()).is_empty()
}

fn put(
    cx: &mut Cx<'_>,
    group_name: &str,
    stream_name: &str,
    events: &[Draft<'_>],
) -> Result<api::PutLogEventsOutput, Fault> {
    let mut stream = stream(cx, group_name, stream_name)?;
    let group = group(cx, group_name)?;
    check(events)?;
    let now = cx.time();
    let verdict = judge(events, now, group.retention_days.map(|_| group.kept_since(now)));
    append(cx, &group, &mut stream, events.get(verdict.start..verdict.end).unwrap_or_default())?;
    let next_sequence_token = Some(stream.sequence_token());
    cx.put(&stream_key(group_name, stream_name), stream);
    Ok(api::PutLogEventsOutput {
        next_sequence_token,
        rejected_log_events_info: verdict.rejected,
        rejected_entity_info: None,
    })
}

/// The most a batch may hold, each event counted with its overhead; an event of its own has the same limit.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// What AWS wants of a batch as a whole.
fn check(events: &[Draft<'_>]) -> Result<(), LogsError> {
    let size = |event: &Draft<'_>| event.message.len() + EVENT_OVERHEAD_BYTES;
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

fn judge(events: &[Draft<'_>], now: Timestamp, kept_since: Option<Timestamp>) -> Verdict {
    let before = |time: i64| events.partition_point(|event| event.timestamp < time);
    let too_old = before(now.plus_ms(-AGE_MS_MAX).millis());
    let expired = kept_since.map_or(0, |since| before(since.millis()));
    let end = before(now.plus_ms(AHEAD_MS_MAX).millis().saturating_add(1));
    let index = |at: usize, is_set: bool| is_set.then(|| i32::try_from(at).unwrap_or(i32::MAX));
    let info = api::RejectedLogEventsInfo {
        too_new_log_event_start_index: index(end, end < events.len()),
        too_old_log_event_end_index: index(too_old, too_old > 0),
        expired_log_event_end_index: index(expired, expired > 0),
    };
    let rejected = (info != api::RejectedLogEventsInfo::default()).then_some(info);
    Verdict { start: too_old.max(expired), end, rejected }
}
