//! Forking a container or a command, and handing the network to those that wait for it.
//!
//! Invariant: everything a child needs is made before the fork, so that what fails here is told by the shim itself.
//! Invariant: a child has a copy of its own container's specification and wipes all others, whose secrets are not its
//! business; a container's init process keeps that memory for as long as the container runs.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::super::child::{self, Child, ExecChild};
use super::super::packet;
use super::super::seal::FrameSeal;
use super::super::spool::SpoolWriter;
use super::container::{Container, Pipe, Process};
use super::task::Task;
use crate::event::{StartFailure, StartFailureKind};
use crate::secret::SpoolKey;
use crate::sys::{self, Cloned};

impl Task {
    /// Forks a container's child, which waits for the network. Its group is made first.
    pub(super) fn fork_container(&mut self, index: usize) -> Result<(), StartFailure> {
        let failed = |what: &str, e: io::Error| {
            StartFailure::new(StartFailureKind::Resources, format!("{what}: {}", e.to_string().to_lowercase()))
        };
        let Some(spec) = self.intent.spec.containers.get(index).cloned() else { return Ok(()) };
        let network = self.intent.spec.network.clone();
        let (cgroup, mut remarks) = self.cgroup.container(index, &spec);
        self.remarks.append(&mut remarks);
        let Some(container) = self.containers.get_mut(index) else { return Ok(()) };
        make_dirs(container).map_err(|e| failed("making the container's directories", e))?;
        let spool = FrameSeal::new(&self.intent.spec.spool_key, &self.intent.spec.task_id, index)
            .and_then(|seal| SpoolWriter::open(&container.paths.spool(), seal));
        container.spool = Some(spool.map_err(|e| failed("output spool", e))?);

        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|e| failed("pipe", e.into()));
        let (stdout, child_stdout) = pipe()?;
        let (stderr, child_stderr) = pipe()?;
        let (sync, child_sync) = packet::pair().map_err(|e| failed("socket", e.into()))?;
        let clone_target = cgroup.clone_target();
        let filter = container.filter.clone();
        let child = Child {
            spec: &spec,
            network: &network,
            paths: container.paths.clone(),
            cgroup: &cgroup,
            filter: &filter,
            sync: child_sync,
            stdin: self.null.try_clone().map_err(|e| failed("descriptor", e))?,
            stdout: child_stdout,
            stderr: child_stderr,
        };
        let cloned = sys::clone_process(
            &self.single_threaded,
            child::CONTAINER_NAMESPACES,
            clone_target.as_ref().map(AsFd::as_fd),
        );
        match cloned.map_err(|e| failed("fork", e))? {
            Cloned::Child(forked) => {
                // The shim's end of the socket must not keep the child's own end from closing.
                drop(sync);
                self.forget_secrets();
                child::run(&child, &forked)
            }
            Cloned::Parent { pid, pidfd } => {
                drop(child);
                for fd in [&stdout, &stderr] {
                    rustix::io::ioctl_fionbio(fd, true).map_err(|e| failed("pipe", e.into()))?;
                }
                container.process = Some(Process {
                    pid,
                    pidfd,
                    sync: Some(sync),
                    stdout: Some(Pipe::new(stdout)),
                    stderr: Some(Pipe::new(stderr)),
                    executing: false,
                    failure: None,
                    oom_kills_before: cgroup.oom_kills(),
                });
                container.cgroup = Some(cgroup);
                Ok(())
            }
        }
    }

    /// Lets a forked container go on.
    pub(super) fn hand_network(&self, index: usize, netns: &OwnedFd) {
        if let Some(sync) = self.containers.get(index).and_then(|c| c.process.as_ref()?.sync.as_ref()) {
            // A child that is dead already has told why, or its end will.
            let _ = packet::send_fd(sync, netns);
        }
    }

    /// Forks a command in a container's namespaces.
    pub(super) fn fork_exec(&mut self, index: usize, argv: &[String]) -> io::Result<(u32, OwnedFd)> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the container does not run");
        let container = self.containers.get(index).ok_or_else(gone)?;
        let spec = self.intent.spec.containers.get(index).cloned().ok_or_else(gone)?;
        let network = self.intent.spec.network.clone();
        let (process, cgroup) = container.process.as_ref().zip(container.cgroup.clone()).ok_or_else(gone)?;
        let process = process.pidfd.try_clone()?;
        let clone_target = cgroup.clone_target();
        let filter = container.filter.clone();
        let child = ExecChild {
            spec: &spec,
            network: &network,
            argv,
            cgroup: &cgroup,
            filter: &filter,
            container: &process,
            null: self.null.try_clone()?,
        };
        // Decides the pid namespace of the next child only; the shim itself stays where it is.
        move_into_thread_name_spaces(process.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
        let cloned = sys::clone_process(&self.single_threaded, 0, clone_target.as_ref().map(AsFd::as_fd));
        if let Ok(Cloned::Child(forked)) = &cloned {
            self.forget_secrets();
            child::run_exec(&child, forked);
        }
        move_into_thread_name_spaces(self.own_pidfd.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
        match cloned? {
            Cloned::Parent { pid, pidfd } => Ok((pid, pidfd)),
            Cloned::Child(_) => Err(gone()),
        }
    }

    /// For a child: wipes its copy of the key, of the ciphers made from it, and of the containers' secrets.
    fn forget_secrets(&mut self) {
        self.intent.spec.spool_key = SpoolKey::not_given();
        self.intent.spec.containers.iter_mut().for_each(|container| container.secrets.clear());
        self.containers.iter_mut().for_each(|container| container.spool = None);
        wipe_stack();
    }
}

/// Writes over what calls that have returned left on the stack: parts of keys that were moved while ciphers were made.
#[inline(never)]
fn wipe_stack() {
    let mut left = [0_u8; 64 * 1024];
    zeroize::Zeroize::zeroize(&mut left);
    std::hint::black_box(&mut left);
}

/// A second start finds the container's files as they were; what a `volatile` overlay left in `work` must go.
fn make_dirs(container: &Container) -> io::Result<()> {
    let paths = &container.paths;
    if paths.work().exists() {
        fs::remove_dir_all(paths.work())?;
    }
    for dir in [paths.upper(), paths.work(), paths.root()] {
        fs::create_dir_all(dir)?;
    }
    match fs::remove_file(paths.exit_record()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
