//! The engine's side of a task: its connection, its spools, and the one thread that reads them all.
//!
//! Invariant: one thread reads; events of a task are emitted by it alone once the task is watched, in their order.
//! Invariant: a container's output is emitted up to where the shim says it ended before its exit is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::Shared;
use super::adoption::{ANSWER_TIMEOUT, ShimStanding, shim_standing};
use super::paths::TaskPaths;
use super::protocol::{Order, Report, Standing, line, take_lines};
use super::seal::FrameSeal;
use super::spool::{self, SpoolReader};
use crate::backend::{ContainerState, ResumePoints, RuntimeError};
use crate::crash;
use crate::event::{EventKind, GoneReason};
use crate::secret::SpoolKey;
use crate::spec::TaskId;

const EVENTS_MAX: usize = 64;
const STOP_TOKEN: u64 = 0;
/// From the end of a shim's connection to the end of its lock.
const SHIM_END_TIMEOUT: Duration = Duration::from_secs(2);

/// A task as the engine holds it.
pub(super) struct TaskLink {
    task_id: TaskId,
    vpc_id: String,
    names: Vec<String>,
    paths: TaskPaths,
    token: u64,
    socket: OwnedFd,
    /// Held while something is sent, so that nothing comes between its parts.
    sending: Mutex<()>,
    spool_key: SpoolKey,
    shim: Mutex<Option<Child>>,
    reading: Mutex<Reading>,
}

/// What the reader remembers of a task.
struct Reading {
    incoming: Vec<u8>,
    spools: BTreeMap<String, SpoolReader>,
    resume: ResumePoints,
    ended: BTreeSet<String>,
    /// Containers whose output could not be read when it was last tried.
    unreadable: BTreeSet<String>,
    removed: bool,
}

/// The right to send, which the first message has before all orders.
pub(super) struct Sending<'a> {
    socket: &'a OwnedFd,
    _guard: MutexGuard<'a, ()>,
}

impl Sending<'_> {
    /// Sends all of the bytes, and waits for a shim that is about to read. One that is gone is found out by the reader.
    pub(super) fn tell(&self, bytes: &[u8]) -> io::Result<()> {
        set_socket_timeout(self.socket, Timeout::Send, Some(ANSWER_TIMEOUT))?;
        let told = match send_all(self.socket, bytes) {
            Ok(()) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(Errno::AGAIN) => Err(io::Error::new(io::ErrorKind::TimedOut, "the shim does not listen")),
            Err(e) => Err(e.into()),
        };
        set_socket_timeout(self.socket, Timeout::Send, None)?;
        told
    }
}

