//! A container's output on disk, between its pipes and whoever keeps logs.
//!
//! ```text
//! file   = "NGSP" version:u16 encoding:u8 0 begin frame*    all numbers little-endian
//! begin  = offset:u64                                       in version 4 only; in version 3 the first frame is at offset 8
//! frame  = length:u32 nonce sealed tag                      length: of what follows it
//! body   = line line*                                       encoding 1: sealed with AES-256-GCM, see `seal`
//! line   = stream:u8 partial:u8 at_ms:i64 length:u32 bytes
//! ```
//! A spool of another version or encoding is refused, by writer and reader: version 1 held lines in the clear (encoding 0),
//! version 2 a frame for each line.
//!
//! Offsets only grow. What is kept elsewhere is given back to the file system as a hole before the offset; where the file system makes no
//! holes, how far that goes is noted beside the spool, and once it is everything the writer starts a new file, of version 4, that begins
//! at the offset where the old one ended. The note is there from the beginning, and the old file is emptied where there is no room for a
//! new one: a full disk does not keep a spool from starting over.
//!
//! - Invariant: no line is on disk but sealed.
//! - Invariant: only the shim writes, only whole frames after those that are there; a frame that a crash cut short is never read.
//! - Invariant: a frame that does not open is an error, and nothing of it is given out.
//! - Invariant: a line is at most [`LINE_BYTES_MAX`] long; a longer one is cut and marked partial.
//! - Invariant: where there is no room, nothing is lost: what is not written yet is kept for the next try.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use neargate_base::Timestamp;

use super::seal::{FrameSeal, HEADER, NONCE_BYTES, Nonces, TAG_BYTES};
use crate::event::{OutputLine, OutputLines, Stream};

/// The longest line, as container engines have it.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024;
/// A frame's lines, with their heads, are no longer than this: so it holds at most 4,681 lines.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// A batch of so many lines takes no further frame.
const BATCH_LINES_MIN: usize = 10_000;
/// A batch takes no frame that ends behind this many bytes.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Version 4, encoding 1; the offset of the first frame follows.
const LATER_HEADER: [u8; 8] = [b'N', b'G', b'S', b'P', 4, 0, 1, 0];
const BEGIN_BYTES: usize = 8;
/// How far all is released, and that inverted.
const NOTE_BYTES: u64 = 16;
const LENGTH_BYTES: usize = 4;
const FRAME_HEAD_BYTES: usize = LENGTH_BYTES + NONCE_BYTES;
const LINE_HEAD_BYTES: usize = 14;

/// How offsets of a spool lie in its file.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// The offset of the first frame.
    begin: u64,
    /// Where that is in the file.
    place: u64,
}

impl Origin {
    const FIRST: Self = Self { begin: HEADER.len() as u64, place: HEADER.len() as u64 };

    fn read(file: &mut File) -> io::Result<Self> {
        let mut header = [0; HEADER.len()];
        file.read_exact(&mut header)?;
        match header {
            HEADER => Ok(Self::FIRST),
            LATER_HEADER => {
                let mut begin = [0; BEGIN_BYTES];
                file.read_exact(&mut begin)?;
                Ok(Self::later(u64::from_le_bytes(begin)))
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "no output spool of this version")),
        }
    }

    const fn later(begin: u64) -> Self {
        Self { begin, place: (LATER_HEADER.len() + BEGIN_BYTES) as u64 }
    }

    fn place_of(self, offset: u64) -> u64 {
        offset.saturating_sub(self.begin) + self.place
    }

    /// The offset at which a file of this length ends.
    fn end(self, length: u64) -> u64 {
        length.saturating_sub(self.place) + self.begin
    }
}

/// The offset at which a spool ends.
pub(super) fn end_of(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let origin = Origin::read(&mut file)?;
    Ok(origin.end(file.metadata()?.len()))
}

/// Seals lines and appends them.
#[derive(Debug)]
pub(super) struct SpoolWriter {
    path: PathBuf,
    file: File,
    origin: Origin,
    end: u64,
    seal: FrameSeal,
    nonces: Nonces,
    /// Frames that are not written yet, all sealed but the one at `open`.
    batch: Vec<u8>,
    /// Where the frame begins that takes lines.
    open: Option<usize>,
    /// All of it is released and the file is empty: a new one has to be made before anything is written.
    emptied: bool,
    /// Why the batch is not whole.
    failed: Option<io::Error>,
}

