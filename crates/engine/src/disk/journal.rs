//! The journal as an SQLite database in WAL mode: a commit is one fsync, however many commands it holds.
//!
//! Invariant: what was committed to a file that is not at its place any more, because somebody deleted or moved the data
//! directory, does not count as durable.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use neargate_kernel::{Delta, Journal, JournalError, Row};
use rusqlite::{Connection, params};

/// The version of the database's layout.
const FORMAT_VERSION: u32 = 1;

/// Writes half a megabyte, more than a commit of calls takes, so that the journal is not found to work for one call alone.
const PROBE: &str = "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', hex(zeroblob(262144)))";
const PROBE_GONE: &str = "DELETE FROM meta WHERE name = 'probe'";

/// Rows on disk, and deltas that wait for the next commit.
#[derive(Debug)]
pub(crate) struct SqliteJournal {
    connection: Connection,
    waiting: Vec<Delta>,
    sequence: u64,
    instance: String,
    place: Place,
}

/// The database's file, to find out whether it is still where it was.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    fn of(file: &Path) -> std::io::Result<Self> {
        let found = fs::metadata(file)?;
        Ok(Self { file: file.to_owned(), device: found.dev(), inode: found.ino() })
    }

    fn check(&self) -> Result<(), JournalError> {
        let is_there = |found: &fs::Metadata| (found.dev(), found.ino()) == (self.device, self.inode);
        let cause = match fs::metadata(&self.file) {
            Ok(found) if is_there(&found) => return Ok(()),
            Ok(_) => "another file has taken its place".to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => "it was deleted or moved".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(JournalError {
            doing: format!("find the database `{}` again", self.file.display()),
            cause,
            is_undone: false,
        })
    }
}

impl SqliteJournal {
    /// Opens or makes the database.
    pub(crate) fn open(file: &Path) -> Result<Self, JournalError> {
        let connection = Connection::open(file).map_err(error("open the database"))?;
        connection
            .execute_batch(
                // Exclusive before the first look at the log, so that its index is in memory and never a file.
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS record (
                    kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
                    PRIMARY KEY (kind, key)) WITHOUT ROWID;",
            )
            .map_err(error("prepare the database"))?;
        let unknown = |cause: std::io::Error| JournalError {
            doing: "find the database".to_owned(),
            cause: cause.to_string(),
            is_undone: false,
        };
        let place = Place::of(file).map_err(unknown)?;
        let mut journal = Self { connection, waiting: vec![], sequence: 0, instance: String::new(), place };
        let version = journal.meta("format_version", || FORMAT_VERSION.to_string())?;
        if version.parse::<u32>().map_or(true, |version| version > FORMAT_VERSION) {
            let cause = format!("format version {version}, this Neargate reads up to {FORMAT_VERSION}");
            return Err(JournalError { doing: "read the database".to_owned(), cause, is_undone: false });
        }
        journal.instance = journal.meta("instance", || format!("{:08x}", fastrand::u32(..)))?;
        Ok(journal)
    }

    /// The data directory's own id: part of the name of every kernel object made for it.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    fn meta(&self, name: &str, default: impl FnOnce() -> String) -> Result<String, JournalError> {
        let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
        self.connection.execute(sql, params![name, default()]).map_err(error("write the database"))?;
        let sql = "SELECT value FROM meta WHERE name = ?1";
        self.connection.query_row(sql, [name], |row| row.get(0)).map_err(error("read the database"))
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO record (kind, key, version, body) VALUES (?1, ?2, ?3, ?4)")?;
            let mut delete = transaction.prepare_cached("DELETE FROM record WHERE kind = ?1 AND key = ?2")?;
            for delta in &self.waiting {
                match delta {
                    Delta::Put(row) => put.execute(params![row.table, row.key, row.version, row.body])?,
                    Delta::Delete { table, key } => delete.execute(params![table, key])?,
                };
            }
        }
        transaction.commit()
    }
}