fn send_all(socket: &OwnedFd, mut rest: &[u8]) -> rustix::io::Result<()> {
    while !rest.is_empty() {
        match send(socket, rest, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

impl TaskLink {
    pub(super) fn new(shared: &Shared, spec: &crate::spec::TaskSpec, socket: OwnedFd, resume: ResumePoints) -> Self {
        let reading = Reading {
            incoming: Vec::new(),
            spools: BTreeMap::new(),
            resume,
            ended: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            removed: false,
        };
        Self {
            task_id: spec.task_id.clone(),
            vpc_id: spec.network.vpc_id.clone(),
            names: spec.containers.iter().map(|container| container.name.clone()).collect(),
            paths: shared.layout.task(&spec.task_id),
            token: shared.next_token.fetch_add(1, Ordering::Relaxed),
            socket,
            sending: Mutex::new(()),
            spool_key: spec.spool_key.clone(),
            shim: Mutex::new(None),
            reading: Mutex::new(reading),
        }
    }

    pub(super) fn vpc_id(&self) -> &str {
        &self.vpc_id
    }

    pub(super) fn has_container(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn container_index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    pub(super) fn set_shim(&self, child: Child) {
        *self.shim.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// Sends an order. A shim that is gone is found out by the reader, which reports the task lost.
    pub(super) fn send(&self, order: &Order) {
        let text = line(order);
        let sending = self.sending();
        let _ = send_all(sending.socket, &text);
    }

    /// The right to send; orders wait while it is held.
    pub(super) fn sending(&self) -> Sending<'_> {
        let guard = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        Sending { socket: &self.socket, _guard: guard }
    }

    /// Lets the reader thread look after the connection from now on.
    pub(super) fn watch(self: &Arc<Self>, shared: &Shared) -> io::Result<()> {
        shared.watched().insert(self.token, Arc::clone(self));
        epoll::add(&shared.epoll, &self.socket, EventData::new_u64(self.token), EventFlags::IN)?;
        Ok(())
    }

    /// Ends the reader's care for the connection, which another one replaces; hands over the shim's process.
    pub(super) fn retire(&self, shared: &Shared) -> Option<Child> {
        shared.watched().remove(&self.token);
        // It may not be watched yet.
        let _ = epoll::delete(&shared.epoll, &self.socket);
        self.shim.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives back the space of output that is kept elsewhere.
    pub(super) fn release_output(&self, name: &str, offset: u64) -> Result<(), RuntimeError> {
        let index = self.container_index(name).ok_or_else(|| RuntimeError::UnknownContainer(name.to_owned()))?;
        let path = self.paths.container(index).spool();
        spool::release(&path, offset).map_err(|e| RuntimeError::io(format!("releasing `{}`", path.display()), e))
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the shim has said. Answers whether the connection is still open.
    fn receive(&self, shared: &Shared) -> bool {
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            match recv(&self.socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((0, _)) => return false,
                Ok((len, _)) => self.take_bytes(shared, buffer.get(..len).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Takes what was read from the connection.
    pub(super) fn take_bytes(&self, shared: &Shared, bytes: &[u8]) {
        let mut reading = self.reading();
        reading.incoming.extend_from_slice(bytes);
        for line in take_lines(&mut reading.incoming) {
            if let Ok(report) = serde_json::from_slice(&line) {
                self.take_report(shared, &mut reading, report);
            }
        }
    }

    fn take_report(&self, shared: &Shared, reading: &mut Reading, report: Report) {
        let emit = |kind| shared.emit(&self.task_id, kind);
        crash::point();
        match report {
            Report::Standing { network_ready, containers } => {
                if network_ready {
                    emit(EventKind::NetworkReady);
                }
                for (name, standing) in containers {
                    self.take_standing(shared, reading, &name, standing);
                }
            }
            Report::NetworkReady => emit(EventKind::NetworkReady),
            Report::Started { name, pid, at } => {
                reading.ended.remove(&name);
                emit(EventKind::ContainerStarted { name, pid, at });
            }
            Report::Output { name, end } => self.emit_output(shared, reading, &name, end),
            Report::Failed { name, failure, at } => {
                let state = ContainerState::Failed { failure, at };
                self.emit_end(shared, reading, &name, state);
            }
            Report::Exited { name, exit_code, oom_killed, at, end } => {
                self.emit_output(shared, reading, &name, end);
                self.emit_end(shared, reading, &name, ContainerState::Exited { exit_code, oom_killed, at });
            }
            Report::ExecExited { exec_id, exit_code } => emit(EventKind::ExecExited { exec_id, exit_code }),
            Report::Remark { text } => emit(EventKind::Remark { text }),
            Report::Removed => reading.removed = true,
        }
    }

    fn take_standing(&self, shared: &Shared, reading: &mut Reading, name: &str, standing: Standing) {
        if standing.end > 0 {
            self.emit_output(shared, reading, name, standing.end);
        }
        match standing.state {
            ContainerState::Running { pid, started_at } => {
                let kind = EventKind::ContainerStarted { name: name.to_owned(), pid, at: started_at };
                shared.emit(&self.task_id, kind);
            }
            state => self.emit_end(shared, reading, name, state),
        }
    }

    fn emit_end(&self, shared: &Shared, reading: &mut Reading, name: &str, state: ContainerState) {
        let name = name.to_owned();
        let kind = match state {
            ContainerState::Failed { failure, at } => EventKind::ContainerFailed { name: name.clone(), failure, at },
            ContainerState::Exited { exit_code, oom_killed, at } => {
                EventKind::ContainerExited { name: name.clone(), exit_code, oom_killed, at }
            }
            ContainerState::Waiting | ContainerState::Running { .. } | ContainerState::Lost => return,
        };
        reading.ended.insert(name);
        shared.emit(&self.task_id, kind);
    }

    /// Emits the lines of a spool up to `end`, where a frame ends. What cannot be read is passed over with a remark, so
    /// that its space is given back and the container goes on.
    fn emit_output(&self, shared: &Shared, reading: &mut Reading, name: &str, end: u64) {
        let Some(index) = self.container_index(name) else { return };
        if !reading.spools.contains_key(name) {
            let offset = reading.resume.get(name).copied().unwrap_or(0);
            match self.open_spool(index, offset) {
                Ok(spool) => reading.spools.insert(name.to_owned(), spool),
                // A spool that is gone has been removed with its task.
                Err(e) if e.kind() == io::ErrorKind::NotFound => return,
                Err(e) => return self.remark_unreadable(shared, &mut reading.unreadable, name, &e),
            };
        }
        let Some(spool) = reading.spools.get_mut(name) else { return };
        loop {
            let lines = match spool.read(end) {
                Ok(lines) if lines.is_empty() => return,
                Ok(lines) => {
                    reading.unreadable.remove(name);
                    lines
                }
                Err(e) => {
                    self.remark_unreadable(shared, &mut reading.unreadable, name, &e);
                    spool.skip_to(end);
                    Vec::new()
                }
            };
            let next_offset = spool.offset();
            shared.emit(&self.task_id, EventKind::Output { name: name.to_owned(), lines, next_offset });
        }
    }

    fn open_spool(&self, index: usize, offset: u64) -> io::Result<SpoolReader> {
        let seal = FrameSeal::new(&self.spool_key, &self.task_id, index)?;
        SpoolReader::open(&self.paths.container(index).spool(), offset, seal)
    }

    /// Says it once for all that cannot be read in a row.
    fn remark_unreadable(&self, shared: &Shared, unreadable: &mut BTreeSet<String>, name: &str, error: &io::Error) {
        if unreadable.insert(name.to_owned()) {
            let text = format!("container `{name}`: output is lost: {error}");
            shared.emit(&self.task_id, EventKind::Remark { text });
        }
    }

    /// Emits what a shim that is dead left on disk: output and recorded ends not emitted before.
    pub(super) fn emit_remains(&self, shared: &Shared) -> BTreeMap<String, ContainerState> {
        let mut reading = self.reading();
        let mut states = BTreeMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let paths = self.paths.container(index);
            let end = std::fs::metadata(paths.spool()).map_or(0, |found| found.len());
            self.emit_output(shared, &mut reading, name, end);
            let record = std::fs::read(paths.exit_record()).ok();
            let record = record.and_then(|text| serde_json::from_slice::<super::protocol::ExitRecord>(&text).ok());
            let state = record.map_or(ContainerState::Lost, |record| record.state);
            if !reading.ended.contains(name) {
                self.emit_end(shared, &mut reading, name, state.clone());
            }
            states.insert(name.clone(), state);
        }
        states
    }

    /// The connection has ended: the shim is gone, in good order or not; or another engine has taken it over, and then
    /// there is nothing to say.
    fn ended(&self, shared: &Shared) -> Option<GoneReason> {
        let deadline = Instant::now() + SHIM_END_TIMEOUT;
        while shim_standing(&self.paths) == ShimStanding::Alive {
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let child = self.shim.lock().unwrap_or_else(PoisonError::into_inner).take();
        let code = child.and_then(|mut child| child.wait().ok()).and_then(|status| status.code());
        if self.reading().removed {
            return Some(GoneReason::Removed);
        }
        let note = std::fs::read_to_string(self.paths.run.join("failure")).unwrap_or_default();
        let text = match (note.is_empty(), code) {
            (false, _) => format!("the task's shim failed: {note}"),
            (true, Some(code)) => format!("the task's shim ended with code {code}"),
            (true, None) => "the task's shim was killed".to_owned(),
        };
        self.emit_remains(shared);
        super::sweep::remove_task(&shared.layout, &self.task_id);
        Some(GoneReason::Lost(text))
    }
}

/// Starts the reader thread.
pub(super) fn start_reader(shared: &Arc<Shared>) -> Result<JoinHandle<()>, RuntimeError> {
    epoll::add(&shared.epoll, &shared.stop, EventData::new_u64(STOP_TOKEN), EventFlags::IN)
        .map_err(|e| RuntimeError::io("epoll", e))?;
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name("runtime-reader".to_owned())
        .spawn(move || read_until_stopped(&shared))
        .map_err(|e| RuntimeError::io("starting the reader thread", e))
}

/// Asks the reader thread to end.
pub(super) fn stop_reader(shared: &Shared) {
    let _ = rustix::io::write(&shared.stop, &1_u64.to_ne_bytes());
}

fn read_until_stopped(shared: &Arc<Shared>) {
    let mut events = Vec::with_capacity(EVENTS_MAX);
    loop {
        events.clear();
        match epoll::wait(&shared.epoll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        for event in &events {
            let token = event.data.u64();
            if token == STOP_TOKEN {
                return shared.watched().clear();
            }
            let Some(link) = shared.watched().get(&token).cloned() else { continue };
            if !link.receive(shared) {
                shared.watched().remove(&token);
                let _ = epoll::delete(&shared.epoll, link.socket.as_fd());
                let shared = Arc::clone(shared);
                // Removing a lost task's files takes time that other tasks' output has not.
                let end = move || {
                    let reason = link.ended(&shared);
                    let task_id = link.task_id.clone();
                    drop(link);
                    if let Some(reason) = reason {
                        shared.forget(&task_id, reason);
                    }
                };
                let _ = std::thread::Builder::new().name("runtime-end".to_owned()).spawn(end);
            }
        }
    }
}
