//! Reading events of one or many streams in order of time, a page at a time.
//!
//! A page is the first (or the last) events of a window of [`Key`]s. Chunks are visited in order of time, each read as a whole,
//! until none of those left can hold an event that belongs on the page.
//!
//! Invariant: memory is bounded by a page (1 MiB) and a chunk; a page reads the chunks that overlap it, not more.
//!
//! Invariant: a page asks for the data key of a segment once, and only where it reads one of its chunks.
//!
//! Invariant: a damaged or cut chunk gives the events before the damage and is said, it never fails the read.

use std::collections::BTreeMap;

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault, Notice, NoticeKind, SecretKey};

use crate::data_key;
use crate::errors::LogsError;
use crate::frame::{self, Event, open};
use crate::state::{Chunk, LogStream, Segment, segment_file, segments_prefix};

/// The place of an event among those of a scope: by time, then by stream, then in the order they were put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) timestamp: i64,
    pub(crate) stream: u64,
    pub(crate) ordinal: u64,
}

impl Key {
    /// Before every event of a time.
    pub(crate) fn at(timestamp: i64) -> Self {
        Self { timestamp, ..Self::default() }
    }

    /// The place right after.
    pub(crate) fn next(self) -> Self {
        Self { ordinal: self.ordinal.saturating_add(1), ..self }
    }
}

/// Which end of the window a page begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Head,
    Tail,
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first place.
    pub(crate) start: Key,
    /// The place after the last.
    pub(crate) end: Key,
    pub(crate) from: Side,
    pub(crate) events_max: usize,
    /// Bytes of segments to read before a page ends although it is not full.
    pub(crate) scan_bytes_max: u64,
}

/// One page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// In order of time, whichever end it began at.
    pub(crate) events: BTreeMap<Key, Event>,
    /// Where the next page begins (from the head) or ends (from the tail); `None` when nothing is left.
    pub(crate) next: Option<Key>,
}

/// The most bytes of messages on a page, as AWS has it; a single event always fits.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// A chunk and where it lies.
struct Place {
    stream: u64,
    /// The segment's key.
    segment: String,
    chunk: Chunk,
}

/// Reads the page of a window over some streams of a group; `keeps` says which events count. Fails where a key does that the events
/// are encrypted with.
pub(crate) fn read(
    cx: &mut Cx<'_>,
    group: &str,
    streams: &[LogStream],
    window: Window,
    keeps: &dyn Fn(&Event) -> bool,
) -> Result<Page, Fault> {
    let mut places = places(cx, streams, &window);
    match window.from {
        Side::Head => places.sort_by_key(|place| (place.chunk.earliest, place.stream, place.chunk.first)),
        Side::Tail => {
            places.sort_by_key(|place| std::cmp::Reverse((place.chunk.latest, place.stream, place.chunk.first)))
        }
    }
    let mut draft = Draft { window, events: BTreeMap::new(), bytes: 0, is_cut: false };
    let (mut scanned, mut keys) = (0, BTreeMap::new());
    for place in &places {
        if !draft.may_hold(&place.chunk) || (scanned >= window.scan_bytes_max && draft.cut_before(&place.chunk)) {
            break;
        }
        scanned += place.chunk.length;
        if let Some(key) = key_of(cx, group, &place.segment, &mut keys)? {
            scan(cx, place, &key, &mut |key, event| draft.offer(key, event, keeps))?;
        }
    }
    let next = match window.from {
        Side::Head => draft.window.end,
        Side::Tail => draft.window.start,
    };
    Ok(Page { events: draft.events, next: draft.is_cut.then_some(next) })
}

fn places(cx: &Cx<'_>, streams: &[LogStream], window: &Window) -> Vec<Place> {
    let (start, end) = (Timestamp(window.start.timestamp), Timestamp(window.end.timestamp));
    let mut places = vec![];
    for stream in streams {
        for (key, segment) in cx.scan::<Segment>(&segments_prefix(stream.number)) {
            let within = segment.chunks.iter().filter(|chunk| chunk.latest >= start && chunk.earliest <= end);
            places.extend(within.map(|chunk| Place { stream: stream.number, segment: key.to_owned(), chunk: *chunk }));
        }
    }
    places
}

