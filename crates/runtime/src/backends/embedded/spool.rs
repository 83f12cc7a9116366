//! A container's output on disk, between its pipes and whoever keeps logs.
//!
//! ```text
//! file   = "NGSP" version:u16 encoding:u8 0 frame*          all numbers little-endian
//! frame  = length:u32 body                                  encoding 0: the body as it is
//! body   = stream:u8 partial:u8 at_ms:i64 bytes
//! ```
//! The encoding byte is the seam for sealed frames.
//!
//! Invariant: only the shim writes, only by appending whole frames; a frame that a crash cut short is never read.
//! Invariant: a line is at most [`LINE_BYTES_MAX`] long; a longer one is cut and marked partial.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use neargate_base::Timestamp;

use crate::event::{OutputLine, Stream};

/// The longest line, as container engines have it.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024;
/// How much is read at once.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
const HEADER: [u8; 8] = [b'N', b'G', b'S', b'P', 1, 0, 0, 0];
const BODY_HEADER_BYTES: usize = 10;

/// Appends frames.
#[derive(Debug)]
pub(super) struct SpoolWriter {
    file: File,
    end: u64,
}

impl SpoolWriter {
    /// Opens or makes a spool.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let mut end = file.metadata()?.len();
        if end == 0 {
            file.write_all(&HEADER)?;
            end = HEADER.len() as u64;
        }
        Ok(Self { file, end })
    }

    /// Where the spool ends.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How much of the disk the spool takes: what was released is not counted.
    pub(super) fn bytes_held(&self) -> u64 {
        self.file.metadata().map_or(0, |found| found.blocks().saturating_mul(512))
    }

    /// Appends whole frames, or nothing.
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        if let Err(e) = self.file.write_all(frames) {
            self.file.set_len(self.end)?;
            return Err(e);
        }
        self.end += frames.len() as u64;
        Ok(())
    }
}

fn push_frame(frames: &mut Vec<u8>, stream: Stream, partial: bool, at: Timestamp, line: &[u8]) {
    let len = u32::try_from(BODY_HEADER_BYTES + line.len()).unwrap_or(u32::MAX);
    frames.extend_from_slice(&len.to_le_bytes());
    frames.push(u8::from(stream == Stream::Stderr));
    frames.push(u8::from(partial));
    frames.extend_from_slice(&at.millis().to_le_bytes());
    frames.extend_from_slice(line);
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    rest: Vec<u8>,
}

impl LineSplitter {
    /// Takes what was read, gives the frames of the lines that are complete.
    pub(super) fn feed(&mut self, stream: Stream, at: Timestamp, bytes: &[u8], frames: &mut Vec<u8>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, complete) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            self.rest.extend_from_slice(line);
            while self.rest.len() > LINE_BYTES_MAX {
                let rest = self.rest.split_off(LINE_BYTES_MAX);
                push_frame(frames, stream, true, at, &self.rest);
                self.rest = rest;
            }
            if complete {
                push_frame(frames, stream, false, at, &self.rest);
                self.rest.clear();
            }
        }
    }

    /// The stream ended: what is left is a line.
    pub(super) fn finish(&mut self, stream: Stream, at: Timestamp, frames: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            push_frame(frames, stream, false, at, &self.rest);
            self.rest.clear();
        }
    }
}

/// Reads frames.
#[derive(Debug)]
pub(super) struct SpoolReader {
    file: File,
    offset: u64,
}

impl SpoolReader {
    /// Opens a spool at an offset that was given out before, or 0.
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut header = [0; HEADER.len()];
        file.read_exact(&mut header)?;
        if header != HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no output spool of this version"));
        }
        Ok(Self { file, offset: offset.max(HEADER.len() as u64) })
    }

    /// Where the next line begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next lines up to `end`, at most a batch; empty when there is none.
    pub(super) fn read(&mut self, end: u64) -> io::Result<Vec<OutputLine>> {
        let wanted = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX).min(BATCH_BYTES_MAX);
        let mut buffer = vec![0; wanted];
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.file.read_at(free, self.offset + filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        buffer.truncate(filled);
        let mut lines = Vec::new();
        let mut rest = buffer.as_slice();
        while let Some((line, after)) = parse_frame(rest) {
            lines.push(line);
            rest = after;
        }
        self.offset += (buffer.len() - rest.len()) as u64;
        Ok(lines)
    }
}

