//! What the embedded backend needs, tried out one by one in a process of its own.
//!
//! The program runs itself again as `<program> shim --probe <dir>`: that process has one thread, moves into namespaces
//! of its own, tries, prints what it found as JSON, and takes everything with it when it ends.
//!
//! Invariant: nothing outlives a probe but a directory that it removes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use serde::{Deserialize, Serialize};

use super::cgroup::Hierarchies;
use super::{SHIM_ARGUMENT, net};
use crate::probe::Capability;
use crate::sys;

/// The oldest kernel that has everything.
const KERNEL_MIN: (u32, u32) = (5, 12);
/// The shim argument that asks for a probe.
pub(super) const PROBE_ARGUMENT: &str = "--probe";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Findings {
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

/// Looks at this machine; `data_dir` is where containers would write.
pub(super) fn probe(program: &Path, data_dir: &Path) -> Vec<Capability> {
    let findings = run_probe(program, data_dir).unwrap_or_else(|e| {
        let unknown = || Finding { ok: false, detail: format!("the probe did not run: {e}") };
        Findings {
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
    vec![
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
            false,
            findings.ephemeral,
            "load `loop`; without it ephemeral storage is not limited in size",
        ),
    ]
}

fn run_probe(program: &Path, data_dir: &Path) -> io::Result<Findings> {
    fs::create_dir_all(data_dir)?;
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
    let findings = Findings {
        kernel: kernel().into(),
        cgroups: cgroups().into(),
        ephemeral: loop_devices().into(),
        namespaces: namespaces().into(),
        overlayfs: overlay(data_dir).into(),
        network: net::try_pair().into(),
    };
    let printed = serde_json::to_vec(&findings).map_err(io::Error::from).and_then(|text| io::stdout().write_all(&text));
    i32::from(printed.is_err())
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
    let dir = data_dir.join(format!("probe-{}", std::process::id()));
    let attempt = || -> io::Result<String> {
        for name in ["lower", "upper", "work", "root"] {
            fs::create_dir_all(dir.join(name))?;
        }
        let path = dir.display();
        let options = format!("lowerdir={path}/lower,upperdir={path}/upper,workdir={path}/work,volatile");
        let options = std::ffi::CString::new(options)?;
        mount("overlay", dir.join("root"), "overlay", MountFlags::empty(), options.as_c_str())?;
        fs::write(dir.join("root/file"), "")?;
        rustix::mount::unmount(dir.join("root"), rustix::mount::UnmountFlags::empty())?;
        Ok(format!("on `{}`", data_dir.display()))
    };
    let result = attempt();
    let _ = fs::remove_dir_all(&dir);
    result
}

fn cgroups() -> io::Result<String> {
    let hierarchies = Hierarchies::detect();
    let instance = format!("probe-{}", std::process::id());
    let dirs = hierarchies.instance_dirs(&instance);
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
        Hierarchies::V2(_) => Ok("version 2".to_owned()),
        Hierarchies::Absent => Err(io::Error::new(io::ErrorKind::NotFound, "none mounted")),
    }
}

fn loop_devices() -> io::Result<String> {
    fs::OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    Ok("`/dev/loop-control`".to_owned())
}
