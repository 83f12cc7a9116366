//! The data directory: what the engine keeps, where, and that only one engine keeps it.
//!
//! ```text
//! lock            held while an engine runs; holds its process id
//! state.sqlite    rows of the state, and meta: format version, instance id
//! segments/       append-only byte runs: log events
//! images/         the OCI image store and unpacked layers
//! tasks/          one folder a task: intent, overlay, spool, exit records
//! ```

mod journal;
pub(crate) mod root_key;
mod segments;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use neargate_base::{Code, Diagnostic};

pub(crate) use journal::SqliteJournal;
pub(crate) use segments::DiskSegments;

/// An open, locked data directory.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if need be and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, Diagnostic> {
        let shown = path.display();
        let cannot = |cause: std::io::Error| {
            Diagnostic::error(Code("NG-E0101"), format!("cannot use the data directory: {cause}"))
                .at(shown.to_string())
                .hint("name a directory you may write to with `--data-dir`")
        };
        for folder in ["", "segments", "images", "tasks"] {
            fs::create_dir_all(path.join(folder)).map_err(cannot)?;
        }
        let mut options = OpenOptions::new();
        let lock =
            options.read(true).write(true).create(true).truncate(false).open(path.join("lock")).map_err(cannot)?;
        let lock = Self::take(lock, path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    fn take(mut lock: File, path: &Path) -> Result<File, Diagnostic> {
        if lock.try_lock().is_err() {
            let mut owner = String::new();
            let _ = lock.read_to_string(&mut owner);
            let who = if owner.trim().is_empty() { String::new() } else { format!(" by process {}", owner.trim()) };
            return Err(Diagnostic::error(Code("NG-E0102"), format!("the data directory is in use{who}"))
                .at(path.display().to_string())
                .hint("stop the other engine with `neargate down`, or choose another directory with `--data-dir`"));
        }
        let written =
            lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{}", std::process::id()));
        match written {
            Ok(()) => Ok(lock),
            Err(cause) => Err(Diagnostic::error(Code("NG-E0101"), format!("cannot use the data directory: {cause}"))
                .at(path.display().to_string())),
        }
    }

    /// The journal in it.
    pub(crate) fn journal(&self) -> Result<SqliteJournal, Diagnostic> {
        let file = self.path.join("state.sqlite");
        SqliteJournal::open(&file).map_err(|error| {
            Diagnostic::error(Code("NG-E0103"), format!("cannot read the engine's state: {error}"))
                .at(file.display().to_string())
                .hint("nothing was changed; keep a copy, or start afresh with `neargate down --purge` or another `--data-dir`")
        })
    }

    /// The segments in it.
    pub(crate) fn segments(&self) -> DiskSegments {
        DiskSegments::new(self.path.join("segments"))
    }
}
