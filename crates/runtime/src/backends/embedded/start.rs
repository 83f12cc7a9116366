//! Checking a specification, writing the intent, starting the shim, telling it what no file may hold.
//!
//! Invariant: the intent is on tmpfs before the shim exists, and the task is known here before either.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, PoisonError};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::mount::{MountFlags, mount};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::child::{parse_signal, unknown_capability, unknown_limit};
use super::handover;
use super::link::{Sending, TaskLink};
use super::paths::TaskPaths;
use super::protocol::Intent;
use super::{SHIM_ARGUMENT, Shared, storage, sweep};
use crate::backend::{ResumePoints, RuntimeError};
use crate::crash;
use crate::spec::{ContainerSpec, SPEC_FORMAT, TaskSpec};

const TMPFS_MAGIC: u64 = 0x0102_1994;
/// Fargate's limit on containers in a task.
const CONTAINERS_MAX: usize = 10;
const INSTANCE_CHARS_MAX: usize = 32;

pub(super) fn check_instance(instance: &str) -> Result<(), RuntimeError> {
    if is_name(instance, INSTANCE_CHARS_MAX) {
        return Ok(());
    }
    let text =
        format!("`{instance}` is no instance id: expected letters, digits and `-`, at most {INSTANCE_CHARS_MAX}");
    Err(RuntimeError::InvalidSpec(text))
}

/// A VPC's id is a file name here.
pub(super) fn check_vpc(vpc_id: &str) -> Result<(), RuntimeError> {
    if is_name(vpc_id, INSTANCE_CHARS_MAX) {
        return Ok(());
    }
    Err(RuntimeError::InvalidSpec(format!("`{vpc_id}` is no VPC id: expected something like `vpc-0a1b2c3d`")))
}

fn is_name(text: &str, chars_max: usize) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= chars_max && text.chars().all(allowed)
}

/// What can be known to be wrong before anything is made.
pub(super) fn check(spec: &TaskSpec) -> Result<(), RuntimeError> {
    let bad = |text: String| Err(RuntimeError::InvalidSpec(text));
    if spec.format != SPEC_FORMAT {
        return bad(format!("task specification of format {}, expected {SPEC_FORMAT}", spec.format));
    }
    if spec.spool_key.bytes().is_none() {
        return bad("the task's spool key was not given".to_owned());
    }
    if spec.containers.is_empty() || spec.containers.len() > CONTAINERS_MAX {
        return bad(format!("a task has 1 to {CONTAINERS_MAX} containers, got {}", spec.containers.len()));
    }
    check_vpc(&spec.network.vpc_id)?;
    for (index, container) in spec.containers.iter().enumerate() {
        if spec.containers.iter().take(index).any(|other| other.name == container.name) {
            return bad(format!("two containers are called `{}`", container.name));
        }
        check_container(container)?;
    }
    Ok(())
}

fn check_container(container: &ContainerSpec) -> Result<(), RuntimeError> {
    let name = &container.name;
    let bad = |text: String| Err(RuntimeError::InvalidSpec(format!("container `{name}`: {text}")));
    if !is_name(name, 255) {
        return bad("its name is not one: expected letters, digits, `-` and `_`, at most 255".to_owned());
    }
    if container.lower_dirs.is_empty() {
        return bad("it has no layers".to_owned());
    }
    if parse_signal(&container.stop_signal).is_none() {
        return bad(format!("`{}` is no signal", container.stop_signal));
    }
    if let Some(unknown) = unknown_limit(&container.ulimits) {
        return bad(format!("`{unknown}` is no ulimit"));
    }
    if let Some(unknown) = unknown_capability(&container.capabilities_add, &container.capabilities_drop) {
        return bad(format!("`{unknown}` is no capability"));
    }
    let paths = container.tmpfs.iter().map(|t| &t.container_path);
    if let Some(path) = paths.chain(container.mounts.iter().map(|m| &m.container_path)).find(|p| !p.starts_with('/')) {
        return bad(format!("mount path `{path}` is not absolute"));
    }
    match container.system_controls.iter().find(|(name, _)| !is_namespaced(name)) {
        Some((parameter, _)) => bad(format!("kernel parameter `{parameter}` is not one of a container's own")),
        None => Ok(()),
    }
}

