//! The container's file system: overlay, pivot, pseudo file systems, devices, task files, masked paths.
//!
//! Host paths are taken hold of before the pivot, as detached mounts; everything is put in place after it, where every
//! path, symbolic links included, resolves inside the container's root.
//!
//! Invariant: every file system the container can write to is `nodev`, and its devices are bind mounts of six harmless
//! ones: a device node made in the container cannot be opened, with or without a device control group.
//! Invariant: the overlay's files need not survive a power loss (`volatile`): ephemeral storage ends with the task.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_change,
    mount_remount, move_mount, open_tree, unmount,
};

use super::Child;
use crate::event::{StartFailure, StartFailureKind};
use crate::spec::Tmpfs;

const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("/proc/kcore", "/dev/core"),
    ("pts/ptmx", "/dev/ptmx"),
];
const TASK_FILES: &[(&str, &str)] =
    &[("hosts", "/etc/hosts"), ("resolv.conf", "/etc/resolv.conf"), ("hostname", "/etc/hostname")];
const MASKED: &[&str] = &[
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
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const HARMLESS: MountFlags = MountFlags::NOSUID.union(MountFlags::NOEXEC).union(MountFlags::NODEV);
/// mount(2) takes one page of options.
const OPTIONS_BYTES_MAX: usize = 4000;

/// As many symbolic links as the kernel follows.
pub(super) const LINKS_MAX: u32 = 40;

/// A host file or directory held for after the pivot.
struct Held {
    tree: OwnedFd,
    target: String,
    is_dir: bool,
    read_only: bool,
}

/// What is still to be put in place once the network namespace is joined.
pub(super) struct Entered {
    cgroups: Vec<Held>,
}

/// Builds the root file system and moves into it; all but what shows the network namespace.
pub(super) fn enter(child: &Child<'_>) -> Result<Entered, StartFailure> {
    let spec = child.spec;
    let downstream = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", downstream).map_err(at("detaching from the host's mounts"))?;
    let mut devices = Vec::new();
    for name in DEVICES {
        let path = format!("/dev/{name}");
        if Path::new(&path).exists() {
            devices.push(hold(Path::new(&path), &path, false)?);
        }
    }
    let mut held = Vec::new();
    for (file, target) in TASK_FILES {
        held.push(hold(&child.run_dir.join(file), target, false)?);
    }
    for mount in &spec.mounts {
        held.push(hold(&mount.source, &mount.container_path, mount.read_only)?);
    }
    let mut cgroups = Vec::new();
    for (source, target) in child.cgroup.visible() {
        cgroups.push(hold(&source, &target, true)?);
    }
    mount_overlay(child)?;
    pivot(&child.paths.root())?;
    mount_proc_and_dev(&devices)?;
    for tmpfs in &spec.tmpfs {
        mount_tmpfs(tmpfs)?;
    }
    for one in &held {
        place(one)?;
    }
    make_dir("/sys")?;
    Ok(Entered { cgroups })
}

/// The rest: `/sys` of the joined network namespace, kernel parameters, masked paths, read-only root.
pub(super) fn finish(child: &Child<'_>, entered: Entered) -> Result<(), StartFailure> {
    mount("sysfs", "/sys", "sysfs", HARMLESS | MountFlags::RDONLY, None).map_err(at("mounting `/sys`"))?;
    if !entered.cgroups.is_empty() {
        mount_cgroups(&entered.cgroups)?;
    }
    for (name, value) in &child.spec.system_controls {
        set_kernel_parameter(name, value)?;
    }
    for path in MASKED {
        mask(path)?;
    }
    for path in READ_ONLY {
        if Path::new(path).exists() {
            mount_bind_read_only(path, HARMLESS)?;
        }
    }
    if child.spec.readonly_root {
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | MountFlags::NODEV, "")
            .map_err(at("making the root file system read-only"))?;
    }
    Ok(())
}

