//! What CloudWatch Logs keeps: groups, streams, and the index of each stream's segments.
//!
//! The events themselves lie in segments; see [`crate::frame`] for their form and [`crate::append`] for who writes them.
//!
//! Invariant: the number of a stream is never given twice in a scope, so a segment's name never means two things.
//!
//! Invariant: the last segment of a stream is the only one that grows.

use std::collections::BTreeMap;

use neargate_base::{Arn, Timestamp};
use neargate_kernel::{Cx, JobId, Record};
use serde::{Deserialize, Serialize};

use crate::errors::LogsError;

/// A log group, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) retention_days: Option<i32>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) class: String,
    pub(crate) deletion_protection: bool,
    /// The ARN of the key that new events are encrypted with; `None`: the service's own.
    pub(crate) kms_key: Option<String>,
}

impl Record for LogGroup {
    const TABLE: &'static str = "logs.group";
}

/// A log stream, by `group:stream`: neither name can hold a colon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogStream {
    pub(crate) name: String,
    /// Unique in the scope for ever; in the names of the segments.
    pub(crate) number: u64,
    pub(crate) created_at: Timestamp,
    /// The earliest event that is kept.
    pub(crate) first_event: Option<Timestamp>,
    pub(crate) last_event: Option<Timestamp>,
    pub(crate) last_ingestion: Option<Timestamp>,
    /// How many events were ever put: the ordinal of the next one.
    pub(crate) events: u64,
    /// The number of the segment after the last one.
    pub(crate) segments: u64,
    /// As AWS counts them: the message and 26 bytes for each event that is kept.
    pub(crate) stored_bytes: u64,
}

impl Record for LogStream {
    const TABLE: &'static str = "logs.stream";
}

/// One segment of a stream, by stream number and segment number: what lies where in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// Bytes that count; what lies beyond was never acknowledged.
    pub(crate) length: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) chunks: Vec<Chunk>,
    /// What its frames are encrypted under. `None`: written before frames were; they are not read any more.
    pub(crate) data_key: Option<WrappedKey>,
}

/// A data key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrappedKey {
    /// The ARN of the group's key that wraps it; `None`: the installation's root key.
    pub(crate) kms_key: Option<String>,
    /// The wrapped key in base64.
    pub(crate) text: String,
}

impl Record for Segment {
    const TABLE: &'static str = "logs.segment";
}

/// A run of frames in a segment that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// The ordinal of its first event in the stream; the others follow.
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

/// The scope's one counter and the sweep that waits, if any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) streams: u64,
    pub(crate) sweep: Option<JobId>,
}

impl Record for Ledger {
    const TABLE: &'static str = "logs.ledger";
}

/// The ledger's key.
pub(crate) const LEDGER: &str = "ledger";

/// The scope's ledger.
pub(crate) fn ledger(cx: &Cx<'_>) -> Ledger {
    cx.get::<Ledger>(LEDGER).cloned().unwrap_or_default()
}

/// The key of a stream; with no stream, the prefix of all streams of the group.
pub(crate) fn stream_key(group: &str, stream: &str) -> String {
    format!("{group}:{stream}")
}

/// The prefix of the keys of a stream's segments.
pub(crate) fn segments_prefix(stream: u64) -> String {
    format!("{stream:012}/")
}

/// The key of a segment.
pub(crate) fn segment_key(stream: u64, segment: u64) -> String {
    format!("{}{segment:08}", segments_prefix(stream))
}

/// The name of the file behind a segment's key.
pub(crate) fn segment_file(cx: &Cx<'_>, key: &str) -> String {
    format!("logs/{}/{}/{key}", cx.scope.account.as_str(), cx.scope.region.as_str())
}

/// A group that must exist.
pub(crate) fn group(cx: &Cx<'_>, name: &str) -> Result<LogGroup, LogsError> {
    cx.get::<LogGroup>(name).cloned().ok_or(LogsError::GroupNotFound)
}

/// A stream that must exist, in a group that must exist.
pub(crate) fn stream(cx: &Cx<'_>, group_name: &str, name: &str) -> Result<LogStream, LogsError> {
    if cx.get::<LogGroup>(group_name).is_none() {
        return Err(LogsError::GroupNotFound);
    }
    cx.get::<LogStream>(&stream_key(group_name, name)).cloned().ok_or(LogsError::StreamNotFound)
}

/// A group's ARN without the `:*` that most policies have.
pub(crate) fn group_arn(cx: &Cx<'_>, group: &str) -> String {
    cx.scope.arn("logs", &format!("log-group:{group}"))
}

/// A stream's ARN; with no stream, the one for which AWS authorises what is done to the group.
pub(crate) fn stream_arn(cx: &Cx<'_>, group: &str, stream: &str) -> String {
    cx.scope.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
}

/// The group's name in an identifier: a name, or an ARN with or without `:*`. The ARN of another account or region stays as it
/// is, and no group has that name.
pub(crate) fn group_name(cx: &Cx<'_>, identifier: &str) -> String {
    let Some(arn) = identifier.parse::<Arn>().ok().filter(|_| identifier.starts_with(&group_arn(cx, ""))) else {
        return identifier.to_owned();
    };
    let resource = arn.resource.strip_prefix("log-group:").unwrap_or(&arn.resource);
    resource.strip_suffix(":*").unwrap_or(resource).to_owned()
}

/// The group of an input that has both a name and an identifier and wants exactly one of them.
pub(crate) fn named_group(cx: &Cx<'_>, name: Option<&str>, identifier: Option<&str>) -> Result<String, LogsError> {
    match (name, identifier) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => Ok(group_name(cx, identifier)),
        (Some(_), Some(_)) => Err(LogsError::InvalidParameter(
            "Only one of logGroupName and logGroupIdentifier can be specified.".to_owned(),
        )),
        (None, None) => {
            Err(LogsError::InvalidParameter("One of logGroupName and logGroupIdentifier must be specified.".to_owned()))
        }
    }
}

impl LogGroup {
    /// Events before this time have expired.
    pub(crate) fn kept_since(&self, now: Timestamp) -> Timestamp {
        self.retention_days.map_or(Timestamp(i64::MIN), |days| now.plus_ms(-i64::from(days) * MS_PER_DAY))
    }
}

impl Segment {
    /// The earliest event, if there is one.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.chunks.iter().map(|chunk| chunk.earliest).min()
    }

    /// The latest event, if there is one.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.chunks.iter().map(|chunk| chunk.latest).max()
    }
}

/// Milliseconds of a day.
pub(crate) const MS_PER_DAY: i64 = 86_400_000;
