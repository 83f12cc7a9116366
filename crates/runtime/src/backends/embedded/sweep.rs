//! Removing what nobody claims.
//!
//! Invariant: works from names alone, so that it finds what a crash at any moment left.
//!
//! Invariant: touches nothing but what carries the instance's names; of another instance only what does not outlive the machine's
//! uptime anyway, and only where neither its engine nor a shim of it lives.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use rustix::mount::{UnmountFlags, unmount};

use super::EmbeddedConfig;
use super::adoption::{ShimStanding, connect, shim_standing};
use super::cgroup::{self, remove_task_groups};
use super::net;
use super::paths::{Layout, TaskPaths};
use super::placement;
use super::protocol::{Intent, Order, ShimRecord, line};
use super::shim::start_time;
use crate::backend::{RuntimeError, Swept};
use crate::crash;
use crate::spec::TaskId;

/// Removes everything of the instance that belongs to none of the tasks.
pub(super) fn sweep(layout: &Layout, known: &BTreeSet<TaskId>) -> Swept {
    let mut found = BTreeSet::new();
    let groups = cgroup::instance_dirs(layout);
    for dir in [layout.tasks_run_dir(), layout.tasks_data_dir()].iter().chain(&groups) {
        found.extend(entries(dir).into_iter().filter_map(|name| TaskId::parse(&name).ok()));
    }
    let mut swept = Swept::default();
    for task in found.difference(known) {
        remove_task(layout, task);
        swept.tasks.push(task.to_string());
    }
    let in_use: BTreeSet<String> = known.iter().filter_map(|task| vpc_of(&layout.task(task))).collect();
    for vpc in net::vpcs(layout) {
        if !in_use.contains(&vpc) && net::remove_vpc(layout, &vpc).unwrap_or(false) {
            swept.networks.push(vpc);
        }
    }
    swept
}

/// Removes everything of an instance that will not come back, its directory under `/run` and its control groups
/// included. Its backend must not be in use any more.
pub fn erase(config: &EmbeddedConfig) -> Result<Swept, RuntimeError> {
    let EmbeddedConfig { instance, run_dir, data_dir, .. } = config.clone();
    super::start::check_instance(&instance)?;
    let layout = Layout { instance, run_dir, data_dir, group_base: None, runtime: None };
    let swept = sweep(&layout, &BTreeSet::new());
    placement::remove(&layout);
    if layout.run_dir.exists() {
        // No mount of its own where it is on a tmpfs anyway.
        let _ = unmount(&layout.run_dir, UnmountFlags::DETACH);
        fs::remove_dir_all(&layout.run_dir)
            .map_err(|e| RuntimeError::io("removing the instance's run directory", e))?;
    }
    Ok(swept)
}

/// Removes what killed engines of other instances left of networks, control groups and directories under `/run`, where nothing of
/// them lives. Their tasks' files stay: they are found as after a restart of the machine.
pub(super) fn sweep_others(layout: &Layout) -> Vec<String> {
    // An instance of a test's own is alone in its place.
    let Some(above) = layout.run_dir.parent().filter(|above| above.ends_with("neargate")) else { return vec![] };
    let mut swept = vec![];
    for instance in entries(above) {
        let run_dir = above.join(&instance);
        // One that was killed while it removed this.
        if instance.starts_with(LEAVING) {
            let _ = fs::remove_dir_all(&run_dir);
            continue;
        }
        if run_dir == layout.run_dir || super::start::check_instance(&instance).is_err() {
            continue;
        }
        // The tasks' files are no business of this instance's.
        let data_dir = run_dir.join("none");
        let other = Layout { instance: instance.clone(), data_dir, run_dir, group_base: None, runtime: None };
        if remove_dead(&other) {
            swept.push(instance);
        }
    }
    swept
}

