//! Removing trees that strangers made, however deep, also where their modes forbid it to an ordinary user.
//!
//! A directory that is not empty is moved up to the top before it is looked into, so that two open directories and short
//! paths do for any depth.
//!
//! Invariant: never follows a symbolic link.
//!
//! Invariant: memory and open files do not grow with the tree.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Removes a directory and all in it.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut up = Up { top: path, next: 0 };
    open(path)?;
    while up.clear(path, true)? {}
    fs::remove_dir(path)
}

/// Where directories are moved to.
struct Up<'a> {
    top: &'a Path,
    next: u64,
}

impl Up<'_> {
    /// Empties a directory: of what it holds nothing is left but, in the top one, directories that were not empty.
    /// Answers whether anything was there.
    fn clear(&mut self, directory: &Path, is_top: bool) -> io::Result<bool> {
        let mut found = false;
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            found = true;
            let path = entry.path();
            if !entry.file_type()?.is_dir() {
                gone(fs::remove_file(&path))?;
            } else if is_top {
                open(&path)?;
                while self.clear(&path, false)? {}
                fs::remove_dir(&path)?;
            } else if let Err(error) = fs::remove_dir(&path) {
                match error.kind() {
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => self.move_up(&path)?,
                    _ => return Err(error),
                }
            }
        }
        Ok(found)
    }

    fn move_up(&mut self, path: &Path) -> io::Result<()> {
        // Moving a directory writes to it, for its `..` changes.
        open(path)?;
        loop {
            let target: PathBuf = self.top.join(format!(".removed-{}", self.next));
            self.next += 1;
            match fs::rename(path, &target) {
                Ok(()) => return Ok(()),
                // Something has the name.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
                // An overlay does not move what a lower layer has.
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => return remove_in_place(path),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Makes a directory writable for its owner, where it is not.
fn open(path: &Path) -> io::Result<()> {
    let mode = fs::symlink_metadata(path)?.permissions().mode();
    if mode & 0o700 == 0o700 { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(mode | 0o700)) }
}

fn gone(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn remove_in_place(path: &Path) -> io::Result<()> {
    open(path)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_in_place(&entry.path())?;
        } else {
            gone(fs::remove_file(entry.path()))?;
        }
    }
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_deeper_than_a_path_can_say_is_removed() {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

        let dir = tempfile::tempdir().unwrap();
        let (top, beside) = (dir.path().join("top"), dir.path().join("beside"));
        fs::create_dir(&top).unwrap();
        fs::write(&beside, "kept").unwrap();
        std::os::unix::fs::symlink(&beside, top.join("link")).unwrap();
        fs::write(top.join(".removed-0"), "has a name of ours").unwrap();
        fs::create_dir_all(top.join(".removed-1/and/more")).unwrap();
        let flags = OFlags::DIRECTORY | OFlags::RDONLY;
        let mut here = openat(CWD, &top, flags, Mode::empty()).unwrap();
        for _ in 0..6000 {
            mkdirat(&here, "deep", Mode::RWXU).unwrap();
            std::os::unix::fs::symlink("/", top.join("deep/root")).ok();
            here = openat(&here, "deep", flags, Mode::empty()).unwrap();
        }
        drop(here);
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        assert_eq!(fs::read_to_string(beside).unwrap(), "kept");
    }

    #[test]
    fn a_link_is_no_tree() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("kept")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("kept"), dir.path().join("link")).unwrap();
        assert!(remove_tree(&dir.path().join("link")).is_err());
        assert_eq!(remove_tree(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(dir.path().join("kept").is_dir());
    }
}
