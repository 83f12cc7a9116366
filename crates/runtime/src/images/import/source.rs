//! Where the files of an archive to import are: in a directory, or taken out of a tar.
//!
//! Invariant: a name from inside an archive never becomes a path on this machine, and never leads out of a directory given,
//! nor does a link in it; only regular files are read, as much of them as they have when they are opened.
//!
//! Invariant: what is kept in memory of an archive is bounded by [`MEMBERS_MAX`] and [`NAME_BYTES_MAX`].

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::super::archive::{Archive, Kind, bad_archive, unreadable};
use super::super::blobs::BlobWriter;
use super::super::codes::io_error;
use super::super::compression::plain;
use super::super::digest::{Digest, HashingReader};
use super::super::json::JSON_BYTES_MAX;
use super::super::rootfs::{Limits, require_room};
use super::super::store::Scratch;

const MEMBERS_MAX: usize = 50_000;
/// Of all names and links together.
const NAME_BYTES_MAX: usize = 8 << 20;
const ALIASES_MAX: usize = 8;
/// `openat2` gives up when anything on the machine is renamed while it looks at a `..`.
const OPEN_ATTEMPTS_MAX: usize = 128;

/// The files of an archive by name.
pub(super) enum Source {
    Directory(PathBuf),
    Unpacked(Unpacked),
}

/// What was in a tar: each file in scratch space, digested.
#[derive(Default)]
pub(super) struct Unpacked {
    files: BTreeMap<String, Staged>,
    aliases: BTreeMap<String, String>,
}

/// A file in scratch space whose digest is known.
#[derive(Clone)]
pub(super) struct Staged {
    pub(super) path: PathBuf,
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
}

impl Source {
    /// Opens a directory, or unpacks a tar (plain, gzip or zstd).
    pub(super) fn open(path: &Path, scratch: &Scratch) -> Result<Self, Diagnostic> {
        let metadata = fs::metadata(path).map_err(|e| io_error("open", path, &e))?;
        if metadata.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let file = File::open(path).map_err(|e| io_error("open", path, &e))?;
        let limits = Limits::default();
        let stream = plain(file).map_err(|e| unreadable(&e))?;
        let mut archive = Archive::new(HashingReader::limited(stream, limits.layer_bytes_max));
        let unpacked = Unpacked::read(&mut archive, scratch, &limits)?;
        Ok(Self::Unpacked(unpacked))
    }

