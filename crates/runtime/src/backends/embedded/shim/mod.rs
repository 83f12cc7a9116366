//! The shim: one single-threaded process per task, which outlives the engine.
//!
//! The engine writes the intent and starts its own program again as `<program> shim <task dir>`, with one end of a
//! connection as standard input and the task's lock, which it has taken, as standard output. The shim waits for what no
//! file may hold, the connection's first message; makes the control groups, forks the containers, makes the network while
//! they build their file systems, then waits for their output, their ends and for orders; it removes all traces when told
//! to.
//!
//! Invariant: one thread, from start to end; children are forked from it with all its memory.
//!
//! Invariant: the shim writes no record before the first message is whole: who finds the lock free and no record knows
//! that the task was never started.
//!
//! Invariant: the key and the secrets are in this process's memory, which it lets nobody dump, and in a child's only as far
//! as they are its container's own.
//!
//! Invariant: the lock on `<task dir>/lock` is held from before the shim exists to its end, without a gap, by the
//! keepers of containers that an OCI runtime makes as long as those live, and by nobody else: who finds it free knows that no
//! shim lives or is about to.

mod connection;
mod container;
mod ending;
mod launch;
mod output;
mod task;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::DumpableBehavior;

use super::cgroup::Hierarchies;
use super::handover;
use super::packet;
use super::placement::{HOLD_ARGUMENT, hold};
use super::probe::{PROBE_ARGUMENT, probe_here};
use super::protocol::{Intent, RECORD_FORMAT, ShimRecord};
use super::trial::{TRIAL_ARGUMENT, try_here};
use crate::sys;

/// The shim could not begin.
const EXIT_FAILED: i32 = 4;

/// Runs the shim if this process was started as one, which its first argument (`shim`) says.
///
/// Call it first thing in `main`: it must run before any other thread exists. It returns the exit code when this
/// process was a shim, and nothing when it is an ordinary one.
pub fn shim_entry() -> Option<i32> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(super::SHIM_ARGUMENT) { Some(shim_main(args)) } else { None }
}

/// The shim, given the arguments after `shim`: the task's directory. Returns the exit code.
pub fn shim_main(mut args: impl Iterator<Item = String>) -> i32 {
    match (args.next(), args.next()) {
        (Some(probe), Some(dir)) if probe == PROBE_ARGUMENT => probe_here(Path::new(&dir)),
        (Some(trial), Some(program)) if trial == TRIAL_ARGUMENT => try_here(std::iter::once(program).chain(args)),
        (Some(held), Some(dir)) if held == HOLD_ARGUMENT => hold(Path::new(&dir)),
        (Some(dir), _) => run(Path::new(&dir)),
        (None, _) => EXIT_FAILED,
    }
}

fn run(dir: &Path) -> i32 {
    match begin(dir) {
        Ok(None) => 0,
        Ok(Some(mut task)) => task.run().map_or_else(|e| note_failure(dir, &e), |()| 0),
        Err(e) => note_failure(dir, &e),
    }
}

/// The shim has no other place to speak: its log is beside its lock.
fn note_failure(dir: &Path, error: &io::Error) -> i32 {
    let _ = fs::write(dir.join("failure"), error.to_string());
    EXIT_FAILED
}

/// The task, launched; nothing where the engine ended before it had said everything.
fn begin(dir: &Path) -> io::Result<Option<task::Task>> {
    let single_threaded = sys::SingleThreaded::check().map_err(|e| {
        io::Error::other(format!("{e}: call `shim_entry` first in `main`, before any thread is started"))
    })?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // The kernel took it from the descriptor that the program was run by.
    let _ = rustix::thread::set_name(c"neargate-shim");
    let engine = sys::inherited_fd(0)?;
    let storage = packet::receive_fd_or_none(&engine)?;
    let Some(message) = handover::receive(&engine)? else { return Ok(None) };
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let mut intent: Intent = serde_json::from_slice(&fs::read(dir.join("task.json"))?)?;
    handover::tell(&mut intent.spec, &message)?;
    drop(message);
    let paths = intent.layout.task(&intent.spec.task_id);
    let lock = sys::inherited_fd(1)?;
    let record = ShimRecord { format: RECORD_FORMAT, pid: std::process::id(), start_time: start_time("self")? };
    fs::write(paths.shim_record(), serde_json::to_vec(&record)?)?;
    let _ = fs::remove_file(paths.control());
    let listener = UnixListener::bind(paths.control())?;
    listener.set_nonblocking(true)?;
    let null: OwnedFd = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    let hierarchies = Hierarchies::of(&intent.layout);
    let mut task = task::Task::new(intent, lock, listener, null, hierarchies, single_threaded)?;
    task.accept_engine(engine)?;
    task.launch(storage);
    Ok(Some(task))
}

/// When a process was started, in clock ticks since boot.
pub(super) fn start_time(pid: &str) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().nth(19).and_then(|field| field.parse().ok());
    ticks.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no start time in `/proc/<pid>/stat`"))
}