fn mount_overlay(child: &Child<'_>) -> Result<(), StartFailure> {
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

/// For images of so many layers that their paths do not fit mount(2)'s one page (Linux 6.5 and later).
fn mount_overlay_by_layer(child: &Child<'_>, upper: &Path, work: &Path, root: &Path) -> Result<(), StartFailure> {
    let attempt = || -> rustix::io::Result<()> {
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for lower in child.spec.lower_dirs.iter().rev() {
            fsconfig_set_string(&context, "lowerdir+", lower)?;
        }
        fsconfig_set_string(&context, "upperdir", upper)?;
        fsconfig_set_string(&context, "workdir", work)?;
        fsconfig_set_flag(&context, "volatile")?;
        fsconfig_create(&context)?;
        let mounted = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NODEV)?;
        move_mount(&mounted, "", CWD, root, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
    };
    attempt().map_err(at(format!("mounting {} layers", child.spec.lower_dirs.len())))
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

fn mount_proc_and_dev(devices: &[Held]) -> Result<(), StartFailure> {
    make_dir("/proc")?;
    mount("proc", "/proc", "proc", HARMLESS, None).map_err(at("mounting `/proc`"))?;
    make_dir("/dev")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::STRICTATIME;
    mount("tmpfs", "/dev", "tmpfs", flags, c"mode=755,size=65536k").map_err(at("mounting `/dev`"))?;
    for device in devices {
        place(device)?;
    }
    for (target, link) in DEVICE_LINKS {
        std::os::unix::fs::symlink(target, link).map_err(io_at(link))?;
    }
    for dir in ["/dev/pts", "/dev/shm", "/dev/mqueue"] {
        make_dir(dir)?;
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

fn mount_tmpfs(tmpfs: &Tmpfs) -> Result<(), StartFailure> {
    make_dir(&tmpfs.container_path)?;
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let mut data = format!("size={}m", tmpfs.size_mib);
    for option in &tmpfs.options {
        match option.as_str() {
            "ro" => flags |= MountFlags::RDONLY,
            "rw" => flags -= MountFlags::RDONLY,
            "noexec" => flags |= MountFlags::NOEXEC,
            "exec" => flags -= MountFlags::NOEXEC,
            "nosuid" => flags |= MountFlags::NOSUID,
            "suid" => flags -= MountFlags::NOSUID,
            "noatime" => flags |= MountFlags::NOATIME,
            "relatime" => flags |= MountFlags::RELATIME,
            "strictatime" => flags |= MountFlags::STRICTATIME,
            "sync" => flags |= MountFlags::SYNCHRONOUS,
            option if option.contains('=') => data = format!("{data},{option}"),
            _ => {}
        }
    }
    let data = std::ffi::CString::new(data).map_err(|_| failed("a tmpfs option holds a zero byte".to_owned()))?;
    mount("tmpfs", tmpfs.container_path.as_str(), "tmpfs", flags, data.as_c_str())
        .map_err(at(format!("mounting tmpfs at `{}`", tmpfs.container_path)))
}

/// Version 2: the container's own group is `/sys/fs/cgroup`. Version 1: a directory per controller in a tmpfs.
fn mount_cgroups(cgroups: &[Held]) -> Result<(), StartFailure> {
    let top = "/sys/fs/cgroup";
    let single = cgroups.iter().any(|held| held.target == top);
    if !single {
        mount("tmpfs", top, "tmpfs", HARMLESS, c"mode=755,size=64k").map_err(at("mounting `/sys/fs/cgroup`"))?;
    }
    for held in cgroups {
        place(held)?;
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

fn mask(path: &str) -> Result<(), StartFailure> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let masked = if found.is_dir() {
        mount("tmpfs", path, "tmpfs", HARMLESS | MountFlags::RDONLY, c"size=0k")
    } else {
        rustix::mount::mount_bind("/dev/null", path)
    };
    masked.map_err(at(format!("masking `{path}`")))
}

fn mount_bind_read_only(path: &str, flags: MountFlags) -> Result<(), StartFailure> {
    rustix::mount::mount_bind_recursive(path, path)
        .and_then(|()| mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | flags, ""))
        .map_err(at(format!("making `{path}` read-only")))
}

fn hold(source: &Path, target: &str, read_only: bool) -> Result<Held, StartFailure> {
    let what = || format!("mount source `{}`", source.display());
    let is_dir = fs::metadata(source).map_err(|e| failed(format!("{}: {e}", what())))?.is_dir();
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, source, flags).map_err(at(what()))?;
    Ok(Held { tree, target: target.to_owned(), is_dir, read_only })
}

fn place(held: &Held) -> Result<(), StartFailure> {
    let target = held.target.as_str();
    if held.is_dir {
        make_dir(target)?;
    } else {
        make_file(Path::new(target))?;
    }
    move_mount(&held.tree, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(at(format!("mounting `{target}`")))?;
    let flags = if target.starts_with("/dev/") { MountFlags::NOSUID | MountFlags::NOEXEC } else { data_flags(held) };
    mount_remount(target, MountFlags::BIND | flags, "").map_err(at(format!("mounting `{target}`")))
}

fn data_flags(held: &Held) -> MountFlags {
    let flags = MountFlags::NODEV;
    if held.read_only { flags | MountFlags::RDONLY } else { flags }
}

fn make_dir(path: &str) -> Result<(), StartFailure> {
    make_dir_through_links(Path::new(path), LINKS_MAX).map_err(io_at(path))
}

/// Makes a directory and those above it, also where a symbolic link leads that does not lead anywhere yet. All of it
/// is below the container's root, which is the caller's.
pub(super) fn make_dir_through_links(path: &Path, links_max: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    make_dir_through_links(parent, links_max)?;
    match (fs::read_link(path), links_max.checked_sub(1)) {
        (Ok(_), None) => Err(Errno::LOOP.into()),
        (Ok(target), Some(links_max)) => make_dir_through_links(&parent.join(target), links_max),
        (Err(_), _) => fs::create_dir(path),
    }
}

/// Makes a mount target. A dangling symbolic link of the image makes way.
fn make_file(path: &Path) -> Result<(), StartFailure> {
    if path.exists() {
        return Ok(());
    }
    let text = path.display().to_string();
    if let Some(parent) = path.parent() {
        make_dir_through_links(parent, LINKS_MAX).map_err(io_at(&text))?;
    }
    if fs::symlink_metadata(path).is_ok() {
        fs::remove_file(path).map_err(io_at(&text))?;
    }
    fs::write(path, "").map_err(io_at(&text))
}

fn failed(text: String) -> StartFailure {
    StartFailure::new(StartFailureKind::RootFs, text)
}

fn at(what: impl Into<String>) -> impl FnOnce(Errno) -> StartFailure {
    let what = what.into();
    move |e| failed(format!("error mounting: {what}: {}", super::program::plain(&e.into())))
}

fn io_at(what: &str) -> impl FnOnce(io::Error) -> StartFailure {
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
