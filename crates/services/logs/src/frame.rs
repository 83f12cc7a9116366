//! The form of log events in a segment.
//!
//! ```text
//! version u8 = 3 | nonce 12 bytes | length of what follows u32 | text and tag of AES-256-GCM          (integers little-endian)
//! text: ingestion time i64 | event event*
//! event: timestamp i64 | length u32 | message, UTF-8
//! associated data: version u8 | number of the stream u64 | ordinal of the first event u64
//! ```
//! Version 2, which is still read, has one event: its text is `timestamp i64 | ingestion time i64 | message`.
//!
//! Nonces: a data key serves one segment, see [`crate::data_key`]. A counter of the segment's frames would repeat itself: the frames
//! of a command that was lost are covered by others at the same place. So each write draws 96 bits of entropy and counts on
//! from there, a nonce for each frame. A segment has fewer than 2^17 frames, for it ends at 4 MiB and the least frame has 49 bytes;
//! were each a write of its own, and as many were lost, two runs meet with a probability below 2^36 / 2^96.
//!
//! Invariant: [`seal`] and [`open`] are the only ones that know the form; an event lies nowhere but in it.
//!
//! Invariant: a frame takes no event that would make it longer than [`FRAME_BYTES_MAX`], unless it is the only one.
//!
//! Invariant: bytes that are cut short, damaged or moved to another place are an error, never an event.
//!
//! Invariant: frames of version 1 lay in the clear and were never released: they are refused by their version.

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Fault, Sealer, SecretKey};

/// One log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) timestamp: Timestamp,
    pub(crate) ingestion_time: Timestamp,
    pub(crate) message: String,
}

/// One log event that is to be put: its message lies with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draft<'m> {
    pub(crate) timestamp: i64,
    pub(crate) message: &'m str,
}

/// Where a frame belongs: it opens there alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of its stream.
    pub(crate) stream: u64,
    /// The ordinal of its first event among the stream's events.
    pub(crate) ordinal: u64,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// They end too early.
    Short,
    /// They were written by another Neargate.
    Version(u8),
    /// They are not what was written there.
    Damaged,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("the segment ends too early"),
            Self::Version(version) => {
                write!(f, "frames of version {version} are made by another Neargate; this one reads version {VERSION}")
            }
            Self::Damaged => f.write_str("the segment is damaged"),
        }
    }
}

const VERSION: u8 = 3;
/// The version before: a frame for each event.
const SINGLE: u8 = 2;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = 1 + NONCE_BYTES + 4;
const EVENT_HEAD_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// How long the events of a frame are at most, with their heads.
const FRAME_BYTES_MAX: usize = 16 << 10;

/// The nonces of one write: a random start, and what follows it.
#[derive(Debug)]
pub(crate) struct Nonces(u128);

impl Nonces {
    /// Draws the start.
    pub(crate) fn draw(cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let drawn = cx.secret_bytes(NONCE_BYTES)?;
        Ok(Self(drawn.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))))
    }

    fn next(&mut self) -> [u8; NONCE_BYTES] {
        let [nonce @ .., _, _, _, _] = self.0.to_le_bytes();
        self.0 = self.0.wrapping_add(1);
        nonce
    }
}

