//! The form of one log event in a segment.
//!
//! ```text
//! version u8 = 1 | body length u32 | body | CRC-32 u32 over all before it        (integers little-endian)
//! body: timestamp i64 | ingestion time i64 | message, UTF-8
//! ```
//!
//! Invariant: [`seal`] and [`open`] are the only ones that know the form; encryption with a group's key goes in here.
//! Invariant: bytes that are cut short or damaged are an error, never an event.

use neargate_base::Timestamp;

/// One log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) timestamp: Timestamp,
    pub(crate) ingestion_time: Timestamp,
    pub(crate) message: String,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// They end too early.
    Short,
    /// They were written by a later Neargate.
    Version(u8),
    /// They are not what was written.
    Damaged,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("the segment ends too early"),
            Self::Version(version) => {
                write!(f, "frames of version {version} are made by a later Neargate; this one reads version {VERSION}")
            }
            Self::Damaged => f.write_str("the segment is damaged"),
        }
    }
}

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;
const TIMES_BYTES: usize = 16;
const SUM_BYTES: usize = 4;

/// Appends an event's frame to `out`.
pub(crate) fn seal(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    let body = u32::try_from(TIMES_BYTES + event.message.len()).unwrap_or(u32::MAX);
    out.push(VERSION);
    out.extend_from_slice(&body.to_le_bytes());
    out.extend_from_slice(&event.timestamp.millis().to_le_bytes());
    out.extend_from_slice(&event.ingestion_time.millis().to_le_bytes());
    out.extend_from_slice(event.message.as_bytes());
    let sum = crc32(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&sum.to_le_bytes());
}

/// Reads the frame at the start of `bytes` and says how long it is.
pub(crate) fn open(bytes: &[u8]) -> Result<(Event, usize), FrameError> {
    let (&version, rest) = bytes.split_first().ok_or(FrameError::Short)?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let (length, rest) = rest.split_first_chunk().ok_or(FrameError::Short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| FrameError::Damaged)?;
    let body = rest.get(..length).ok_or(FrameError::Short)?;
    let sum = rest.get(length..).and_then(<[u8]>::first_chunk).ok_or(FrameError::Short)?;
    if crc32(bytes.get(..HEAD_BYTES + length).ok_or(FrameError::Short)?) != u32::from_le_bytes(*sum) {
        return Err(FrameError::Damaged);
    }
    let (timestamp, body) = body.split_first_chunk().ok_or(FrameError::Damaged)?;
    let (ingestion_time, body) = body.split_first_chunk().ok_or(FrameError::Damaged)?;
    let event = Event {
        timestamp: Timestamp(i64::from_le_bytes(*timestamp)),
        ingestion_time: Timestamp(i64::from_le_bytes(*ingestion_time)),
        message: String::from_utf8(body.to_vec()).map_err(|_| FrameError::Damaged)?,
    };
    Ok((event, HEAD_BYTES + length + SUM_BYTES))
}

/// CRC-32 as in ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = crc_table();
    let step = |sum: u32, byte: &u8| {
        let [low, ..] = sum.to_le_bytes();
        TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0) ^ (sum >> 8)
    };
    !bytes.iter().fold(!0, step)
}

#[allow(clippy::indexing_slicing, reason = "in a constant: an index out of bounds does not compile")]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    let mut start = 0_u32;
    while at < 256 {
        let (mut sum, mut bit) = (start, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { 0xEDB8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
        start += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> Event {
        Event { timestamp: Timestamp(-1), ingestion_time: Timestamp(1_800_000_000_123), message: message.to_owned() }
    }

    #[test]
    fn the_checksum_is_the_one_everybody_uses() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_was_sealed_opens_again() {
        for message in ["", "x", "zwei\nZeilen", "日本"] {
            let mut bytes = vec![];
            seal(&event(message), &mut bytes);
            let length = bytes.len();
            bytes.extend_from_slice(b"what follows");
            assert_eq!(open(&bytes), Ok((event(message), length)));
        }
    }

    #[test]
    fn cut_or_damaged_frames_are_errors() {
        let mut bytes = vec![];
        seal(&event("message"), &mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(open(&bytes[..end]), Err(FrameError::Short), "{end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            assert!(open(&other).is_err(), "{at}");
        }
    }
}
