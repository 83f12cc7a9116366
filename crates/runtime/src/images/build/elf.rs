//! Executables and shared libraries: for which machine they are and what they need to be loaded.
//!
//! Reads the ELF header, the program headers and the dynamic section; 32 and 64 bits, both byte orders.
//!
//! Invariant: reads bounded amounts whatever the file claims; a file that is no ELF is no error.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const SEGMENTS_MAX: u64 = 4096;
const DYNAMIC_BYTES_MAX: u64 = 1 << 20;
const TEXT_BYTES_MAX: usize = 4096;

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// Bytes at an offset, from a file or from memory.
pub(crate) enum Bytes<'a> {
    File(&'a File),
    Memory(&'a [u8]),
}

impl Bytes<'_> {
    /// Up to `length` bytes at `offset`; fewer at the end.
    pub(crate) fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::File(file) => {
                let mut data = vec![0; length];
                let mut count = 0;
                while let Some(rest) = data.get_mut(count..).filter(|rest| !rest.is_empty()) {
                    match file.read_at(rest, offset.saturating_add(count as u64))? {
                        0 => break,
                        read => count += read,
                    }
                }
                data.truncate(count);
                Ok(data)
            }
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(length).min(bytes.len());
                Ok(bytes.get(start..end).unwrap_or_default().to_vec())
            }
        }
    }
}

/// What the loader reads of an ELF file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Elf {
    pub(crate) wide: bool,
    pub(crate) big_endian: bool,
    pub(crate) machine: u64,
    /// The dynamic loader it asks for.
    pub(crate) interpreter: Option<String>,
    /// Names of the libraries it needs.
    pub(crate) needed: Vec<String>,
    /// Directories to search, the old way: also for what its libraries need.
    pub(crate) rpath: Vec<String>,
    /// Directories to search, the new way: only for what it needs itself.
    pub(crate) runpath: Vec<String>,
}

impl Elf {
    /// Reads a file; none if it is no ELF.
    pub(crate) fn read(bytes: &Bytes<'_>) -> io::Result<Option<Self>> {
        let header = bytes.read(0, 64)?;
        let [0x7f, b'E', b'L', b'F', class @ (1 | 2), order @ (1 | 2), ..] = header.as_slice() else { return Ok(None) };
        let layout = Layout { wide: *class == 2, big_endian: *order == 2 };
        let mut elf = Self { wide: layout.wide, big_endian: layout.big_endian, ..Self::default() };
        elf.machine = layout.number(&header, 18, 2)?;
        let segments = layout.segments(bytes, &header)?;
        for segment in &segments {
            match segment.kind {
                PT_INTERP => elf.interpreter = Some(text(bytes, segment.offset)?),
                PT_DYNAMIC => elf.read_dynamic(bytes, &layout, segment, &segments)?,
                _ => {}
            }
        }
        Ok(Some(elf))
    }

    /// Whether it runs with nothing beside it.
    pub(crate) fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }

    /// Whether the two can be loaded into one process.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        (self.wide, self.big_endian, self.machine) == (other.wide, other.big_endian, other.machine)
    }

    /// The architecture as images name it.
    pub(crate) fn architecture(&self) -> Option<&'static str> {
        Some(match (self.machine, self.wide, self.big_endian) {
            (62, true, false) => "amd64",
            (183, true, false) => "arm64",
            (3, false, false) => "386",
            (40, false, false) => "arm",
            (243, true, false) => "riscv64",
            (22, true, true) => "s390x",
            (21, true, false) => "ppc64le",
            (258, true, false) => "loong64",
            _ => return None,
        })
    }

    fn read_dynamic(
        &mut self,
        bytes: &Bytes<'_>,
        layout: &Layout,
        dynamic: &Segment,
        segments: &[Segment],
    ) -> io::Result<()> {
        let word = if layout.wide { 8 } else { 4 };
        let length = usize::try_from(dynamic.file_bytes.min(DYNAMIC_BYTES_MAX)).unwrap_or_default();
        let table = bytes.read(dynamic.offset, length)?;
        let mut entries = Vec::new();
        for entry in table.chunks_exact(word * 2) {
            let (tag, value) = (layout.number(entry, 0, word)?, layout.number(entry, word, word)?);
            if tag == 0 {
                break;
            }
            entries.push((tag, value));
        }
        let Some(address) = entries.iter().find(|(tag, _)| *tag == DT_STRTAB).map(|(_, value)| *value) else {
            return Ok(());
        };
        // Tables are given by address in memory; the loaded segments say where that is in the file.
        let holder = segments.iter().find(|s| {
            s.kind == PT_LOAD && address.checked_sub(s.address).is_some_and(|distance| distance < s.file_bytes)
        });
        let holder = holder.ok_or_else(|| malformed("its string table is in no segment"))?;
        let strings = holder.offset.saturating_add(address - holder.address);
        for (tag, value) in entries {
            let at = strings.saturating_add(value);
            match tag {
                DT_NEEDED => self.needed.push(text(bytes, at)?),
                DT_RPATH => self.rpath = directories(&text(bytes, at)?),
                DT_RUNPATH => self.runpath = directories(&text(bytes, at)?),
                _ => {}
            }
        }
        Ok(())
    }
}

struct Layout {
    wide: bool,
    big_endian: bool,
}

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    file_bytes: u64,
}

impl Layout {
    fn segments(&self, bytes: &Bytes<'_>, header: &[u8]) -> io::Result<Vec<Segment>> {
        let (table, sizes) =
            if self.wide { (self.number(header, 32, 8)?, 54) } else { (self.number(header, 28, 4)?, 42) };
        let size = self.number(header, sizes, 2)?;
        let count = self.number(header, sizes + 2, 2)?.min(SEGMENTS_MAX);
        let length = usize::try_from(size * count).unwrap_or_default();
        let data = bytes.read(table, length)?;
        let size = usize::try_from(size).unwrap_or_default().max(1);
        let mut segments = Vec::new();
        for entry in data.chunks_exact(size) {
            let kind = self.number(entry, 0, 4)?;
            segments.push(if self.wide {
                Segment {
                    kind,
                    offset: self.number(entry, 8, 8)?,
                    address: self.number(entry, 16, 8)?,
                    file_bytes: self.number(entry, 32, 8)?,
                }
            } else {
                Segment {
                    kind,
                    offset: self.number(entry, 4, 4)?,
                    address: self.number(entry, 8, 4)?,
                    file_bytes: self.number(entry, 16, 4)?,
                }
            });
        }
        Ok(segments)
    }

    fn number(&self, bytes: &[u8], at: usize, length: usize) -> io::Result<u64> {
        let field = bytes.get(at..at + length).ok_or_else(|| malformed("it is cut short"))?;
        let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Ok(if self.big_endian { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) })
    }
}

fn text(bytes: &Bytes<'_>, at: u64) -> io::Result<String> {
    let data = bytes.read(at, TEXT_BYTES_MAX)?;
    let end = data.iter().position(|byte| *byte == 0).ok_or_else(|| malformed("a name in it has no end"))?;
    let name = data.get(..end).unwrap_or_default();
    String::from_utf8(name.to_vec()).map_err(|_| malformed("a name in it is no UTF-8"))
}

fn directories(list: &str) -> Vec<String> {
    list.split(':').filter(|directory| !directory.is_empty()).map(str::to_owned).collect()
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is a damaged executable: {why}"))
}
