//! Writing events to the end of a stream.
//!
//! Invariant: a segment's record and its bytes are written in one command; bytes whose record was lost are covered by the next write.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault};

use crate::data_key;
use crate::errors::LogsError;
use crate::frame::{Event, Nonces, Place, seal};
use crate::state::{Chunk, LogGroup, LogStream, Segment, segment_file, segment_key};

/// A segment as long as this takes no more frames.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;
/// A chunk as long as this takes no more frames: with one event of at most 1 MiB on top, what a read holds at once.
const CHUNK_BYTES_MAX: u64 = 128 << 10;
/// What AWS adds to each event's message when it counts bytes.
pub(crate) const EVENT_OVERHEAD_BYTES: usize = 26;

/// Appends events to a stream of a group and brings its record up to date; the caller puts the record back. A segment begins where
/// the last one is full or was encrypted with another key than the group has now.
pub(crate) fn append(cx: &mut Cx<'_>, group: &LogGroup, stream: &mut LogStream, events: &[Event]) -> Result<(), Fault> {
    let mut rest = events;
    while !rest.is_empty() {
        let number = match stream.segments.checked_sub(1) {
            Some(last) if is_open(cx, group, stream.number, last) => last,
            _ => {
                stream.segments += 1;
                stream.segments - 1
            }
        };
        let key = segment_key(stream.number, number);
        let held = cx.get::<Segment>(&key).cloned();
        let (mut segment, data_key) = match held.as_ref().and_then(|segment| segment.data_key.as_ref()) {
            Some(wrapped) => {
                let data_key = data_key::open(cx, &group.name, &key, wrapped)?;
                (held.unwrap_or_default(), data_key)
            }
            None => {
                let (wrapped, data_key) = data_key::make(cx, &group.name, group.kms_key.as_deref(), &key)?;
                (Segment { data_key: Some(wrapped), ..Segment::default() }, data_key)
            }
        };
        let (mut nonces, sealer) = (Nonces::draw(cx)?, data_key.sealer());
        let (offset, mut bytes, mut taken) = (segment.length, vec![], 0);
        for event in rest {
            if segment.length >= SEGMENT_BYTES_MAX {
                break;
            }
            let before = bytes.len();
            seal(&sealer, &mut nonces, Place { stream: stream.number, ordinal: stream.events }, event, &mut bytes);
            segment.take(event, stream.events, (bytes.len() - before) as u64);
            stream.take(event);
            taken += 1;
        }
        cx.write_segment(&segment_file(cx, &key), offset, &bytes).map_err(LogsError::from)?;
        cx.put(&key, segment);
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(())
}

fn is_open(cx: &Cx<'_>, group: &LogGroup, stream: u64, segment: u64) -> bool {
    cx.get::<Segment>(&segment_key(stream, segment)).is_some_and(|segment| {
        segment.length < SEGMENT_BYTES_MAX
            && segment.data_key.as_ref().is_some_and(|wrapped| wrapped.kms_key == group.kms_key)
    })
}

fn stored_bytes(event: &Event) -> u64 {
    (event.message.len() + EVENT_OVERHEAD_BYTES) as u64
}

impl Segment {
    /// Counts in an event whose frame is at the end.
    fn take(&mut self, event: &Event, ordinal: u64, length: u64) {
        let offset = self.length;
        self.length += length;
        self.stored_bytes += stored_bytes(event);
        match self.chunks.last_mut().filter(|chunk| chunk.length < CHUNK_BYTES_MAX) {
            Some(chunk) => {
                chunk.length += length;
                chunk.count += 1;
                chunk.earliest = chunk.earliest.min(event.timestamp);
                chunk.latest = chunk.latest.max(event.timestamp);
            }
            None => {
                let (earliest, latest) = (event.timestamp, event.timestamp);
                self.chunks.push(Chunk { offset, length, first: ordinal, count: 1, earliest, latest });
            }
        }
    }
}

impl LogStream {
    fn take(&mut self, event: &Event) {
        let earliest = |held: Option<Timestamp>| held.map_or(event.timestamp, |held| held.min(event.timestamp));
        self.first_event = Some(earliest(self.first_event));
        self.last_event = self.last_event.max(Some(event.timestamp));
        self.last_ingestion = Some(event.ingestion_time);
        self.events += 1;
        self.stored_bytes += stored_bytes(event);
    }
}
