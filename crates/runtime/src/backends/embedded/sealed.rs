//! The program of the shims, sealed.
//!
//! A shim, and the init process of a container, runs from a copy of the program in memory that nobody can write to, not even who
//! reaches it through `/proc`.
//!
//! Invariant: what runs is what was copied: the seals come before the first run.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
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
        let from = File::open(program)?;
        let meta = from.metadata()?;
        let identity = (program.to_owned(), meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec());
        // The list is whole whatever panicked: a copy is added when it is made.
        let mut copies = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, copy)) = copies.iter().find(|(known, _)| *known == identity) {
            return Ok(copy.clone());
        }
        let mut to = File::from(create()?);
        let len = loaded_bytes(&from)?.unwrap_or(meta.size());
        if io::copy(&mut from.take(len), &mut to)? != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        seal(&to)?;
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

/// A program in a file in memory that nobody can write to.
pub(super) fn file(content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(create()?);
    io::Write::write_all(&mut file, content)?;
    seal(&file)?;
    // What is open for writing cannot be executed.
    Ok(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into())
}

/// How often a file is sealed again whose pages something else in the kernel holds: each time waits about 150 ms for that.
const SEAL_ATTEMPTS_MAX: u32 = 20;

/// On a busy machine the kernel's own lists hold pages just written, and a file with such pages is refused as busy.
fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    let mut sealed = fcntl_add_seals(file, seals);
    for _ in 1..SEAL_ATTEMPTS_MAX {
        if sealed != Err(Errno::BUSY) {
            break;
        }
        sealed = fcntl_add_seals(file, seals);
    }
    Ok(sealed?)
}

/// How much of a 64-bit ELF file is used when it runs: all segments. What tells debuggers more lies behind them.
fn loaded_bytes(file: &File) -> io::Result<Option<u64>> {
    const HEADER_BYTES: usize = 64;
    const ENTRY_BYTES: usize = 56;
    let mut header = [0; HEADER_BYTES];
    if file.read_exact_at(&mut header, 0).is_err() {
        return Ok(None);
    }
    let numbers = (number(&header, 32, 8), number(&header, 54, 2), number(&header, 56, 2));
    let (Some(offset), Some(entry_bytes), Some(entries)) = numbers else { return Ok(None) };
    let native = header.starts_with(&[0x7f, b'E', b'L', b'F', 2, if cfg!(target_endian = "little") { 1 } else { 2 }]);
    if !native || entry_bytes != ENTRY_BYTES as u64 {
        return Ok(None);
    }
    let mut end = 0;
    for entry in 0..entries {
        let mut segment = [0; ENTRY_BYTES];
        file.read_exact_at(&mut segment, offset.saturating_add(entry * entry_bytes))?;
        let (Some(offset), Some(len)) = (number(&segment, 8, 8), number(&segment, 32, 8)) else { return Ok(None) };
        end = end.max(offset.saturating_add(len));
    }
    Ok((end > 0).then_some(end))
}

/// A number of this machine's byte order.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(len)?)?;
    let mut wide = [0; 8];
    let place = if cfg!(target_endian = "little") { wide.get_mut(..len)? } else { wide.get_mut(8 - len..)? };
    place.copy_from_slice(field);
    Some(u64::from_ne_bytes(wide))
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
        assert!(std::fs::read("/bin/true").unwrap().starts_with(&std::fs::read(copy.path()).unwrap()));
    }

    #[test]
    fn what_only_debuggers_read_is_not_copied() {
        let own = std::env::current_exe().unwrap();
        let copy = Sealed::copy_of(&own).unwrap();
        assert!(std::fs::metadata(copy.path()).unwrap().len() < std::fs::metadata(&own).unwrap().len() * 2 / 3);
        assert!(std::process::Command::new(copy.path()).arg("--list").output().unwrap().status.success());
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), "#!/bin/sh\n".repeat(10)).unwrap();
        assert_eq!(loaded_bytes(script.as_file()).unwrap(), None);
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
