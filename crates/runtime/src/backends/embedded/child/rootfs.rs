//! The container's file system: overlay, pivot, pseudo file systems, devices, task files, masked paths.
//!
//! What comes from outside is taken hold of before the pivot, as detached mounts; everything is put in place after it,
//! where every path that an image or a user names is resolved in the container's root ([`super::inside`]).
//!
//! Devices, `/etc/hosts` and its neighbours are the container's own: made anew on a small file system that nobody sees,
//! of which the container gets single files.
//!
//! Invariant: every file system in which the container can make something is `nodev`: a device node made in the container
//! cannot be opened, with or without a device control group.
//!
//! Invariant: the overlay's files need not survive a power loss (`volatile`): ephemeral storage ends with the task.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    MountAttrFlags, MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, mount_remount, unmount,
};

use super::Child;
use super::inside::{Root, is_in_proc};
use super::mounts::{Detached, HARMLESS as HARMLESS_MOUNT};
use crate::backends::embedded::net;
use crate::event::{StartFailure, StartFailureKind};
use crate::spec::{BindMount, Tmpfs};

/// Name and number of the devices, all of major number 1 but the terminal.
const DEVICES: &[(&str, u32, u32)] =
    &[("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];
pub(super) const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
pub(super) const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const HARMLESS: MountFlags = MountFlags::NOSUID.union(MountFlags::NOEXEC).union(MountFlags::NODEV);
/// A volume may hold programs whatever the file system that it lies on was mounted for.
const DATA_CLEAR: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOEXEC.union(MountAttrFlags::MOUNT_ATTR_NOSUID);
/// How long a container can make `/etc/hosts` and its neighbours, together.
const OWN_FILES_BYTES_MAX: &str = "1m";
const OWN_FILES_FLAGS: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NOEXEC);
/// mount(2) takes one page of options.
const OPTIONS_BYTES_MAX: usize = 4000;

/// A mount held for after the pivot.
pub(super) struct Held {
    pub(super) mount: Detached,
    pub(super) target: String,
    pub(super) is_dir: bool,
}

/// What is still to be put in place once the network namespace is joined.
pub(super) struct Entered {
    cgroups: Vec<Held>,
    /// The container's own `/dev/null`.
    null: OwnedFd,
}

/// Builds the root file system and moves into it; all but what shows the network namespace.
pub(super) fn enter(child: &Child<'_>) -> Result<Entered, StartFailure> {
    let spec = child.spec;
    let downstream = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", downstream).map_err(at("detaching from the host's mounts"))?;
    mount_own_files(child)?;
    let (devices, files) = (make_devices(child)?, make_files(child)?);
    let volumes = spec.mounts.iter().map(hold_volume).collect::<Result<Vec<_>, _>>()?;
    let mut cgroups = Vec::new();
    for (source, target) in child.cgroup.visible() {
        let set = HARMLESS_MOUNT | MountAttrFlags::MOUNT_ATTR_RDONLY;
        cgroups.push(hold(&source, &target, set, MountAttrFlags::empty())?);
    }
    mount_overlay(child)?;
    pivot(&child.paths.root())?;
    let root = Root::of_this_process().map_err(io_at("/"))?;
    mount_proc_and_dev(&root, devices)?;
    let null = rustix::fs::open("/dev/null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(at("/dev/null"))?;
    take_null_as_stdin()?;
    for tmpfs in &spec.tmpfs {
        place(&root, hold_tmpfs(tmpfs)?)?;
    }
    for one in files.into_iter().chain(volumes) {
        place(&root, one)?;
    }
    root.plain_dir("sys").map_err(io_at("/sys"))?;
    Ok(Entered { cgroups, null })
}

/// The rest: `/sys` of the joined network namespace, kernel parameters, masked paths, read-only root.
pub(super) fn finish(child: &Child<'_>, entered: Entered) -> Result<(), StartFailure> {
    mount("sysfs", "/sys", "sysfs", HARMLESS | MountFlags::RDONLY, None).map_err(at("mounting `/sys`"))?;
    if !entered.cgroups.is_empty() {
        mount_cgroups(entered.cgroups)?;
    }
    for (name, value) in &child.spec.system_controls {
        set_kernel_parameter(name, value)?;
    }
    for path in MASKED {
        mask(path, &entered.null)?;
    }
    for path in READ_ONLY {
        if Path::new(path).exists() {
            mount_bind_read_only(path, HARMLESS)?;
        }
    }
    make_working_dir(&child.spec.working_dir)?;
    if child.spec.readonly_root {
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | MountFlags::NODEV, "")
            .map_err(at("making the root file system read-only"))?;
    }
    Ok(())
}

/// A file system for the container's device nodes and its files under `/etc`, of which it gets single files: it stays below
/// the overlay, outside.
pub(super) fn mount_own_files(child: &Child<'_>) -> Result<(), StartFailure> {
    let own = Detached::new("tmpfs", &[("mode", Some("700")), ("size", Some(OWN_FILES_BYTES_MAX))], OWN_FILES_FLAGS);
    own.and_then(|own| own.place_at(&child.paths.root())).map_err(at("mounting the container's own files"))
}

fn make_devices(child: &Child<'_>) -> Result<Vec<Held>, StartFailure> {
    let place = child.paths.root();
    let mut devices = Vec::new();
    let umask = rustix::process::umask(Mode::empty());
    for (name, major, minor) in DEVICES {
        let path = place.join(name);
        let number = rustix::fs::makedev(*major, *minor);
        let made = rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), number);
        let (source, set) = match made {
            Ok(()) => (path, MountAttrFlags::empty()),
            // In a user namespace: the host's node, whose mode cannot be changed through a read-only mount.
            Err(Errno::PERM) => (Path::new("/dev").join(name), MountAttrFlags::MOUNT_ATTR_RDONLY),
            Err(e) => return Err(at(format!("making `/dev/{name}`"))(e)),
        };
        devices.push(hold(&source, &format!("/dev/{name}"), set, MountAttrFlags::empty())?);
    }
    rustix::process::umask(umask);
    Ok(devices)
}

