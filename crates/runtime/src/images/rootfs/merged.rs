//! The tree that overlayfs would show of some layers, looked up without mounting it.
//!
//! Invariant: never follows a symbolic link by itself; a lookup is one name in directories already found.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::attributes::Marks;

/// The roots of some layers, top first. The first is the one being extracted.
#[derive(Debug)]
pub(super) struct Tree {
    roots: Vec<PathBuf>,
    marks: Marks,
}

/// A directory of the merged tree: which layers have a part in it, top first. Its path is the same in all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) layers: Vec<u16>,
}

/// What a name in the merged tree is.
pub(super) enum Found {
    /// Not there, or removed by a whiteout.
    Nothing,
    /// A file, link or device, in the topmost layer that has it.
    Other { layer: u16, path: PathBuf, metadata: Metadata },
    /// A directory, and the layers that make it up, top first.
    Directory(Vec<u16>),
}

/// The layer that is being extracted.
pub(super) const UPPER: u16 = 0;

impl Tree {
    pub(super) fn new(roots: Vec<PathBuf>, marks: Marks) -> Self {
        Self { roots, marks }
    }

    pub(super) fn marks(&self) -> Marks {
        self.marks
    }

    pub(super) fn root(&self) -> Place {
        let layers = (0..self.roots.len()).filter_map(|index| u16::try_from(index).ok());
        Place { path: PathBuf::new(), layers: layers.collect() }
    }

    /// Where a layer has a name of a place.
    pub(super) fn path(&self, layer: u16, place: &Place, name: &OsStr) -> PathBuf {
        let root = self.roots.get(usize::from(layer)).map_or(Path::new(""), PathBuf::as_path);
        root.join(&place.path).join(name)
    }

    /// Looks `name` up in the parts of `place` that the given layers have.
    pub(super) fn child(&self, place: &Place, layers: &[u16], name: &OsStr) -> io::Result<Found> {
        let mut found = Vec::new();
        for layer in layers {
            let path = self.path(*layer, place, name);
            let Some(metadata) = look(&path)? else { continue };
            if metadata.is_dir() {
                found.push(*layer);
                if self.marks.is_opaque(&path) {
                    break;
                }
            } else if found.is_empty() && !is_whiteout(&metadata) {
                return Ok(Found::Other { layer: *layer, path, metadata });
            } else {
                break;
            }
        }
        Ok(if found.is_empty() { Found::Nothing } else { Found::Directory(found) })
    }
}

/// What is at `path` itself, if anything.
pub(super) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether overlayfs takes it for a removal.
pub(super) fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}
