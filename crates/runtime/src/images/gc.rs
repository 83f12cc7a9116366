//! Garbage collection: what no name refers to goes.
//!
//! Invariant: runs only while nobody has unfinished work, so a blob that an import has written but not yet named stays.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File};
use std::path::Path;

use neargate_base::Diagnostic;
use serde_json::Value;

use super::codes::io_error;
use super::digest::Digest;
use super::image::{Image, array, descriptor_digest};
use super::removal::remove_tree;
use super::rootfs::LAYER_DIRS;
use super::store::ImageStore;

/// What a collection removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs.
    pub blobs: u64,
    /// Bytes of those blobs.
    pub blob_bytes: u64,
    /// Extracted layers.
    pub layers: u64,
}

impl ImageStore {
    /// Removes blobs and extracted layers that no name refers to. Layers of `in_use`, and those some process has a
    /// [`super::RootFs`] of, stay. Waits for imports and builds to end.
    ///
    /// # Errors
    /// `NG-R0103` when a file cannot be removed, `NG-R0105` when the index does not read.
    pub fn gc(&self, in_use: &[Image]) -> Result<Collected, Diagnostic> {
        let _quiet = self.quiet_lock()?;
        let mut live = Live::default();
        for image in in_use {
            live.chains.extend(image.layers.iter().map(|layer| layer.chain_id.hex().to_owned()));
        }
        for entry in self.index()?.entries() {
            live.mark(self, &entry.digest()?);
        }
        let mut collected = Collected::default();
        for file in entries(&self.dir().join("blobs/sha256"))? {
            if !live.blobs.contains(&name(&file)) {
                collected.blobs += 1;
                collected.blob_bytes += file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
                remove_file(&file.path())?;
            }
        }
        for file in entries(&self.dir().join("builds"))? {
            let made = fs::read_to_string(file.path()).unwrap_or_default();
            if !Digest::parse(&made).is_ok_and(|digest| live.blobs.contains(digest.hex())) {
                remove_file(&file.path())?;
            }
        }
        for dir in LAYER_DIRS.iter().map(|name| self.dir().join(name)).filter(|dir| dir.is_dir()) {
            for layer in entries(&dir)? {
                collected.layers += u64::from(self.collect_layer(&layer, &live)?);
            }
        }
        Ok(collected)
    }

    /// Removes an extracted layer, or the lock file of one, if nobody needs it.
    fn collect_layer(&self, layer: &DirEntry, live: &Live) -> Result<bool, Diagnostic> {
        let (name, path) = (name(layer), layer.path());
        if live.chains.contains(name.trim_end_matches(".lock")) {
            return Ok(false);
        }
        if !path.is_dir() {
            // Extraction is locked out, so nobody waits for this lock.
            return remove_file(&path).map(|()| false);
        }
        let lease = File::open(&path).map_err(|e| io_error("open", &path, &e))?;
        if lease.try_lock().is_err() {
            return Ok(false);
        }
        // Out of sight in one step; a leftover in `tmp/` is swept.
        let doomed = self.dir().join("tmp").join(format!("gc-{}-{name}", std::process::id()));
        fs::rename(&path, &doomed).map_err(|e| io_error("remove", &path, &e))?;
        remove_tree(&doomed).map_err(|e| io_error("remove", &doomed, &e))?;
        Ok(true)
    }
}

/// Names of what must stay.
#[derive(Default)]
struct Live {
    blobs: BTreeSet<String>,
    chains: BTreeSet<String>,
}

impl Live {
    /// Marks a manifest or index and all it refers to. What does not read keeps nothing but itself.
    fn mark(&mut self, store: &ImageStore, digest: &Digest) {
        if !self.blobs.insert(digest.hex().to_owned()) {
            return;
        }
        let Ok(root) = store.read_json_blob(digest) else { return };
        for inner in array(root.get("manifests")) {
            if let Ok(inner) = descriptor_digest(Some(inner)) {
                self.mark(store, &inner);
            }
        }
        let referred = root.get("config").into_iter().chain(array(root.get("layers")));
        self.blobs.extend(referred.filter_map(|d: &Value| descriptor_digest(Some(d)).ok()).map(|d| d.hex().to_owned()));
        if let Ok(image) = store.image(digest) {
            self.chains.extend(image.layers.iter().map(|layer| layer.chain_id.hex().to_owned()));
        }
    }
}

fn entries(dir: &Path) -> Result<Vec<DirEntry>, Diagnostic> {
    let read = fs::read_dir(dir).and_then(Iterator::collect);
    read.map_err(|e| io_error("read", dir, &e))
}

fn name(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

fn remove_file(path: &Path) -> Result<(), Diagnostic> {
    fs::remove_file(path).map_err(|e| io_error("remove", path, &e))
}
