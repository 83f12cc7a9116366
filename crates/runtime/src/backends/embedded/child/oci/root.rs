//! The root file system that an OCI runtime is given, with everything in place that an image or a user names.
//!
//! Layers, volumes, memory file systems and the files under `/etc` are put together here, by the same means as without a
//! runtime ([`super::super::inside`]), so that no path of an image is left for the runtime to follow. The runtime adds the
//! kernel's file systems: `/proc`, `/dev` and `/sys`.
//!
//! Invariant: while paths are resolved an empty file system lies where the kernel's will be, and what leads into it is refused:
//! neither a link of an image nor a path of a user leads to `/proc`.
//!
//! Invariant: the runtime is told the working directory's own path, without links.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat};
use rustix::mount::{UnmountFlags, unmount};

use super::super::inside::Root;
use super::super::mounts::{Detached, HARMLESS};
use super::super::program::plain;
use super::super::rootfs::{self, Held, at, failed, io_at};
use super::super::{Child, invalid};
use crate::event::{StartFailure, StartFailureKind};
use crate::spec::{BindMount, Tmpfs};

/// Where the runtime mounts the kernel's file systems.
const KERNELS: [&str; 3] = ["proc", "dev", "sys"];

/// What was put together, and what the runtime is left to do.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) root: Root,
    pub(super) working_dir: PathBuf,
    /// Those inside `/dev`, which the runtime makes.
    pub(super) volumes: Vec<BindMount>,
    pub(super) tmpfs: Vec<Tmpfs>,
}

/// An empty file system in the place of one of the kernel's.
struct Guard {
    name: &'static str,
    device: u64,
}

/// Puts the root together at the container's `root` directory, in the calling process's mount namespace.
pub(super) fn compose(child: &Child<'_>) -> Result<Composed, StartFailure> {
    let spec = child.spec;
    rootfs::mount_own_files(child)?;
    let files = rootfs::make_files(child)?;
    let (late_volumes, volumes) = divide(&spec.mounts, |it| &it.container_path)?;
    let (late_tmpfs, tmpfs) = divide(&spec.tmpfs, |it| &it.container_path)?;
    let volumes = volumes.iter().map(rootfs::hold_volume).collect::<Result<Vec<_>, _>>()?;
    rootfs::mount_overlay(child)?;
    let place = child.paths.root();
    let root = Root::at(&place).map_err(io_at("/"))?;
    let guards = KERNELS.iter().map(|name| guard(&root, name)).collect::<Result<Vec<_>, _>>()?;
    for one in &tmpfs {
        put(&root, &guards, rootfs::hold_tmpfs(one)?)?;
    }
    for one in files.into_iter().chain(volumes) {
        put(&root, &guards, one)?;
    }
    let working_dir = make_working_dir(&root, &guards, &place, &spec.working_dir)?;
    for guard in &guards {
        unmount(place.join(guard.name), UnmountFlags::DETACH).map_err(at(format!("mounting `/{}`", guard.name)))?;
    }
    Ok(Composed { root, working_dir, volumes: late_volumes, tmpfs: late_tmpfs })
}

/// Those inside `/dev`, and the others.
fn divide<T: Clone>(all: &[T], path: impl Fn(&T) -> &String) -> Result<(Vec<T>, Vec<T>), StartFailure> {
    let refused = all.iter().map(&path).find(|path| matches!(kernels(path), Some("proc" | "sys")));
    match refused {
        Some(path) if kernels(path) == Some("sys") => Err(failed(format!(
            "error mounting: \"{path}\" cannot be mounted because it is inside /sys, with an OCI runtime"
        ))),
        Some(path) => Err(failed(format!("error mounting: \"{path}\" cannot be mounted because it is inside /proc"))),
        None => Ok(all.iter().cloned().partition(|one| kernels(path(one)).is_some())),
    }
}

/// In which of the kernel's file systems a path lies by its text.
fn kernels(path: &str) -> Option<&'static str> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => drop(names.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let first = names.first()?;
    KERNELS.into_iter().find(|name| first == name)
}