/// Whether a kernel parameter belongs to a container's namespaces; any other would change the host.
fn is_namespaced(name: &str) -> bool {
    const IPC: &[&str] = &["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let clean = name.chars().all(allowed) && !name.contains("..");
    let known = name.starts_with("net.")
        || name.starts_with("fs.mqueue.")
        || name.strip_prefix("kernel.").is_some_and(|rest| IPC.contains(&rest));
    clean && known
}

/// In an instance's directory under `/run`: locked, shared, while an engine uses it.
const OWNER: &str = "owner";

/// Makes the instance's directories and says, as long as the file is open, that an engine uses them.
pub(super) fn occupy(run_dir: &Path, data_dir: &Path) -> Result<File, RuntimeError> {
    let failed = |e: std::io::Error| RuntimeError::io(format!("preparing `{}`", run_dir.display()), e);
    loop {
        prepare_dirs(run_dir, data_dir)?;
        let path = run_dir.join(OWNER);
        let owner = match OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            opened => opened.map_err(failed)?,
        };
        owner.lock_shared().map_err(failed)?;
        // Another engine may just have removed it all, or unmounted it.
        let held = owner.metadata().map_err(failed)?;
        let is_there = fs::metadata(&path).is_ok_and(|found| (found.dev(), found.ino()) == (held.dev(), held.ino()));
        if is_there && is_tmpfs(run_dir).map_err(failed)? {
            return Ok(owner);
        }
    }
}

/// The right to remove what is in an instance's directory under `/run`, where an engine was that is gone.
pub(super) fn take_over(run_dir: &Path) -> Option<File> {
    let owner = OpenOptions::new().write(true).open(run_dir.join(OWNER)).ok()?;
    owner.try_lock().ok().map(|()| owner)
}

/// Makes the instance's directories, the first on tmpfs.
fn prepare_dirs(run_dir: &Path, data_dir: &Path) -> Result<(), RuntimeError> {
    let failed = |what: &Path| {
        let what = format!("preparing `{}`", what.display());
        move |e: std::io::Error| RuntimeError::io(what, e)
    };
    let own = run_dir.parent().filter(|above| above.ends_with("neargate"));
    for dir in own.into_iter().chain([run_dir]) {
        make_private_dir(dir).map_err(failed(dir))?;
    }
    if !is_tmpfs(run_dir).map_err(failed(run_dir))? {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount("neargate", run_dir, "tmpfs", flags, c"mode=0700,size=256m").map_err(|e| failed(run_dir)(e.into()))?;
    }
    for dir in [run_dir.join("tasks"), run_dir.join("net"), data_dir.join("tasks")] {
        make_private_dir(&dir).map_err(failed(&dir))?;
    }
    Ok(())
}

fn is_tmpfs(dir: &Path) -> std::io::Result<bool> {
    let found = rustix::fs::statfs(dir)?;
    Ok(u64::try_from(found.f_type).is_ok_and(|kind| kind == TMPFS_MAGIC))
}

/// Makes a directory that its owner alone may enter, whatever the umask is; one that is there is taken from everybody else.
pub(super) fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Writes the intent and starts the shim. Orders wait until the shim has been told its first message.
pub(super) fn start(shared: &Arc<Shared>, spec: &TaskSpec) -> Result<(), RuntimeError> {
    let paths = shared.layout.task(&spec.task_id);
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|e| RuntimeError::io("connection to the shim", e))?;
    storage::prepare(&shared.layout, spec.ephemeral_gib)
        .map_err(|e| RuntimeError::io("preparing ephemeral storage", e))?;
    let message = handover::message(spec).map_err(|e| RuntimeError::InvalidSpec(e.to_string()))?;
    let link = Arc::new(TaskLink::new(shared, spec, ours, ResumePoints::new()));
    let sending = link.sending();
    {
        let mut tasks = shared.tasks();
        if tasks.contains_key(&spec.task_id) {
            return Ok(());
        }
        tasks.insert(spec.task_id.clone(), Arc::clone(&link));
    }
    let started = provide_filters(shared, spec)
        .and_then(|()| write_intent(shared, spec, &paths))
        .and_then(|lock| spawn(shared, &paths, theirs, lock))
        .and_then(|child| {
            let mount = shared.storage.take(&paths, spec.ephemeral_gib);
            tell(&sending, mount.as_ref(), &message, child)
        })
        .and_then(|child| {
            crash::point();
            link.set_shim(child);
            link.watch(shared)
        });
    drop(sending);
    started.map_err(|e| {
        shared.tasks().remove(&spec.task_id);
        sweep::remove_task(&shared.layout, &spec.task_id);
        RuntimeError::io(format!("starting task `{}`", spec.task_id), e)
    })
}