/// Appends a frame of the first of the events, which are not none, and says how many it has.
pub(crate) fn seal(
    key: &Sealer,
    nonces: &mut Nonces,
    place: Place,
    ingestion_time: Timestamp,
    events: &[Draft<'_>],
    out: &mut Vec<u8>,
) -> usize {
    let (count, bytes) = fitting(events);
    let nonce = nonces.next();
    let length = 8 + bytes + TAG_BYTES;
    out.reserve(HEAD_BYTES + length);
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    let plain = out.len();
    out.extend_from_slice(&ingestion_time.millis().to_le_bytes());
    for event in events.iter().take(count) {
        out.extend_from_slice(&event.timestamp.to_le_bytes());
        out.extend_from_slice(&u32::try_from(event.message.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(event.message.as_bytes());
    }
    key.encrypt_from(plain, nonce, &associated(VERSION, place), out);
    count
}

/// How many events one frame takes, and how long they are.
fn fitting(events: &[Draft<'_>]) -> (usize, usize) {
    let mut bytes = 0;
    for (count, event) in events.iter().enumerate() {
        let more = bytes + EVENT_HEAD_BYTES + event.message.len();
        if count > 0 && more > FRAME_BYTES_MAX {
            return (count, bytes);
        }
        bytes = more;
    }
    (events.len(), bytes)
}

/// Reads the frame at the start of `bytes`, gives its events to `take` and says how long it is. Nothing is given of one that does
/// not open.
pub(crate) fn open(
    key: &SecretKey,
    place: Place,
    bytes: &[u8],
    take: &mut dyn FnMut(Event),
) -> Result<usize, FrameError> {
    let (&version, rest) = bytes.split_first().ok_or(FrameError::Short)?;
    if !matches!(version, VERSION | SINGLE) {
        return Err(FrameError::Version(version));
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(FrameError::Short)?;
    let (length, rest) = rest.split_first_chunk().ok_or(FrameError::Short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| FrameError::Damaged)?;
    let text = rest.get(..length).ok_or(FrameError::Short)?;
    let plain = key.decrypt(*nonce, &associated(version, place), text).ok_or(FrameError::Damaged)?;
    let (first, body) = time(&plain).ok_or(FrameError::Damaged)?;
    if version == SINGLE {
        let (ingestion_time, message) = time(body).ok_or(FrameError::Damaged)?;
        take(event(first, ingestion_time, message).ok_or(FrameError::Damaged)?);
        return Ok(HEAD_BYTES + length);
    }
    let mut rest = body;
    while !rest.is_empty() {
        let (found, after) = split_event(first, rest).ok_or(FrameError::Damaged)?;
        take(found);
        rest = after;
    }
    Ok(HEAD_BYTES + length)
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = bytes.split_first_chunk()?;
    Some((Timestamp(i64::from_le_bytes(*millis)), rest))
}

fn event(timestamp: Timestamp, ingestion_time: Timestamp, message: &[u8]) -> Option<Event> {
    Some(Event { timestamp, ingestion_time, message: std::str::from_utf8(message).ok()?.to_owned() })
}

/// The event with which the bytes begin, and what follows it.
fn split_event(ingestion_time: Timestamp, bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (timestamp, rest) = time(bytes)?;
    let (length, rest) = rest.split_first_chunk()?;
    let (message, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((event(timestamp, ingestion_time, message)?, rest))
}

fn associated(version: u8, place: Place) -> [u8; 17] {
    let mut bytes = [version; 17];
    let (_, places) = bytes.split_at_mut(1);
    let (stream, ordinal) = places.split_at_mut(8);
    stream.copy_from_slice(&place.stream.to_le_bytes());
    ordinal.copy_from_slice(&place.ordinal.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { stream: 3, ordinal: 7 };
    const INGESTED: Timestamp = Timestamp(1_800_000_000_123);

    fn key() -> SecretKey {
        SecretKey::new(&[5; 32]).unwrap()
    }

    fn events(messages: &[&str]) -> Vec<Event> {
        let event = |(at, message): (usize, &&str)| Event {
            timestamp: Timestamp(at as i64 - 1),
            ingestion_time: INGESTED,
            message: (*message).to_owned(),
        };
        messages.iter().enumerate().map(event).collect()
    }

    fn drafts<'m>(messages: &[&'m str]) -> Vec<Draft<'m>> {
        messages.iter().enumerate().map(|(at, message)| Draft { timestamp: at as i64 - 1, message }).collect()
    }

    fn sealed(messages: &[&str]) -> Vec<u8> {
        let mut bytes = vec![];
        let count = seal(&key().sealer(), &mut Nonces(9), PLACE, INGESTED, &drafts(messages), &mut bytes);
        assert_eq!(count, messages.len());
        bytes
    }

    fn opened(key: &SecretKey, place: Place, bytes: &[u8]) -> Result<(Vec<Event>, usize), FrameError> {
        let mut found = vec![];
        let length = open(key, place, bytes, &mut |event| found.push(event));
        assert!(length.is_ok() || found.is_empty(), "what does not open gives nothing");
        Ok((found, length?))
    }

    #[test]
    fn what_was_sealed_opens_again() {
        for messages in [&["x"] as &[_], &[""], &["zwei\nZeilen", "", "日本"], &["a"; 500]] {
            let mut bytes = sealed(messages);
            let length = bytes.len();
            bytes.extend_from_slice(b"what follows");
            assert_eq!(opened(&key(), PLACE, &bytes), Ok((events(messages), length)));
        }
    }

    /// As the version before wrote it.
    fn sealed_alone(event: &Event) -> Vec<u8> {
        let nonce = Nonces(9).next();
        let length = 16 + event.message.len() + TAG_BYTES;
        let mut bytes = vec![SINGLE];
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
        let plain = bytes.len();
        for time in [event.timestamp, event.ingestion_time] {
            bytes.extend_from_slice(&time.millis().to_le_bytes());
        }
        bytes.extend_from_slice(event.message.as_bytes());
        key().sealer().encrypt_from(plain, nonce, &associated(SINGLE, PLACE), &mut bytes);
        bytes
    }

    #[test]
    fn frames_of_the_version_before_open_too() {
        for message in ["", "x", "zwei\nZeilen", "日本"] {
            let event = events(&[message]).remove(0);
            let bytes = sealed_alone(&event);
            assert_eq!(opened(&key(), PLACE, &bytes), Ok((vec![event], bytes.len())));
            let mut renamed = bytes;
            renamed[0] = VERSION;
            assert_eq!(opened(&key(), PLACE, &renamed), Err(FrameError::Damaged));
        }
    }

    #[test]
    fn a_frame_takes_no_more_than_its_bound_and_at_least_one() {
        let (long, huge) = ("x".repeat(FRAME_BYTES_MAX / 2 - EVENT_HEAD_BYTES), "x".repeat(1 << 20));
        let fits = |messages: &[&str]| fitting(&drafts(messages)).0;
        assert_eq!((fits(&[&long, &long]), fits(&[&long, &long, ""]), fits(&[&long, "", &long])), (2, 2, 2));
        assert_eq!((fits(&[&huge, "x"]), fits(&["x", &huge]), fits(&[""; 10_000])), (1, 1, 1365));
    }

    #[test]
    fn cut_or_damaged_frames_are_errors() {
        let bytes = sealed(&["one", "two"]);
        for end in 0..bytes.len() {
            assert_eq!(opened(&key(), PLACE, &bytes[..end]), Err(FrameError::Short), "{end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            assert!(opened(&key(), PLACE, &other).is_err(), "{at}");
        }
        assert_eq!(opened(&key(), PLACE, b"\x01in the clear"), Err(FrameError::Version(1)));
    }

    #[test]
    fn a_frame_opens_in_its_place_under_its_key_alone() {
        let bytes = sealed(&["message"]);
        for place in [Place { stream: 4, ..PLACE }, Place { ordinal: 8, ..PLACE }, Place { stream: 7, ordinal: 3 }] {
            assert_eq!(opened(&key(), place, &bytes), Err(FrameError::Damaged));
        }
        assert_eq!(opened(&SecretKey::new(&[6; 32]).unwrap(), PLACE, &bytes), Err(FrameError::Damaged));
    }

    #[test]
    fn no_nonce_of_a_write_comes_twice_and_nothing_lies_in_the_clear() {
        let (mut nonces, mut bytes) = (Nonces((1 << 96) - 3), vec![]);
        let frames: Vec<_> = (0..6)
            .map(|_| {
                let before = bytes.len();
                seal(&key().sealer(), &mut nonces, PLACE, INGESTED, &drafts(&["needle", "needle"]), &mut bytes);
                before
            })
            .collect();
        let seen: std::collections::BTreeSet<_> = frames.iter().map(|at| &bytes[at + 1..at + 13]).collect();
        assert_eq!(seen.len(), 6, "also where the count wraps");
        assert!(!bytes.windows(6).any(|window| window == b"needle"));
    }
}
