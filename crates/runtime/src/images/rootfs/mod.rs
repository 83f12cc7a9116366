//! Root file systems: the layers of an image extracted once each, as lower directories for overlayfs.
//!
//! A layer is extracted under its chain id, that is, for the layers it was made on: paths through symbolic links and
//! directories it does not mention itself come out as in the merged tree. Without the right to set `trusted.*` attributes
//! (a user namespace) opaque directories are marked in `user.*`, in a directory of their own, and [`RootFs::userxattr`] says
//! that the mount needs the option of that name.
//!
//! Invariant: however many ask, one archive is unpacked at a time, so that the memory it takes is taken once.
//!
//! Invariant: a directory under `layers/` is complete, its digests verified, its content on disk.
//!
//! Invariant: a layer is not collected while a [`RootFs`] that uses it lives, in whatever process.

mod apply;
mod attributes;
mod directories;
mod merged;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use neargate_base::Diagnostic;

use super::archive::{Archive, unreadable};
use super::blobs::mismatch;
use super::codes::io_error;
use super::compression::plain;
use super::digest::{Digest, HashingReader};
use super::image::{Image, Layer};
use super::removal::remove_tree;
use super::store::{ImageStore, Scratch, lock_exclusive, sync_dir};
use crate::crash;
use apply::Applier;
pub(crate) use apply::require_room;
use attributes::Marks;

/// Bounds on what one layer may do to this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the uncompressed layer.
    pub layer_bytes_max: u64,
    /// Files, directories and links in it.
    pub layer_entries_max: u64,
    /// Directories among them, each time one is mentioned.
    pub layer_directories_max: u64,
    /// Bytes that must stay free on the store's file system.
    pub free_bytes_min: u64,
}

/// 200 GiB (the most ephemeral storage a task can have), two million entries of which a million are directories, 256 MiB left
/// free.
impl Default for Limits {
    fn default() -> Self {
        Self {
            layer_bytes_max: 200 << 30,
            layer_entries_max: 2_000_000,
            layer_directories_max: 1_000_000,
            free_bytes_min: 256 << 20,
        }
    }
}

/// What overlayfs needs to show an image's files.
#[derive(Debug)]
pub struct RootFs {
    /// Directories for `lowerdir`, top first; at least one. Paths may hold any byte but NUL: escape `\`, `:` and `,`.
    pub lower_dirs: Vec<PathBuf>,
    /// Whether the mount needs the option `userxattr`.
    pub userxattr: bool,
    /// What could not be kept of a layer extracted just now: device files, ownership without privilege.
    pub notes: Vec<Diagnostic>,
    leases: Vec<File>,
}

impl RootFs {
    /// The open directories whose shared locks keep the layers. A process that outlives this one keeps them by inheriting these.
    pub fn leases(&self) -> &[File] {
        &self.leases
    }
}

/// Finds or extracts every layer of `image`. What must be extracted goes to `front`, whichever store has the blob.
pub(crate) fn extract(
    front: &ImageStore,
    stores: &[&ImageStore],
    image: &Image,
    limits: &Limits,
) -> Result<RootFs, Diagnostic> {
    let scratch = front.scratch()?;
    let marks = Marks::probe(&scratch)?;
    let mut rootfs = RootFs { lower_dirs: vec![], userxattr: marks == Marks::User, notes: vec![], leases: vec![] };
    let job = Job { front, stores, limits, marks, scratch };
    for layer in &image.layers {
        let (dir, lease) = match job.find(&layer.chain_id) {
            Some(found) => found,
            None => job.extract(layer, &mut rootfs)?,
        };
        rootfs.lower_dirs.insert(0, dir);
        rootfs.leases.push(lease);
    }
    if rootfs.lower_dirs.is_empty() {
        let empty = front.dir().join(marks.layers_dir()).join("empty");
        fs::create_dir_all(&empty).map_err(|e| io_error("create", &empty, &e))?;
        rootfs.lower_dirs.push(empty);
    }
    Ok(rootfs)
}

/// The directories that can hold extracted layers.
pub(crate) const LAYER_DIRS: [&str; 2] = [Marks::Trusted.layers_dir(), Marks::User.layers_dir()];

struct Job<'a> {
    front: &'a ImageStore,
    stores: &'a [&'a ImageStore],
    limits: &'a Limits,
    marks: Marks,
    scratch: Scratch,
}

