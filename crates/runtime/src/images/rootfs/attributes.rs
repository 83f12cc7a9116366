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
/// With so much free a file system is not full.
const SPARE_BYTES: u64 = 16 << 20;

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

/// Everything about a file that is not its content, nor its extended attributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    uid: u32,
    gid: u32,
    pub(super) mtime_s: i64,
    pub(super) mtime_ns: u32,
}

impl Attributes {
    pub(super) fn of_member(member: &Member) -> Self {
        Self { mode: member.mode, uid: member.uid, gid: member.gid, mtime_s: member.mtime_s, mtime_ns: member.mtime_ns }
    }

    /// Those of an extracted file in a lower layer.
    pub(super) fn of_file(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mtime_s: metadata.mtime(),
            mtime_ns: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
        }
    }

    /// Those of a directory that a layer uses but does not mention.
    pub(super) fn of_implied_directory() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0 }
    }

    /// Gives the file at `path` its owner, as far as this process may; answers the mode that it can have then.
    pub(super) fn set_owner(&self, path: &Path, losses: &mut Losses) -> io::Result<u32> {
        match lchown(path, Some(self.uid), Some(self.gid)) {
            Ok(()) => Ok(self.mode),
            Err(error) if not_permitted(&error) => {
                losses.add("ownership that needs privilege", path);
                // A set-user-id program must not become one of the wrong user.
                Ok(self.mode & 0o1777)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the file at `path` its mode and time, which come last.
    pub(super) fn set_mode_and_time(&self, path: &Path, mode: u32, symlink: bool) -> io::Result<()> {
        if !symlink {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        let time = Timespec { tv_sec: self.mtime_s, tv_nsec: self.mtime_ns.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

/// Sets an extended attribute, if a container may have it. What this process may not set, or no file here can hold, is
/// counted as lost.
pub(super) fn set_xattr(path: &Path, name: &[u8], value: &[u8], losses: &mut Losses) -> io::Result<()> {
    if !allowed_xattr(name) {
        return Ok(());
    }
    match lsetxattr(path, name, value, XattrFlags::empty()) {
        Ok(()) => Ok(()),
        Err(Errno::PERM | Errno::NOTSUP | Errno::INVAL | Errno::TOOBIG | Errno::RANGE) => {
            losses.add("extended attributes", path);
            Ok(())
        }
        // Some file systems have a block for all attributes of a file, which this one is too large for.
        Err(Errno::NOSPC) if free_bytes(path.parent().unwrap_or(path))? >= SPARE_BYTES => {
            losses.add("extended attributes", path);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Sets those of a member.
pub(super) fn set_xattrs(path: &Path, member: &Member, losses: &mut Losses) -> io::Result<()> {
    member.xattrs.iter().try_for_each(|(name, value)| set_xattr(path, name, value, losses))
}

/// Gives `to` those of `from`, one after another.
pub(super) fn copy_xattrs(from: &Path, to: &Path, losses: &mut Losses) -> io::Result<()> {
    let mut names = vec![0_u8; XATTR_BYTES_MAX];
    let length = llistxattr(from, &mut names).unwrap_or_default();
    let mut value = vec![0_u8; XATTR_BYTES_MAX];
    for name in names.get(..length).unwrap_or_default().split(|byte| *byte == 0).filter(|name| allowed_xattr(name)) {
        if let Ok(length) = lgetxattr(from, name, &mut value) {
            set_xattr(to, name, value.get(..length).unwrap_or_default(), losses)?;
        }
    }
    Ok(())
}

fn not_permitted(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput)
}

/// File capabilities and the user's own attributes; not overlayfs's marks, and nothing that other kernel parts act on.
fn allowed_xattr(name: &[u8]) -> bool {
    name == b"security.capability" || (name.starts_with(b"user.") && !name.starts_with(b"user.overlay."))
}