/// Removes the traces of an instance in which nothing lives; answers whether it did.
fn remove_dead(layout: &Layout) -> bool {
    if !fs::symlink_metadata(&layout.run_dir).is_ok_and(|found| found.is_dir()) {
        return false;
    }
    // Engines before this one hold nothing there: nobody can tell whether they live.
    let Some(_owner) = super::start::take_over(&layout.run_dir) else { return false };
    let tasks: Vec<TaskId> =
        entries(&layout.tasks_run_dir()).into_iter().filter_map(|name| TaskId::parse(&name).ok()).collect();
    // Held to the end, so that a shim that comes up late finds its lock taken.
    let mut held = vec![];
    for task in &tasks {
        match File::options().write(true).open(layout.task(task).lock()) {
            Ok(lock) if lock.try_lock().is_ok() => held.push(lock),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Ok(_) | Err(_) => return false,
        }
    }
    for task in &tasks {
        remove_task_groups(&cgroup::task_dirs(layout, task));
        let _ = fs::remove_dir_all(layout.task(task).run);
    }
    for vpc in net::vpcs(layout) {
        let _ = net::remove_vpc(layout, &vpc);
    }
    placement::remove(layout);
    remove_at_once(&layout.run_dir)
}

/// What a directory is called that is on its way out: no instance's name.
const LEAVING: &str = ".leaving-";

/// Removes an instance's directory in one step, so that an engine of it that comes up now finds all of it or nothing.
fn remove_at_once(run_dir: &Path) -> bool {
    if unmount(run_dir, UnmountFlags::DETACH).is_ok() {
        // What lies below the mount point, if anything, is another's by now.
        return fs::remove_dir(run_dir).is_ok();
    }
    let (Some(above), Some(name)) = (run_dir.parent(), run_dir.file_name()) else { return false };
    let mut leaving = std::ffi::OsString::from(format!("{LEAVING}{}-", std::process::id()));
    leaving.push(name);
    let leaving = above.join(leaving);
    fs::rename(run_dir, &leaving).is_ok() && fs::remove_dir_all(leaving).is_ok()
}

fn entries(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The VPC of a task that has an intent, adopted or not.
pub(super) fn vpc_of(paths: &TaskPaths) -> Option<String> {
    let intent: Intent = serde_json::from_slice(&fs::read(paths.intent()).ok()?).ok()?;
    Some(intent.spec.network.vpc_id)
}

/// Whether any task, adopted or not, is in a VPC.
pub(super) fn is_inhabited(layout: &Layout, vpc: &str) -> bool {
    let tasks = entries(&layout.tasks_run_dir()).into_iter().filter_map(|name| TaskId::parse(&name).ok());
    tasks.filter_map(|task| vpc_of(&layout.task(&task))).any(|of_task| of_task == vpc)
}

/// Removes all traces of one task, its shim first, in whatever state it is.
pub(super) fn remove_task(layout: &Layout, task: &TaskId) {
    let paths = layout.task(task);
    if shim_standing(&paths) == ShimStanding::Alive && !ask_to_remove(&paths) {
        kill_shim(&paths);
    }
    remove_task_groups(&cgroup::task_dirs(layout, task));
    for dir in [&paths.data, &paths.run] {
        crash::point();
        // What cannot be removed now is found again by the next sweep.
        let _ = fs::remove_dir_all(dir);
    }
}

/// Asks a living shim to remove its task, and waits until it has.
fn ask_to_remove(paths: &TaskPaths) -> bool {
    let Ok(mut socket) = connect(paths) else { return false };
    if socket.write_all(&line(&Order::Remove)).is_err() {
        return false;
    }
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).is_ok()
}

/// Kills a shim that does not answer, and no later process of the same id.
fn kill_shim(paths: &TaskPaths) {
    let Ok(text) = fs::read(paths.shim_record()) else { return };
    let Ok(record) = serde_json::from_slice::<ShimRecord>(&text) else { return };
    let same = start_time(&record.pid.to_string()).is_ok_and(|ticks| ticks == record.start_time);
    if let Some(pid) = i32::try_from(record.pid).ok().filter(|pid| *pid > 1 && same) {
        let _ = crate::sys::kill(pid, libc::SIGKILL);
    }
}

/// Removes an instance's own directories and groups.
pub(super) fn purge(layout: &Layout) -> Result<(), RuntimeError> {
    sweep(layout, &BTreeSet::new());
    crash::point();
    placement::remove(layout);
    match unmount(&layout.run_dir, UnmountFlags::DETACH) {
        Ok(()) | Err(rustix::io::Errno::INVAL) => {}
        Err(e) => return Err(RuntimeError::io(format!("unmounting `{}`", layout.run_dir.display()), e)),
    }
    for dir in [&layout.run_dir, &layout.data_dir] {
        crash::point();
        fs::remove_dir_all(dir).map_err(|e| RuntimeError::io(format!("removing `{}`", dir.display()), e))?;
    }
    Ok(())
}
