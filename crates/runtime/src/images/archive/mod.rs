//! The tar format, as far as image layers use it: ustar, GNU long names, and POSIX extended headers.
//!
//! Our own, because layers come from strangers: every header field is bounded before it is kept, extended sizes and names
//! are honoured where they must be, and the writer's output depends on nothing but its input.
//!
//! Invariant: reads and writes streams only; what a member's path means is decided by those who use it.

mod read;
mod write;

pub(crate) use read::{Archive, bad_archive, unreadable};
pub(crate) use write::ArchiveWriter;

/// What kind of thing a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    File,
    Directory,
    Symlink,
    HardLink,
    CharDevice,
    BlockDevice,
    Fifo,
}

/// A member of an archive without its content. Names are bytes, as on Linux.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    /// Target of a symbolic or hard link.
    pub(crate) link: Vec<u8>,
    /// Permission bits with set-id and sticky.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size_bytes: u64,
    pub(crate) mtime_s: i64,
    pub(crate) mtime_ns: u32,
    pub(crate) device_major: u32,
    pub(crate) device_minor: u32,
    /// Extended attributes by full name, in the archive's order.
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}
