//! What the embedded backend needs, tried out one by one in a process of its own, then a container that really starts.
//!
//! The program runs itself again as `<program> shim --probe <dir>`: that process has one thread, moves into namespaces
//! of its own, tries, prints what it found as JSON, and takes everything with it when it ends.
//!
//! Invariant: nothing outlives a probe but a directory that it removes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use serde::{Deserialize, Serialize};

use super::cgroup::Hierarchies;
use super::placement::Place;
use super::scratch::Scratch;
use super::{EmbeddedConfig, SHIM_ARGUMENT, devices, net, runtime, trial};
use crate::probe::Capability;
use crate::sys;

/// The oldest kernel that has everything.
const KERNEL_MIN: (u32, u32) = (5, 11);
/// The capabilities that making a container takes.
const RIGHTS: &[(u32, &str)] = &[
    (0, "CAP_CHOWN"),
    (1, "CAP_DAC_OVERRIDE"),
    (3, "CAP_FOWNER"),
    (6, "CAP_SETGID"),
    (7, "CAP_SETUID"),
    (8, "CAP_SETPCAP"),
    (12, "CAP_NET_ADMIN"),
    (21, "CAP_SYS_ADMIN"),
];
/// The shim argument that asks for a probe.
pub(super) const PROBE_ARGUMENT: &str = "--probe";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Findings {
    rights: Finding,
    kernel: Finding,
    namespaces: Finding,
    network: Finding,
    overlayfs: Finding,
    cgroups: Finding,
    ephemeral: Finding,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Finding {
    ok: bool,
    detail: String,
}

impl From<io::Result<String>> for Finding {
    fn from(result: io::Result<String>) -> Self {
        match result {
            Ok(detail) => Self { ok: true, detail },
            Err(e) => Self { ok: false, detail: e.to_string().to_lowercase() },
        }
    }
}

/// The OCI runtimes of this machine, and whether each really starts a container. None of them is needed.
pub(super) fn runtimes(config: &EmbeddedConfig) -> Vec<Capability> {
    let writable = config.data_dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    let tried = |(name, path): (&'static str, PathBuf)| {
        let version = runtime::version(&path).unwrap_or_else(|e| e.to_string());
        let with = EmbeddedConfig { runtime: Some(path), ..config.clone() };
        let (ok, detail) = match trial::run(&with, writable) {
            Ok(detail) => (true, format!("{version}: {detail}")),
            Err(e) => (false, format!("{version}: {}", e.to_string().to_lowercase())),
        };
        let hint = if ok { String::new() } else { "`--backend oci` does not run on this machine with it".to_owned() };
        Capability { name, ok, required: false, detail, hint }
    };
    let found: Vec<Capability> = runtime::all().into_iter().map(tried).collect();
    let passed_over: Vec<Capability> = runtime::passed_over().into_iter().map(not_run).collect();
    if !found.is_empty() || !passed_over.is_empty() {
        return found.into_iter().chain(passed_over).collect();
    }
    let hint = "install `runc` for `--backend oci`".to_owned();
    vec![Capability { name: "oci", ok: false, required: false, detail: runtime::MISSING.to_owned(), hint }]
}

fn not_run((program, reason): (PathBuf, String)) -> Capability {
    let detail = format!("`{}` is passed over: {reason}", program.display());
    let hint = "root runs a runtime only where file and directories are root's and writable to nobody else".to_owned();
    Capability { name: "oci", ok: false, required: false, detail, hint }
}

/// Looks at this machine. Nothing is made in the data directory, which need not exist.
pub(super) fn probe(config: &EmbeddedConfig) -> Vec<Capability> {
    let writable = config.data_dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    let findings = run_probe(&config.shim_program, writable).unwrap_or_else(|e| {
        let unknown = || Finding { ok: false, detail: format!("the probe did not run: {e}") };
        Findings {
            rights: unknown(),
            kernel: unknown(),
            namespaces: unknown(),
            network: unknown(),
            overlayfs: unknown(),
            cgroups: unknown(),
            ephemeral: unknown(),
        }
    });
    let capability = |name, required, finding: Finding, hint: &str| {
        let hint = if finding.ok { String::new() } else { hint.to_owned() };
        Capability { name, ok: finding.ok, required, detail: finding.detail, hint }
    };
    let mut capabilities = vec![
        capability("rights", true, findings.rights, "run as root (`sudo`); in a container, a privileged one"),
        capability("kernel", true, findings.kernel, "use Linux 5.12 or later"),
        capability("namespaces", true, findings.namespaces, "run as root, or in a container that may make namespaces"),
        capability("network", true, findings.network, "run with CAP_NET_ADMIN on a kernel that has `veth`"),
        capability(
            "overlayfs",
            true,
            findings.overlayfs,
            "load `overlay`, and keep the data directory on ext4, xfs or btrfs",
        ),
        capability(
            "cgroups",
            false,
            findings.cgroups,
            "mount cgroups writable; without them cpu and memory are not limited",
        ),
        capability(
            "loop",
            true,
            findings.ephemeral,
            "load `loop`: a task's ephemeral storage is a file system in a file",
        ),
    ];
    if let Some(runtime) = &config.runtime {
        let found = runtime::version(runtime).into();
        capabilities.push(capability("runtime", true, found, "install `runc`, or leave out `--backend oci`"));
    }
    let is_hopeless = |it: &Capability| it.required && !it.ok && it.name != "overlayfs";
    let tried = if capabilities.iter().any(is_hopeless) {
        Finding { ok: false, detail: "not tried, for want of the above".to_owned() }
    } else {
        trial::run(config, writable).into()
    };
    let hint = match config.runtime {
        Some(_) => "see what is missing above, or use the backend `embedded`, which needs no OCI runtime",
        None => "see what is missing above",
    };
    if tried.ok {
        // What a container has run without is not needed.
        capabilities.iter_mut().for_each(|it| it.required &= it.ok);
    }
    capabilities.push(capability("container", true, tried, hint));
    capabilities
}

fn run_probe(program: &Path, data_dir: &Path) -> io::Result<Findings> {
    let output = Command::new(program)
        .args([SHIM_ARGUMENT, PROBE_ARGUMENT])
        .arg(data_dir)
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs in the probing process; prints the findings.
pub(super) fn probe_here(data_dir: &Path) -> i32 {
    let (cgroups, ephemeral) = (cgroups(), loop_devices());
    let namespaces = namespaces();
    // Elsewhere than in its own namespaces a probe would leave things behind.
    let alone = |attempt: &dyn Fn() -> io::Result<String>| match &namespaces {
        Ok(_) => attempt(),
        Err(_) => Err(io::Error::other("not tried, without namespaces of its own")),
    };
    let findings = Findings {
        // Its words are ours, with names in capitals.
        rights: rights()
            .map_or_else(|e| Finding { ok: false, detail: e.to_string() }, |detail| Finding { ok: true, detail }),
        kernel: kernel().into(),
        cgroups: cgroups.into(),
        ephemeral: ephemeral.into(),
        overlayfs: alone(&|| overlay(data_dir)).into(),
        network: alone(&net::try_pair).into(),
        namespaces: namespaces.into(),
    };
    let printed = serde_json::to_vec(&findings).map_err(io::Error::from).and_then(|text| io::stdout().write_all(&text));
    i32::from(printed.is_err())
}

/// Root, with what root usually may.
pub(super) fn rights() -> io::Result<String> {
    let user = rustix::process::geteuid();
    if !user.is_root() {
        return Err(io::Error::other(format!("containers need root, this is user {}", user.as_raw())));
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    let missing: Vec<&str> =
        RIGHTS.iter().filter(|(bit, _)| effective >> bit & 1 == 0).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return Ok("root".to_owned());
    }
    Err(io::Error::other(format!("containers need root with all its rights, without {}", missing.join(", "))))
}

/// `clone3`, `open_tree`, process descriptors, `close_range` and volatile overlays are all there from this version on.
fn kernel() -> io::Result<String> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= KERNEL_MIN { Ok(release) } else { Err(io::Error::other(format!("Linux {release}"))) }
}

fn namespaces() -> io::Result<String> {
    let all = [
        ("mount", libc::CLONE_NEWNS),
        ("pid", libc::CLONE_NEWPID),
        ("ipc", libc::CLONE_NEWIPC),
        ("uts", libc::CLONE_NEWUTS),
        ("network", libc::CLONE_NEWNET),
        ("cgroup", libc::CLONE_NEWCGROUP),
    ];
    for (name, flag) in all {
        sys::unshare(flag).map_err(|e| io::Error::new(e.kind(), format!("no new {name} namespace: {e}")))?;
    }
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    Ok("mount, pid, ipc, uts, network, cgroup".to_owned())
}

fn overlay(data_dir: &Path) -> io::Result<String> {
    let (scratch, _) = Scratch::new(data_dir, "probe")?;
    let dir = scratch.path();
    let attempt = || -> io::Result<String> {
        for name in ["lower", "upper", "work", "root"] {
            fs::create_dir(dir.join(name))?;
        }
        let path = dir.display();
        let options = format!("lowerdir={path}/lower,upperdir={path}/upper,workdir={path}/work,volatile");
        let options = std::ffi::CString::new(options)?;
        mount("overlay", dir.join("root"), "overlay", MountFlags::empty(), options.as_c_str())?;
        fs::write(dir.join("root/file"), "")?;
        rustix::mount::unmount(dir.join("root"), rustix::mount::UnmountFlags::empty())?;
        Ok(format!("on `{}`", data_dir.display()))
    };
    attempt()
}

fn cgroups() -> io::Result<String> {
    let hierarchies = Hierarchies::detect();
    let instance = format!("probe-{}", std::process::id());
    let dirs = match &hierarchies {
        Hierarchies::V2(mount_point) => match Place::find(mount_point) {
            Place::Delegated(dir) | Place::Container(dir) | Place::Root(dir) => Hierarchies::V2(dir),
            // A scope is made when a container is.
            Place::Scope(_) => Hierarchies::Absent,
        },
        other => other.clone(),
    }
    .instance_dirs(&instance);
    let made = dirs.iter().try_for_each(fs::create_dir_all);
    for dir in &dirs {
        let _ = fs::remove_dir(dir);
        // Stays while it is in use.
        let _ = dir.parent().map(fs::remove_dir);
    }
    made?;
    match hierarchies {
        Hierarchies::V1(mounts) => {
            let names: Vec<&str> = mounts.iter().map(|(name, _)| *name).collect();
            Ok(format!("version 1: {}", names.join(", ")))
        }
        Hierarchies::V2(mount_point) => {
            let place = Place::find(&mount_point);
            let controllers = fs::read_to_string(mount_point.join("cgroup.controllers")).unwrap_or_default();
            let has = |name: &&str| controllers.split_whitespace().any(|it| it == *name);
            let missing: Vec<&str> = ["cpu", "memory", "pids"].into_iter().filter(|name| !has(name)).collect();
            if missing.is_empty() {
                let filter = devices::load().map_or("; devices by `nodev` alone", |_| "");
                return Ok(format!("version 2, {}{filter}", place.told(&mount_point)));
            }
            Err(io::Error::other(format!("version 2 without {}", missing.join(", "))))
        }
        Hierarchies::Absent => Err(io::Error::new(io::ErrorKind::NotFound, "none mounted")),
    }
}

fn loop_devices() -> io::Result<String> {
    fs::OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    Ok("`/dev/loop-control`".to_owned())
}
