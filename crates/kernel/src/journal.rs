//! Where deltas go to last.

use std::fmt;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// A row was added or replaced.
    Put(Row),
    /// A row is gone.
    Delete {
        /// The record's table.
        table: String,
        /// The row's key.
        key: String,
    },
}

/// One row: a record as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record's table.
    pub table: String,
    /// The row's key: `account/region/id`.
    pub key: String,
    /// The version of the record's form.
    pub version: u32,
    /// The record as JSON; encrypted where the record is kept so.
    pub body: Vec<u8>,
}

/// The journal or a segment could not be read or written.
#[derive(Clone, Debug)]
pub struct JournalError {
    /// What was being done, to which file.
    pub doing: String,
    /// What the system said.
    pub cause: String,
    /// Whether it is certain that what was to be made durable is not, as where a disk is full: then the same journal may be
    /// tried again. Otherwise only a look at what is on disk, which a start takes, tells.
    pub is_undone: bool,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.cause)
    }
}

impl std::error::Error for JournalError {}

/// The durable log of deltas. What `durable` has returned for survives a crash; what was only appended may not.
pub trait Journal: fmt::Debug {
    /// Every row that is durable, in any order.
    fn load(&mut self) -> Result<Vec<Row>, JournalError>;

    /// Takes the deltas of one command and answers their number in sequence.
    fn append(&mut self, deltas: Vec<Delta>) -> Result<u64, JournalError>;

    /// Returns when everything up to `sequence` survives a crash. After an error nothing that was appended since the last
    /// success will be made durable any more.
    fn durable(&mut self, sequence: u64) -> Result<(), JournalError>;

    /// Forgets what was appended and is not durable.
    fn discard(&mut self);

    /// After an error: whether there is room for a commit of some size again, found out by writing.
    fn probe(&mut self) -> Result<(), JournalError>;
}

/// Append-only byte runs (log events, object bodies), apart from the rows that say how long each is.
///
/// A write beyond the length that a durable row records is garbage that the next write covers, so a lost command needs no undo.
pub trait Segments: fmt::Debug {
    /// Writes at an offset.
    fn write(&mut self, segment: &str, offset: u64, bytes: &[u8]) -> Result<(), JournalError>;

    /// Reads up to `length` bytes from an offset; fewer at the end.
    fn read(&self, segment: &str, offset: u64, length: usize) -> Result<Vec<u8>, JournalError>;

    /// Forgets a segment. One that does not exist is no error.
    fn remove(&mut self, segment: &str) -> Result<(), JournalError>;

    /// Returns when everything written survives a crash.
    fn sync(&mut self) -> Result<(), JournalError>;
}
