//! Removing events: of streams that are deleted, and of groups whose retention they have outlived.
//!
//! Invariant: a sweep removes whole segments only; reads hide what has expired in the others.
//!
//! Invariant: at most one sweep waits in a scope, and none where no group has a retention.

use neargate_kernel::{Cx, Due, Fault, Job};

use crate::state::{
    LEDGER, LogGroup, LogStream, MS_PER_DAY, Segment, ledger, segment_file, segments_prefix, stream_key,
};

/// The job's name.
pub(crate) const SWEEP: &str = "logs.sweep";

/// Lets a sweep run within a day, if none waits yet.
pub(crate) fn wait_for_sweep(cx: &mut Cx<'_>) {
    let mut ledger = ledger(cx);
    if ledger.sweep.is_none() {
        let due = Due::Service(cx.time().plus_ms(MS_PER_DAY));
        ledger.sweep = Some(cx.schedule(due, SWEEP, serde_json::Value::Null));
        cx.put(LEDGER, ledger);
    }
}

/// The daily job: removes segments whose every event has expired.
pub(crate) fn sweep(cx: &mut Cx<'_>, _: &Job) -> Result<(), Fault> {
    let groups: Vec<_> = cx
        .scan::<LogGroup>("")
        .map(|(_, group)| group)
        .filter(|group| group.retention_days.is_some())
        .cloned()
        .collect();
    for group in &groups {
        let streams: Vec<_> =
            cx.scan::<LogStream>(&stream_key(&group.name, "")).map(|(_, stream)| stream.clone()).collect();
        for stream in streams {
            sweep_stream(cx, group, stream);
        }
    }
    let mut ledger = ledger(cx);
    ledger.sweep = None;
    cx.put(LEDGER, ledger);
    if !groups.is_empty() {
        wait_for_sweep(cx);
    }
    Ok(())
}

fn sweep_stream(cx: &mut Cx<'_>, group: &LogGroup, mut stream: LogStream) {
    let kept_since = group.kept_since(cx.time());
    if stream.first_event.is_none_or(|first| first >= kept_since) {
        return;
    }
    let segments: Vec<_> = cx
        .scan::<Segment>(&segments_prefix(stream.number))
        .map(|(key, segment)| (key.to_owned(), segment.clone()))
        .collect();
    let (expired, kept): (Vec<_>, Vec<_>) =
        segments.into_iter().partition(|(_, it)| it.latest().is_none_or(|latest| latest < kept_since));
    for (key, segment) in &expired {
        remove_segment(cx, key);
        stream.stored_bytes = stream.stored_bytes.saturating_sub(segment.stored_bytes);
    }
    stream.first_event =
        kept.iter().filter_map(|(_, segment)| segment.earliest()).min().map(|first| first.max(kept_since));
    cx.put(&stream_key(&group.name, &stream.name), stream);
}

/// Deletes a stream and everything of it.
pub(crate) fn forget_stream(cx: &mut Cx<'_>, group: &str, stream: &LogStream) {
    let keys: Vec<_> = cx.scan::<Segment>(&segments_prefix(stream.number)).map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        remove_segment(cx, &key);
    }
    cx.delete::<LogStream>(&stream_key(group, &stream.name));
}

fn remove_segment(cx: &mut Cx<'_>, key: &str) {
    let file = segment_file(cx, key);
    cx.delete::<Segment>(key);
    cx.remove_segment(file);
}
