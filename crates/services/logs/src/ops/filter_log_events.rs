//! `FilterLogEvents`.

use std::collections::BTreeMap;

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;
use neargate_shape::scalar::{base64_decode, base64_encode};

use super::{invalid, invalid_token};
use crate::access::on_group;
use crate::api;
use crate::errors::LogsError;
use crate::filter::Filter;
use crate::frame::Event;
use crate::read::{Key, Page, Side, Window, read};
use crate::state::{LogStream, group, named_group, stream, stream_key};

/// `FilterLogEvents` lists the matching events of many streams in order of time.
///
/// A page may end before it is full, with a token, when much was read and little matched.
pub(crate) struct FilterLogEvents;

impl Operation for FilterLogEvents {
    const SHAPE: &'static OperationShape = &api::FILTER_LOG_EVENTS;
    type Input = api::FilterLogEventsInput;
    type Output = api::FilterLogEventsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let group =
            named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref()).unwrap_or_default();
        on_group(cx, "logs:FilterLogEvents", &group).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let group_name = named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        let kept_since = group(cx, &group_name)?.kept_since(cx.time()).millis();
        let streams = streams(cx, &group_name, &input)?;
        let filter = Filter::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
        let token =
            input.next_token.as_deref().map(|token| parse_token(token).ok_or_else(invalid_token)).transpose()?;
        let mut window = Window {
            start: Key::at(input.start_time.unwrap_or(0).max(kept_since)),
            end: Key::at(input.end_time.map_or(i64::MAX, |end| end.saturating_add(1))),
            from: if input.start_from_head == Some(false) { Side::Tail } else { Side::Head },
            events_max: input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(EVENTS_MAX),
            scan_bytes_max: SCAN_BYTES_MAX,
        };
        match (token, window.from) {
            (Some(place), Side::Head) => window.start = window.start.max(place),
            (Some(place), Side::Tail) => window.end = window.end.min(place),
            (None, _) => {}
        }
        let Page { events, next } = read(cx, &group_name, &streams, window, &|event| filter.matches(&event.message))?;
        let names: BTreeMap<_, _> = streams.iter().map(|stream| (stream.number, stream.name.as_str())).collect();
        let mut events: Vec<_> =
            events.into_iter().map(|(key, event)| to_api(key, event, names.get(&key.stream).copied())).collect();
        if window.from == Side::Tail {
            events.reverse();
        }
        // Which streams were searched AWS does not say any more.
        Ok(api::FilterLogEventsOutput {
            events: Some(events),
            searched_log_streams: Some(vec![]),
            next_token: next.map(token_of),
        })
    }
}

/// The most events on a page.
const EVENTS_MAX: usize = 10_000;
/// What one call reads at most before it answers with what it has.
const SCAN_BYTES_MAX: u64 = 32 << 20;

fn streams(cx: &Cx<'_>, group: &str, input: &api::FilterLogEventsInput) -> Result<Vec<LogStream>, LogsError> {
    match (&input.log_stream_names, &input.log_stream_name_prefix) {
        (Some(_), Some(_)) => Err(invalid("Only one of logStreamNames and logStreamNamePrefix can be specified.")),
        (Some(names), None) => names.iter().map(|name| stream(cx, group, name)).collect(),
        (None, prefix) => {
            let key = stream_key(group, prefix.as_deref().unwrap_or_default());
            Ok(cx.scan::<LogStream>(&key).map(|(_, stream)| stream.clone()).collect())
        }
    }
}

fn to_api(key: Key, event: Event, stream: Option<&str>) -> api::FilteredLogEvent {
    api::FilteredLogEvent {
        log_stream_name: stream.map(str::to_owned),
        timestamp: Some(event.timestamp.millis()),
        message: Some(event.message),
        ingestion_time: Some(event.ingestion_time.millis()),
        event_id: Some(format!("{:016}{:020}{:020}", key.timestamp, key.stream, key.ordinal)),
    }
}

fn token_of(place: Key) -> String {
    base64_encode(format!("{}.{}.{}", place.timestamp, place.stream, place.ordinal).as_bytes())
}

fn parse_token(token: &str) -> Option<Key> {
    let text = String::from_utf8(base64_decode(token)?).ok()?;
    let mut parts = text.splitn(3, '.');
    Some(Key {
        timestamp: parts.next()?.parse().ok()?,
        stream: parts.next()?.parse().ok()?,
        ordinal: parts.next()?.parse().ok()?,
    })
}