/// `/etc/hosts` and its neighbours.
pub(super) fn make_files(child: &Child<'_>) -> Result<Vec<Held>, StartFailure> {
    let place = child.paths.root();
    let mut files = Vec::new();
    for (name, content) in net::task_files(child.network) {
        let path = place.join(name);
        fs::write(&path, content).map_err(io_at(name))?;
        let mut set = MountAttrFlags::MOUNT_ATTR_NODEV;
        set.set(MountAttrFlags::MOUNT_ATTR_RDONLY, child.spec.readonly_root);
        files.push(hold(&path, &format!("/etc/{name}"), set, MountAttrFlags::empty())?);
    }
    Ok(files)
}

/// A host's file or directory, as the container is to see it.
pub(super) fn hold_volume(volume: &BindMount) -> Result<Held, StartFailure> {
    let (mut set, clear) = (MountAttrFlags::MOUNT_ATTR_NODEV, DATA_CLEAR);
    set.set(MountAttrFlags::MOUNT_ATTR_RDONLY, volume.read_only);
    hold(&volume.source, &volume.container_path, set, clear)
}

/// The standard input is the container's own device from now on, so that nothing of the host's is open.
fn take_null_as_stdin() -> Result<(), StartFailure> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open("/dev/null", flags, Mode::empty())
        .and_then(|null| rustix::stdio::dup2_stdin(&null))
        .map_err(at("opening `/dev/null`"))
}

/// The container's own `/dev/null`, for a command.
pub(super) fn null_device(root: &Root) -> Result<OwnedFd, StartFailure> {
    let what = "opening `/dev/null`";
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let null = root.find(Path::new("/dev/null"), flags).map_err(at(what))?;
    let found = rustix::fs::fstat(&null).map_err(at(what))?;
    let is_device = FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice;
    if is_device && found.st_rdev == rustix::fs::makedev(1, 3) {
        return Ok(null);
    }
    Err(failed("`/dev/null` is not the null device".to_owned()))
}

/// As an OCI runtime: before the root file system becomes read-only.
fn make_working_dir(dir: &str) -> Result<(), StartFailure> {
    if dir.is_empty() {
        return Ok(());
    }
    let root = Root::of_this_process().map_err(io_at("/"))?;
    root.make_dir(Path::new(dir)).map(drop).map_err(|e| failed(format!("mkdir {dir}: {}", super::program::plain(&e))))
}

pub(super) fn mount_overlay(child: &Child<'_>) -> Result<(), StartFailure> {
    let (upper, work, root) = (child.paths.upper(), child.paths.work(), child.paths.root());
    let lower = child.spec.lower_dirs.iter().rev().map(|dir| escape(dir)).collect::<Vec<_>>().join(":");
    let options = format!("lowerdir={lower},upperdir={},workdir={},volatile", escape(&upper), escape(&work));
    if options.len() > OPTIONS_BYTES_MAX {
        return mount_overlay_by_layer(child, &upper, &work, &root);
    }
    let options = std::ffi::CString::new(options).map_err(|_| failed("a path holds a zero byte".to_owned()))?;
    let flags = MountFlags::NODEV;
    mount("overlay", &root, "overlay", flags, options.as_c_str()).map_err(at("mounting the layers"))
}