/// What became of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// All is written.
    Whole,
    /// There is no room on the disk: all is kept for the next flush.
    NoRoom,
}

impl SpoolWriter {
    /// Opens or makes a spool.
    pub(super) fn open(path: &Path, seal: FrameSeal) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        let mut origin = Origin::FIRST;
        if length < HEADER.len() as u64 {
            file.set_len(0)?;
            file.write_all_at(&HEADER, 0)?;
        } else {
            origin = Origin::read(&mut file)?;
        }
        make_note(path)?;
        let (path, written) = (path.to_owned(), origin.end(length));
        // A file that was emptied ends before what was released of it.
        let end = released(&path).unwrap_or(0).max(written);
        let (nonces, batch, emptied) = (Nonces::new()?, Vec::new(), end > written);
        Ok(Self { path, file, origin, end, seal, nonces, batch, open: None, emptied, failed: None })
    }

    /// Whether there is no room for more before what was written is released: it takes more than `bytes_max` of the disk. Where
    /// all of it is released and the file system makes no holes, a new file is started.
    pub(super) fn is_full(&mut self, bytes_max: u64) -> bool {
        if self.is_stuck() {
            return true;
        }
        // A new file that cannot be made is tried again.
        (self.emptied || self.bytes_held() > bytes_max)
            && !(released(&self.path).is_some_and(|offset| offset >= self.end) && self.start_over().is_ok())
    }

    /// Goes on in a new file, all of this one being released. Where there is no room for it, this one may be what takes it.
    fn start_over(&mut self) -> io::Result<()> {
        match self.start_file() {
            Err(e) if is_no_room(&e) && !self.emptied => {
                self.file.set_len(self.origin.place)?;
                self.emptied = true;
                self.start_file()
            }
            other => other,
        }
    }

    /// Makes a new file, which takes the place of this one at once.
    fn start_file(&mut self) -> io::Result<()> {
        let next = self.path.with_extension("next");
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).mode(0o600).open(&next)?;
        file.write_all_at(&[LATER_HEADER, self.end.to_le_bytes()].concat(), 0)?;
        fs::rename(&next, &self.path)?;
        (self.file, self.origin, self.emptied) = (file, Origin::later(self.end), false);
        Ok(())
    }

    /// Where the spool ends.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How much of the disk the spool takes: what was released is not counted.
    fn bytes_held(&self) -> u64 {
        self.file.metadata().map_or(0, |found| found.blocks().saturating_mul(512))
    }

    /// Takes a line, to be appended by the next [`SpoolWriter::flush`].
    fn push(&mut self, stream: Stream, partial: bool, at: Timestamp, line: &[u8]) {
        let begin = self.open.unwrap_or(self.batch.len());
        if self.batch.len() - begin + LINE_HEAD_BYTES + line.len() > FRAME_HEAD_BYTES + FRAME_BYTES_MAX {
            self.close_frame();
        }
        if self.open.is_none() {
            self.open = Some(self.batch.len());
            self.batch.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
        }
        self.batch.push(u8::from(stream == Stream::Stderr));
        self.batch.push(u8::from(partial));
        self.batch.extend_from_slice(&at.millis().to_le_bytes());
        self.batch.extend_from_slice(&u32::try_from(line.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.batch.extend_from_slice(line);
    }

    /// Seals the frame that takes lines, if there is one.
    fn close_frame(&mut self) {
        let Some(begin) = self.open.take() else { return };
        if let Err(e) = self.seal_frame(begin) {
            self.failed = Some(e);
        }
    }

    fn seal_frame(&mut self, begin: usize) -> io::Result<()> {
        let nonce = self.nonces.take()?;
        let offset = self.end + begin as u64;
        let frame = self.batch.get_mut(begin..).unwrap_or_default();
        let len = u32::try_from(frame.len() - LENGTH_BYTES + TAG_BYTES).unwrap_or(u32::MAX);
        let (head, body) = frame.split_at_mut(FRAME_HEAD_BYTES);
        let tag = self.seal.seal(nonce, offset, body)?;
        head.iter_mut().zip(len.to_le_bytes().iter().chain(&nonce)).for_each(|(place, byte)| *place = *byte);
        self.batch.extend_from_slice(&tag);
        Ok(())
    }

    /// Whether something waits for room.
    pub(super) fn is_stuck(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Appends all that was taken since the last time. Where there is no room nothing is appended and all is kept; after another
    /// failure all of it is lost.
    pub(super) fn flush(&mut self) -> io::Result<Flushed> {
        self.close_frame();
        let written = match self.failed.take() {
            Some(e) => Err(e),
            None if self.batch.is_empty() => Ok(()),
            None => self.write_batch(),
        };
        if let Err(e) = written {
            if !self.emptied {
                // Where that fails too, the next try is written over what is left of this one.
                let _ = self.file.set_len(self.origin.place_of(self.end));
            }
            if is_no_room(&e) {
                return Ok(Flushed::NoRoom);
            }
            self.batch.clear();
            return Err(e);
        }
        self.end += self.batch.len() as u64;
        self.batch.clear();
        Ok(Flushed::Whole)
    }

    fn write_batch(&mut self) -> io::Result<()> {
        if self.emptied {
            self.start_over()?;
        }
        self.file.write_all_at(&self.batch, self.origin.place_of(self.end))
    }
}

/// Whether a write failed for want of room, which there may be again.
pub(super) fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    rest: Vec<u8>,
}

impl LineSplitter {
    /// Takes what was read, puts the lines that are complete into the spool.
    pub(super) fn feed(&mut self, stream: Stream, at: Timestamp, bytes: &[u8], spool: &mut SpoolWriter) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.rest.is_empty() && line.len() <= LINE_BYTES_MAX {
                spool.push(stream, false, at, line);
                continue;
            }
            self.keep(stream, at, line, spool);
            spool.push(stream, false, at, &self.rest);
            self.rest.clear();
        }
        self.keep(stream, at, rest, spool);
    }

    /// Keeps what goes on, and cuts what is too long.
    fn keep(&mut self, stream: Stream, at: Timestamp, bytes: &[u8], spool: &mut SpoolWriter) {
        self.rest.extend_from_slice(bytes);
        while self.rest.len() > LINE_BYTES_MAX {
            let rest = self.rest.split_off(LINE_BYTES_MAX);
            spool.push(stream, true, at, &self.rest);
            self.rest = rest;
        }
    }

    /// The stream ended: what is left is a line.
    pub(super) fn finish(&mut self, stream: Stream, at: Timestamp, spool: &mut SpoolWriter) {
        if !self.rest.is_empty() {
            spool.push(stream, false, at, &self.rest);
            self.rest.clear();
        }
    }
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct SpoolReader {
    path: PathBuf,
    file: File,
    origin: Origin,
    offset: u64,
    seal: FrameSeal,
}

