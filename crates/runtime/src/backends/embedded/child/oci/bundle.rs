//! What an OCI runtime is told: `config.json` of a container and `process.json` of a command.
//!
//! Both hold the environment, secrets among it. They lie on a file system in memory that is mounted in the mount namespace of
//! the container's keeper and nowhere else, and only for as long as the runtime reads them.
//!
//! Invariant: what they say comes from the lists that containers without a runtime are made by: capabilities, system calls,
//! limits, masked paths.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::super::rootfs::{MASKED, READ_ONLY, is_of_tmpfs};
use super::super::user::User;
use super::super::{OOM_SCORE_ADJ, capability, seccomp};
use super::root::{Composed, without_dots};
use crate::event::StartFailure;
use crate::spec::{ContainerSpec, TaskNetwork, Tmpfs, Ulimit};

/// Version of the runtime specification that is written; all runtimes in use read it.
const VERSION: &str = "1.0.2";
/// The group of terminals.
const TTY_GROUP: u32 = 5;

/// A program in a container, ready to be told.
#[derive(Debug)]
pub(super) struct Process<'a> {
    pub(super) argv: &'a [String],
    pub(super) env: &'a [(String, String)],
    pub(super) working_dir: &'a Path,
    pub(super) user: &'a User,
    pub(super) capabilities: u64,
    pub(super) limits: &'a [Ulimit],
}

impl Process<'_> {
    pub(super) fn told(&self) -> Json {
        let names = capability::names(self.capabilities);
        let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let limit = |it: &Ulimit| {
            let kind = format!("RLIMIT_{}", it.name.to_ascii_uppercase());
            json!({ "type": kind, "soft": it.soft, "hard": it.hard })
        };
        json!({
            "terminal": false,
            "user": { "uid": self.user.uid, "gid": self.user.gid, "additionalGids": self.user.groups },
            "args": self.argv,
            "env": env,
            "cwd": self.working_dir,
            "capabilities": { "bounding": names, "effective": names, "permitted": names },
            "rlimits": self.limits.iter().map(limit).collect::<Vec<_>>(),
            "noNewPrivileges": false,
            "oomScoreAdj": OOM_SCORE_ADJ.parse::<i32>().unwrap_or(0),
        })
    }
}

/// Where things are.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pub(super) network_namespace: &'a Path,
    /// Below the hierarchies' roots; nothing where there are none.
    pub(super) cgroup: Option<&'a Path>,
}

/// The whole `config.json`.
pub(super) fn config(
    process: &Process<'_>,
    container: &ContainerSpec,
    network: &TaskNetwork,
    composed: &Composed,
    places: &Places<'_>,
) -> Result<Json, StartFailure> {
    let namespaces = ["mount", "pid", "ipc", "uts", "cgroup"].map(|kind| json!({ "type": kind }));
    let joined = json!({ "type": "network", "path": places.network_namespace });
    let mut linux = json!({
        "namespaces": namespaces.into_iter().chain([joined]).collect::<Vec<_>>(),
        "maskedPaths": MASKED,
        "readonlyPaths": READ_ONLY,
        "seccomp": seccomp::profile(container)?,
        "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
    });
    if let Some(fields) = linux.as_object_mut() {
        if !container.system_controls.is_empty() {
            fields.insert("sysctl".to_owned(), container.system_controls.iter().cloned().collect());
        }
        if let Some(cgroup) = places.cgroup {
            fields.insert("cgroupsPath".to_owned(), json!(cgroup));
        }
    }
    Ok(json!({
        "ociVersion": VERSION,
        "process": process.told(),
        "root": { "path": composed.place, "readonly": container.readonly_root },
        "hostname": network.hostname,
        "mounts": mounts(composed),
        "linux": linux,
    }))
}

/// The kernel's file systems, then what lies in them.
fn mounts(composed: &Composed) -> Vec<Json> {
    let harmless = ["nosuid", "noexec", "nodev"];
    let new = |kind: &str, destination: &str, options: &[&str]| json!({ "type": kind, "source": kind, "destination": destination, "options": options });
    let group = format!("gid={TTY_GROUP}");
    let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", &group];
    let memory = |more: &[&'static str]| [&harmless, more].concat();
    let mut all = vec![
        new("proc", "/proc", &harmless),
        new("tmpfs", "/dev", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        new("devpts", "/dev/pts", &terminals),
        new("tmpfs", "/dev/shm", &memory(&["mode=1777", "size=65536k"])),
        new("mqueue", "/dev/mqueue", &harmless),
        new("sysfs", "/sys", &memory(&["ro"])),
        new("cgroup", "/sys/fs/cgroup", &memory(&["relatime", "ro"])),
    ];
    let memory_file_system = |it: &Tmpfs| {
        let size = format!("size={}m", it.size_mib);
        let own = it.options.iter().filter(|option| is_of_tmpfs(option)).cloned();
        let options = harmless.iter().map(|option| (*option).to_owned()).chain([size]).chain(own);
        json!({
            "type": "tmpfs", "source": "tmpfs", "destination": without_dots(&it.container_path),
            "options": options.collect::<Vec<_>>(),
        })
    };
    all.extend(composed.tmpfs.iter().map(memory_file_system));
    all.extend(composed.volumes.iter().map(|it| {
        let access = if it.read_only { "ro" } else { "rw" };
        let options = ["bind", "private", "nodev", "exec", "suid", access];
        json!({ "type": "bind", "source": it.source, "destination": without_dots(&it.container_path), "options": options })
    }));
    all
}

/// A file that is there for as long as this is.
#[derive(Debug)]
pub(super) struct Told(PathBuf);

impl Told {
    /// Writes it, readable to its owner alone.
    pub(super) fn write(path: PathBuf, content: &Json) -> io::Result<Self> {
        let text = Zeroizing::new(serde_json::to_vec(content)?);
        let told = Self(path);
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&told.0)?.write_all(&text)?;
        Ok(told)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // The file system goes with the keeper at the latest.
        let _ = fs::remove_file(&self.0);
    }
}