fn parse_frame(bytes: &[u8]) -> Option<(OutputLine, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (body, after) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    let ([stream, partial], body) = body.split_first_chunk::<2>()?;
    let (at, line) = body.split_first_chunk::<8>()?;
    let stream = if *stream == 0 { Stream::Stdout } else { Stream::Stderr };
    let at = Timestamp(i64::from_le_bytes(*at));
    Some((OutputLine { stream, at, bytes: line.to_vec(), partial: *partial != 0 }, after))
}

/// Gives the space before `offset` back to the file system; the offsets stay as they are.
pub(super) fn release(path: &Path, offset: u64) -> io::Result<()> {
    use rustix::fs::FallocateFlags;
    let Some(len) = offset.checked_sub(HEADER.len() as u64).filter(|len| *len > 0) else { return Ok(()) };
    let file = OpenOptions::new().write(true).open(path)?;
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match rustix::fs::fallocate(&file, flags, HEADER.len() as u64, len) {
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(chunks: &[&[u8]]) -> (tempfile::TempDir, SpoolReader, u64) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let mut writer = SpoolWriter::open(&path).unwrap();
        let mut splitter = LineSplitter::default();
        let mut frames = Vec::new();
        for chunk in chunks {
            splitter.feed(Stream::Stdout, Timestamp(5), chunk, &mut frames);
        }
        splitter.finish(Stream::Stdout, Timestamp(6), &mut frames);
        writer.append(&frames).unwrap();
        let end = writer.end();
        (dir, SpoolReader::open(&path, 0).unwrap(), end)
    }

    fn texts(lines: &[OutputLine]) -> Vec<String> {
        lines
            .iter()
            .map(|l| format!("{}{}", String::from_utf8_lossy(&l.bytes), if l.partial { "…" } else { "" }))
            .collect()
    }

    #[test]
    fn lines_come_back_as_they_were_written_whatever_the_reads_were() {
        let (_dir, mut reader, end) = written(&[b"a\nb", b"c\n\n", b"tail"]);
        assert_eq!(texts(&reader.read(end).unwrap()), ["a", "bc", "", "tail"]);
        assert_eq!(reader.offset(), end);
        assert!(reader.read(end).unwrap().is_empty());
    }

    #[test]
    fn a_long_line_is_cut_and_marked() {
        let long = vec![b'x'; LINE_BYTES_MAX + 3];
        let (_dir, mut reader, end) = written(&[&long, b"\nnext\n"]);
        let lines = reader.read(end).unwrap();
        assert_eq!(
            lines.iter().map(|l| (l.bytes.len(), l.partial)).collect::<Vec<_>>(),
            [(LINE_BYTES_MAX, true), (3, false), (4, false)]
        );
    }

    #[test]
    fn a_torn_frame_is_left_for_later() {
        let (_dir, mut reader, end) = written(&[b"one\ntwo\n"]);
        assert_eq!(texts(&reader.read(end - 1).unwrap()), ["one"]);
        assert_eq!(texts(&reader.read(end).unwrap()), ["two"]);
    }

    #[test]
    fn released_space_keeps_offsets() {
        let (dir, mut reader, end) = written(&[b"one\ntwo\n"]);
        reader.read(end - 1).unwrap();
        release(&dir.path().join("spool"), reader.offset()).unwrap();
        let mut again = SpoolReader::open(&dir.path().join("spool"), reader.offset()).unwrap();
        assert_eq!(texts(&again.read(end).unwrap()), ["two"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_chunks_come_back(chunks in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), 0..20)) {
            let all: Vec<u8> = chunks.concat();
            let (_dir, mut reader, end) = written(&chunks.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let lines: Vec<Vec<u8>> = reader.read(end).unwrap().into_iter().map(|l| l.bytes).collect();
            let mut expected: Vec<Vec<u8>> = all.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            if expected.last().is_some_and(Vec::is_empty) { expected.pop(); }
            proptest::prop_assert_eq!(lines, expected);
        }
    }
}
