//! Taking over what a former engine started.
//!
//! Invariant: the shim's lock decides whether it lives; its record only says who it was.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};

use super::link::TaskLink;
use super::paths::TaskPaths;
use super::protocol::{Order, Report, Standing, line, take_lines};
use super::reader::Wake;
use super::{Shared, sweep};
use crate::backend::{Adopted, ContainerState, ResumePoints, RuntimeError};
use crate::crash;
use crate::spec::TaskSpec;

/// How long a shim that holds its lock may take to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a task's directories say about its shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShimStanding {
    /// It holds its lock.
    Alive,
    /// It was there, or the machine was restarted meanwhile.
    Dead,
    /// It never came up, or its engine ended before it had told it everything.
    Never,
}

pub(super) fn shim_standing(paths: &TaskPaths) -> ShimStanding {
    let lock = rustix::fs::open(paths.lock(), OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    match lock {
        Ok(lock) => match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => ShimStanding::Alive,
            _ if paths.shim_record().exists() => ShimStanding::Dead,
            _ => ShimStanding::Never,
        },
        // The run directory does not outlive the machine's uptime, the container's files do.
        Err(_) if !paths.intent().exists() && paths.container(0).dir().exists() => ShimStanding::Dead,
        Err(_) => ShimStanding::Never,
    }
}

pub(super) fn adopt(shared: &Arc<Shared>, spec: &TaskSpec, resume: &ResumePoints) -> Result<Adopted, RuntimeError> {
    let task = &spec.task_id;
    let paths = shared.layout.task(task);
    match shim_standing(&paths) {
        ShimStanding::Never => {
            if paths.run.exists() || paths.data.exists() {
                sweep::remove_task(&shared.layout, task);
            }
            Ok(Adopted::NeverStarted)
        }
        ShimStanding::Alive => {
            match adopt_alive(shared, spec, resume, &paths) {
                Ok(states) => Ok(Adopted::Running(states)),
                // It ended while it was asked.
                Err(_) if shim_standing(&paths) != ShimStanding::Alive => adopt(shared, spec, resume),
                Err(e) => Err(RuntimeError::io(format!("adopting task `{task}`"), e)),
            }
        }
        ShimStanding::Dead => {
            let (ours, _theirs) = UnixStream::pair().map_err(|e| RuntimeError::io("socket", e))?;
            let link = Arc::new(TaskLink::new(shared, spec, ours.into(), resume.clone()));
            let states = link.queue_remains("the task's shim died while no engine ran".to_owned());
            shared.tasks().insert(task.clone(), Arc::clone(&link));
            shared.wake(Wake::HandOn(link));
            Ok(Adopted::Gone(states))
        }
    }
}

fn adopt_alive(
    shared: &Arc<Shared>,
    spec: &TaskSpec,
    resume: &ResumePoints,
    paths: &TaskPaths,
) -> io::Result<BTreeMap<String, ContainerState>> {
    // Before the shim sees another connection and ends the former one.
    let shim = shared.tasks().get(&spec.task_id).and_then(|former| former.retire(shared));
    let mut socket = connect(paths)?;
    crash::point();
    socket.write_all(&line(&Order::Hello))?;
    let (standing, bytes) = read_standing(&mut socket)?;
    let link = Arc::new(TaskLink::new(shared, spec, socket.into(), resume.clone()));
    shared.tasks().insert(spec.task_id.clone(), Arc::clone(&link));
    if let Some(shim) = shim {
        link.set_shim(shim);
    }
    link.take_bytes(shared, &bytes);
    crash::point();
    link.watch(shared)?;
    Ok(standing.into_iter().map(|(name, standing)| (name, standing.state)).collect())
}

/// A shim that has just been started listens a moment later.
pub(super) fn connect(paths: &TaskPaths) -> io::Result<UnixStream> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    loop {
        match UnixStream::connect(paths.control()) {
            Ok(socket) => {
                socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                return Ok(socket);
            }
            Err(e) if Instant::now() >= deadline || shim_standing(paths) != ShimStanding::Alive => return Err(e),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Everything up to the answer, which is taken in again by the link.
fn read_standing(socket: &mut UnixStream) -> io::Result<(BTreeMap<String, Standing>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut pending = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        let len = socket.read(&mut buffer)?;
        if len == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the shim ended"));
        }
        let new = buffer.get(..len).unwrap_or_default();
        all.extend_from_slice(new);
        pending.extend_from_slice(new);
        for line in take_lines(&mut pending) {
            if let Ok(Report::Standing { containers, .. }) = serde_json::from_slice(&line) {
                return Ok((containers, all));
            }
        }
    }
}