/// The data key of a segment; `None` where it was written by a Neargate that did not encrypt, which is said.
fn key_of(
    cx: &mut Cx<'_>,
    group: &str,
    segment: &str,
    keys: &mut BTreeMap<String, Option<SecretKey>>,
) -> Result<Option<SecretKey>, Fault> {
    if let Some(key) = keys.get(segment) {
        return Ok(key.clone());
    }
    let key = match cx.get::<Segment>(segment).and_then(|segment| segment.data_key.clone()) {
        Some(wrapped) => Some(data_key::open(cx, group, segment, &wrapped)?),
        None => {
            let text = format!("its log events are lost: {}", frame::FrameError::Version(1));
            let subject = segment_file(cx, segment);
            cx.notice(Notice { kind: NoticeKind::Failed, subject, text, hint: None });
            None
        }
    };
    keys.insert(segment.to_owned(), key.clone());
    Ok(key)
}

fn scan(cx: &mut Cx<'_>, place: &Place, key: &SecretKey, take: &mut dyn FnMut(Key, Event)) -> Result<(), LogsError> {
    let Chunk { offset, length, first, count, .. } = place.chunk;
    let file = segment_file(cx, &place.segment);
    let bytes = cx.read_segment(&file, offset, usize::try_from(length).unwrap_or(usize::MAX))?;
    let (mut rest, mut ordinal) = (bytes.as_slice(), first);
    let end = first.saturating_add(count);
    while ordinal < end {
        let mut next = ordinal;
        let opened = open(key, frame::Place { stream: place.stream, ordinal }, rest, &mut |event| {
            take(Key { timestamp: event.timestamp.millis(), stream: place.stream, ordinal: next }, event);
            next += 1;
        });
        match opened {
            Ok(length) => {
                rest = rest.get(length..).unwrap_or_default();
                ordinal = next;
            }
            Err(error) => {
                let text = format!("{} of {count} log events are lost: {error}", end - ordinal);
                cx.notice(Notice { kind: NoticeKind::Failed, subject: file, text, hint: None });
                break;
            }
        }
    }
    Ok(())
}

/// A page in the making. Its window shrinks to what can still belong on it.
struct Draft {
    window: Window,
    events: BTreeMap<Key, Event>,
    bytes: usize,
    /// Whether something lies beyond the shrunk window.
    is_cut: bool,
}

impl Draft {
    /// Whether a chunk may hold an event of the window as it is now.
    fn may_hold(&self, chunk: &Chunk) -> bool {
        match self.window.from {
            Side::Head => Key::at(chunk.earliest.millis()) < self.window.end,
            Side::Tail => chunk.latest.millis() >= self.window.start.timestamp,
        }
    }

    /// Ends the page before a chunk's time, unless the page would not get anywhere.
    fn cut_before(&mut self, chunk: &Chunk) -> bool {
        let (start, end) = (self.window.start, self.window.end);
        match self.window.from {
            Side::Head => {
                let cut = Key::at(chunk.earliest.millis());
                if cut <= start {
                    return false;
                }
                self.window.end = cut;
                self.events.split_off(&cut);
            }
            Side::Tail => {
                let cut = Key::at(chunk.latest.millis().saturating_add(1));
                if cut >= end {
                    return false;
                }
                self.window.start = cut;
                self.events = self.events.split_off(&cut);
            }
        }
        self.is_cut = true;
        true
    }

    fn offer(&mut self, key: Key, event: Event, keeps: &dyn Fn(&Event) -> bool) {
        if key < self.window.start || key >= self.window.end || !keeps(&event) {
            return;
        }
        self.bytes += event.message.len();
        self.events.insert(key, event);
        while self.events.len() > self.window.events_max || (self.bytes > PAGE_BYTES_MAX && self.events.len() > 1) {
            let dropped = match self.window.from {
                Side::Head => self.events.pop_last(),
                Side::Tail => self.events.pop_first(),
            };
            let Some((key, event)) = dropped else { break };
            self.bytes -= event.message.len();
            self.is_cut = true;
            match self.window.from {
                Side::Head => self.window.end = key,
                Side::Tail => self.window.start = key.next(),
            }
        }
    }
}
