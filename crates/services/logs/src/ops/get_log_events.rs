//! `GetLogEvents`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::invalid_token;
use crate::access::on_stream;
use crate::api;
use crate::errors::LogsError;
use crate::read::{Key, Side, Window, read};
use crate::state::{group, named_group, stream};

/// `GetLogEvents` lists the events of one stream, oldest first, the last page unless told otherwise.
///
/// A token names a place between two events: `f/` reads on from there, `b/` reads back from there. Where a page is empty its
/// tokens name the place it was asked for, so that the same token in and out means the end.
pub(crate) struct GetLogEvents;

impl Operation for GetLogEvents {
    const SHAPE: &'static OperationShape = &api::GET_LOG_EVENTS;
    type Input = api::GetLogEventsInput;
    type Output = api::GetLogEventsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let group =
            named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref()).unwrap_or_default();
        on_stream(cx, "logs:GetLogEvents", &group, &input.log_stream_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let group_name = named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        let kept_since = group(cx, &group_name)?.kept_since(cx.time()).millis();
        let stream = stream(cx, &group_name, &input.log_stream_name)?;
        let token = input.next_token.as_deref().map(|token| parse_token(token, stream.number)).transpose()?;
        let mut window = Window {
            start: Key::at(input.start_time.unwrap_or(0).max(kept_since)),
            end: Key::at(input.end_time.unwrap_or(i64::MAX)),
            from: if input.start_from_head == Some(true) { Side::Head } else { Side::Tail },
            events_max: input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(EVENTS_MAX),
            scan_bytes_max: u64::MAX,
        };
        let place = token.map_or(window.start, |(_, place)| place);
        match token {
            Some((Side::Head, place)) => (window.from, window.start) = (Side::Head, window.start.max(place)),
            Some((Side::Tail, place)) => (window.from, window.end) = (Side::Tail, window.end.min(place)),
            None => {}
        }
        let events = read(cx, &group_name, &[stream], window, &|_| true)?.events;
        let before = events.first_key_value().map_or(place, |(key, _)| *key);
        let after = events.last_key_value().map_or(place, |(key, _)| key.next());
        let event = |event: crate::frame::Event| api::OutputLogEvent {
            timestamp: Some(event.timestamp.millis()),
            message: Some(event.message),
            ingestion_time: Some(event.ingestion_time.millis()),
        };
        Ok(api::GetLogEventsOutput {
            events: Some(events.into_values().map(event).collect()),
            next_forward_token: Some(token_of('f', after)),
            next_backward_token: Some(token_of('b', before)),
        })
    }
}

/// The most events on a page.
const EVENTS_MAX: usize = 10_000;

fn token_of(side: char, place: Key) -> String {
    format!("{side}/{:020}{:020}/s", place.timestamp, place.ordinal)
}

fn parse_token(token: &str, stream: u64) -> Result<(Side, Key), LogsError> {
    let parse = || {
        let (side, rest) = token.split_once('/')?;
        let (timestamp, ordinal) = rest.strip_suffix("/s")?.split_at_checked(20)?;
        let side = match side {
            "f" => Side::Head,
            "b" => Side::Tail,
            _ => return None,
        };
        Some((side, Key { timestamp: timestamp.parse().ok()?, stream, ordinal: ordinal.parse().ok()? }))
    };
    parse().ok_or_else(invalid_token)
}