impl SpoolReader {
    /// Opens a spool at an offset that was given out before, or 0.
    pub(super) fn open(path: &Path, offset: u64, seal: FrameSeal) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let origin = Origin::read(&mut file)?;
        Ok(Self { path: path.to_owned(), file, origin, offset: offset.max(origin.begin), seal })
    }

    /// Goes to the file in which the writer goes on, where there is another; answers whether there is one.
    fn follow(&mut self) -> io::Result<bool> {
        let mut file = File::open(&self.path)?;
        let origin = Origin::read(&mut file)?;
        let is_other = origin.begin != self.origin.begin;
        (self.file, self.origin) = (file, origin);
        self.offset = self.offset.max(origin.begin);
        Ok(is_other)
    }

    /// Where the next line begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes to where a frame begins, past what cannot be read.
    pub(super) fn skip_to(&mut self, offset: u64) {
        self.offset = self.offset.max(offset);
    }

    /// The next lines up to `end`, where a frame ends; at most a batch, empty when there is none. An error when the next
    /// frame does not open, or is not whole.
    pub(super) fn read(&mut self, end: u64) -> io::Result<OutputLines> {
        let wanted = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX).min(BATCH_BYTES_MAX);
        let mut buffer = self.fill(wanted)?;
        if buffer.is_empty() && wanted > 0 && self.follow()? {
            buffer = self.fill(wanted)?;
        }
        let mut lines = OutputLines::with_capacity(buffer.len());
        let mut rest = buffer.as_mut_slice();
        while lines.len() < BATCH_LINES_MIN
            && let Some(len) = open_frame(&self.seal, self.offset, rest, &mut lines)
        {
            self.offset += len as u64;
            rest = rest.get_mut(len..).unwrap_or_default();
        }
        if lines.is_empty() && self.offset < end {
            let text = format!("what was written at byte {} is damaged, or sealed with another key", self.offset);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(lines)
    }

    /// As many bytes as there are, up to `wanted`.
    fn fill(&self, wanted: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; wanted];
        let (place, mut filled) = (self.origin.place_of(self.offset), 0);
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.file.read_at(free, place + filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        buffer.truncate(filled);
        Ok(buffer)
    }
}

