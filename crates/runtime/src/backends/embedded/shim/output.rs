//! From the pipes to the spools, and not faster than somebody takes it from there.
//!
//! Invariant: a spool holds at most the instance's bound and one read: when it is full the pipes are not read, so the
//! container waits in its next write, as with a blocking log driver.
//!
//! Invariant: while there is no room on the disk nothing is lost: the pipes are not read, and an end is told when everything before it is
//! written. Output that cannot be written for another reason is lost, with a remark; the container goes on.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::super::protocol::Report;
use super::super::spool::is_no_room;
use super::container::ReadStep;
use super::task::{Task, unwatch};
use crate::backend::ContainerState;
use crate::event::Stream;

/// How often a full spool is looked at.
const FULL_SPOOL_INTERVAL: Duration = Duration::from_millis(50);

impl Task {
    /// Takes what a stream has for its spool.
    pub(super) fn take_output(&mut self, index: usize, stream: Stream) {
        let Some(container) = self.containers.get_mut(index) else { return };
        let before = container.spool_end();
        if container.read_stream(stream) == ReadStep::Ended {
            if let Some(pipe) = container.pipe(stream) {
                unwatch(&self.epoll, pipe.fd.as_fd());
            }
            container.close_stream(stream);
        }
        if let Some(error) = container.output_error.take() {
            self.remarks.push(format!("container `{}`: output is lost: {error}", container.name));
        }
        let end = container.spool_end();
        if end > before {
            let report = Report::Output { name: container.name.clone(), end };
            self.report(&report);
        }
        self.pause_if_full(index);
    }

    fn pause_if_full(&mut self, index: usize) {
        let bytes_max = self.intent.spool_bytes_max;
        let Some(container) = self.containers.get_mut(index) else { return };
        if container.look_at.is_some() || !container.spool_is_full(bytes_max) {
            return;
        }
        container.look_at = Some(Instant::now() + FULL_SPOOL_INTERVAL);
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(pipe) = container.pipe(stream) {
                unwatch(&self.epoll, pipe.fd.as_fd());
            }
        }
    }

    /// Reads on where a full spool has been emptied, and tells the ends that waited for room.
    pub(super) fn resume_output(&mut self, now: Instant) {
        for index in 0..self.containers.len() {
            let is_due = self.containers.get(index).and_then(|it| it.look_at).is_some_and(|at| at <= now);
            if is_due {
                self.resume_container(index, now);
            }
        }
    }

    fn resume_container(&mut self, index: usize, now: Instant) {
        let bytes_max = self.intent.spool_bytes_max;
        let Some(container) = self.containers.get_mut(index) else { return };
        if container.is_stuck() {
            container.flush_spool();
            let (name, end) = (container.name.clone(), container.spool_end());
            self.report(&Report::Output { name, end });
        }
        let Some(container) = self.containers.get_mut(index) else { return };
        container.look_at = None;
        if let Some(state) = container.untold.take() {
            return self.conclude_and_tell(index, state);
        }
        if container.spool_is_full(bytes_max) {
            container.look_at = Some(now + FULL_SPOOL_INTERVAL);
            return;
        }
        self.watch_output(index);
    }

    /// Writes down how a container ended, then tells it; later, where there is no room for what it said or for its end.
    pub(super) fn conclude_and_tell(&mut self, index: usize, state: ContainerState) {
        let Some(container) = self.containers.get_mut(index) else { return };
        let written =
            if container.is_stuck() { Err(io::ErrorKind::StorageFull.into()) } else { container.conclude(&state) };
        if let Err(e) = &written
            && !is_no_room(e)
        {
            self.remarks.push(format!("container `{}`: its end could not be written down: {e}", container.name));
        }
        if written.is_err_and(|e| is_no_room(&e)) {
            container.untold = Some(state);
            container.look_at = Some(Instant::now() + FULL_SPOOL_INTERVAL);
            return;
        }
        let (name, end) = (container.name.clone(), container.spool_end());
        match state {
            ContainerState::Failed { failure, at } => self.report(&Report::Failed { name, failure, at }),
            ContainerState::Exited { exit_code, oom_killed, at } => {
                self.report(&Report::Exited { name, exit_code, oom_killed, at, end });
            }
            ContainerState::Waiting | ContainerState::Running { .. } | ContainerState::Lost => {}
        }
    }
}
