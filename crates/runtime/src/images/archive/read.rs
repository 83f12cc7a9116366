//! Reading archives.
//!
//! Invariant: memory is bounded by [`METADATA_BYTES_MAX`] whatever the archive claims, and however many headers a member has.

use std::io::{self, Read};

use neargate_base::Diagnostic;

use super::super::codes;
use super::{Kind, Member};

const BLOCK: usize = 512;
/// The most that all extended headers and long names of one member may have together.
const METADATA_BYTES_MAX: u64 = 1 << 20;

/// A stream of members. Reading from it reads the content of the member last returned.
pub(crate) struct Archive<R> {
    reader: R,
    content_left: u64,
    padding: u64,
    ended: bool,
}

/// What extended headers said about the next member.
#[derive(Default)]
struct Overrides {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size_bytes: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<R: Read> Archive<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, content_left: 0, padding: 0, ended: false }
    }

    /// The next member, skipping what was not read of the one before.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>, Diagnostic> {
        let mut overrides = Overrides::default();
        let mut extended = false;
        let mut metadata_bytes = 0_u64;
        loop {
            let Some(header) = self.next_header()? else {
                if extended {
                    return Err(bad_archive("it ends after an extended header"));
                }
                return Ok(None);
            };
            let declared = number(&header, 124, 12)?;
            let size = u64::try_from(declared).map_err(|_| bad_archive("a size is negative"))?;
            let kind = header.get(156).copied().unwrap_or_default();
            match kind {
                b'L' | b'K' | b'x' | b'g' => {
                    metadata_bytes = metadata_bytes.saturating_add(size);
                    if metadata_bytes > METADATA_BYTES_MAX {
                        return Err(bad_archive(&format!(
                            "the headers of one member have more than {METADATA_BYTES_MAX} bytes"
                        )));
                    }
                    let data = self.metadata(size)?;
                    extended = true;
                    match kind {
                        b'L' => overrides.path = Some(until_nul(&data).to_vec()),
                        b'K' => overrides.link = Some(until_nul(&data).to_vec()),
                        b'x' => overrides.read(&data)?,
                        // Global headers carry comments; the tools that make layers do not use them for more.
                        _ => {}
                    }
                }
                _ => return self.member(&header, kind, size, overrides).map(Some),
            }
        }
    }

    fn next_header(&mut self) -> Result<Option<[u8; BLOCK]>, Diagnostic> {
        self.skip(self.content_left.saturating_add(self.padding))?;
        (self.content_left, self.padding) = (0, 0);
        if self.ended {
            return Ok(None);
        }
        let mut block = [0_u8; BLOCK];
        let count = fill(&mut self.reader, &mut block)?;
        if count == 0 || (count == BLOCK && block.iter().all(|byte| *byte == 0)) {
            self.ended = true;
            return Ok(None);
        }
        if count < BLOCK {
            return Err(bad_archive("it is cut short"));
        }
        check_sum(&block)?;
        Ok(Some(block))
    }

    fn member(&mut self, header: &[u8], kind: u8, size: u64, overrides: Overrides) -> Result<Member, Diagnostic> {
        let path = overrides.path.unwrap_or_else(|| own_path(header));
        let kind = match kind {
            b'0' | 0 if path.ends_with(b"/") => Kind::Directory,
            b'0' | b'7' | 0 => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::CharDevice,
            b'4' => Kind::BlockDevice,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            b'S' => return Err(unsupported("sparse files")),
            other => return Err(unsupported(&format!("members of type `{}`", other.escape_ascii()))),
        };
        let size_bytes = if kind == Kind::File { overrides.size_bytes.unwrap_or(size) } else { 0 };
        self.content_left = size_bytes;
        self.padding = size_bytes.next_multiple_of(BLOCK as u64).saturating_sub(size_bytes);
        let (mtime_s, mtime_ns) = match overrides.mtime {
            Some(mtime) => mtime,
            None => (number(header, 136, 12)?, 0),
        };
        Ok(Member {
            path,
            kind,
            link: overrides.link.unwrap_or_else(|| until_nul(field(header, 157, 100)).to_vec()),
            mode: small(header, 100, 8)? & 0o7777,
            uid: overrides.uid.map_or_else(|| small(header, 108, 8), Ok)?,
            gid: overrides.gid.map_or_else(|| small(header, 116, 8), Ok)?,
            size_bytes,
            mtime_s,
            mtime_ns,
            device_major: if is_ustar(header) { small(header, 329, 8)? } else { 0 },
            device_minor: if is_ustar(header) { small(header, 337, 8)? } else { 0 },
            xattrs: overrides.xattrs,
        })
    }

    /// The content of a long name or extended header.
    fn metadata(&mut self, size: u64) -> Result<Vec<u8>, Diagnostic> {
        let mut data = Vec::new();
        let count = self.reader.by_ref().take(size).read_to_end(&mut data).map_err(|e| unreadable(&e))?;
        if (count as u64) < size {
            return Err(bad_archive("it is cut short"));
        }
        self.skip(size.next_multiple_of(BLOCK as u64) - size)?;
        Ok(data)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Diagnostic> {
        let skipped = io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink()).map_err(|e| unreadable(&e))?;
        if skipped < bytes { Err(bad_archive("it is cut short")) } else { Ok(()) }
    }
}

