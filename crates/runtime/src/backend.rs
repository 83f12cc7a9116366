//! The one interface between the engine and whatever runs tasks.
//!
//! Orders are idempotent and return when they are accepted; what comes of them is reported to the sink. Everything may
//! be called from any thread.
//!
//! Invariant: no order waits for a container: it may wait for a file or a socket of this machine, never for a process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use neargate_base::Timestamp;

use crate::event::StartFailure;
use crate::probe::Capability;
use crate::spec::{Ipv4Cidr, TaskId, TaskSpec};

/// Runs tasks.
pub trait Backend: Send + Sync + fmt::Debug {
    /// The backend's name: `embedded`, `oci`, `fake`.
    fn name(&self) -> &'static str;

    /// What this machine can and cannot do for the backend.
    fn probe(&self) -> Vec<Capability>;

    /// Starts a task: network, limits and the containers with `start_on_launch`. A task that is there already is left
    /// as it is. The spool key and the secrets of the specification are kept in memory alone.
    fn start(&self, spec: &TaskSpec) -> Result<(), RuntimeError>;

    /// Starts a container that waits, or one that has ended, again (its file system is kept).
    fn start_container(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError>;

    /// Sends the container's stop signal, and SIGKILL after `timeout_s` seconds. A container that has not started
    /// never will; one that has ended stays as it is.
    fn stop_container(&self, task: &TaskId, name: &str, timeout_s: u32) -> Result<(), RuntimeError>;

    /// Kills a container at once.
    fn kill(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError>;

    /// Runs a command in a running container; [`crate::EventKind::ExecExited`] reports its end. Its output is not kept.
    fn exec(&self, task: &TaskId, name: &str, exec: &ExecSpec) -> Result<(), RuntimeError>;

    /// Takes a task over after a restart of the engine. Output after the given spool offsets, and exits that nobody
    /// has been told of, are reported from then on. The specification has the spool key that the task was started with; its
    /// secrets are not needed.
    fn adopt(&self, spec: &TaskSpec, resume: &ResumePoints) -> Result<Adopted, RuntimeError>;

    /// Says that a container's output up to the offset is kept elsewhere: its space may be given back, and what the task says
    /// next is reported. Never waits. One of a task that is gone is no error.
    fn release_output(&self, task: &TaskId, name: &str, offset: u64);

    /// Kills what is left of a task and removes all traces of it; [`crate::EventKind::TaskGone`] follows, also for a
    /// task that is not known.
    fn remove(&self, task: &TaskId) -> Result<(), RuntimeError>;

    /// Kills what is left and removes the instance's own directories and groups: for the end of an engine whose tasks have
    /// stopped, so that the machine is as it was before. The backend is of no use afterwards.
    fn purge(&self) -> Result<(), RuntimeError>;

    /// Removes everything of this instance that belongs to none of the given tasks. Networks kept by
    /// [`Backend::keep_network`] are asked for again after a restart, hence after the sweep.
    fn sweep(&self, known: &BTreeSet<TaskId>) -> Result<Swept, RuntimeError>;

    /// Makes a VPC's network where it is not there, and keeps it also while no task is in it. Without this a network
    /// comes with the VPC's first task and goes with its last.
    fn keep_network(&self, vpc_id: &str, cidr: Ipv4Cidr) -> Result<(), RuntimeError>;

    /// Lets go of a network: it goes with its last task.
    fn remove_network(&self, vpc_id: &str) -> Result<(), RuntimeError>;

    /// Connects to an address in a VPC, from the VPC's router. Waits for the answer, `timeout` at most.
    fn connect_tcp(&self, vpc_id: &str, to: SocketAddrV4, timeout: Duration) -> Result<TcpStream, RuntimeError>;

    /// Listens on one of the VPC's own addresses: a subnet's router, the resolver ([`Ipv4Cidr::host`] 2), or
    /// 169.254.170.2. The peer's address tells the task.
    fn listen_tcp(&self, vpc_id: &str, at: SocketAddrV4) -> Result<TcpListener, RuntimeError>;

    /// Receives datagrams on one of the VPC's own addresses.
    fn bind_udp(&self, vpc_id: &str, at: SocketAddrV4) -> Result<UdpSocket, RuntimeError>;
}

/// Which backend runs tasks for real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendKind {
    /// Containers that the runtime makes itself.
    #[default]
    Embedded,
    /// Containers that an OCI runtime makes: `runc`, else `crun`.
    Oci,
}

impl BackendKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Embedded, Self::Oci];

    /// The name by which it is chosen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Oci => "oci",
        }
    }
}

/// A command to run in a running container.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExecSpec {
    /// The caller's name for it, unique among the task's.
    pub exec_id: String,
    /// The command and its arguments.
    pub argv: Vec<String>,
    /// Seconds after which it is killed (exit code 137); 0 is never.
    pub timeout_s: u32,
}

/// Per container, how far its output is already known.
pub type ResumePoints = BTreeMap<String, u64>;

/// What became of a task while the engine was away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It is there; the containers' states as they are now.
    Running(BTreeMap<String, ContainerState>),
    /// It was there and is no more: its shim died. Exits that were recorded are in the map; the others' are not known.
    Gone(BTreeMap<String, ContainerState>),
    /// It was never started.
    NeverStarted,
}

/// A container's state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ContainerState {
    /// Not started yet, or being started.
    Waiting,
    /// Running.
    Running {
        /// The process id on the host.
        pid: u32,
        /// When it was started.
        started_at: Timestamp,
    },
    /// Could not be started.
    Failed {
        /// Why.
        failure: StartFailure,
        /// When.
        at: Timestamp,
    },
    /// Ended.
    Exited {
        /// The exit code; 128 + n when ended by signal n.
        exit_code: i32,
        /// Whether the kernel killed a process of it for want of memory.
        oom_killed: bool,
        /// When.
        at: Timestamp,
    },
    /// Killed with its shim; the exit code is not known.
    Lost,
}

/// What a sweep removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Tasks that nobody claimed.
    pub tasks: Vec<String>,
    /// VPC networks without a task.
    pub networks: Vec<String>,
}

/// Why an order was refused.
#[derive(Debug)]
pub enum RuntimeError {
    /// The backend knows no such task.
    UnknownTask(TaskId),
    /// No network was made for that VPC.
    UnknownNetwork(String),
    /// The task has no such container.
    UnknownContainer(String),
    /// The specification cannot be run.
    InvalidSpec(String),
    /// The machine lacks something.
    Unsupported(String),
    /// The operating system refused something.
    Io {
        /// What was attempted.
        what: String,
        /// What it said.
        source: std::io::Error,
    },
}

impl RuntimeError {
    pub(crate) fn io(what: impl Into<String>, source: impl Into<std::io::Error>) -> Self {
        Self::Io { what: what.into(), source: source.into() }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTask(task) => write!(f, "no task `{task}` in this runtime"),
            Self::UnknownNetwork(vpc) => write!(f, "no network for `{vpc}` in this runtime"),
            Self::UnknownContainer(name) => write!(f, "the task has no container `{name}`"),
            Self::InvalidSpec(text) | Self::Unsupported(text) => f.write_str(text),
            Self::Io { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for RuntimeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
