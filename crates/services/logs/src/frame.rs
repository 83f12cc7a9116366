//! The form of one log event in a segment.
//!
//! ```text
//! version u8 = 2 | nonce 12 bytes | text length u32 | text and tag of AES-256-GCM          (integers little-endian)
//! text: timestamp i64 | ingestion time i64 | message, UTF-8
//! associated data: version u8 | number of the stream u64 | ordinal of the event u64
//! ```
//!
//! Nonces: a data key serves one segment, see [`crate::data_key`]. A counter of the segment's frames would repeat itself: the frames
//! of a command that was lost are covered by others at the same place. So each write draws 96 bits by secret chance and counts on
//! from there, a nonce for each frame. A segment has fewer than 2^17 frames, for it ends at 4 MiB and the least frame has 49 bytes;
//! were each a write of its own, and as many were lost, two runs meet with a chance below 2^36 / 2^96.
//!
//! Invariant: [`seal`] and [`open`] are the only ones that know the form; an event lies nowhere but in it.
//! Invariant: bytes that are cut short, damaged or moved to another place are an error, never an event.
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

/// Where an event belongs: a frame opens there alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of its stream.
    pub(crate) stream: u64,
    /// Its ordinal among the stream's events.
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

const VERSION: u8 = 2;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = 1 + NONCE_BYTES + 4;
const TIMES_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The nonces of one write: a start by chance, and what follows it.
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

/// Appends an event's frame to `out`.
pub(crate) fn seal(key: &Sealer, nonces: &mut Nonces, place: Place, event: &Event, out: &mut Vec<u8>) {
    let nonce = nonces.next();
    let length = TIMES_BYTES + event.message.len() + TAG_BYTES;
    out.reserve(HEAD_BYTES + length);
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    let plain = out.len();
    out.extend_from_slice(&event.timestamp.millis().to_le_bytes());
    out.extend_from_slice(&event.ingestion_time.millis().to_le_bytes());
    out.extend_from_slice(event.message.as_bytes());
    key.encrypt_from(plain, nonce, &associated(place), out);
}

/// Reads the frame at the start of `bytes` and says how long it is.
pub(crate) fn open(key: &SecretKey, place: Place, bytes: &[u8]) -> Result<(Event, usize), FrameError> {
    let (&version, rest) = bytes.split_first().ok_or(FrameError::Short)?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(FrameError::Short)?;
    let (length, rest) = rest.split_first_chunk().ok_or(FrameError::Short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| FrameError::Damaged)?;
    let text = rest.get(..length).ok_or(FrameError::Short)?;
    let plain = key.decrypt(*nonce, &associated(place), text).ok_or(FrameError::Damaged)?;
    let (timestamp, body) = plain.split_first_chunk().ok_or(FrameError::Damaged)?;
    let (ingestion_time, body) = body.split_first_chunk().ok_or(FrameError::Damaged)?;
    let event = Event {
        timestamp: Timestamp(i64::from_le_bytes(*timestamp)),
        ingestion_time: Timestamp(i64::from_le_bytes(*ingestion_time)),
        message: String::from_utf8(body.to_vec()).map_err(|_| FrameError::Damaged)?,
    };
    Ok((event, HEAD_BYTES + length))
}

fn associated(place: Place) -> [u8; 17] {
    let mut bytes = [VERSION; 17];
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

    fn key() -> SecretKey {
        SecretKey::new(&[5; 32]).unwrap()
    }

    fn event(message: &str) -> Event {
        Event { timestamp: Timestamp(-1), ingestion_time: Timestamp(1_800_000_000_123), message: message.to_owned() }
    }

    fn sealed(message: &str) -> Vec<u8> {
        let mut bytes = vec![];
        seal(&key().sealer(), &mut Nonces(9), PLACE, &event(message), &mut bytes);
        bytes
    }

    #[test]
    fn what_was_sealed_opens_again() {
        for message in ["", "x", "zwei\nZeilen", "日本"] {
            let mut bytes = sealed(message);
            let length = bytes.len();
            bytes.extend_from_slice(b"what follows");
            assert_eq!(open(&key(), PLACE, &bytes), Ok((event(message), length)));
        }
    }

    #[test]
    fn cut_or_damaged_frames_are_errors() {
        let bytes = sealed("message");
        for end in 0..bytes.len() {
            assert_eq!(open(&key(), PLACE, &bytes[..end]), Err(FrameError::Short), "{end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            assert!(open(&key(), PLACE, &other).is_err(), "{at}");
        }
        assert_eq!(open(&key(), PLACE, b"\x01in the clear"), Err(FrameError::Version(1)));
    }

    #[test]
    fn a_frame_opens_in_its_place_under_its_key_alone() {
        let bytes = sealed("message");
        for place in [Place { stream: 4, ..PLACE }, Place { ordinal: 8, ..PLACE }, Place { stream: 7, ordinal: 3 }] {
            assert_eq!(open(&key(), place, &bytes), Err(FrameError::Damaged));
        }
        assert_eq!(open(&SecretKey::new(&[6; 32]).unwrap(), PLACE, &bytes), Err(FrameError::Damaged));
    }

    #[test]
    fn no_nonce_of_a_write_comes_twice_and_nothing_lies_in_the_clear() {
        let (mut nonces, mut bytes) = (Nonces((1 << 96) - 3), vec![]);
        let lengths: Vec<_> = (0..6)
            .map(|_| {
                let before = bytes.len();
                seal(&key().sealer(), &mut nonces, PLACE, &event("needle"), &mut bytes);
                before
            })
            .collect();
        let seen: std::collections::BTreeSet<_> = lengths.iter().map(|at| &bytes[at + 1..at + 13]).collect();
        assert_eq!(seen.len(), 6, "also where the count wraps");
        assert!(!bytes.windows(6).any(|window| window == b"needle"));
    }
}
