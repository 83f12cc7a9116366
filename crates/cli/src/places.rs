//! Where things are on this machine: the data directory, throw-away directories.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;

use crate::codes;
use crate::outcome::{Failure, Outcome};

/// The data directory where the user names none: `$XDG_DATA_HOME/neargate`, `~/.local/share/neargate`.
pub(crate) fn data_dir() -> Outcome<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("neargate")).ok_or_else(|| {
        let message = "there is no place for the engine's data: neither `XDG_DATA_HOME` nor `HOME` is set";
        Failure::usage(Diagnostic::error(codes::FILE, message).hint("name a directory with `--data-dir`"))
    })
}

/// An absolute path without asking the disk.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A failed file operation.
pub(crate) fn file_error(verb: &str, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(codes::FILE, format!("cannot {verb} `{}`: {error}", path.display()))
}

/// Reads a text file that the user named.
pub(crate) fn read_text(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| Failure::usage(file_error("read", path, &error)))
}

/// Reads all of stdin as text.
pub(crate) fn read_stdin() -> Outcome<String> {
    let stdin = Path::new("stdin");
    std::io::read_to_string(std::io::stdin()).map_err(|error| Failure::usage(file_error("read", stdin, &error)))
}

/// A directory that is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct ThrowAway {
    path: PathBuf,
    /// Locked as long as somebody uses the directory.
    _lock: File,
}

impl ThrowAway {
    /// A new directory that only this user may enter, under `$TMPDIR` or `/tmp`.
    pub(crate) fn new(purpose: &str) -> Outcome<Self> {
        let base = std::env::temp_dir();
        for attempt in 0..1000 {
            let path = base.join(format!("neargate-{purpose}-{}-{attempt}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = lock(&path).map_err(|error| file_error("lock", &path, &error))?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(file_error("create", &path, &error)
                        .hint("set `TMPDIR` to a directory you may write to")
                        .into());
                }
            }
        }
        let message = format!("too many directories `neargate-{purpose}-…` in `{}`", base.display());
        Err(Failure::failed(Diagnostic::error(codes::FILE, message).hint("remove those of earlier runs")))
    }

    /// This user's directories of that purpose whose process was killed.
    pub(crate) fn abandoned(purpose: &str) -> Vec<Self> {
        let prefix = format!("neargate-{purpose}-");
        let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
        let own = named.map(|entry| entry.path()).filter(|path| is_own_directory(path));
        own.filter_map(|path| Some(Self { _lock: lock(&path).ok()?, path })).collect()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now, and says so where that fails.
    pub(crate) fn remove(self) -> Outcome<()> {
        fs::remove_dir_all(&self.path).map_err(|error| Failure::failed(file_error("remove", &self.path, &error)))
    }
}

fn lock(directory: &Path) -> std::io::Result<File> {
    let file = File::open(directory)?;
    file.try_lock()?;
    Ok(file)
}

/// Whether this user, and no other, has made the directory: others may write to `/tmp`, too.
fn is_own_directory(path: &Path) -> bool {
    let own = fs::metadata("/proc/self").map(|process| process.uid());
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && own.is_ok_and(|own| own == found.uid()))
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // Already removed, or the way to here has said what is wrong.
        let _ = fs::remove_dir_all(&self.path);
    }
}