/// Adds the lines of the frame with which the bytes begin; the frame's length. Nothing is added where it does not open.
fn open_frame(seal: &FrameSeal, offset: u64, bytes: &mut [u8], lines: &mut OutputLines) -> Option<usize> {
    let (len, rest) = bytes.split_first_chunk_mut::<LENGTH_BYTES>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (nonce, rest) = rest.get_mut(..len)?.split_first_chunk_mut::<NONCE_BYTES>()?;
    let (body, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
    seal.open(*nonce, offset, body, *tag)?;
    let mut rest: &[u8] = body;
    while let Some((line, after)) = split_line(rest) {
        lines.push(line);
        rest = after;
    }
    Some(LENGTH_BYTES + len)
}

/// The line with which a frame's body begins, and what follows it.
fn split_line(body: &[u8]) -> Option<(OutputLine<'_>, &[u8])> {
    let ([stream, partial], rest) = body.split_first_chunk::<2>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    let stream = if *stream == 0 { Stream::Stdout } else { Stream::Stderr };
    let at = Timestamp(i64::from_le_bytes(*at));
    Some((OutputLine { stream, at, bytes, partial: *partial != 0 }, rest))
}

/// How space before an offset is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// There was nothing to give back.
    Nothing,
    /// As a hole in the file.
    Hole,
    /// The file system makes no holes: it was noted, for the writer to start over.
    Note,
}

/// Gives the space before `offset` back to the file system; the offsets stay as they are.
pub(super) fn release(path: &Path, offset: u64) -> io::Result<Release> {
    use rustix::fs::FallocateFlags;
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let origin = Origin::read(&mut file)?;
    let Some(len) = offset.checked_sub(origin.begin).filter(|len| *len > 0) else { return Ok(Release::Nothing) };
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match rustix::fs::fallocate(&file, flags, origin.place, len) {
        Ok(()) => Ok(Release::Hole),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            note_released(path, offset).map(|()| Release::Note)
        }
        Err(e) => Err(e.into()),
    }
}

/// Makes the note of a spool that has none, so that there is room for it when the disk is full.
fn make_note(path: &Path) -> io::Result<()> {
    let is_whole = fs::metadata(path.with_extension("released")).is_ok_and(|note| note.len() >= NOTE_BYTES);
    if is_whole { Ok(()) } else { note_released(path, 0) }
}

/// Notes that everything before `offset` is kept elsewhere.
fn note_released(path: &Path, offset: u64) -> io::Result<()> {
    let note = path.with_extension("released");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(note)?;
    file.write_all_at(&[offset.to_le_bytes(), (!offset).to_le_bytes()].concat(), 0)
}

/// What was noted last; nothing while that is being written.
fn released(path: &Path) -> Option<u64> {
    let mut note = File::open(path.with_extension("released")).ok()?;
    let (mut offset, mut inverse) = ([0; 8], [0; 8]);
    note.read_exact(&mut offset).and_then(|()| note.read_exact(&mut inverse)).ok()?;
    let offset = u64::from_le_bytes(offset);
    (u64::from_le_bytes(inverse) == !offset).then_some(offset)
}

#[cfg(test)]
mod tests;
