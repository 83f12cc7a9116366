//! Removes the blobs that no record refers to.
//!
//! Invariant: a sweep forgets nothing that it should keep: where it knows too little, it keeps.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use neargate_base::Digest;

use crate::format::Name;
use crate::names::Touched;
use crate::{BlobError, Store};

/// A sweep that has begun.
#[derive(Debug)]
pub struct Sweep {
    store: Arc<Store>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that records refer to.
    pub known: u64,
    /// Blobs without a record that are held, were held meanwhile, or are too young.
    pub spared: u64,
    /// Blobs that were removed.
    pub removed: u64,
    /// The size of their files.
    pub removed_bytes: u64,
}

impl Sweep {
    pub(crate) fn begin(store: &Arc<Store>) -> Result<Self, BlobError> {
        let mut names = store.lock_names();
        if names.touched.is_some() {
            return Err(BlobError::SweepRunning);
        }
        // What is held now may be let go, with a durable record, after the references were collected.
        names.touched = Some(Touched::of(&names.kept));
        Ok(Self { store: Arc::clone(store) })
    }

    /// Removes every blob that is not `known`, is not held, was not held since the sweep began, and was written before `before`.
    /// Eight bytes for each known blob are held in memory.
    ///
    /// # Errors
    /// Where a folder cannot be listed or a file not be removed; what was removed until then stays removed.
    pub fn run(self, known: impl Iterator<Item = Digest>, before: SystemTime) -> Result<Swept, BlobError> {
        // Two names that begin alike are kept both: a sweep may keep too much.
        let mut prefixes: Vec<u64> = known.map(|digest| self.store.keys.name(&digest).prefix()).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut swept = Swept::default();
        for shard in 0..=u8::MAX {
            self.shard(&self.store.shard(shard), &prefixes, before, &mut swept)?;
        }
        Ok(swept)
    }

    fn shard(&self, folder: &Path, known: &[u64], before: SystemTime, swept: &mut Swept) -> Result<(), BlobError> {
        for entry in fs::read_dir(folder).map_err(BlobError::io("list", folder))? {
            let entry = entry.map_err(BlobError::io("list", folder))?;
            let Some(name) = entry.file_name().to_str().and_then(Name::parse) else { continue };
            if known.binary_search(&name.prefix()).is_ok() {
                swept.known += 1;
                continue;
            }
            let path = entry.path();
            // Under the lock, nobody begins to hold the name and gives it to a new file between look and removal.
            let names = self.store.lock_names();
            let found = match fs::symlink_metadata(&path) {
                Ok(found) => found,
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(BlobError::io("look at", &path)(cause)),
            };
            let written = found.modified().map_err(BlobError::io("look at", &path))?;
            if !found.is_file() || written >= before || !names.may_remove(name) {
                swept.spared += 1;
                continue;
            }
            self.store.disk.remove(&path).map_err(BlobError::io("remove", &path))?;
            swept.removed += 1;
            swept.removed_bytes += found.len();
        }
        Ok(())
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.store.lock_names().touched = None;
    }
}
