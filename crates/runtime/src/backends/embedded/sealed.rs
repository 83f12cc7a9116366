//! The program of the shims, sealed.
//!
//! A shim, and the init process of a container, runs from a copy of the program in memory that nobody can write to, not even who
//! reaches it through `/proc`.
//!
//! Invariant: what runs is what was copied: the seals come before the first run.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// A sealed copy of a program.
#[derive(Clone, Debug)]
pub(super) struct Sealed(Arc<OwnedFd>);

/// What tells a file from one that has replaced it.
type Identity = (PathBuf, u64, u64, u64, i64, i64);

/// The copies of this process, one for each program.
static COPIES: Mutex<Vec<(Identity, Sealed)>> = Mutex::new(Vec::new());

impl Sealed {
    /// A copy of a program, made once.
    pub(super) fn copy_of(program: &Path) -> io::Result<Self> {
        let mut from = File::open(program)?;
        let meta = from.metadata()?;
        let identity = (program.to_owned(), meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec());
        // The list is whole whatever panicked: a copy is added when it is made.
        let mut copies = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, copy)) = copies.iter().find(|(known, _)| *known == identity) {
            return Ok(copy.clone());
        }
        let mut to = File::from(create()?);
        io::copy(&mut from, &mut to)?;
        fcntl_add_seals(&to, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        let copy = Self(Arc::new(to.into()));
        copies.retain(|((path, ..), _)| path != program);
        copies.push((identity, copy.clone()));
        Ok(copy)
    }

    /// By which this process, and what it forks, executes the copy.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

fn create() -> rustix::io::Result<OwnedFd> {
    // Says that it is to be executed, which Linux 6.3 and later may ask for and earlier ones do not know.
    const EXECUTABLE: MemfdFlags = MemfdFlags::from_bits_retain(0x10);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("neargate", flags | EXECUTABLE) {
        Err(Errno::INVAL) => memfd_create("neargate", flags),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_copy_runs_and_cannot_be_written_to() {
        let copy = Sealed::copy_of(Path::new("/bin/true")).unwrap();
        assert!(std::process::Command::new(copy.path()).status().unwrap().success());
        let mut again = std::fs::OpenOptions::new().write(true).open(copy.path()).unwrap();
        assert_eq!(again.write(b"x").unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(again.set_len(0).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(std::fs::read(copy.path()).unwrap(), std::fs::read("/bin/true").unwrap());
    }

    #[test]
    fn a_program_is_copied_once_and_again_when_it_was_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        std::fs::copy("/bin/true", &program).unwrap();
        let (first, second) = (Sealed::copy_of(&program).unwrap(), Sealed::copy_of(&program).unwrap());
        assert!(Arc::ptr_eq(&first.0, &second.0));
        std::fs::remove_file(&program).unwrap();
        std::fs::copy("/bin/false", &program).unwrap();
        let third = Sealed::copy_of(&program).unwrap();
        assert!(!Arc::ptr_eq(&first.0, &third.0));
        assert!(!std::process::Command::new(third.path()).status().unwrap().success());
    }
}
