//! A container as the shim sees it: its state, its process, its pipes and its spool.
//!
//! Invariant: an exit is on disk, synced, before it is told to anyone.

use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::super::cgroup::ContainerCgroup;
use super::super::clock::now;
use super::super::packet::{Received, receive_fd, receive_json, send_no_fd};
use super::super::paths::ContainerPaths;
use super::super::protocol::{ExitRecord, RECORD_FORMAT};
use super::super::spool::{LineSplitter, SpoolWriter};
use crate::backend::ContainerState;
use crate::event::{StartFailure, StartFailureKind, Stream};

use super::super::child::{ChildReport, Filter};

/// How much is taken from a pipe at once, and from one pipe before the others get their turn.
const READ_BYTES_MAX: usize = 64 * 1024;

/// One container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) paths: ContainerPaths,
    pub(super) state: ContainerState,
    pub(super) cgroup: Option<ContainerCgroup>,
    pub(super) filter: Filter,
    pub(super) process: Option<Process>,
    /// When SIGKILL follows the stop signal.
    pub(super) kill_at: Option<Instant>,
    pub(super) spool: Option<SpoolWriter>,
    /// When a full spool is looked at again; the pipes are not read until then.
    pub(super) look_at: Option<Instant>,
    /// Why output was lost, until it has been remarked upon.
    pub(super) output_error: Option<String>,
    /// How it ended, while there is no room to write that down.
    pub(super) untold: Option<ContainerState>,
    /// Where reads go.
    buffer: Vec<u8>,
}

/// A container's first process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) pidfd: OwnedFd,
    /// Open until the program runs.
    pub(super) sync: Option<OwnedFd>,
    pub(super) stdout: Option<Pipe>,
    pub(super) stderr: Option<Pipe>,
    /// Where an OCI runtime makes the container: `pid` is its own from when it is there, `pidfd` its keeper's.
    pub(super) kept: Option<Kept>,
    pub(super) executing: bool,
    pub(super) failure: Option<StartFailure>,
    pub(super) oom_kills_before: u64,
}

/// A container that an OCI runtime makes, beside its keeper.
#[derive(Debug)]
pub(super) struct Kept {
    /// Shut down to let go of the keeper, which then kills the container.
    line: OwnedFd,
    /// The container's first process.
    container: Option<(u32, OwnedFd)>,
    /// The keeper's mount namespace.
    mounts: Option<OwnedFd>,
}

impl Kept {
    pub(super) fn new(line: OwnedFd) -> Self {
        Self { line, container: None, mounts: None }
    }

    /// Opens the process that the keeper has told of, and lets the keeper start the program.
    fn meet(&mut self, pid: u32) -> Result<(), StartFailure> {
        let mut opened = || -> io::Result<()> {
            let process = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
            self.mounts = Some(receive_fd(&self.line)?);
            self.container = Some((pid, pidfd_open(process, PidfdFlags::empty())?));
            send_no_fd(&self.line)
        };
        opened().map_err(|e| {
            let_go(&self.line);
            StartFailure::new(StartFailureKind::Resources, format!("the container's process: {e}"))
        })
    }

    /// What the keeper of a command needs: the container's first process and the mount namespace.
    pub(super) fn of_command(&self) -> io::Result<(u32, OwnedFd)> {
        let both = self.container.as_ref().zip(self.mounts.as_ref());
        let ((pid, _), mounts) = both.ok_or(io::ErrorKind::NotFound)?;
        Ok((*pid, mounts.try_clone()?))
    }

    fn signal(&self, signal: i32) {
        use std::os::fd::AsFd;
        match &self.container {
            // It may have ended just now, which its keeper's end will tell.
            Some((_, pidfd)) => drop(crate::sys::pidfd_kill(pidfd.as_fd(), signal)),
            None if signal == libc::SIGKILL => let_go(&self.line),
            None => {}
        }
    }
}

/// Makes a keeper kill what it keeps.
pub(super) fn let_go(line: &OwnedFd) {
    // One that has ended needs no telling.
    let _ = shutdown(line, Shutdown::Both);
}

/// The reading end of an output stream.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) fd: OwnedFd,
    splitter: LineSplitter,
}

impl Pipe {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self { fd, splitter: LineSplitter::default() }
    }
}

/// What a read from a pipe brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadStep {
    /// Something, and there may be more.
    Some,
    /// Nothing for now.
    Empty,
    /// The end: nobody can write any more.
    Ended,
}

/// What a look at the sync socket brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StartStep {
    /// Not there yet.
    Pending,
    /// The program runs.
    Started,
    /// It will not.
    Failed,
}

impl Container {
    pub(super) fn new(name: &str, paths: ContainerPaths, filter: Filter) -> Self {
        Self {
            name: name.to_owned(),
            paths,
            state: ContainerState::Waiting,
            cgroup: None,
            filter,
            process: None,
            kill_at: None,
            spool: None,
            look_at: None,
            output_error: None,
            untold: None,
            buffer: Vec::new(),
        }
    }

    /// Where the spool ends.
    pub(super) fn spool_end(&self) -> u64 {
        self.spool.as_ref().map_or(0, SpoolWriter::end)
    }

    /// A stream's pipe, while it is open.
    pub(super) fn pipe(&self, stream: Stream) -> Option<&Pipe> {
        let process = self.process.as_ref()?;
        if stream == Stream::Stdout { process.stdout.as_ref() } else { process.stderr.as_ref() }
    }

