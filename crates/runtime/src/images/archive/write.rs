//! Writing archives.
//!
//! Invariant: the same members in the same order give the same bytes.

use std::io::{self, Read, Write};

use super::{Kind, Member};

const BLOCK: usize = 512;
const NAME_BYTES_MAX: usize = 100;
const OCTAL_SIZE_MAX: u64 = 0o77_777_777_777;
const OCTAL_ID_MAX: u32 = 0o7_777_777;

/// Writes POSIX (ustar) members, with an extended header before those that do not fit a plain one.
pub(crate) struct ArchiveWriter<W> {
    out: W,
}

impl<W: Write> ArchiveWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Adds a member; `content` must have as many bytes as the member says.
    pub(crate) fn add(&mut self, member: &Member, content: &mut dyn Read) -> io::Result<()> {
        let extended = extended_header(member);
        if !extended.is_empty() {
            let header = Member { mode: 0o644, size_bytes: extended.len() as u64, ..Member::default() };
            self.out.write_all(&block(&header, b"PaxHeader", b'x'))?;
            self.out.write_all(&extended)?;
            self.pad(extended.len() as u64)?;
        }
        self.out.write_all(&block(member, &member.path, type_flag(member.kind)))?;
        let copied = io::copy(&mut content.take(member.size_bytes), &mut self.out)?;
        if copied != member.size_bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.pad(member.size_bytes)
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; BLOCK * 2])?;
        Ok(self.out)
    }

    fn pad(&mut self, written: u64) -> io::Result<()> {
        let missing = usize::try_from(written.next_multiple_of(BLOCK as u64) - written).unwrap_or_default();
        self.out.write_all([0; BLOCK].get(..missing).unwrap_or_default())
    }
}

fn type_flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

fn block(member: &Member, path: &[u8], type_flag: u8) -> [u8; BLOCK] {
    let mut header = [0_u8; BLOCK];
    let octal = |value: u64, digits: usize| format!("{value:0digits$o}").into_bytes();
    put(&mut header, 0, path.get(..NAME_BYTES_MAX).unwrap_or(path));
    put(&mut header, 100, &octal(u64::from(member.mode), 7));
    put(&mut header, 108, &octal(u64::from(member.uid.min(OCTAL_ID_MAX)), 7));
    put(&mut header, 116, &octal(u64::from(member.gid.min(OCTAL_ID_MAX)), 7));
    put(&mut header, 124, &octal(if member.size_bytes > OCTAL_SIZE_MAX { 0 } else { member.size_bytes }, 11));
    put(&mut header, 136, &octal(u64::try_from(member.mtime_s).unwrap_or_default().min(OCTAL_SIZE_MAX), 11));
    put(&mut header, 148, b"        ");
    put(&mut header, 156, &[type_flag]);
    put(&mut header, 157, member.link.get(..NAME_BYTES_MAX).unwrap_or(&member.link));
    put(&mut header, 257, b"ustar\x0000");
    put(&mut header, 329, &octal(u64::from(member.device_major.min(OCTAL_ID_MAX)), 7));
    put(&mut header, 337, &octal(u64::from(member.device_minor.min(OCTAL_ID_MAX)), 7));
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    put(&mut header, 148, &octal(sum, 6));
    put(&mut header, 154, &[0]);
    header
}

fn put(header: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(field) = header.get_mut(at..at + bytes.len()) {
        field.copy_from_slice(bytes);
    }
}

fn extended_header(member: &Member) -> Vec<u8> {
    let mut data = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| data.extend(record(key, value));
    if member.path.len() > NAME_BYTES_MAX {
        add(b"path", &member.path);
    }
    if member.link.len() > NAME_BYTES_MAX {
        add(b"linkpath", &member.link);
    }
    if member.size_bytes > OCTAL_SIZE_MAX {
        add(b"size", member.size_bytes.to_string().as_bytes());
    }
    if member.uid > OCTAL_ID_MAX {
        add(b"uid", member.uid.to_string().as_bytes());
    }
    if member.gid > OCTAL_ID_MAX {
        add(b"gid", member.gid.to_string().as_bytes());
    }
    for (name, value) in &member.xattrs {
        add(&[b"SCHILY.xattr.", name.as_slice()].concat(), value);
    }
    data
}

/// `<length> <key>=<value>\n`, where the length counts its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = key.len() + value.len() + 3;
    let mut length = body + 1;
    while length != body + length.to_string().len() {
        length = body + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}
