//! The shim's loop: one task's containers, orders, output and ends.
//!
//! Invariant: nothing here waits but `epoll`; what takes time (a stop) is a deadline that the loop looks at.
//!
//! Invariant: a descriptor is taken out of `epoll` before it is closed, since a child may still hold a copy.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::process::PidfdFlags;

use super::super::cgroup::{Hierarchies, TaskCgroup};
use super::super::child::{Filter, parse_signal};
use super::super::net;
use super::super::paths::TaskPaths;
use super::super::protocol::{Intent, Order, Report};
use super::super::storage::{self, OwnMounts};
use super::connection::Connection;
use super::container::{Container, StartStep};
use super::ending::{cancelled, kill_exec, wait_for};
use super::launch::Forked;
use crate::backend::{ContainerState, ExecSpec};
use crate::event::{StartFailure, StartFailureKind, Stream};
use crate::spec::ContainerSpec;
use crate::sys::SingleThreaded;

const EVENTS_MAX: usize = 32;

/// What a descriptor in `epoll` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Listener,
    Engine,
    Process(usize),
    Sync(usize),
    Output(usize, Stream),
    Exec(usize),
}

impl Source {
    pub(super) fn token(self) -> EventData {
        let (kind, index) = match self {
            Self::Listener => (0, 0),
            Self::Engine => (1, 0),
            Self::Process(index) => (2, index),
            Self::Sync(index) => (3, index),
            Self::Output(index, Stream::Stdout) => (4, index),
            Self::Output(index, Stream::Stderr) => (5, index),
            Self::Exec(index) => (6, index),
        };
        EventData::new_u64(kind | (index as u64) << 8)
    }

    fn from_token(token: EventData) -> Self {
        let index = usize::try_from(token.u64() >> 8).unwrap_or(usize::MAX);
        match token.u64() & 0xff {
            0 => Self::Listener,
            1 => Self::Engine,
            2 => Self::Process(index),
            3 => Self::Sync(index),
            4 => Self::Output(index, Stream::Stdout),
            5 => Self::Output(index, Stream::Stderr),
            _ => Self::Exec(index),
        }
    }
}

/// A command in a container.
#[derive(Debug)]
pub(super) struct Exec {
    id: String,
    pub(super) pidfd: OwnedFd,
    /// To its keeper, where an OCI runtime runs it.
    pub(super) line: Option<OwnedFd>,
    pub(super) kill_at: Option<Instant>,
}

/// Takes a descriptor out of `epoll`, where it may no longer be.
pub(super) fn unwatch(epoll: &OwnedFd, fd: BorrowedFd<'_>) {
    let _ = epoll::delete(epoll, fd);
}

/// A task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) intent: Intent,
    pub(super) paths: TaskPaths,
    pub(super) cgroup: TaskCgroup,
    pub(super) containers: Vec<Container>,
    pub(super) remarks: Vec<String>,
    pub(super) null: OwnedFd,
    pub(super) single_threaded: SingleThreaded,
    pub(super) own_pidfd: OwnedFd,
    pub(super) execs: BTreeMap<usize, Exec>,
    pub(super) execs_made: usize,
    pub(super) network: Option<Result<OwnedFd, StartFailure>>,
    mounts: OwnMounts,
    pub(super) engine: Option<Connection>,
    listener: UnixListener,
    pub(super) epoll: OwnedFd,
    removing: bool,
    /// Held to the end, by keepers too.
    pub(super) lock: OwnedFd,
    /// The network namespace that the shim leaves for the task's.
    pub(super) host_network: OwnedFd,
}

