//! Modes and times of a layer's directories, which are set when everything is in them.
//!
//! Where directories were made is written to a file in scratch space, each path as its difference from the next; what they are
//! to become is 24 bytes for each. Read backwards, the file names every directory before those that it lies in.
//!
//! Invariant: memory is bounded by the number of directories alone, not by their names or attributes.
//!
//! Invariant: no symbolic link is followed, and nothing is changed that this layer did not make.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use rustix::fs::{Mode, OFlags, ResolveFlags, Timespec, Timestamps, futimens, openat2};
use rustix::io::Errno;

use super::super::codes::io_error;
use super::super::store::Scratch;
use super::apply::over_limit;

const TRAILER_BYTES: usize = 4;

/// What waits to be set.
pub(super) struct Directories {
    file: PathBuf,
    made: BufWriter<File>,
    made_bytes: u64,
    /// The directory made last, in `upper`.
    last: Vec<u8>,
    waiting: Vec<Waiting>,
    waiting_max: u64,
}

/// What a directory gets; of several for one directory the last.
struct Waiting {
    inode: u64,
    mtime_s: i64,
    mtime_ns: u32,
    mode: u32,
}

impl Directories {
    pub(super) fn new(scratch: &Scratch, waiting_max: u64) -> Result<Self, Diagnostic> {
        let (file, made) = scratch.file()?;
        let made = BufWriter::with_capacity(1 << 16, made);
        Ok(Self { file, made, made_bytes: 0, last: vec![], waiting: vec![], waiting_max })
    }

    /// A directory was made at this path of `upper`.
    pub(super) fn made(&mut self, path: &Path) -> Result<(), Diagnostic> {
        let path = path.as_os_str().as_bytes();
        let shared = path.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        self.write(shared)?;
        self.last = path.to_vec();
        Ok(())
    }

    /// What the directory at `path` is to become.
    pub(super) fn set(&mut self, path: &Path, mode: u32, mtime_s: i64, mtime_ns: u32) -> Result<(), Diagnostic> {
        if self.waiting.len() as u64 >= self.waiting_max {
            return Err(over_limit(&format!("it has more than {} directories", self.waiting_max)));
        }
        let inode = fs::symlink_metadata(path).map_err(|e| io_error("read", path, &e))?.ino();
        self.waiting.push(Waiting { inode, mtime_s, mtime_ns, mode });
        Ok(())
    }

    /// Sets everything.
    pub(super) fn finish(mut self, upper: &Path) -> Result<(), Diagnostic> {
        self.write(0)?;
        self.made.flush().map_err(|e| io_error("write", &self.file, &e))?;
        // The last one of each directory comes first, and only that stays.
        self.waiting.reverse();
        self.waiting.sort_by_key(|waiting| waiting.inode);
        self.waiting.dedup_by_key(|waiting| waiting.inode);
        let root = File::open(upper).map_err(|e| io_error("open", upper, &e))?;
        let mut path = Vec::new();
        let mut end = self.made_bytes;
        while end > 0 {
            end = self.before(end, &mut path).map_err(|e| io_error("read", &self.file, &e))?;
            self.settle(&root, &path).map_err(|e| io_error("extract", &upper.join(as_path(&path)), &e))?;
        }
        self.settle(&root, b"").map_err(|e| io_error("extract", upper, &e))
    }

    /// Writes what the path made last has beyond the first `shared` bytes, which the next one has too.
    fn write(&mut self, shared: usize) -> Result<(), Diagnostic> {
        if self.last.is_empty() {
            return Ok(());
        }
        let rest = self.last.get(shared..).unwrap_or_default();
        let length = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX).to_le_bytes();
        let trailer = [length(shared), length(rest.len())].concat();
        let written = self.made.write_all(rest).and_then(|()| self.made.write_all(&trailer));
        written.map_err(|e| io_error("write", &self.file, &e))?;
        self.made_bytes += (rest.len() + TRAILER_BYTES) as u64;
        Ok(())
    }

    /// Makes `path`, read from what ends at `end` on, the one that ends there; answers where that begins.
    fn before(&self, end: u64, path: &mut Vec<u8>) -> io::Result<u64> {
        let file = self.made.get_ref();
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let at = end.checked_sub(TRAILER_BYTES as u64).ok_or_else(short)?;
        let mut trailer = [0_u8; TRAILER_BYTES];
        file.read_exact_at(&mut trailer, at)?;
        let [a, b, c, d] = trailer;
        let (shared, length) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let begin = at.checked_sub(u64::from(length)).ok_or_else(short)?;
        let mut rest = vec![0_u8; usize::from(length)];
        file.read_exact_at(&mut rest, begin)?;
        path.truncate(usize::from(shared));
        path.extend(rest);
        Ok(begin)
    }

    /// Gives the directory at this path of `root` what waits for it, where it is still there.
    fn settle(&self, root: &File, path: &[u8]) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let name = if path.is_empty() { Path::new(".") } else { as_path(path) };
        let directory = match openat2(root, name, flags, Mode::empty(), how) {
            Ok(directory) => File::from(directory),
            // Removed again, or made again later and settled already.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let inode = directory.metadata()?.ino();
        let Ok(index) = self.waiting.binary_search_by_key(&inode, |waiting| waiting.inode) else { return Ok(()) };
        let Some(waiting) = self.waiting.get(index) else { return Ok(()) };
        directory.set_permissions(Permissions::from_mode(waiting.mode))?;
        let time = Timespec { tv_sec: waiting.mtime_s, tv_nsec: waiting.mtime_ns.into() };
        Ok(futimens(&directory, &Timestamps { last_access: time, last_modification: time })?)
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
