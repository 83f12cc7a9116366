//! Large bodies on disk: addressed by content, written as a stream, encrypted, read by range.
//!
//! ```text
//! Blobs::upload ─▶ Upload::write … ─▶ Upload::finish ─▶ Kept { BlobRef }      the reference goes into a record of the caller's
//! BlobRef ─▶ Blobs::get ─▶ Reader::range ─▶ BufRead
//! references of all records ─▶ Blobs::begin_sweep ─▶ Sweep::run               what nobody refers to goes
//! ```
//!
//! A blob has no owner here. Whoever stores its [`BlobRef`] holds it; what no record refers to is removed by a sweep. Between
//! [`Upload::finish`] and the moment in which the record is durable, the [`Kept`] that `finish` returns holds the blob.
//!
//! The order in which a blob becomes one: bytes, header, fsync of the file, rename to its name, fsync of the folder. A crash
//! leaves an upload, which the next [`Blobs::open`] removes, or a blob without a record, which the next sweep removes.
//!
//! Invariant: once [`Upload::finish`] has returned, the blob survives a crash; before, it has no name.
//!
//! Invariant: a blob that a [`Kept`] holds, or held at any time since the sweep began, is not removed.
//!
//! Invariant: an upload holds one chunk in memory and a reader another, however long the blob is.
//!
//! Invariant: nothing in clear is on disk, neither bytes nor digests.

mod disk;
mod error;
mod format;
mod names;
mod reader;
mod sweep;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use neargate_base::{BlobRef, Digest};

pub use error::BlobError;
pub use format::StoreKey;
pub use names::Kept;
pub use reader::{RangeReader, Reader};
pub use sweep::{Sweep, Swept};
pub use upload::Upload;

use disk::{Disk, SystemDisk};
use format::Keys;
use names::Names;

const FOLDER_MODE: u32 = 0o700;

/// What uploads may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many uploads may be open at once.
    pub uploads_max: usize,
    /// How many bytes the open uploads may hold together.
    pub upload_bytes_max: u64,
    /// How long one blob may be.
    pub blob_bytes_max: u64,
    /// How much of the disk stays free for others, the journal above all.
    pub free_bytes_min: u64,
}

impl Default for Limits {
    /// 64 uploads of 256 GiB together, 64 GiB a blob, 256 MiB left free.
    fn default() -> Self {
        Self { uploads_max: 64, upload_bytes_max: 256 << 30, blob_bytes_max: 64 << 30, free_bytes_min: 256 << 20 }
    }
}

/// A store of blobs in one folder. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Store>);

#[derive(Debug)]
struct Store {
    folder: PathBuf,
    keys: Keys,
    limits: Limits,
    disk: Box<dyn Disk>,
    names: Mutex<Names>,
    uploads: AtomicUsize,
    upload_bytes: AtomicU64,
    next_upload: AtomicU64,
}

impl Blobs {
    /// Opens the store in a folder, which it makes, and removes the uploads that another process left there. The caller sees
    /// to it that no other process has the folder open.
    ///
    /// # Errors
    /// Where the folders cannot be made, or the leftovers not removed.
    pub fn open(folder: &Path, key: &StoreKey, limits: Limits) -> Result<Self, BlobError> {
        Self::open_on(Box::new(SystemDisk), folder, key, limits)
    }

    fn open_on(disk: Box<dyn Disk>, folder: &Path, key: &StoreKey, limits: Limits) -> Result<Self, BlobError> {
        let store = Store {
            folder: folder.to_owned(),
            keys: Keys::new(key),
            limits,
            disk,
            names: Mutex::new(Names { kept: HashMap::new(), touched: None }),
            uploads: AtomicUsize::new(0),
            upload_bytes: AtomicU64::new(0),
            next_upload: AtomicU64::new(0),
        };
        make_folder(&store.uploads_folder())?;
        for shard in 0..=u8::MAX {
            make_folder(&store.shard(shard))?;
        }
        for made in [Some(folder), folder.parent()].into_iter().flatten() {
            store.disk.sync_folder(made).map_err(BlobError::io("sync", made))?;
        }
        store.clear_uploads()?;
        Ok(Self(Arc::new(store)))
    }

    /// Opens a blob to read it. It can be read to the end even if a sweep removes it meanwhile.
    ///
    /// # Errors
    /// Where there is no such blob, or its file is damaged.
    pub fn get(&self, digest: &Digest) -> Result<Reader, BlobError> {
        Reader::open(&self.0, digest)
    }

    /// Holds a blob that is there already, so that another record may refer to it.
    ///
    /// # Errors
    /// As [`Blobs::get`].
    pub fn keep(&self, digest: &Digest) -> Result<Kept, BlobError> {
        let name = self.0.keys.name(digest);
        // Held before it is looked for: a sweep that runs does not remove it in between.
        let hold = names::hold(&self.0, name);
        let blob: BlobRef = self.get(digest)?.blob();
        Ok(Kept::new(hold, blob))
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// Where as many are open as may be, the disk is full, or the file cannot be made.
    pub fn upload(&self) -> Result<Upload, BlobError> {
        Upload::begin(&self.0)
    }

    /// Begins a sweep: to be called before the references of all records are collected for [`Sweep::run`].
    ///
    /// # Errors
    /// Where one is running.
    pub fn begin_sweep(&self) -> Result<Sweep, BlobError> {
        Sweep::begin(&self.0)
    }
}

impl Store {
    fn uploads_folder(&self) -> PathBuf {
        self.folder.join("uploads")
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.folder.join(format!("{shard:02x}"))
    }

    fn clear_uploads(&self) -> Result<(), BlobError> {
        let folder = self.uploads_folder();
        for entry in fs::read_dir(&folder).map_err(BlobError::io("list", &folder))? {
            let path = entry.map_err(BlobError::io("list", &folder))?.path();
            self.disk.remove(&path).map_err(BlobError::io("remove", &path))?;
        }
        Ok(())
    }
}

fn make_folder(path: &Path) -> Result<(), BlobError> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(BlobError::io("make", path))
}
