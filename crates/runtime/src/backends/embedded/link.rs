//! The engine's side of a task: its connection to the shim, and the orders that go over it.
//!
//! What the shim says is taken in by [`super::reading`], on the threads of [`super::reader`].

use std::io;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::Shared;
use super::adoption::ANSWER_TIMEOUT;
use super::packet;
use super::paths::TaskPaths;
use super::protocol::{Order, line};
use super::reading::Reading;
use crate::backend::ResumePoints;
use crate::secret::SpoolKey;
use crate::spec::TaskId;

/// A task as the engine holds it.
pub(super) struct TaskLink {
    pub(super) task_id: TaskId,
    vpc_id: String,
    pub(super) names: Vec<String>,
    pub(super) paths: TaskPaths,
    pub(super) token: u64,
    pub(super) socket: OwnedFd,
    /// Held while something is sent, so that nothing comes between its parts.
    sending: Mutex<()>,
    pub(super) spool_key: SpoolKey,
    pub(super) shim: Mutex<Option<Child>>,
    reading: Mutex<Reading>,
}

/// The right to send, which the first message has before all orders.
pub(super) struct Sending<'a> {
    socket: &'a OwnedFd,
    _guard: MutexGuard<'a, ()>,
}

impl Sending<'_> {
    /// Sends a descriptor, or that there is none. One that is gone is found out by the reader.
    pub(super) fn give(&self, fd: Option<&OwnedFd>) -> io::Result<()> {
        match fd.map_or_else(|| packet::send_no_fd(self.socket), |fd| packet::send_fd(self.socket, fd)) {
            Err(e) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
            other => other,
        }
    }

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
            reading: Mutex::new(Reading::from(resume)),
        }
    }

    pub(super) fn vpc_id(&self) -> &str {
        &self.vpc_id
    }

    pub(super) fn has_container(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    pub(super) fn container_index(&self, name: &str) -> Option<usize> {
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

    pub(super) fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the shim has said. Answers whether the connection is still open.
    pub(super) fn receive(&self, shared: &Shared) -> bool {
        let mut buffer = [0_u8; 16 * 1024];
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
}
