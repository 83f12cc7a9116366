//! The steps that change what is on disk, one by one.
//!
//! Invariant: whatever changes a file or folder goes through [`Disk`], so that tests can make each step fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

const FILE_MODE: u32 = 0o600;

/// One method for each step.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Makes a file that does not exist, for its owner alone.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all bytes at an offset.
    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the file's bytes survive a crash.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of the file that had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Returns when the folder's names survive a crash.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// How many bytes the file system of a folder has left.
    fn available(&self, folder: &Path) -> io::Result<u64>;
}

/// The system's.
#[derive(Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)
    }

    fn write(&self, file: &File, _: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File, _: &Path) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn available(&self, folder: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// Opens a file to read it; a symbolic link is not followed.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}