/// Content of the current member; ends early with an error if the archive does.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.content_left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(window) = buffer.get_mut(..wanted).filter(|window| !window.is_empty()) else { return Ok(0) };
        let count = self.reader.read(window)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut short"));
        }
        self.content_left -= count as u64;
        Ok(count)
    }
}

impl Overrides {
    /// Takes in the records `<length> <key>=<value>\n` of a POSIX extended header.
    fn read(&mut self, mut data: &[u8]) -> Result<(), Diagnostic> {
        while !data.is_empty() {
            let (key, value, rest) = record(data).ok_or_else(|| bad_archive("an extended header is malformed"))?;
            self.set(key, value)
                .ok_or_else(|| bad_archive(&format!("extended header `{}` is malformed", key.escape_ascii())))?;
            if key.starts_with(b"GNU.sparse.") {
                return Err(unsupported("sparse files"));
            }
            data = rest;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size_bytes = Some(text()?.parse::<i64>().ok()?.try_into().ok()?),
            b"uid" => self.uid = Some(text()?.parse().ok()?),
            b"gid" => self.gid = Some(text()?.parse().ok()?),
            b"mtime" => self.mtime = Some(seconds(text()?)?),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                }
            }
        }
        Some(())
    }
}

/// The first record of an extended header, and what follows it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(data.get(..space)?).ok()?.parse().ok()?;
    let body = data.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some((body.get(..equals)?, body.get(equals + 1..)?, data.get(length..)?))
}

/// `seconds[.fraction]`, possibly negative, as seconds rounded down and nanoseconds.
fn seconds(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let s: i64 = whole.parse().ok()?;
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let ns: u32 = digits.parse().ok()?;
    if whole.starts_with('-') && ns > 0 { Some((s.checked_sub(1)?, 1_000_000_000 - ns)) } else { Some((s, ns)) }
}

fn field(header: &[u8], at: usize, length: usize) -> &[u8] {
    header.get(at..at + length).unwrap_or_default()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn is_ustar(header: &[u8]) -> bool {
    field(header, 257, 5) == b"ustar"
}

/// The path in the header itself; POSIX headers may have its front part in a field of its own, GNU ones do not.
fn own_path(header: &[u8]) -> Vec<u8> {
    let name = until_nul(field(header, 0, 100));
    let prefix = until_nul(field(header, 345, 155));
    if field(header, 257, 6) == b"ustar\0" && !prefix.is_empty() {
        [prefix, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

/// An octal number, or a binary one with the top bit of its first byte set.
fn number(header: &[u8], at: usize, length: usize) -> Result<i64, Diagnostic> {
    let bytes = field(header, at, length);
    let wrong = || bad_archive("a number in a header is malformed");
    if let Some((first, rest)) = bytes.split_first().filter(|(first, _)| **first & 0x80 != 0) {
        let negative = *first == 0xff;
        if !negative && *first != 0x80 {
            return Err(wrong());
        }
        let start: i128 = if negative { -1 } else { 0 };
        let value = rest.iter().fold(start, |value, byte| (value << 8) | i128::from(*byte));
        return i64::try_from(value).map_err(|_| wrong());
    }
    let text = std::str::from_utf8(until_nul(bytes)).map_err(|_| wrong())?.trim_matches(' ');
    if text.is_empty() { Ok(0) } else { i64::from_str_radix(text, 8).map_err(|_| wrong()) }
}

fn small(header: &[u8], at: usize, length: usize) -> Result<u32, Diagnostic> {
    u32::try_from(number(header, at, length)?).map_err(|_| bad_archive("a number in a header is out of range"))
}

fn check_sum(header: &[u8]) -> Result<(), Diagnostic> {
    let declared = number(header, 148, 8)?;
    let sum: i64 =
        header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { i64::from(*byte) }).sum();
    if sum == declared { Ok(()) } else { Err(bad_archive("a header's checksum is wrong")) }
}

fn fill(reader: &mut impl Read, block: &mut [u8]) -> Result<usize, Diagnostic> {
    let mut count = 0;
    while let Some(rest) = block.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
    Ok(count)
}

/// A stream that does not read.
pub(crate) fn unreadable(error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::Unsupported => Diagnostic::error(codes::UNSUPPORTED, error.to_string()),
        _ => bad_archive(&error.to_string()),
    }
}

/// An archive that does not read.
pub(crate) fn bad_archive(why: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_ARCHIVE, format!("the archive does not read: {why}"))
        .hint("save the image again and compare the size of the file with the original")
}

fn unsupported(what: &str) -> Diagnostic {
    Diagnostic::error(codes::UNSUPPORTED, format!("the archive has {what}, which are not supported"))
        .hint("save the image again with `docker save` or `skopeo copy`")
}
