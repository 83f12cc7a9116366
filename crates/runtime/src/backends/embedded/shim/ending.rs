//! The second half of the shim's work: ends, deadlines, and what the engine is told.
//!
//! Invariant: a container's last output is in the spool and its exit on disk before the exit is reported.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::event::epoll::{self, EventFlags};
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::super::clock::now;
use super::super::protocol::{Report, Standing};
use super::super::storage;
use super::container::let_go;
use super::task::{Exec, Source, Task, unwatch};
use crate::backend::ContainerState;
use crate::event::{StartFailure, StartFailureKind, Stream};
use crate::sys;

impl Task {
    /// A container's first process has ended.
    pub(super) fn reap(&mut self, index: usize) -> io::Result<()> {
        self.advance_start(index);
        let Some(container) = self.containers.get(index) else { return Ok(()) };
        let Some(process) = &container.process else { return Ok(()) };
        let exit_code = wait_for(&process.pidfd)?;
        unwatch(&self.epoll, process.pidfd.as_fd());
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(pipe) = container.pipe(stream) {
                unwatch(&self.epoll, pipe.fd.as_fd());
            }
        }
        let Some(container) = self.containers.get_mut(index) else { return Ok(()) };
        container.kill_kept();
        if container.process.as_ref().is_some_and(|process| process.failure.is_none()) {
            container.drain();
        }
        let Some(process) = container.process.take() else { return Ok(()) };
        if let Some(failure) = process.failure {
            self.fail(index, failure);
            return Ok(());
        }
        let kills = container.cgroup.as_ref().map_or(0, |cgroup| cgroup.oom_kills());
        let (oom_killed, at) = (kills > process.oom_kills_before, now());
        self.conclude_and_tell(index, ContainerState::Exited { exit_code, oom_killed, at });
        Ok(())
    }

    /// A container did not start.
    pub(super) fn fail(&mut self, index: usize, failure: StartFailure) {
        self.conclude_and_tell(index, ContainerState::Failed { failure, at: now() });
    }

    /// The next time at which something must be killed.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let containers = self.containers.iter().filter(|c| c.is_alive()).filter_map(|c| c.kill_at);
        let looks = self.containers.iter().filter_map(|c| c.look_at);
        containers.chain(self.execs.values().filter_map(|exec| exec.kill_at)).chain(looks).min()
    }

    /// Kills what had its time, reads on where there is room again.
    pub(super) fn keep_deadlines(&mut self) {
        let now = Instant::now();
        self.resume_output(now);
        for container in &mut self.containers {
            if container.kill_at.is_some_and(|at| at <= now) {
                container.kill_at = None;
                container.signal(libc::SIGKILL);
            }
        }
        for exec in self.execs.values_mut().filter(|exec| exec.kill_at.is_some_and(|at| at <= now)) {
            exec.kill_at = None;
            kill_exec(exec);
        }
    }

    /// Says something to the engine, if there is one.
    pub(super) fn report(&mut self, report: &Report) {
        if let Some(engine) = &mut self.engine {
            engine.report(report);
        }
    }

    pub(super) fn tell_remarks(&mut self) {
        for text in std::mem::take(&mut self.remarks) {
            self.report(&Report::Remark { text });
        }
    }

    pub(super) fn tell_standing(&mut self) {
        let standing = |c: &super::container::Container| Standing { state: c.state.clone(), end: c.spool_end() };
        let containers = self.containers.iter().map(|c| (c.name.clone(), standing(c))).collect();
        let network_ready = matches!(self.network, Some(Ok(_)));
        self.report(&Report::Standing { network_ready, containers });
    }

    pub(super) fn flush(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let left = engine.flush();
        let interest =
            if left.as_ref().is_ok_and(|left| *left) { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        // An engine that is gone shows by the end of its connection.
        let _ = epoll::modify(&self.epoll, engine.fd(), Source::Engine.token(), interest);
    }

    /// Removes all traces of the task, and says so.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.containers.clear();
        self.cgroup.remove();
        storage::detach(&self.paths);
        remove_tree(&self.paths.data)?;
        remove_tree(&self.paths.run)?;
        if let Some(engine) = &mut self.engine {
            engine.report(&Report::Removed);
            engine.flush_and_wait();
        }
        Ok(())
    }
}

/// Removes a directory that may be gone already.
fn remove_tree(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

pub(super) fn cancelled() -> StartFailure {
    StartFailure::new(StartFailureKind::Cancelled, "the container was stopped before it was started")
}

pub(super) fn kill_exec(exec: &Exec) {
    match &exec.line {
        Some(line) => let_go(line),
        None => drop(sys::pidfd_kill(exec.pidfd.as_fd(), libc::SIGKILL)),
    }
}

/// Collects a child that has ended: its exit code, or 128 + n for signal n.
pub(super) fn wait_for(pidfd: &OwnedFd) -> io::Result<i32> {
    let status = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
    Ok(status.map_or(255, |status| match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    }))
}
