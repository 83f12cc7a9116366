//! From the pipes to the spools, and not faster than somebody takes it from there.
//!
//! Invariant: a spool holds at most the instance's bound and one read: when it is full the pipes are not read, so the
//! container waits in its next write, as with a blocking log driver.
//! Invariant: output that cannot be written is lost, with a remark; the container goes on.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventFlags};

use super::super::protocol::Report;
use super::container::ReadStep;
use super::task::{Source, Task, unwatch};
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

    /// Reads on where a full spool has been emptied.
    pub(super) fn resume_output(&mut self, now: Instant) {
        let bytes_max = self.intent.spool_bytes_max;
        for (index, container) in self.containers.iter_mut().enumerate() {
            if container.look_at.is_none_or(|at| at > now) {
                continue;
            }
            if container.spool_is_full(bytes_max) {
                container.look_at = Some(now + FULL_SPOOL_INTERVAL);
                continue;
            }
            container.look_at = None;
            for stream in [Stream::Stdout, Stream::Stderr] {
                if let Some(pipe) = container.pipe(stream) {
                    // A pipe that cannot be watched again is drained at the container's end.
                    let _ = epoll::add(&self.epoll, &pipe.fd, Source::Output(index, stream).token(), EventFlags::IN);
                }
            }
        }
    }
}