fn guard(root: &Root, name: &'static str) -> Result<Guard, StartFailure> {
    let attempt = || -> std::io::Result<Guard> {
        let dir = root.plain_dir(name)?;
        Detached::new("tmpfs", &[("mode", Some("755")), ("size", Some("64k"))], HARMLESS)?.place(&dir)?;
        let on_top = root.find(Path::new(name), OFlags::PATH | OFlags::NOFOLLOW)?;
        Ok(Guard { name, device: device(&on_top)? })
    };
    attempt().map_err(io_at(&format!("/{name}")))
}

fn device(place: &OwnedFd) -> rustix::io::Result<u64> {
    fstat(place).map(|found| found.st_dev)
}

/// The kernel's file system in which something would lie.
fn guarded(guards: &[Guard], place: &OwnedFd) -> std::io::Result<Option<&'static str>> {
    let device = device(place)?;
    Ok(guards.iter().find(|guard| guard.device == device).map(|guard| guard.name))
}

fn put(root: &Root, guards: &[Guard], held: Held) -> Result<(), StartFailure> {
    let target = Path::new(&held.target);
    let place = if held.is_dir { root.make_dir(target) } else { root.make_file(target) };
    let place = place.map_err(io_at(&held.target))?;
    if let Some(name) = guarded(guards, &place).map_err(io_at(&held.target))? {
        return Err(failed(format!("error mounting: `{}`: it leads into /{name}", held.target)));
    }
    held.mount.place(&place).map_err(at(format!("mounting `{}`", held.target)))
}

/// Makes the working directory where it is missing; answers with its path in the container.
fn make_working_dir(root: &Root, guards: &[Guard], place: &Path, dir: &str) -> Result<PathBuf, StartFailure> {
    if dir.is_empty() {
        return Ok(PathBuf::from("/"));
    }
    if !dir.starts_with('/') {
        return Err(invalid(format!("working directory `{dir}` is not absolute")));
    }
    let refused = |name: &str| {
        let text = format!("chdir to cwd (\"{dir}\") failed: it leads into /{name}, with an OCI runtime");
        Err(StartFailure::new(StartFailureKind::RootFs, text))
    };
    // Also where the path leaves it again: what is there is not known before the container is.
    let first = Path::new(dir).components().find_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    if let Some(name) = KERNELS.into_iter().find(|name| first.is_some_and(|first| first == *name)) {
        return refused(name);
    }
    let made = root.make_dir(Path::new(dir)).map_err(|e| failed(format!("mkdir {dir}: {}", plain(&e))))?;
    if let Some(name) = guarded(guards, &made).map_err(io_at(dir))? {
        return refused(name);
    }
    own_path(&made, place, dir)
}

/// The working directory's path for a command, whose container made it when it started.
pub(super) fn working_dir(root: &Root, place: &Path, dir: &str) -> Result<PathBuf, StartFailure> {
    let dir = if dir.is_empty() { "/" } else { dir };
    let found = root.find(Path::new(dir), OFlags::PATH | OFlags::DIRECTORY);
    let found = found.map_err(|e| failed(format!("chdir to cwd (\"{dir}\") failed: {}", plain(&e.into()))))?;
    own_path(&found, place, dir)
}

/// A directory's path in the container, without links.
fn own_path(found: &OwnedFd, place: &Path, dir: &str) -> Result<PathBuf, StartFailure> {
    let own = std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd())).map_err(io_at(dir))?;
    match own.strip_prefix(place) {
        Ok(inside) => Ok(Path::new("/").join(inside)),
        Err(_) => Err(failed(format!("chdir to cwd (\"{dir}\") failed: it is outside of the container's root"))),
    }
}

/// Opens the container's root as its first process has it.
pub(super) fn of_process(pid: i32) -> std::io::Result<Root> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(Root::from(rustix::fs::open(format!("/proc/{pid}/root"), flags, Mode::empty())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_kernels_file_systems_are_known_by_their_text() {
        for (path, expected) in [
            ("/proc", Some("proc")),
            ("/a/../proc/sys/kernel", Some("proc")),
            ("/./dev/shm/x", Some("dev")),
            ("/dev/..", None),
            ("/../sys", Some("sys")),
            ("/procs", None),
            ("/data/proc", None),
            ("/", None),
        ] {
            assert_eq!(kernels(path), expected, "{path}");
        }
    }
}