    /// Closes a stream's pipe.
    pub(super) fn close_stream(&mut self, stream: Stream) {
        if let Some(process) = &mut self.process {
            let slot = if stream == Stream::Stdout { &mut process.stdout } else { &mut process.stderr };
            *slot = None;
        }
    }

    /// Reads once from a stream into the spool.
    pub(super) fn read_stream(&mut self, stream: Stream) -> ReadStep {
        let (Some(process), Some(spool)) = (&mut self.process, &mut self.spool) else { return ReadStep::Empty };
        let slot = if stream == Stream::Stdout { &mut process.stdout } else { &mut process.stderr };
        let Some(pipe) = slot else { return ReadStep::Empty };
        self.buffer.resize(READ_BYTES_MAX, 0);
        let step = match rustix::io::read(&pipe.fd, self.buffer.as_mut_slice()) {
            Ok(0) => {
                pipe.splitter.finish(stream, now(), spool);
                ReadStep::Ended
            }
            Ok(len) => {
                pipe.splitter.feed(stream, now(), self.buffer.get(..len).unwrap_or_default(), spool);
                ReadStep::Some
            }
            Err(Errno::INTR) => ReadStep::Some,
            Err(Errno::AGAIN) => ReadStep::Empty,
            Err(_) => ReadStep::Ended,
        };
        self.flush_spool();
        step
    }

    /// Takes all that is left in the pipes of a process that has ended, and closes them.
    pub(super) fn drain(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            while self.read_stream(stream) == ReadStep::Some {}
            if let (Some(process), Some(spool)) = (&mut self.process, &mut self.spool) {
                let slot = if stream == Stream::Stdout { &mut process.stdout } else { &mut process.stderr };
                if let Some(mut pipe) = slot.take() {
                    pipe.splitter.finish(stream, now(), spool);
                }
            }
            self.flush_spool();
        }
        self.look_at = None;
    }

    /// A disk that fails loses output, nothing else; a full one only puts it off.
    pub(super) fn flush_spool(&mut self) {
        if let Some(Err(e)) = self.spool.as_mut().map(SpoolWriter::flush) {
            self.output_error = Some(e.to_string());
        }
    }

    /// Whether output waits for room on the disk.
    pub(super) fn is_stuck(&self) -> bool {
        self.spool.as_ref().is_some_and(SpoolWriter::is_stuck)
    }

    /// Whether no more output may be added: nobody has taken it for so long, or there is no room on the disk.
    pub(super) fn spool_is_full(&mut self, bytes_max: u64) -> bool {
        self.spool.as_mut().is_some_and(|spool| spool.is_full(bytes_max))
    }

    /// Looks at how far the start is. Remarks are put into `remarks`.
    pub(super) fn start_step(&mut self, remarks: &mut Vec<String>) -> StartStep {
        let Some(process) = &mut self.process else { return StartStep::Failed };
        let Some(sync) = &process.sync else { return StartStep::Pending };
        loop {
            match receive_json(sync) {
                Ok(Received::Message(ChildReport::Remark(text))) => remarks.push(text),
                Ok(Received::Message(ChildReport::Executing)) => process.executing = true,
                // Whoever had it killed knows better why.
                Ok(Received::Message(ChildReport::Failed(failure))) => _ = process.failure.get_or_insert(failure),
                Ok(Received::Message(ChildReport::Created { pid })) => {
                    match process.kept.as_mut().map(|kept| kept.meet(pid)) {
                        Some(Err(failure)) => _ = process.failure.get_or_insert(failure),
                        _ => process.pid = pid,
                    }
                }
                Ok(Received::Message(ChildReport::Running)) => {
                    self.state = ContainerState::Running { pid: process.pid, started_at: now() };
                    return StartStep::Started;
                }
                Ok(Received::Nothing) => return StartStep::Pending,
                Ok(Received::Closed) | Err(_) => break,
            }
        }
        if process.failure.is_none() && !process.executing {
            let text = "the container's first process was killed before it started the program";
            process.failure = Some(StartFailure::new(StartFailureKind::Resources, text));
        }
        if process.failure.is_some() {
            return StartStep::Failed;
        }
        self.state = ContainerState::Running { pid: process.pid, started_at: now() };
        StartStep::Started
    }

    /// Sets the state in which the container ended, on disk first.
    pub(super) fn conclude(&mut self, state: &ContainerState) -> io::Result<()> {
        self.state = state.clone();
        self.kill_at = None;
        let record = ExitRecord { format: RECORD_FORMAT, state: self.state.clone() };
        let path = self.paths.exit_record();
        let new = path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec(&record)?)?;
        file.sync_data()?;
        fs::rename(new, path)
    }

    /// Whether a process of the container is there.
    pub(super) fn is_alive(&self) -> bool {
        self.process.is_some()
    }

    /// Sends a signal to the first process.
    pub(super) fn signal(&self, signal: i32) {
        use std::os::fd::AsFd;
        let Some(process) = &self.process else { return };
        match &process.kept {
            Some(kept) => kept.signal(signal),
            // It may have ended just now, which its descriptor will tell.
            None => drop(crate::sys::pidfd_kill(process.pidfd.as_fd(), signal)),
        }
    }

    /// Kills what a keeper that was killed has left.
    pub(super) fn kill_kept(&self) {
        if self.process.as_ref().is_some_and(|process| process.kept.is_some())
            && let Some(cgroup) = &self.cgroup
        {
            cgroup.kill();
        }
    }
}
