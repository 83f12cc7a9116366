//! Throw-away directories beside the data, for what is tried there before anything is made.
//!
//! They lie on a disk, so one may outlive its process, and after a cut of the power its machine's whole numbering of processes.
//!
//! - Invariant: a name cannot be foreseen and is never taken twice, so that nothing left behind is in anybody's way.
//! - Invariant: what is left behind is removed by the next one there; what is in use, or another user's, is not touched.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How often a directory is made that another one's sweep takes for a leftover before it is locked.
const ATTEMPTS_MAX: u32 = 10;
const SUFFIX_LENGTH: usize = 8;

/// A directory that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    /// Locked while it is in use.
    _lock: File,
}

impl Scratch {
    /// Where a directory of that purpose and suffix is.
    pub(super) fn place(parent: &Path, purpose: &str, suffix: &str) -> PathBuf {
        parent.join(format!(".neargate-{purpose}-{suffix}"))
    }

    /// Makes one that only this user may enter, after removing those that were left behind. Answers with its suffix too.
    pub(super) fn new(parent: &Path, purpose: &str) -> io::Result<(Self, String)> {
        sweep(parent, purpose);
        for _ in 0..ATTEMPTS_MAX {
            let mut random = [0; SUFFIX_LENGTH / 2];
            crate::secret::fill_random(&mut random)?;
            let suffix: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let path = Self::place(parent, purpose, &suffix);
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            if let Some(lock) = locked(&path)? {
                return Ok((Self { path, _lock: lock }, suffix));
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The directory's lock, if it is there and nobody has it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let flags = (rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // It may have been removed while it was being locked.
    let is_there = fs::symlink_metadata(path).is_ok_and(|now| file.metadata().is_ok_and(|own| own.ino() == now.ino()));
    Ok(is_there.then_some(file))
}

/// Removes this user's directories of that purpose that nobody uses.
fn sweep(parent: &Path, purpose: &str) {
    let prefix = format!(".neargate-{purpose}-");
    let is_suffix = |text: &str| text.len() == SUFFIX_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named = name.to_str().and_then(|name| name.strip_prefix(&prefix)).is_some_and(is_suffix);
        let is_own = |meta: fs::Metadata| meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw();
        if !is_named || !entry.metadata().is_ok_and(is_own) {
            continue;
        }
        if let Ok(Some(_lock)) = locked(&entry.path()) {
            // What cannot be removed now is found again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_in_nobodys_way_and_goes() {
        let parent = tempfile::tempdir().unwrap();
        let names = || {
            let mut names: Vec<String> =
                fs::read_dir(parent.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let (first, suffix) = Scratch::new(parent.path(), "try").unwrap();
        assert_eq!(first.path(), Scratch::place(parent.path(), "try", &suffix));
        assert_eq!(fs::metadata(first.path()).unwrap().mode() & 0o777, 0o700);
        // As a process leaves it that is killed: there, with something in it, and unlocked.
        let left = Scratch::place(parent.path(), "try", "0123abcd");
        fs::create_dir_all(left.join("layer/deep")).unwrap();
        // None of ours: other purposes, other names, what is no directory.
        for name in [".neargate-other-0123abcd", ".neargate-try-mine", "try-0123abcd"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink(parent.path(), parent.path().join(".neargate-try-fedcba98")).unwrap();
        let (second, _) = Scratch::new(parent.path(), "try").unwrap();
        assert!(!left.exists() && first.path().exists() && second.path().exists());
        drop((first, second));
        assert_eq!(
            names(),
            [".neargate-other-0123abcd", ".neargate-try-fedcba98", ".neargate-try-mine", "try-0123abcd"]
        );
    }
}