/// For images of so many layers that their paths do not fit mount(2)'s one page: short links to them, which lie on a file
/// system under the layers that nobody sees. `lowerdir+` would do without, from Linux 6.7 on.
fn mount_overlay_by_layer(child: &Child<'_>, upper: &Path, work: &Path, root: &Path) -> Result<(), StartFailure> {
    let attempt = || -> io::Result<()> {
        mount("neargate", root, "tmpfs", HARMLESS, c"mode=0700,size=1m")?;
        for (number, lower) in child.spec.lower_dirs.iter().rev().enumerate() {
            std::os::unix::fs::symlink(lower, root.join(number.to_string()))?;
        }
        rustix::process::chdir(root)?;
        let lower = (0..child.spec.lower_dirs.len()).map(|number| number.to_string()).collect::<Vec<_>>().join(":");
        let options = format!("lowerdir={lower},upperdir={},workdir={},volatile", escape(upper), escape(work));
        let options = std::ffi::CString::new(options)?;
        Ok(mount("overlay", root, "overlay", MountFlags::NODEV, options.as_c_str())?)
    };
    attempt().map_err(io_at(&format!("mounting {} layers", child.spec.lower_dirs.len())))
}

/// `:`, `,` and `\` separate in overlayfs's options.
fn escape(path: &Path) -> String {
    let mut escaped = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, ':' | ',' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn pivot(root: &Path) -> Result<(), StartFailure> {
    rustix::process::chdir(root).map_err(at("entering the root file system"))?;
    rustix::process::pivot_root(".", ".").map_err(at("pivot_root"))?;
    unmount(".", UnmountFlags::DETACH).map_err(at("leaving the host's file systems"))?;
    rustix::process::chdir("/").map_err(at("entering the root file system"))
}

fn mount_proc_and_dev(root: &Root, devices: Vec<Held>) -> Result<(), StartFailure> {
    root.plain_dir("proc").map_err(io_at("/proc"))?;
    mount("proc", "/proc", "proc", HARMLESS, None).map_err(at("mounting `/proc`"))?;
    root.plain_dir("dev").map_err(io_at("/dev"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::STRICTATIME;
    mount("tmpfs", "/dev", "tmpfs", flags, c"mode=755,size=65536k").map_err(at("mounting `/dev`"))?;
    for device in devices {
        place(root, device)?;
    }
    for (target, link) in DEVICE_LINKS {
        std::os::unix::fs::symlink(target, link).map_err(io_at(link))?;
    }
    if Path::new("/proc/kcore").exists() {
        std::os::unix::fs::symlink("/proc/kcore", "/dev/core").map_err(io_at("/dev/core"))?;
    }
    for dir in ["/dev/pts", "/dev/shm", "/dev/mqueue"] {
        fs::create_dir(dir).map_err(io_at(dir))?;
    }
    // A terminal's device is one that `nodev` would forbid; a new instance holds no terminal but the container's.
    let terminals = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devpts", "/dev/pts", "devpts", terminals, c"newinstance,ptmxmode=0666,mode=0620,gid=5")
        .map_err(at("mounting `/dev/pts`"))?;
    mount("tmpfs", "/dev/shm", "tmpfs", HARMLESS, c"mode=1777,size=65536k").map_err(at("mounting `/dev/shm`"))?;
    match mount("mqueue", "/dev/mqueue", "mqueue", HARMLESS, None) {
        Ok(()) | Err(Errno::NODEV) => Ok(()),
        Err(e) => Err(at("mounting `/dev/mqueue`")(e)),
    }
}

pub(super) fn hold_tmpfs(tmpfs: &Tmpfs) -> Result<Held, StartFailure> {
    let size = format!("{}m", tmpfs.size_mib);
    let mut flags = HARMLESS_MOUNT;
    let mut options = vec![("size", Some(size.as_str()))];
    for option in &tmpfs.options {
        match (tmpfs_flag(option), option.as_str()) {
            (Some((flag, is_set)), _) => flags.set(flag, is_set),
            (None, "sync") => options.push(("sync", None)),
            (None, option) => options.extend(option.split_once('=').map(|(name, value)| (name, Some(value)))),
        }
    }
    let what = || format!("mounting tmpfs at `{}`", tmpfs.container_path);
    let mount = Detached::new("tmpfs", &options, flags).map_err(at(what()))?;
    Ok(Held { mount, target: tmpfs.container_path.clone(), is_dir: true })
}

/// The flag that a word among the options of a memory file system is about, and whether it is set.
fn tmpfs_flag(word: &str) -> Option<(MountAttrFlags, bool)> {
    use MountAttrFlags as Flags;
    Some(match word {
        "ro" => (Flags::MOUNT_ATTR_RDONLY, true),
        "rw" => (Flags::MOUNT_ATTR_RDONLY, false),
        "noexec" => (Flags::MOUNT_ATTR_NOEXEC, true),
        "exec" => (Flags::MOUNT_ATTR_NOEXEC, false),
        "nosuid" => (Flags::MOUNT_ATTR_NOSUID, true),
        "suid" => (Flags::MOUNT_ATTR_NOSUID, false),
        "noatime" => (Flags::MOUNT_ATTR_NOATIME, true),
        "strictatime" => (Flags::MOUNT_ATTR_STRICTATIME, true),
        _ => return None,
    })
}

/// Whether [`hold_tmpfs`] does anything about an option.
pub(super) fn is_of_tmpfs(option: &str) -> bool {
    tmpfs_flag(option).is_some() || option == "sync" || option.contains('=')
}

/// Version 2: the container's own group is `/sys/fs/cgroup`. Version 1: a directory per controller in a tmpfs.
fn mount_cgroups(cgroups: Vec<Held>) -> Result<(), StartFailure> {
    let top = "/sys/fs/cgroup";
    let single = cgroups.iter().any(|held| held.target == top);
    if !single {
        mount("tmpfs", top, "tmpfs", HARMLESS, c"mode=755,size=64k").map_err(at("mounting `/sys/fs/cgroup`"))?;
    }
    for held in cgroups {
        if !single {
            fs::create_dir(&held.target).map_err(io_at(&held.target))?;
        }
        held.mount.place_at(Path::new(&held.target)).map_err(at(format!("mounting `{}`", held.target)))?;
    }
    if single {
        return Ok(());
    }
    mount_remount(top, MountFlags::BIND | MountFlags::RDONLY | HARMLESS, "").map_err(at("mounting `/sys/fs/cgroup`"))
}

fn set_kernel_parameter(name: &str, value: &str) -> Result<(), StartFailure> {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    fs::write(&path, value).map_err(|e| {
        let text = format!("kernel parameter `{name}` = `{value}`: {}", super::program::plain(&e));
        StartFailure::new(StartFailureKind::InvalidSetting, text)
    })
}

fn mask(path: &str, null: &OwnedFd) -> Result<(), StartFailure> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let masked = if found.is_dir() {
        mount("tmpfs", path, "tmpfs", HARMLESS | MountFlags::RDONLY, c"size=0k")
    } else {
        Detached::of_open(null).and_then(|null| null.place_at(Path::new(path)))
    };
    masked.map_err(at(format!("masking `{path}`")))
}

fn mount_bind_read_only(path: &str, flags: MountFlags) -> Result<(), StartFailure> {
    rustix::mount::mount_bind_recursive(path, path)
        .and_then(|()| mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | flags, ""))
        .map_err(at(format!("making `{path}` read-only")))
}

fn hold(source: &Path, target: &str, set: MountAttrFlags, clear: MountAttrFlags) -> Result<Held, StartFailure> {
    let what = || format!("mount source `{}`", source.display());
    let is_dir = fs::metadata(source).map_err(|e| failed(format!("{}: {e}", what())))?.is_dir();
    let mount = Detached::of_path(source).map_err(at(what()))?;
    let mount = mount.with(set, clear).map_err(|e| failed(format!("{}: {e}", what())))?;
    Ok(Held { mount, target: target.to_owned(), is_dir })
}

/// Puts a mount where a user or this module wants it. Its descriptor is closed then.
fn place(root: &Root, held: Held) -> Result<(), StartFailure> {
    let target = Path::new(&held.target);
    let place = if held.is_dir { root.make_dir(target) } else { root.make_file(target) };
    let place = place.map_err(io_at(&held.target))?;
    if is_in_proc(&place).map_err(io_at(&held.target))? {
        return Err(failed(format!("\"{}\" cannot be mounted because it is inside /proc", held.target)));
    }
    held.mount.place(&place).map_err(at(format!("mounting `{}`", held.target)))
}

pub(super) fn failed(text: String) -> StartFailure {
    StartFailure::new(StartFailureKind::RootFs, text)
}

pub(super) fn at(what: impl Into<String>) -> impl FnOnce(Errno) -> StartFailure {
    let what = what.into();
    move |e| failed(format!("error mounting: {what}: {}", super::program::plain(&e.into())))
}

pub(super) fn io_at(what: &str) -> impl FnOnce(io::Error) -> StartFailure {
    let what = what.to_owned();
    move |e| failed(format!("error mounting: `{what}`: {}", super::program::plain(&e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_paths_are_escaped() {
        assert_eq!(escape(Path::new("/a:b,c\\d/e f")), "/a\\:b\\,c\\\\d/e f");
    }
}
