//! Ownership, modes, times and extended attributes of extracted files, and the marks of overlayfs.
//!
//! Invariant: only attributes a container may have are taken from a layer; overlayfs's own come from us alone.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use neargate_base::{Diagnostic, Severity};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, lsetxattr, makedev, mknodat,
    statvfs, syncfs, utimensat,
};
use rustix::io::Errno;

use super::super::archive::Member;
use super::super::codes;
use super::super::store::Scratch;

const XATTR_BYTES_MAX: usize = 1 << 16;

/// Which attributes overlayfs is to read its marks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// `trusted.overlay.*`, which only the machine's own root may set.
    Trusted,
    /// `user.overlay.*`, with the mount option `userxattr`.
    User,
}

impl Marks {
    /// Which of the two this process may set.
    pub(super) fn probe(scratch: &Scratch) -> Result<Self, Diagnostic> {
        let (path, _file) = scratch.file()?;
        let trusted = lsetxattr(&path, Self::Trusted.opaque(), b"y", XattrFlags::empty()).is_ok();
        Ok(if trusted { Self::Trusted } else { Self::User })
    }

    /// The store's directory for layers with these marks.
    pub(super) const fn layers_dir(self) -> &'static str {
        match self {
            Self::Trusted => "layers",
            Self::User => "layers-user",
        }
    }

    const fn opaque(self) -> &'static str {
        match self {
            Self::Trusted => "trusted.overlay.opaque",
            Self::User => "user.overlay.opaque",
        }
    }

    pub(super) fn is_opaque(self, path: &Path) -> bool {
        let mut value = [0_u8; 1];
        lgetxattr(path, self.opaque(), &mut value).is_ok() && value == *b"y"
    }

    /// Hides what lower layers have in this directory.
    pub(super) fn set_opaque(self, path: &Path) -> io::Result<()> {
        Ok(lsetxattr(path, self.opaque(), b"y", XattrFlags::empty())?)
    }
}

/// Hides what lower layers have at this path.
pub(super) fn make_whiteout(path: &Path) -> io::Result<()> {
    Ok(mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), makedev(0, 0))?)
}

pub(super) fn make_fifo(path: &Path) -> io::Result<()> {
    Ok(mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?)
}

pub(super) fn make_char_device(path: &Path, major: u32, minor: u32) -> io::Result<()> {
    Ok(mknodat(CWD, path, FileType::CharacterDevice, Mode::RUSR | Mode::WUSR, makedev(major, minor))?)
}

/// Puts everything written to the file system of `path` on disk.
pub(super) fn sync_file_system(path: &Path) -> io::Result<()> {
    Ok(syncfs(File::open(path)?)?)
}

/// Bytes an ordinary user could still write to the file system of `path`.
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// What could not be kept, by kind: how often, and where first.
#[derive(Debug, Default)]
pub(super) struct Losses {
    by_kind: BTreeMap<&'static str, (u64, String)>,
}

impl Losses {
    pub(super) fn add(&mut self, kind: &'static str, path: &Path) {
        self.by_kind.entry(kind).or_insert_with(|| (0, path.display().to_string())).0 += 1;
    }

    pub(super) fn notes(&self) -> Vec<Diagnostic> {
        let note = |(kind, (count, first)): (&&'static str, &(u64, String))| Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::error(codes::UNSUPPORTED, format!("{kind}: left out {count}, the first is `{first}`"))
        };
        self.by_kind.iter().map(note).collect()
    }
}

/// Everything about a file that is not its content.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    mode: u32,
    uid: u32,
    gid: u32,
    mtime_s: i64,
    mtime_ns: u32,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Attributes {
    pub(super) fn of_member(member: &Member) -> Self {
        Self {
            mode: member.mode,
            uid: member.uid,
            gid: member.gid,
            mtime_s: member.mtime_s,
            mtime_ns: member.mtime_ns,
            xattrs: member.xattrs.clone(),
        }
    }

    /// Those of an extracted file in a lower layer.
    pub(super) fn of_file(path: &Path, metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mtime_s: metadata.mtime(),
            mtime_ns: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
            xattrs: read_xattrs(path),
        }
    }

    /// Those of a directory that a layer uses but does not mention.
    pub(super) fn of_implied_directory() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0, xattrs: vec![] }
    }

    /// Gives them to the file at `path`. What this process may not set is counted as lost.
    pub(super) fn set(&self, path: &Path, symlink: bool, losses: &mut Losses) -> io::Result<()> {
        let mut mode = self.mode;
        match lchown(path, Some(self.uid), Some(self.gid)) {
            Ok(()) => {}
            Err(error) if not_permitted(&error) => {
                losses.add("ownership that needs privilege", path);
                // A set-user-id program must not become one of the wrong user.
                mode &= 0o1777;
            }
            Err(error) => return Err(error),
        }
        for (name, value) in self.xattrs.iter().filter(|(name, _)| allowed_xattr(name)) {
            match lsetxattr(path, name.as_slice(), value, XattrFlags::empty()) {
                Ok(()) => {}
                Err(Errno::PERM | Errno::NOTSUP | Errno::INVAL) => losses.add("extended attributes", path),
                Err(error) => return Err(error.into()),
            }
        }
        if !symlink {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        let time = Timespec { tv_sec: self.mtime_s, tv_nsec: self.mtime_ns.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

fn not_permitted(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput)
}

/// File capabilities and the user's own attributes; not overlayfs's marks, and nothing that other kernel parts act on.
fn allowed_xattr(name: &[u8]) -> bool {
    name == b"security.capability" || (name.starts_with(b"user.") && !name.starts_with(b"user.overlay."))
}

fn read_xattrs(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0_u8; XATTR_BYTES_MAX];
    let length = llistxattr(path, &mut names).unwrap_or_default();
    let names = names.get(..length).unwrap_or_default();
    let mut xattrs = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| allowed_xattr(name)) {
        let mut value = vec![0_u8; XATTR_BYTES_MAX];
        if let Ok(length) = lgetxattr(path, name, &mut value) {
            value.truncate(length);
            xattrs.push((name.to_vec(), value));
        }
    }
    xattrs
}
