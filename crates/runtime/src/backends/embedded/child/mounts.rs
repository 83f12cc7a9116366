//! Mounts that are made first and put in place later.
//!
//! Invariant: a mount has its flags before it is in place, so that no moment is without them.
//!
//! Invariant: what comes from the host is private: what is mounted there later does not appear in the container.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use crate::sys;

/// No programs with other rights, no programs, no devices.
pub(super) const HARMLESS: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NOEXEC).union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// A mount that is in no place yet.
#[derive(Debug)]
pub(super) struct Detached(OwnedFd);

impl Detached {
    /// What lies at a path of this process's, without what is mounted below it.
    pub(super) fn of_path(path: &Path) -> rustix::io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        open_tree(CWD, path, flags).map(Self)
    }

    /// Another mount of what is open.
    pub(super) fn of_open(place: &OwnedFd) -> rustix::io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
        open_tree(place, "", flags).map(Self)
    }

    /// A new file system; an option without a value is a flag.
    pub(super) fn new(kind: &str, options: &[(&str, Option<&str>)], flags: MountAttrFlags) -> rustix::io::Result<Self> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (name, value) in options {
            match value {
                Some(value) => fsconfig_set_string(&context, *name, *value)?,
                None => fsconfig_set_flag(&context, *name)?,
            }
        }
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags).map(Self)
    }

    /// Sets and clears flags, and keeps the mount from what happens elsewhere.
    pub(super) fn with(self, set: MountAttrFlags, clear: MountAttrFlags) -> std::io::Result<Self> {
        sys::mount_setattr(self.0.as_fd(), set.bits().into(), clear.bits().into(), libc::MS_PRIVATE)?;
        Ok(self)
    }

    /// Puts it on top of a place.
    pub(super) fn place(&self, place: &OwnedFd) -> rustix::io::Result<()> {
        let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&self.0, "", place, "", both)
    }

    /// Puts it on top of a path of this process's.
    pub(super) fn place_at(&self, path: &Path) -> rustix::io::Result<()> {
        move_mount(&self.0, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
    }
}
