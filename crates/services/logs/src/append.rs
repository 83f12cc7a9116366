//! Writing events to the end of a stream.
//!
//! Invariant: a segment's record and its bytes are written in one command; bytes whose record was lost are covered by the next write.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault};

use crate::data_key;
use crate::errors::LogsError;
use crate::frame::{Draft, Nonces, Place, seal};
use crate::state::{Chunk, LogGroup, LogStream, Segment, segment_file, segment_key};

/// A segment as long as this takes no more frames.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;
/// A chunk as long as this takes no more frames: with one frame on top, of 16 KiB or one event, what a read holds at once.
const CHUNK_BYTES_MAX: u64 = 128 << 10;
/// What AWS adds to each event's message when it counts bytes.
pub(crate) const EVENT_OVERHEAD_BYTES: usize = 26;

/// Appends events to a stream of a group and brings its record up to date; the caller puts the record back. A segment begins where
/// the last one is full or was encrypted with another key than the group has now.
pub(crate) fn append(
    cx: &mut Cx<'_>,
    group: &LogGroup,
    stream: &mut LogStream,
    events: &[Draft<'_>],
) -> Result<(), Fault> {
    let now = cx.time();
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
        let (offset, mut bytes) = (segment.length, vec![]);
        while !rest.is_empty() && segment.length < SEGMENT_BYTES_MAX {
            let (before, first) = (bytes.len(), stream.events);
            let place = Place { stream: stream.number, ordinal: first };
            let count = seal(&sealer, &mut nonces, place, now, rest, &mut bytes);
            let (taken, left) = rest.split_at(count);
            let run = Run::of(taken, first, (bytes.len() - before) as u64);
            segment.take(&run);
            stream.take(&run, now);
            rest = left;
        }
        cx.write_segment(&segment_file(cx, &key), offset, &bytes).map_err(LogsError::from)?;
        cx.put(&key, segment);
    }
    Ok(())
}

fn is_open(cx: &Cx<'_>, group: &LogGroup, stream: u64, segment: u64) -> bool {
    cx.get::<Segment>(&segment_key(stream, segment)).is_some_and(|segment| {
        segment.length < SEGMENT_BYTES_MAX
            && segment.data_key.as_ref().is_some_and(|wrapped| wrapped.kms_key == group.kms_key)
    })
}

/// What is counted of a frame that is written.
struct Run {
    /// The ordinal of its first event.
    first: u64,
    count: u64,
    earliest: Timestamp,
    latest: Timestamp,
    stored_bytes: u64,
    /// How long it is in the segment.
    length: u64,
}

impl Run {
    fn of(events: &[Draft<'_>], first: u64, length: u64) -> Self {
        let mut run = Self {
            first,
            count: events.len() as u64,
            earliest: Timestamp(i64::MAX),
            latest: Timestamp(i64::MIN),
            stored_bytes: 0,
            length,
        };
        for event in events {
            run.earliest = run.earliest.min(Timestamp(event.timestamp));
            run.latest = run.latest.max(Timestamp(event.timestamp));
            run.stored_bytes += (event.message.len() + EVENT_OVERHEAD_BYTES) as u64;
        }
        run
    }
}

impl Segment {
    /// Counts in a frame that is at the end.
    fn take(&mut self, run: &Run) {
        let offset = self.length;
        self.length += run.length;
        self.stored_bytes += run.stored_bytes;
        match self.chunks.last_mut().filter(|chunk| chunk.length < CHUNK_BYTES_MAX) {
            Some(chunk) => {
                chunk.length += run.length;
                chunk.count += run.count;
                chunk.earliest = chunk.earliest.min(run.earliest);
                chunk.latest = chunk.latest.max(run.latest);
            }
            None => {
                let Run { first, count, earliest, latest, length, .. } = *run;
                self.chunks.push(Chunk { offset, length, first, count, earliest, latest });
            }
        }
    }
}

impl LogStream {
    fn take(&mut self, run: &Run, now: Timestamp) {
        self.first_event = Some(self.first_event.map_or(run.earliest, |held| held.min(run.earliest)));
        self.last_event = self.last_event.max(Some(run.latest));
        self.last_ingestion = Some(now);
        self.events += run.count;
        self.stored_bytes += run.stored_bytes;
    }
}
