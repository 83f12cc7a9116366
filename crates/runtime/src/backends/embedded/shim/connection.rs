//! The shim's side of the connection to the engine.
//!
//! Invariant: writing never waits; output notices are merged while the engine does not read, so the buffer is bounded by
//! the number of things that can happen to a task.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::super::protocol::{Order, Report, line, take_lines};

/// A connection to an engine.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    spool_ends: BTreeMap<String, u64>,
}

impl Connection {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, incoming: Vec::new(), outgoing: Vec::new(), spool_ends: BTreeMap::new() }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes what has come in: orders, and whether the other side is still there.
    pub(super) fn receive(&mut self) -> (Vec<Order>, bool) {
        let mut buffer = [0_u8; 16 * 1024];
        let mut open = true;
        loop {
            match recv(&self.socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((0, _)) => {
                    open = false;
                    break;
                }
                Ok((len, _)) => self.incoming.extend_from_slice(buffer.get(..len).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    open = false;
                    break;
                }
            }
        }
        let lines = take_lines(&mut self.incoming);
        (lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect(), open)
    }

    /// Says something, after all output notices that came before it.
    pub(super) fn report(&mut self, report: &Report) {
        match report {
            Report::Output { name, end } => {
                self.spool_ends.insert(name.clone(), *end);
            }
            report => {
                self.merge_notices();
                self.outgoing.extend_from_slice(&line(report));
            }
        }
    }

    fn merge_notices(&mut self) {
        for (name, end) in std::mem::take(&mut self.spool_ends) {
            self.outgoing.extend_from_slice(&line(&Report::Output { name, end }));
        }
    }

    /// Sends what can be sent; answers whether something is left.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        loop {
            if self.outgoing.is_empty() {
                self.merge_notices();
            }
            if self.outgoing.is_empty() {
                return Ok(false);
            }
            match send(&self.socket, &self.outgoing, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Sends the rest and waits for it to be taken, for the last words of a shim.
    pub(super) fn flush_and_wait(&mut self) {
        self.merge_notices();
        let mut rest = self.outgoing.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }
}
