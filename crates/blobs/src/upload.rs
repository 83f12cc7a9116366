//! Bytes on their way to becoming a blob.
//!
//! Invariant: whatever an upload counts and makes, its drop takes back, but for the file that got a name.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use neargate_base::{BlobRef, Digest};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::format::{CHUNK_BYTES, ChunkKey, HEADER_BYTES, TAG_BYTES, chunk_offset, random};
use crate::names::{Kept, hold};
use crate::{BlobError, Store};

/// How many chunks are written between two looks at what the disk has left.
const CHUNKS_PER_LOOK: u64 = 256;

/// An upload. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    slot: Slot,
    file: File,
    key: Zeroizing<[u8; 32]>,
    cipher: ChunkKey,
    hash: Sha256,
    /// What is not yet a whole chunk.
    buffer: Vec<u8>,
    chunks: u64,
}

/// A place among the open uploads: its file and what it counts.
#[derive(Debug)]
struct Slot {
    store: Arc<Store>,
    /// Empty where the file has another name by now.
    path: Option<PathBuf>,
    bytes: u64,
}

impl Slot {
    fn take(store: &Arc<Store>) -> Result<Self, BlobError> {
        let max = store.limits.uploads_max;
        let one_more = |open| (open < max).then_some(open + 1);
        match store.uploads.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(Self { store: Arc::clone(store), path: None, bytes: 0 }),
            Err(_) => Err(BlobError::TooManyUploads { max }),
        }
    }

    /// Counts bytes that came, unless they are too many.
    fn add(&mut self, bytes: u64) -> Result<(), BlobError> {
        let limits = self.store.limits;
        if self.bytes.saturating_add(bytes) > limits.blob_bytes_max {
            return Err(BlobError::TooLong { max: limits.blob_bytes_max });
        }
        let max = limits.upload_bytes_max;
        let more = |held: u64| held.checked_add(bytes).filter(|held| *held <= max);
        match self.store.upload_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => self.bytes += bytes,
            Err(_) => return Err(BlobError::TooManyBytes { max }),
        }
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays is removed when the store is opened again.
            let _ = self.store.disk.remove(path);
        }
        self.store.upload_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.store.uploads.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Upload {
    pub(crate) fn begin(store: &Arc<Store>) -> Result<Self, BlobError> {
        let mut slot = Slot::take(store)?;
        look_at_the_disk(store)?;
        let number = store.next_upload.fetch_add(1, Ordering::AcqRel);
        let path = store.uploads_folder().join(number.to_string());
        let key = random::<32>().map_err(BlobError::io("make a key for", &path))?;
        let file = store.disk.create(&path).map_err(BlobError::io("make", &path))?;
        slot.path = Some(path);
        let buffer = Vec::with_capacity(CHUNK_BYTES + TAG_BYTES);
        Ok(Self { slot, file, cipher: ChunkKey::new(&key), key, hash: Sha256::new(), buffer, chunks: 0 })
    }

    /// How many bytes have come.
    pub fn length(&self) -> u64 {
        self.slot.bytes
    }

    /// Takes the next bytes. After an error nothing but dropping it is left to do.
    ///
    /// # Errors
    /// Where a limit is met, the disk is full or refuses.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), BlobError> {
        self.slot.add(bytes.len() as u64)?;
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let fits = bytes.len().min(CHUNK_BYTES - self.buffer.len());
            let (now, later) = bytes.split_at(fits);
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BlobError> {
        let (store, path) = (&self.slot.store, self.slot.path.as_deref().unwrap_or(&self.slot.store.folder));
        if self.chunks % CHUNKS_PER_LOOK == CHUNKS_PER_LOOK - 1 {
            look_at_the_disk(store)?;
        }
        self.cipher.seal(self.chunks, &mut self.buffer);
        let written = store.disk.write(&self.file, path, chunk_offset(self.chunks), &self.buffer);
        written.map_err(BlobError::io("write", path))?;
        self.chunks += 1;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the bytes a blob. When this returns, it survives a crash.
    ///
    /// # Errors
    /// Where the bytes are not those that were announced, or the disk is full or refuses. Then there is no blob, or, where only
    /// the last step failed, one that the next sweep removes.
    pub fn finish(mut self, expected: Option<BlobRef>) -> Result<Kept, BlobError> {
        if !self.buffer.is_empty() {
            self.flush()?;
        }
        let digest = Digest::new(std::mem::take(&mut self.hash).finalize().into());
        let got = BlobRef { digest, length: self.slot.bytes };
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            return Err(BlobError::Mismatch { expected, got });
        }
        let store = Arc::clone(&self.slot.store);
        let path = self.slot.path.clone().unwrap_or_default();
        let nonce = random::<12>().map_err(BlobError::io("make a nonce for", &path))?;
        let header: [u8; HEADER_BYTES] = store.keys.header(*nonce, &self.key, got);
        store.disk.write(&self.file, &path, 0, &header).map_err(BlobError::io("write", &path))?;
        store.disk.sync(&self.file, &path).map_err(BlobError::io("sync", &path))?;

        let name = store.keys.name(&digest);
        let hold = hold(&store, name);
        let target = store.folder.join(name.path());
        // A file that has the name has the same bytes, and those who read it go on reading it.
        store.disk.rename(&path, &target).map_err(BlobError::io("rename", &path))?;
        self.slot.path = None;
        let folder = target.parent().unwrap_or(&store.folder);
        store.disk.sync_folder(folder).map_err(BlobError::io("sync", folder))?;
        Ok(Kept::new(hold, got))
    }
}

fn look_at_the_disk(store: &Store) -> Result<(), BlobError> {
    let free = store.disk.available(&store.folder).map_err(BlobError::io("look at", &store.folder))?;
    if free < store.limits.free_bytes_min {
        return Err(BlobError::Full { folder: store.folder.clone() });
    }
    Ok(())
}
