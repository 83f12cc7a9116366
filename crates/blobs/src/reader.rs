//! A blob's bytes, by range.
//!
//! Invariant: a chunk is authenticated as a whole before any of its bytes leaves.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use neargate_base::{BlobRef, Digest};

use crate::disk;
use crate::format::{CHUNK_BYTES, ChunkKey, HEADER_BYTES, TAG_BYTES, chunk_offset, file_bytes};
use crate::{BlobError, Store};

/// An open blob. Clones read the same file.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    cipher: ChunkKey,
    blob: BlobRef,
}

impl Reader {
    pub(crate) fn open(store: &Store, digest: &Digest) -> Result<Self, BlobError> {
        let path = store.folder.join(store.keys.name(digest).path());
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Err(BlobError::NotFound(*digest)),
            Err(cause) => return Err(BlobError::io("open", &path)(cause)),
        };
        let damaged = |what| BlobError::Damaged { digest: *digest, what };
        let held = file.metadata().map_err(BlobError::io("read", &path))?.len();
        let mut header = [0; HEADER_BYTES];
        if held < HEADER_BYTES as u64 {
            return Err(damaged("it is too short"));
        }
        file.read_exact_at(&mut header, 0).map_err(BlobError::io("read", &path))?;
        let (blob, cipher) = store.keys.open(&header).ok_or_else(|| damaged("its header is not this store's"))?;
        if blob.digest != *digest {
            return Err(damaged("it holds another blob"));
        }
        if held != file_bytes(blob.length) {
            return Err(damaged("it has another length"));
        }
        Ok(Self(Arc::new(Open { file, cipher, blob })))
    }

    /// The blob's reference.
    pub fn blob(&self) -> BlobRef {
        self.0.blob
    }

    /// The bytes from an offset on, as many as given and there are.
    pub fn range(&self, offset: u64, length: u64) -> RangeReader {
        let end = offset.saturating_add(length).min(self.0.blob.length);
        RangeReader { open: Arc::clone(&self.0), at: offset.min(end), end, chunk: None, buffer: Vec::new() }
    }

    /// All bytes.
    pub fn all(&self) -> RangeReader {
        self.range(0, u64::MAX)
    }
}

impl Open {
    /// Reads a chunk into a buffer.
    fn chunk(&self, number: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let begin = number * CHUNK_BYTES as u64;
        let length = usize::try_from(self.blob.length.saturating_sub(begin)).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        buffer.resize(length + TAG_BYTES, 0);
        self.file.read_exact_at(buffer, chunk_offset(number))?;
        if self.cipher.open(number, buffer) {
            return Ok(());
        }
        buffer.clear();
        let damaged = BlobError::Damaged { digest: self.blob.digest, what: "a chunk is not what was written" };
        Err(io::Error::new(ErrorKind::InvalidData, damaged))
    }
}

/// Reads a range. [`BufRead::fill_buf`] gives pieces of up to 64 KiB without a copy.
#[derive(Debug)]
pub struct RangeReader {
    open: Arc<Open>,
    at: u64,
    end: u64,
    /// Which chunk the buffer holds.
    chunk: Option<u64>,
    buffer: Vec<u8>,
}

impl RangeReader {
    /// How many bytes are still to come.
    pub fn remaining(&self) -> u64 {
        self.end - self.at
    }
}

impl BufRead for RangeReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            return Ok(&[]);
        }
        let number = self.at / CHUNK_BYTES as u64;
        if self.chunk != Some(number) {
            self.chunk = None;
            self.open.chunk(number, &mut self.buffer)?;
            self.chunk = Some(number);
        }
        let begin = number * CHUNK_BYTES as u64;
        let place = |at: u64| usize::try_from(at - begin).unwrap_or(CHUNK_BYTES).min(self.buffer.len());
        Ok(self.buffer.get(place(self.at)..place(self.end)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount as u64).min(self.end);
    }
}

impl Read for RangeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}
