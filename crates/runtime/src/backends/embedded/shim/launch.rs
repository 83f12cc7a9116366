//! Forking a container or a command, and handing the network to those that wait for it.
//!
//! Invariant: everything a child needs is made before the fork, so that what fails here is told by the shim itself.
//!
//! Invariant: a child has a copy of its own container's specification and wipes all others, whose secrets are not its
//! business; a container's init process keeps that memory for as long as the container runs.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::super::child::{self, Child, ExecChild};
use super::super::packet;
use super::super::seal::FrameSeal;
use super::super::spool::SpoolWriter;
use super::container::{Container, Kept, Pipe, Process};
use super::task::Task;
use crate::event::{StartFailure, StartFailureKind};
use crate::secret::SpoolKey;
use crate::sys::{self, Cloned};

/// A command, or its keeper.
#[derive(Debug)]
pub(super) struct Forked {
    pub(super) pidfd: OwnedFd,
    /// Closed to let go of a keeper.
    pub(super) line: Option<OwnedFd>,
}

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
        make_dirs(container, self.intent.layout.runtime.is_some())
            .map_err(|e| failed("making the container's directories", e))?;
        let spool = FrameSeal::new(&self.intent.spec.spool_key, &self.intent.spec.task_id, index)
            .and_then(|seal| SpoolWriter::open(&container.paths.spool(), seal));
        container.spool = Some(spool.map_err(|e| failed("output spool", e))?);

        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|e| failed("pipe", e.into()));
        let (stdout, child_stdout) = pipe()?;
        let (stderr, child_stderr) = pipe()?;
        let (sync, child_sync) = packet::pair().map_err(|e| failed("socket", e.into()))?;
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
        let (pid, pidfd) = self.fork_child(&child, &sync).map_err(|e| failed("fork", e))?;
        drop(child);
        for fd in [&stdout, &stderr] {
            rustix::io::ioctl_fionbio(fd, true).map_err(|e| failed("pipe", e.into()))?;
        }
        let kept = self.intent.layout.runtime.as_ref().map(|_| sync.try_clone().map(Kept::new));
        let kept = kept.transpose().map_err(|e| failed("descriptor", e))?;
        let Some(container) = self.containers.get_mut(index) else { return Ok(()) };
        container.process = Some(Process {
            pid,
            pidfd,
            sync: Some(sync),
            stdout: Some(Pipe::new(stdout)),
            stderr: Some(Pipe::new(stderr)),
            kept,
            executing: false,
            failure: None,
            oom_kills_before: cgroup.oom_kills(),
        });
        container.cgroup = Some(cgroup);
        Ok(())
    }

    /// Forks the container's first process, or the keeper of one that an OCI runtime makes.
    fn fork_child(&mut self, child: &Child<'_>, sync: &OwnedFd) -> io::Result<(u32, OwnedFd)> {
        let runtime = self.intent.layout.runtime.clone();
        let (flags, clone_target) = match &runtime {
            Some(_) => (libc::CLONE_NEWNS, None),
            None => (child::CONTAINER_NAMESPACES, child.cgroup.clone_target()),
        };
        match sys::clone_process(&self.single_threaded, flags, clone_target.as_ref().map(AsFd::as_fd))? {
            Cloned::Child(forked) => {
                // The shim's end of the socket must not keep the child's own end from closing.
                sys::close_in_copy(&forked, sync);
                self.forget_secrets();
                match &runtime {
                    Some(runtime) => child::oci::keep(child, &self.keeper(runtime), &forked),
                    None => child::run(child, &forked),
                }
            }
            Cloned::Parent { pid, pidfd } => Ok((pid, pidfd)),
        }
    }

    fn keeper<'a>(&'a self, runtime: &'a Path) -> child::oci::Keeper<'a> {
        child::oci::Keeper { runtime, lock: &self.lock, host_network: &self.host_network }
    }

    /// Lets a forked container go on.
    pub(super) fn hand_network(&self, index: usize, netns: &OwnedFd) {
        if let Some(sync) = self.containers.get(index).and_then(|c| c.process.as_ref()?.sync.as_ref()) {
            // A child that is dead already has told why, or its end will.
            let _ = packet::send_fd(sync, netns);
        }
    }

    /// Forks a command in a container's namespaces, or its keeper.
    pub(super) fn fork_exec(&mut self, index: usize, argv: &[String]) -> io::Result<Forked> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the container does not run");
        let container = self.containers.get(index).ok_or_else(gone)?;
        let spec = self.intent.spec.containers.get(index).cloned().ok_or_else(gone)?;
        let network = self.intent.spec.network.clone();
        let (process, cgroup) = container.process.as_ref().zip(container.cgroup.clone()).ok_or_else(gone)?;
        let kept = process.kept.as_ref().map(Kept::of_command).transpose()?;
        let process = process.pidfd.try_clone()?;
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
        match kept {
            Some((container, mounts)) => self.fork_keeper_of_command(index, &child, container, &mounts),
            None => self.fork_command(&child),
        }
    }

    fn fork_command(&mut self, child: &ExecChild<'_>) -> io::Result<Forked> {
        let clone_target = child.cgroup.clone_target();
        // Decides the pid namespace of the next child only; the shim itself stays where it is.
        move_into_thread_name_spaces(child.container.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
        let cloned = sys::clone_process(&self.single_threaded, 0, clone_target.as_ref().map(AsFd::as_fd));
        if let Ok(Cloned::Child(forked)) = &cloned {
            self.forget_secrets();
            child::run_exec(child, forked);
        }
        move_into_thread_name_spaces(self.own_pidfd.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
        match cloned? {
            Cloned::Parent { pidfd, .. } => Ok(Forked { pidfd, line: None }),
            Cloned::Child(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn fork_keeper_of_command(
        &mut self,
        index: usize,
        child: &ExecChild<'_>,
        pid: u32,
        mounts: &OwnedFd,
    ) -> io::Result<Forked> {
        let Some(runtime) = self.intent.layout.runtime.clone() else { return Err(io::ErrorKind::NotFound.into()) };
        let (line, keepers_line) = packet::pair()?;
        let paths = self.paths.container(index);
        let number = self.execs_made;
        let kept = child::oci::Kept { mounts, pid, line: keepers_line, paths, number };
        match sys::clone_process(&self.single_threaded, 0, None)? {
            Cloned::Child(forked) => {
                sys::close_in_copy(&forked, &line);
                self.forget_secrets();
                child::oci::keep_exec(child, &kept, &self.keeper(&runtime), &forked)
            }
            Cloned::Parent { pidfd, .. } => Ok(Forked { pidfd, line: Some(line) }),
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
fn make_dirs(container: &Container, is_kept: bool) -> io::Result<()> {
    let paths = &container.paths;
    if is_kept {
        fs::create_dir_all(paths.bundle())?;
    }
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