impl Job<'_> {
    /// The extracted layer in any of the stores, and a lease on it.
    fn find(&self, chain_id: &Digest) -> Option<(PathBuf, File)> {
        self.stores.iter().find_map(|store| {
            // A store that cannot be locked is passed over: its layers might go away.
            let _work = store.work_lock().ok()?;
            let dir = store.dir().join(self.marks.layers_dir()).join(chain_id.hex());
            lease(&dir).ok().map(|lease| (dir, lease))
        })
    }

    fn extract(&self, layer: &Layer, rootfs: &mut RootFs) -> Result<(PathBuf, File), Diagnostic> {
        let layers = self.front.dir().join(self.marks.layers_dir());
        let target = layers.join(layer.chain_id.hex());
        // Layers hold set-user-id programs: nobody else may reach them through the store.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&layers);
        made.map_err(|e| io_error("create", &layers, &e))?;
        let _lock = lock_exclusive(&layers.join(format!("{}.lock", layer.chain_id.hex())))?;
        if !target.is_dir() {
            let upper = self.scratch.fresh();
            fs::create_dir(&upper).map_err(|e| io_error("create", &upper, &e))?;
            crash::point();
            let extracted = self.unpack(layer, &upper, &rootfs.lower_dirs);
            match extracted {
                Ok(notes) => rootfs.notes.extend(notes),
                Err(problem) => {
                    let _ = remove_tree(&upper);
                    return Err(problem.at(format!("layer {}", layer.digest)));
                }
            }
            crash::point();
            attributes::sync_file_system(&upper).map_err(|e| io_error("write", &upper, &e))?;
            fs::rename(&upper, &target).map_err(|e| io_error("create", &target, &e))?;
            crash::point();
            sync_dir(&layers)?;
        }
        let lease = lease(&target).map_err(|e| io_error("lock", &target, &e))?;
        Ok((target, lease))
    }

    /// Extracts a layer into `upper` and verifies both its digests.
    fn unpack(&self, layer: &Layer, upper: &Path, lower_dirs: &[PathBuf]) -> Result<Vec<Diagnostic>, Diagnostic> {
        let _turn = turn();
        let holder = self.stores.iter().find(|store| store.has_blob(&layer.digest)).unwrap_or(&self.front);
        let mut blob = HashingReader::new(holder.open_blob(&layer.digest)?);
        let outcome = self.apply(&mut blob, upper, lower_dirs);
        // A damaged blob explains whatever went wrong in it.
        let path = holder.blob_path(&layer.digest);
        io::copy(&mut blob, &mut io::sink()).map_err(|e| io_error("read", &path, &e))?;
        let (actual, _) = blob.finish();
        if actual != layer.digest {
            return Err(mismatch(&layer.digest, &actual));
        }
        let (notes, diff_id) = outcome?;
        if diff_id == layer.diff_id { Ok(notes) } else { Err(mismatch(&layer.diff_id, &diff_id)) }
    }

    fn apply(
        &self,
        blob: &mut HashingReader<File>,
        upper: &Path,
        lower_dirs: &[PathBuf],
    ) -> Result<(Vec<Diagnostic>, Digest), Diagnostic> {
        let mut tar = HashingReader::limited(plain(blob).map_err(|e| unreadable(&e))?, self.limits.layer_bytes_max);
        let mut applier = Applier::new(upper, lower_dirs, self.marks, self.limits, &self.scratch)?;
        let mut outcome = applier.apply(&mut Archive::new(&mut tar));
        if outcome.is_ok()
            && let Err(error) = io::copy(&mut tar, &mut io::sink())
        {
            outcome = Err(unreadable(&error));
        }
        if tar.exceeded() {
            return Err(apply::over_limit(&format!("it unpacks to more than {} bytes", self.limits.layer_bytes_max)));
        }
        outcome?;
        Ok((applier.finish()?, tar.finish().0))
    }
}

/// Waits until this process unpacks nothing else.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static UNPACKING: Mutex<()> = Mutex::new(());
    UNPACKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a layer's directory and shares its lock.
fn lease(dir: &Path) -> io::Result<File> {
    let lease = File::open(dir)?;
    lease.lock_shared()?;
    Ok(lease)
}
