//! Blobs of a store: content under its own digest.
//!
//! Invariant: a blob gets its final name only after its digest was computed from the bytes on disk.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use serde_json::Value;

use super::codes::{self, io_error};
use super::digest::{Digest, HashingWriter};
use super::json::{self, JSON_BYTES_MAX};
use super::store::{ImageStore, Scratch};

impl ImageStore {
    /// Where the blob of this digest is, if the store has it.
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir().join("blobs/sha256").join(digest.hex())
    }

    pub(crate) fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<File, Diagnostic> {
        let path = self.blob_path(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                codes::corrupt(format!("blob `{digest}` is missing from `{}`", self.dir().display()))
            }
            _ => io_error("open", &path, &error),
        })
    }

    /// A manifest or configuration, its digest checked.
    pub(crate) fn read_small_blob(&self, digest: &Digest) -> Result<Vec<u8>, Diagnostic> {
        let mut bytes = Vec::new();
        let file = self.open_blob(digest)?;
        file.take(JSON_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| io_error("read", &self.blob_path(digest), &e))?;
        check_small(digest, &bytes)?;
        Ok(bytes)
    }

    pub(crate) fn read_json_blob(&self, digest: &Digest) -> Result<Value, Diagnostic> {
        parse_json(digest, &self.read_small_blob(digest)?)
    }

    /// Stores bytes that are at hand.
    pub(crate) fn put_blob(&self, scratch: &Scratch, bytes: &[u8]) -> Result<Digest, Diagnostic> {
        let mut blob = BlobWriter::new(scratch)?;
        blob.write_all(bytes).map_err(|e| io_error("write", &blob.path, &e))?;
        blob.commit(self).map(|(digest, _)| digest)
    }

    /// Gives a finished file in `tmp/`, whose digest the caller has computed, its place.
    pub(crate) fn commit_blob(&self, path: &Path, digest: &Digest) -> Result<(), Diagnostic> {
        let target = self.blob_path(digest);
        fs::rename(path, &target).map_err(|e| io_error("replace", &target, &e))
    }
}

/// A blob being written to a store, digested on the way.
pub(crate) struct BlobWriter {
    pub(crate) path: PathBuf,
    out: HashingWriter<BufWriter<File>>,
}

impl BlobWriter {
    pub(crate) fn new(scratch: &Scratch) -> Result<Self, Diagnostic> {
        let (path, file) = scratch.file()?;
        Ok(Self { path, out: HashingWriter::new(BufWriter::with_capacity(1 << 16, file)) })
    }

    /// Closes the file on disk; the caller decides by its digest and size what becomes of it.
    pub(crate) fn close(self) -> Result<(PathBuf, Digest, u64), Diagnostic> {
        let (buffer, digest, bytes) = self.out.finish();
        let synced = buffer.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        synced.map_err(|e| io_error("write", &self.path, &e))?;
        Ok((self.path, digest, bytes))
    }

    /// Stores it under the digest it turned out to have.
    pub(crate) fn commit(self, store: &ImageStore) -> Result<(Digest, u64), Diagnostic> {
        let (path, digest, bytes) = self.close()?;
        store.commit_blob(&path, &digest)?;
        Ok((digest, bytes))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Bounds and verifies the bytes of a manifest or configuration.
pub(crate) fn check_small(digest: &Digest, bytes: &[u8]) -> Result<(), Diagnostic> {
    if bytes.len() as u64 > JSON_BYTES_MAX {
        return Err(codes::corrupt(format!(
            "`{digest}` is larger than the {JSON_BYTES_MAX} bytes a manifest may have"
        )));
    }
    let actual = Digest::of(bytes);
    if actual == *digest { Ok(()) } else { Err(mismatch(digest, &actual)) }
}

pub(crate) fn parse_json(digest: &Digest, bytes: &[u8]) -> Result<Value, Diagnostic> {
    json::parse(bytes).map_err(|error| codes::corrupt(format!("`{digest}` does not read as JSON: {error}")))
}

/// Content that is not what its digest says.
pub(crate) fn mismatch(expected: &Digest, actual: &Digest) -> Diagnostic {
    Diagnostic::error(codes::DIGEST_MISMATCH, format!("content has digest `{actual}`, expected `{expected}`"))
        .hint("the image was damaged or altered on its way; get it again")
}