fn provide_filters(shared: &Shared, spec: &TaskSpec) -> std::io::Result<()> {
    // A panic elsewhere leaves at most a filter out of the list, which is made again.
    let mut filters = shared.filters.lock().unwrap_or_else(PoisonError::into_inner);
    spec.containers.iter().try_for_each(|container| filters.provide(container))
}

/// Takes the task's lock, which the shim inherits, and writes down what it is to do.
fn write_intent(shared: &Shared, spec: &TaskSpec, paths: &TaskPaths) -> std::io::Result<OwnedFd> {
    make_private_dir(&paths.data)?;
    crash::point();
    make_private_dir(&paths.run)?;
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
    let lock = rustix::fs::open(paths.lock(), flags, Mode::from_raw_mode(0o600))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    crash::point();
    let layout = shared.layout.clone();
    let intent = Intent { layout, spec: spec.clone(), spool_bytes_max: shared.spool_bytes_max };
    let new = paths.run.join("task.json.new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec(&intent)?)?;
    crash::point();
    fs::rename(new, paths.intent())?;
    crash::point();
    Ok(lock)
}

/// What the process list shows.
const PROGRAM_NAME: &str = "neargate";

/// Nothing here forbids the standard library to spawn without copying this process's page tables.
fn spawn(
    shared: &Shared,
    paths: &TaskPaths,
    connection: OwnedFd,
    lock: OwnedFd,
) -> std::io::Result<std::process::Child> {
    let log = fs::File::create(paths.shim_log())?;
    Command::new(shared.sealed_program.path())
        .arg0(PROGRAM_NAME)
        .arg(SHIM_ARGUMENT)
        .arg(&paths.run)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(connection))
        .stdout(Stdio::from(lock))
        .stderr(log)
        .spawn()
}

/// Tells the shim what the intent does not say. One that does not listen is ended: its task has not begun.
fn tell(
    sending: &Sending<'_>,
    storage: Option<&OwnedFd>,
    message: &[u8],
    mut shim: std::process::Child,
) -> std::io::Result<std::process::Child> {
    crash::point();
    let (header, body) = message.split_at_checked(handover::HEADER_BYTES).unwrap_or((message, &[]));
    let told = sending.give(storage).and_then(|()| sending.tell(header)).and_then(|()| {
        crash::point();
        sending.tell(body)
    });
    match told {
        Ok(()) => Ok(shim),
        Err(e) => {
            let _ = shim.kill();
            let _ = shim.wait();
            Err(e)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kernel_parameters_of_a_containers_own_are_let_through() {
        for good in ["net.ipv4.tcp_keepalive_time", "kernel.shmmax", "fs.mqueue.msg_max"] {
            assert!(is_namespaced(good), "{good}");
        }
        for bad in ["kernel.panic", "vm.swappiness", "net.../../kernel/panic", "kernel.hostname", "net.x y"] {
            assert!(!is_namespaced(bad), "{bad}");
        }
    }

    #[test]
    fn instance_ids_are_short_and_plain() {
        assert!(check_instance("dev-1").is_ok());
        for bad in ["", "a/b", "..", "a b", &"x".repeat(33)] {
            assert!(check_instance(bad).is_err(), "{bad}");
        }
    }
}
