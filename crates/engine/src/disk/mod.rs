//! The data directory: what the engine keeps, where, and that only one engine keeps it.
//!
//! ```text
//! neargate-data   the marker: this directory is ours; holds the instance's id
//! lock            held while an engine runs; holds its process id and the port of its endpoint
//! state.sqlite    rows of the state, and meta: format version, instance id
//! segments/       append-only byte runs: log events
//! images/         the OCI image store and unpacked layers
//! runtime/        a folder a task: ephemeral storage, output, exit records
//! tasks/          empty; versions before kept tasks there
//! engine.log      what a detached engine has to say
//! endpoint.key    the key of the endpoint's root, with `--auth`
//! ```
//!
//! Invariant: [`OWN_ENTRIES`] names everything in it; folders are 0700 and files 0600, those of earlier versions too once
//! the directory is opened.

pub(crate) mod claim;
mod journal;
mod key_places;
pub(crate) mod own;
mod private;
pub(crate) mod root_key;
mod segments;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use neargate_base::{Code, Diagnostic};
use rustix::fs::OFlags;

pub(crate) use journal::SqliteJournal;
pub(crate) use segments::DiskSegments;

/// An open, locked data directory.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    lock: File,
}

/// Refuses a data directory that an engine uses. Changes nothing.
///
/// # Errors
/// `NG-E0102` where one does.
pub fn require_free(path: &Path) -> Result<(), Diagnostic> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    // Who may not open it is told so when the directory is opened.
    let Ok(lock) = OpenOptions::new().read(true).custom_flags(flags).open(path.join("lock")) else { return Ok(()) };
    if lock.try_lock_shared().is_err() { Err(in_use(lock, path)) } else { Ok(()) }
}

/// Whose lock it is, and where that engine's endpoint is, as far as the lock says it.
fn in_use(mut lock: File, path: &Path) -> Diagnostic {
    let mut owner = String::new();
    let _ = lock.read_to_string(&mut owner);
    let mut words = owner.split_whitespace();
    let who = words.next().map(|process| format!(" by process {process}")).unwrap_or_default();
    let port = words.next().map(|port| format!(" --port {port}")).unwrap_or_default();
    Diagnostic::error(Code("NG-E0102"), format!("the data directory is in use{who}"))
        .at(path.display().to_string())
        .hint(format!(
            "stop the other engine with `neargate down{port}`, or choose another directory with `--data-dir`"
        ))
}

/// What an engine makes in its data directory, the marker and the lock last: the order in which a purge removes it.
pub(crate) const OWN_ENTRIES: &[&str] = &[
    "runtime",
    "tasks",
    "segments",
    "images",
    "state.sqlite-wal",
    "state.sqlite-shm",
    "state.sqlite-journal",
    "state.sqlite",
    "engine.log",
    "endpoint.key",
    "endpoint.key.new",
    "neargate-data.new",
    claim::MARKER,
    "lock",
];

fn unusable(path: &Path, cause: &std::io::Error) -> Diagnostic {
    Diagnostic::error(Code("NG-E0101"), format!("cannot use the data directory: {cause}"))
        .at(path.display().to_string())
        .hint("name a directory you may write to with `--data-dir`")
}

impl DataDirectory {
    /// Makes the directory if need be, locks it, and takes it from everybody but its owner.
    pub(crate) fn open(path: &Path) -> Result<Self, Diagnostic> {
        claim::claim(path)?;
        let directory = Self::lock(path)?;
        let prepare = || {
            for folder in ["segments", "images", "tasks"] {
                let folder = path.join(folder);
                match fs::symlink_metadata(&folder) {
                    Err(error) if error.kind() == ErrorKind::NotFound => private::make_directory(&folder)?,
                    Ok(found) if found.is_symlink() => {}
                    _ => private::tighten(&folder)?,
                }
            }
            private::tighten_files(path)?;
            private::tighten_files(&path.join("segments"))
        };
        prepare().map_err(|error| unusable(path, &error))?;
        Ok(directory)
    }

    /// Locks a directory that is a data directory.
    pub(crate) fn lock(path: &Path) -> Result<Self, Diagnostic> {
        let lock = private::open(&path.join("lock")).map_err(|error| unusable(path, &error))?;
        let lock = Self::take(lock, path)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    fn take(mut lock: File, path: &Path) -> Result<File, Diagnostic> {
        if lock.try_lock().is_err() {
            return Err(in_use(lock, path));
        }
        let written =
            lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{}", std::process::id()));
        match written {
            Ok(()) => Ok(lock),
            Err(cause) => Err(unusable(path, &cause)),
        }
    }

    /// Notes where the engine's endpoint is, for those who want the directory too. Who cannot write says less to them.
    pub(crate) fn note_port(&self, port: u16) {
        let mut lock = &self.lock;
        let _ = lock.seek(SeekFrom::End(0)).and_then(|_| writeln!(lock, "{port}"));
    }

    /// The journal in it.
    pub(crate) fn journal(&self) -> Result<SqliteJournal, Diagnostic> {
        let file = self.path.join("state.sqlite");
        // Its log gets the mode of the database.
        private::open(&file).map_err(|error| unusable(&self.path, &error))?;
        let opened = SqliteJournal::open(&file);
        if let Ok(journal) = &opened {
            claim::note_instance(&self.path, journal.instance()).map_err(|error| unusable(&self.path, &error))?;
        }
        opened.map_err(|error| {
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