fn error(doing: &str) -> impl Fn(rusqlite::Error) -> JournalError {
    // A full disk is met while a commit's pages are written, before what makes them one; any other failure may come after.
    move |cause| {
        let is_undone = cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        JournalError { doing: doing.to_owned(), cause: cause.to_string(), is_undone }
    }
}

impl Journal for SqliteJournal {
    fn load(&mut self) -> Result<Vec<Row>, JournalError> {
        let mut select = self
            .connection
            .prepare("SELECT kind, key, version, body FROM record")
            .map_err(error("read the database"))?;
        let rows = select.query_map([], |row| {
            Ok(Row { table: row.get(0)?, key: row.get(1)?, version: row.get(2)?, body: row.get(3)? })
        });
        rows.and_then(Iterator::collect).map_err(error("read the database"))
    }

    fn append(&mut self, deltas: Vec<Delta>) -> Result<u64, JournalError> {
        self.waiting.extend(deltas);
        self.sequence += 1;
        Ok(self.sequence)
    }

    fn durable(&mut self, _sequence: u64) -> Result<(), JournalError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let committed = self.commit();
        self.waiting.clear();
        committed.map_err(error("commit to the database"))?;
        self.place.check()
    }

    fn discard(&mut self) {
        self.waiting.clear();
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        let written = self.connection.execute(PROBE, []).and_then(|_| self.connection.execute(PROBE_GONE, []));
        written.map(drop).map_err(error("write the database"))
    }
}

#[cfg(test)]
mod tests {
    use neargate_kernel::{Delta, Journal, Row};

    use super::SqliteJournal;

    fn row(key: &str) -> Row {
        Row { table: "t".into(), key: key.into(), version: 1, body: key.as_bytes().to_vec() }
    }

    #[test]
    fn only_what_is_durable_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.sqlite");
        let mut journal = SqliteJournal::open(&file).unwrap();
        let instance = journal.instance().to_owned();
        journal.append(vec![Delta::Put(row("a")), Delta::Put(row("b"))]).unwrap();
        let sequence = journal.append(vec![Delta::Delete { table: "t".into(), key: "a".into() }]).unwrap();
        journal.durable(sequence).unwrap();
        journal.append(vec![Delta::Put(row("lost"))]).unwrap();
        drop(journal);

        let mut journal = SqliteJournal::open(&file).unwrap();
        assert_eq!(journal.load().unwrap(), [row("b")]);
        assert_eq!(journal.instance(), instance);
    }

    #[test]
    fn what_goes_to_a_directory_that_was_deleted_or_moved_is_not_durable() {
        let put = |journal: &mut SqliteJournal, key: &str| {
            let sequence = journal.append(vec![Delta::Put(row(key))]).unwrap();
            journal.durable(sequence).map_err(|error| error.to_string())
        };
        let folder = tempfile::tempdir().unwrap();
        let (data, moved) = (folder.path().join("data"), folder.path().join("moved"));
        let open = || {
            std::fs::create_dir(&data).unwrap();
            SqliteJournal::open(&data.join("state.sqlite")).unwrap()
        };
        let mut journal = open();
        put(&mut journal, "a").unwrap();
        std::fs::rename(&data, &moved).unwrap();
        assert!(put(&mut journal, "b").unwrap_err().contains("it was deleted or moved"));
        std::fs::rename(&moved, &data).unwrap();
        put(&mut journal, "c").unwrap();

        std::fs::remove_dir_all(&data).unwrap();
        assert!(put(&mut journal, "d").unwrap_err().contains("it was deleted or moved"));
        let _other = open();
        assert!(put(&mut journal, "e").unwrap_err().contains("another file"));
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.sqlite");
        std::fs::write(&file, "not a database, but somebody's text of some length").unwrap();
        assert!(SqliteJournal::open(&file).is_err());
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("not a database"));
    }
}