    /// A small file's bytes; none if there is no such file.
    pub(super) fn read_small(&self, name: &str) -> Result<Option<Vec<u8>>, Diagnostic> {
        let Some((file, path)) = self.find(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(JSON_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| io_error("read", &path, &e))?;
        if bytes.len() as u64 > JSON_BYTES_MAX {
            return Err(bad_archive(&format!("`{name}` is larger than the {JSON_BYTES_MAX} bytes it may have")));
        }
        Ok(Some(bytes))
    }

    /// The file in scratch space, with its digest as computed from its bytes.
    pub(super) fn stage(&self, name: &str, scratch: &Scratch) -> Result<Staged, Diagnostic> {
        let missing = || bad_archive(&format!("`{name}` is missing from it"));
        match self {
            Self::Unpacked(unpacked) => unpacked.find(name).cloned().ok_or_else(missing),
            Self::Directory(_) => {
                let (file, path) = self.find(name)?.ok_or_else(missing)?;
                let size_bytes = file.metadata().map_err(|e| io_error("read", &path, &e))?.len();
                require_room(&scratch.fresh(), size_bytes, &Limits::default())?;
                stage(&mut file.take(size_bytes), scratch)
                    .map_err(|error| error.detail(format!("from `{}`", path.display())))
            }
        }
    }

    /// Opens a file, and says where it is; none if there is no such file.
    fn find(&self, name: &str) -> Result<Option<(File, PathBuf)>, Diagnostic> {
        match self {
            Self::Directory(directory) => match normal(name).filter(|name| !name.is_empty()) {
                Some(name) => open_beneath(directory, &name).map(|file| file.map(|file| (file, directory.join(name)))),
                None => Ok(None),
            },
            Self::Unpacked(unpacked) => {
                let Some(staged) = unpacked.find(name) else { return Ok(None) };
                let file = File::open(&staged.path).map_err(|e| io_error("open", &staged.path, &e))?;
                Ok(Some((file, staged.path.clone())))
            }
        }
    }
}

/// Opens a regular file of a directory, through links that stay in it, without waiting for anything.
fn open_beneath(directory: &Path, name: &str) -> Result<Option<File>, Diagnostic> {
    let path = directory.join(name);
    let root = File::open(directory).map_err(|e| io_error("open", directory, &e))?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let no_file = || bad_archive(&format!("`{name}` is no regular file"));
    let mut opened = Err(Errno::AGAIN);
    for _ in 0..OPEN_ATTEMPTS_MAX {
        opened = openat2(&root, name, flags, Mode::empty(), how);
        if !matches!(opened, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::XDEV) => return Err(bad_archive(&format!("`{name}` is a link that leads out of it"))),
        // A socket, or a device without a driver.
        Err(Errno::NXIO | Errno::NODEV) => return Err(no_file()),
        Err(error) => return Err(io_error("open", &path, &error.into())),
    };
    let metadata = file.metadata().map_err(|e| io_error("open", &path, &e))?;
    if metadata.is_file() { Ok(Some(file)) } else { Err(no_file()) }
}

impl Unpacked {
    fn read<R: Read>(archive: &mut Archive<R>, scratch: &Scratch, limits: &Limits) -> Result<Self, Diagnostic> {
        let mut unpacked = Self::default();
        let mut name_bytes = 0;
        while let Some(member) = archive.next_member()? {
            name_bytes += member.path.len() + member.link.len();
            if name_bytes > NAME_BYTES_MAX {
                return Err(bad_archive(&format!("the names of its files have more than {NAME_BYTES_MAX} bytes")));
            }
            if unpacked.files.len() + unpacked.aliases.len() >= MEMBERS_MAX {
                return Err(bad_archive(&format!("it has more than {MEMBERS_MAX} files")));
            }
            let raw = String::from_utf8_lossy(&member.path).into_owned();
            let name = normal(&raw).ok_or_else(|| bad_archive(&format!("its file name `{raw}` leads out of it")))?;
            let link = String::from_utf8_lossy(&member.link).into_owned();
            match member.kind {
                Kind::File => {
                    require_room(&scratch.fresh(), member.size_bytes, limits)?;
                    let staged = stage(archive, scratch)?;
                    unpacked.aliases.remove(&name);
                    unpacked.files.insert(name, staged);
                }
                Kind::Symlink => {
                    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
                    if let Some(target) = normal(&format!("{directory}/{link}")) {
                        unpacked.aliases.insert(name, target);
                    }
                }
                Kind::HardLink => {
                    if let Some(target) = normal(&link) {
                        unpacked.aliases.insert(name, target);
                    }
                }
                Kind::Directory | Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => {}
            }
        }
        Ok(unpacked)
    }

    fn find(&self, name: &str) -> Option<&Staged> {
        let mut name = normal(name)?;
        for _ in 0..ALIASES_MAX {
            if let Some(staged) = self.files.get(&name) {
                return Some(staged);
            }
            name.clone_from(self.aliases.get(&name)?);
        }
        None
    }
}

fn stage(reader: &mut impl Read, scratch: &Scratch) -> Result<Staged, Diagnostic> {
    let mut blob = BlobWriter::new(scratch)?;
    io::copy(reader, &mut blob).map_err(|error| match error.raw_os_error() {
        Some(_) => io_error("write", &blob.path, &error),
        None => unreadable(&error),
    })?;
    let (path, digest, size_bytes) = blob.close()?;
    Ok(Staged { path, digest, size_bytes })
}

/// A relative name without `.`, `..` and empty parts; none if it leads out of where it starts.
pub(super) fn normal(name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}
