//! The tree that overlayfs would show of some layers, looked up without mounting it.
//!
//! Invariant: never follows a symbolic link by itself; a lookup is one name in directories already found.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::attributes::Marks;

/// What a name in the merged tree is.
pub(super) enum Found {
    /// Not there, or removed by a whiteout.
    Nothing,
    /// A file, link or device, in the topmost layer that has it.
    Other(PathBuf, Metadata),
    /// A directory, and the directories of all layers that make it up, top first.
    Directories(Vec<PathBuf>),
}

/// Looks `name` up in a merged directory.
pub(super) fn child(directories: &[PathBuf], name: &OsStr, marks: Marks) -> io::Result<Found> {
    let mut found = Vec::new();
    for directory in directories {
        let path = directory.join(name);
        let Some(metadata) = look(&path)? else { continue };
        if metadata.is_dir() {
            let opaque = marks.is_opaque(&path);
            found.push(path);
            if opaque {
                break;
            }
        } else if found.is_empty() && !is_whiteout(&metadata) {
            return Ok(Found::Other(path, metadata));
        } else {
            break;
        }
    }
    Ok(if found.is_empty() { Found::Nothing } else { Found::Directories(found) })
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