impl Task {
    pub(super) fn new(
        intent: Intent,
        lock: OwnedFd,
        listener: UnixListener,
        null: OwnedFd,
        hierarchies: Hierarchies,
        single_threaded: SingleThreaded,
    ) -> io::Result<Self> {
        let paths = intent.layout.task(&intent.spec.task_id);
        let mounts = OwnMounts::enter()?;
        let (cgroup, remarks) = TaskCgroup::create(hierarchies, &intent.layout, &intent.spec);
        let names = intent.spec.containers.iter().enumerate();
        let filters = intent.layout.filters_dir();
        let container = |(index, spec): (usize, &ContainerSpec)| {
            Filter::read(&filters, spec).map(|filter| Container::new(&spec.name, paths.container(index), filter))
        };
        let containers = names.map(container).collect::<io::Result<_>>()?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, Source::Listener.token(), EventFlags::IN)?;
        Ok(Self {
            own_pidfd: rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())?,
            intent,
            paths,
            cgroup,
            containers,
            remarks,
            null,
            single_threaded,
            execs: BTreeMap::new(),
            execs_made: 0,
            network: None,
            mounts,
            engine: None,
            listener,
            epoll,
            removing: false,
            lock,
            host_network: net::own_netns()?,
        })
    }

    /// Takes a connection to an engine; the last one counts.
    pub(super) fn accept_engine(&mut self, socket: OwnedFd) -> io::Result<()> {
        let connection = Connection::new(socket);
        if let Some(old) = self.engine.take() {
            unwatch(&self.epoll, old.fd());
        }
        epoll::add(&self.epoll, connection.fd(), Source::Engine.token(), EventFlags::IN)?;
        self.engine = Some(connection);
        Ok(())
    }

    /// Forks the containers that start with the task, makes the network meanwhile, and lets them go on.
    pub(super) fn launch(&mut self, storage: Option<OwnedFd>) {
        let launched: Vec<usize> = (0..self.containers.len())
            .filter(|index| self.intent.spec.containers.get(*index).is_some_and(|spec| spec.start_on_launch))
            .collect();
        if let Err(e) = storage::attach(&self.intent.layout, &self.paths, self.intent.spec.ephemeral_gib, storage) {
            let text = format!("ephemeral storage: {}", e.to_string().to_lowercase());
            let failure = StartFailure::new(StartFailureKind::Resources, text);
            (0..self.containers.len()).for_each(|index| self.fail(index, failure.clone()));
            self.network = Some(Err(failure));
            return;
        }
        for index in &launched {
            self.fork_and_watch(*index);
        }
        let Intent { layout, spec, .. } = &self.intent;
        // The VPC's namespace is pinned where the engine and other tasks find it.
        let network = self
            .mounts
            .among_the_hosts(|| net::connect(layout, &spec.network, &spec.task_id))
            .map_err(|e| StartFailure::new(StartFailureKind::Network, e.to_string().to_lowercase()));
        match &network {
            Ok(netns) => launched.iter().for_each(|index| self.hand_network(*index, netns)),
            Err(failure) => launched.iter().for_each(|index| self.abandon(*index, failure)),
        }
        if network.is_ok() {
            self.report(&Report::NetworkReady);
        }
        self.network = Some(network);
    }

    /// Kills a container that has not started, for a reason.
    fn abandon(&mut self, index: usize, failure: &StartFailure) {
        let Some(container) = self.containers.get_mut(index) else { return };
        if let Some(process) = &mut container.process {
            process.failure = Some(failure.clone());
        }
        container.signal(libc::SIGKILL);
    }

    fn fork_and_watch(&mut self, index: usize) {
        if let Err(failure) = self.fork_container(index).and_then(|()| self.watch(index)) {
            self.fail(index, failure);
        }
    }

    fn watch(&self, index: usize) -> Result<(), StartFailure> {
        let Some(process) = self.containers.get(index).and_then(|c| c.process.as_ref()) else { return Ok(()) };
        let add = |fd: BorrowedFd<'_>, source: Source| {
            epoll::add(&self.epoll, fd, source.token(), EventFlags::IN)
                .map_err(|e| StartFailure::new(StartFailureKind::Resources, format!("epoll: {e}")))
        };
        add(process.pidfd.as_fd(), Source::Process(index))?;
        // What an OCI runtime says before the program runs is none of the container's output.
        if process.kept.is_none() {
            self.watch_output(index);
        }
        process.sync.as_ref().map_or(Ok(()), |sync| add(sync.as_fd(), Source::Sync(index)))
    }

    /// A pipe that cannot be watched is drained at the container's end.
    pub(super) fn watch_output(&self, index: usize) {
        let Some(container) = self.containers.get(index) else { return };
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(pipe) = container.pipe(stream) {
                let _ = epoll::add(&self.epoll, &pipe.fd, Source::Output(index, stream).token(), EventFlags::IN);
            }
        }
    }

    /// Runs until the task is removed.
    pub(super) fn run(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        loop {
            self.tell_remarks();
            self.flush();
            if self.removing && self.containers.iter().all(|c| !c.is_alive()) && self.execs.is_empty() {
                return self.end();
            }
            let timeout = self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
            let timeout = timeout.and_then(|duration| (duration + Duration::from_millis(1)).try_into().ok());
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            for event in &events {
                self.handle(Source::from_token(event.data))?;
            }
            self.keep_deadlines();
        }
    }

    fn handle(&mut self, source: Source) -> io::Result<()> {
        match source {
            Source::Listener => {
                if let Ok((socket, _)) = self.listener.accept() {
                    self.accept_engine(socket.into())?;
                }
            }
            Source::Engine => self.hear_engine(),
            Source::Sync(index) => self.advance_start(index),
            Source::Output(index, stream) => self.take_output(index, stream),
            Source::Process(index) => self.reap(index)?,
            Source::Exec(index) => self.reap_exec(index)?,
        }
        Ok(())
    }

    fn hear_engine(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let (orders, open) = engine.receive();
        if !open && let Some(gone) = self.engine.take() {
            unwatch(&self.epoll, gone.fd());
        }
        orders.into_iter().for_each(|order| self.obey(order));
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Hello => self.tell_standing(),
            Order::Start { name } => self.with(&name, Self::start),
            Order::Stop { name, timeout_s } => self.with(&name, |task, index| task.stop(index, timeout_s)),
            Order::Kill { name } => self.with(&name, |task, index| task.stop(index, 0)),
            Order::Exec { name, exec } => self.exec(&name, exec),
            Order::Remove => {
                self.removing = true;
                (0..self.containers.len()).for_each(|index| self.kill(index));
                self.execs.values().for_each(kill_exec);
            }
        }
    }

    fn with(&mut self, name: &str, action: impl FnOnce(&mut Self, usize)) {
        if let Some(index) = self.containers.iter().position(|container| container.name == name) {
            action(self, index);
        }
    }

    fn start(&mut self, index: usize) {
        let Some(container) = self.containers.get_mut(index) else { return };
        if container.is_alive() || container.untold.is_some() || self.removing {
            return;
        }
        container.state = ContainerState::Waiting;
        match &self.network {
            Some(Err(failure)) => {
                let failure = failure.clone();
                self.fail(index, failure);
            }
            _ => {
                self.fork_and_watch(index);
                if let Some(Ok(netns)) = &self.network {
                    self.hand_network(index, netns);
                }
            }
        }
    }

    fn stop(&mut self, index: usize, timeout_s: u32) {
        let signal = self.intent.spec.containers.get(index).and_then(|spec| parse_signal(&spec.stop_signal));
        let Some(container) = self.containers.get_mut(index) else { return };
        let running = matches!(container.state, ContainerState::Running { .. });
        match (container.is_alive(), running) {
            (true, true) => {
                let at = Instant::now() + Duration::from_secs(u64::from(timeout_s));
                // A second order may hasten the end, not put it off, and does not signal again.
                if container.kill_at.is_none() && timeout_s > 0 {
                    container.signal(signal.unwrap_or(libc::SIGTERM));
                }
                container.kill_at = Some(container.kill_at.map_or(at, |known| known.min(at)));
            }
            (true, false) => {
                self.abandon(index, &cancelled());
            }
            (false, _) if container.state == ContainerState::Waiting => self.fail(index, cancelled()),
            (false, _) => {}
        }
    }

    fn kill(&self, index: usize) {
        if let Some(container) = self.containers.get(index) {
            container.signal(libc::SIGKILL);
        }
    }

    fn exec(&mut self, name: &str, exec: ExecSpec) {
        let index = self.containers.iter().position(|container| container.name == name).unwrap_or(usize::MAX);
        let Ok(Forked { pidfd, line }) = self.fork_exec(index, &exec.argv) else {
            return self.report(&Report::ExecExited { exec_id: exec.exec_id, exit_code: 126 });
        };
        self.execs_made += 1;
        if epoll::add(&self.epoll, &pidfd, Source::Exec(self.execs_made).token(), EventFlags::IN).is_err() {
            return self.report(&Report::ExecExited { exec_id: exec.exec_id, exit_code: 126 });
        }
        let kill_at = (exec.timeout_s > 0).then(|| Instant::now() + Duration::from_secs(u64::from(exec.timeout_s)));
        self.execs.insert(self.execs_made, Exec { id: exec.exec_id, pidfd, line, kill_at });
    }

    fn reap_exec(&mut self, index: usize) -> io::Result<()> {
        let Some(exec) = self.execs.remove(&index) else { return Ok(()) };
        let exit_code = wait_for(&exec.pidfd)?;
        unwatch(&self.epoll, exec.pidfd.as_fd());
        self.report(&Report::ExecExited { exec_id: exec.id, exit_code });
        Ok(())
    }

    /// Looks at how far a container's start is; a failed one is reported when its process has ended.
    pub(super) fn advance_start(&mut self, index: usize) {
        let Some(container) = self.containers.get_mut(index) else { return };
        if container.process.as_ref().is_none_or(|process| process.sync.is_none()) {
            return;
        }
        let step = container.start_step(&mut self.remarks);
        if step == StartStep::Pending {
            return;
        }
        let sync = container.process.as_mut().and_then(|process| process.sync.take());
        if let Some(sync) = &sync {
            unwatch(&self.epoll, sync.as_fd());
        }
        let Some(container) = self.containers.get(index) else { return };
        if let ContainerState::Running { pid, started_at } = container.state {
            let report = Report::Started { name: container.name.clone(), pid, at: started_at };
            if container.process.as_ref().is_some_and(|process| process.kept.is_some()) {
                self.watch_output(index);
            }
            self.report(&report);
        }
    }
}
