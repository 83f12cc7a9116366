//! The root file system that an OCI runtime is given, with everything in place that an image or a user names.
//!
//! Layers, volumes, memory file systems and the files under `/etc` are put together here, by the same means as without a
//! runtime ([`super::super::inside`]), so that no path of an image is left for the runtime to follow. The runtime adds the
//! kernel's file systems: `/proc`, `/dev` and `/sys`.
//!
//! Invariant: while paths are resolved an empty file system lies where the kernel's will be, and what leads into it is refused:
//! neither a link of an image nor a path of a user leads to `/proc`.
//!
//! Invariant: the runtime makes `/dev` and the devices in it itself: nothing of a user lies in their place, and no link of a
//! volume leads to them.
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
/// What the runtime makes in `/dev`: devices, terminals and links.
const MADE_IN_DEV: [&str; 14] = [
    "null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "fd", "stdin", "stdout", "stderr",
    "core",
];

/// What was put together, and what the runtime is left to do.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) root: Root,
    /// Where it is, without links: a directory above it may be one.
    pub(super) place: PathBuf,
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
    check_nesting(&late_volumes)?;
    // The kernel is asked about their options, of which runtimes give some a meaning of their own.
    late_tmpfs.iter().try_for_each(|one| rootfs::hold_tmpfs(one).map(drop))?;
    let volumes = volumes.iter().map(rootfs::hold_volume).collect::<Result<Vec<_>, _>>()?;
    rootfs::mount_overlay(child)?;
    let root = Root::at(&child.paths.root()).map_err(io_at("/"))?;
    let place = root.place().map_err(io_at("/"))?;
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
    Ok(Composed { root, place, working_dir, volumes: late_volumes, tmpfs: late_tmpfs })
}

/// Those inside `/dev`, and the others.
fn divide<T: Clone>(all: &[T], path: impl Fn(&T) -> &String) -> Result<(Vec<T>, Vec<T>), StartFailure> {
    if let Some((path, reason)) = all.iter().map(&path).find_map(|path| Some((path, refusal(path)?))) {
        return Err(failed(format!("error mounting: \"{path}\" cannot be mounted because {reason}")));
    }
    Ok(all.iter().cloned().partition(|one| kernels(path(one)).is_some()))
}

/// Why nothing of a user is mounted there.
fn refusal(path: &str) -> Option<String> {
    let plain = without_dots(path);
    let inside = |dir: &str| plain.strip_prefix(Path::new("/").join(dir)).ok();
    if inside("proc").is_some() {
        return Some("it is inside /proc".to_owned());
    }
    if inside("sys").is_some() {
        return Some("it is inside /sys, with an OCI runtime".to_owned());
    }
    match inside("dev")?.iter().next() {
        None => Some("it is /dev, with an OCI runtime, which makes the devices there".to_owned()),
        Some(name) if MADE_IN_DEV.iter().any(|made| name == *made) => {
            Some(format!("it is in the place of /dev/{}, with an OCI runtime, which makes that", name.display()))
        }
        Some(_) => None,
    }
}

/// The runtime follows links that lie in a volume, perhaps to where it makes devices.
fn check_nesting(volumes: &[BindMount]) -> Result<(), StartFailure> {
    let places: Vec<PathBuf> = volumes.iter().map(|it| without_dots(&it.container_path)).collect();
    let below = |(index, place): (usize, &PathBuf)| {
        let others = places.iter().enumerate().filter(move |(other, _)| *other != index);
        let mut above = others.filter(|(_, other)| place.starts_with(other));
        above.next().map(|(_, other)| (place.clone(), other.clone()))
    };
    match places.iter().enumerate().find_map(below) {
        None => Ok(()),
        Some((place, above)) => Err(failed(format!(
            "error mounting: \"{}\" cannot be mounted because it is inside the volume at {}, inside /dev, with an OCI runtime",
            place.display(),
            above.display()
        ))),
    }
}

/// In which of the kernel's file systems a path lies by its text.
fn kernels(path: &str) -> Option<&'static str> {
    let path = without_dots(path);
    KERNELS.into_iter().find(|name| path.starts_with(Path::new("/").join(name)))
}

/// A path of a container by its text, from `/`.
pub(super) fn without_dots(path: &str) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => drop(plain.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    plain
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
pub(super) fn working_dir(root: &Root, dir: &str) -> Result<PathBuf, StartFailure> {
    let dir = if dir.is_empty() { "/" } else { dir };
    let found = root.find(Path::new(dir), OFlags::PATH | OFlags::DIRECTORY);
    let found = found.map_err(|e| failed(format!("chdir to cwd (\"{dir}\") failed: {}", plain(&e.into()))))?;
    own_path(&found, &root.place().map_err(io_at(dir))?, dir)
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

    #[test]
    fn what_the_runtime_makes_in_dev_is_left_to_it() {
        for path in ["/dev", "/dev/", "dev", "/a/../dev/.", "/dev/shm/.."] {
            let refusal = refusal(path).unwrap_or_default();
            assert_eq!(refusal, "it is /dev, with an OCI runtime, which makes the devices there", "{path}");
        }
        for name in MADE_IN_DEV {
            for path in [format!("/dev/{name}"), format!("/./dev/x/..//{name}/0"), format!("/dev/shm/../{name}")] {
                let refusal = refusal(&path).unwrap_or_default();
                assert!(refusal.starts_with(&format!("it is in the place of /dev/{name}, ")), "{path}: {refusal}");
            }
        }
        for path in ["/dev/shm", "/dev/shm/null", "/dev/mine", "/dev/nulls", "/devices", "/data/dev/null", "/"] {
            assert_eq!(refusal(path), None, "{path}");
        }
    }

    #[test]
    fn a_volume_in_dev_holds_no_other() {
        let volume = |path: &str| BindMount { source: "/".into(), container_path: path.to_owned(), read_only: true };
        let checked = |paths: [&str; 2]| check_nesting(&paths.map(volume)).map_err(|e| e.message);
        assert_eq!(checked(["/dev/shm", "/dev/shms"]), Ok(()));
        let text = "error mounting: \"/dev/a/l/null\" cannot be mounted because it is inside the volume at /dev/a, \
                    inside /dev, with an OCI runtime";
        for paths in [["/dev/a", "/dev/a/l/null"], ["/dev/a/l/b/../null", "/dev/./a"]] {
            assert_eq!(checked(paths), Err(text.to_owned()), "{paths:?}");
        }
    }
}
