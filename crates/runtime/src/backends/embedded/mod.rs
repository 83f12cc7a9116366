//! Real containers without a daemon.
//!
//! Each task has a shim process of its own, started from this program and outliving it: the shim forks the containers,
//! owns their output and records their ends. This side writes intents, starts shims, gives orders, reads the spools on
//! one thread for all tasks and no faster than the output is released, takes running tasks over after a restart and sweeps
//! what nobody claims.
//!
//! With [`EmbeddedConfig::runtime`] this is the backend `oci`: all of the above stays, and an OCI runtime such as `runc` makes
//! the containers ([`child::oci`]).
//!
//! Invariant: whatever is killed at whatever moment, a task is afterwards either running and adoptable, or gone with
//! nothing left that [`EmbeddedBackend`] would not sweep.
//! Containers are made here, with the kernel's own calls, rather than by an OCI runtime's library: what a task needs is a
//! small part of one, and owning it gives the exact texts of failures, groups joined without the kernel's global lock,
//! the network made beside the file system, and a start three times as fast as `runc`'s. Needs Linux 5.12.
//!
//! Invariant: containers' output is on disk only sealed under the task's key; the key and the containers' secrets go to the
//! shim by its connection and are in memory alone, there and here.
//!
//! Invariant: containers have the usual default capabilities and system calls and no more.

mod adoption;
mod bare;
mod cgroup;
mod child;
mod clock;
mod devices;
mod handover;
mod link;
mod net;
mod packet;
mod paths;
mod placement;
mod probe;
mod protocol;
mod reader;
mod reading;
mod runtime;
mod scratch;
mod seal;
mod sealed;
mod shim;
mod spool;
mod start;
mod storage;
mod sweep;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags};
use rustix::event::{EventfdFlags, eventfd};

use self::link::TaskLink;
use self::paths::Layout;
use self::protocol::Order;
use self::reader::{Ending, Wake};
use self::sealed::Sealed;
use crate::backend::{Adopted, Backend, BackendKind, ExecSpec, ResumePoints, RuntimeError, Swept};
use crate::event::{EventKind, EventSink, GoneReason, RuntimeEvent};
use crate::probe::Capability;
use crate::spec::{Ipv4Cidr, TaskId, TaskSpec};

pub use shim::{shim_entry, shim_main};
pub use sweep::erase;

/// The argument that makes a program a shim.
const SHIM_ARGUMENT: &str = "shim";

/// The default of [`EmbeddedConfig::spool_bytes_max`]: 8 MiB, a moment's work of the log and little on any disk.
const SPOOL_BYTES_MAX: u64 = 8 << 20;

/// Where an instance keeps its things.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// The instance's id: letters, digits and `-`, at most 32. Control groups are named after it.
    pub instance: String,
    /// The instance's directory for what must not outlive the machine's uptime; a tmpfs is mounted there unless it is
    /// on one. `/run/neargate/<instance>`.
    pub run_dir: PathBuf,
    /// The instance's directory on a disk: the containers' writable layers and output.
    pub data_dir: PathBuf,
    /// How much output of a container is kept on disk until it is released; a container that writes more waits.
    pub spool_bytes_max: u64,
    /// The program to run as `<program> shim <task dir>`; it must call [`shim_entry`] first thing in `main`.
    pub shim_program: PathBuf,
    /// The OCI runtime that makes the containers; nothing is the shims themselves. Tasks that run keep what made them.
    pub runtime: Option<PathBuf>,
}

impl EmbeddedConfig {
    /// The usual places: `/run/neargate/<instance>`, a `runtime` directory in the data directory, this very program.
    pub fn new(instance: &str, data_dir: &std::path::Path) -> Result<Self, RuntimeError> {
        Ok(Self {
            instance: instance.to_owned(),
            run_dir: PathBuf::from("/run/neargate").join(instance),
            data_dir: data_dir.join("runtime"),
            spool_bytes_max: SPOOL_BYTES_MAX,
            shim_program: std::env::current_exe().map_err(|e| RuntimeError::io("finding this program", e))?,
            runtime: None,
        })
    }

    /// With that backend.
    #[must_use]
    pub fn with(self, kind: BackendKind) -> Self {
        let runtime = match kind {
            BackendKind::Embedded => None,
            BackendKind::Oci => Some(runtime::find()),
        };
        Self { runtime, ..self }
    }
}

/// The embedded backend.
pub struct EmbeddedBackend {
    shared: Arc<Shared>,
    threads: Option<reader::Threads>,
    _holder: Option<placement::Holder>,
    /// Open as long as this engine uses the instance's directories.
    _owner: std::fs::File,
}

impl std::fmt::Debug for EmbeddedBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedBackend").field("layout", &self.shared.layout).finish_non_exhaustive()
    }
}

/// What orders and the threads share.
struct Shared {
    layout: Layout,
    storage: storage::Pool,
    shim_program: PathBuf,
    sealed_program: Sealed,
    spool_bytes_max: u64,
    filters: Mutex<child::Filters>,
    sink: EventSink,
    tasks: Mutex<BTreeMap<TaskId, Arc<TaskLink>>>,
    watched: Mutex<BTreeMap<u64, Arc<TaskLink>>>,
    kept_networks: Mutex<BTreeSet<String>>,
    epoll: OwnedFd,
    /// Rings for what is in `woken`.
    wake: OwnedFd,
    woken: Mutex<Vec<Wake>>,
    endings: Mutex<Sender<Ending>>,
    next_token: AtomicU64,
}

impl Shared {
    fn tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, Arc<TaskLink>>> {
        // A panic elsewhere leaves the map whole: every change to it is one call.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<TaskLink>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.kept_networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task(&self, task: &TaskId) -> Result<Arc<TaskLink>, RuntimeError> {
        self.tasks().get(task).cloned().ok_or_else(|| RuntimeError::UnknownTask(task.clone()))
    }

    fn emit(&self, task_id: &TaskId, kind: EventKind) {
        (self.sink)(RuntimeEvent { task_id: task_id.clone(), kind });
    }

    /// Lets go of a VPC's network that nobody keeps and no task is in.
    fn drop_idle_network(&self, tasks: &BTreeMap<TaskId, Arc<TaskLink>>, vpc: &str) {
        if !self.kept().contains(vpc) && !tasks.values().any(|task| task.vpc_id() == vpc) {
            // One that cannot be let go of now is swept at the next start.
            let _ = net::remove_vpc(&self.layout, vpc);
        }
    }

    /// Forgets a task that is gone, and its VPC's router where this was the last task in it.
    fn forget(&self, task: &TaskId, reason: GoneReason) {
        let mut tasks = self.tasks();
        if let Some(link) = tasks.remove(task) {
            self.drop_idle_network(&tasks, link.vpc_id());
        }
        drop(tasks);
        self.emit(task, EventKind::TaskGone { reason });
    }
}

/// A task takes two descriptors of this process, and the usual soft limit is 1024.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A soft limit up to the hard one is never refused.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

impl EmbeddedBackend {
    /// Prepares the instance's directories and starts the threads. Events go to `sink`.
    pub fn open(config: EmbeddedConfig, sink: EventSink) -> Result<Self, RuntimeError> {
        start::check_instance(&config.instance)?;
        probe::rights().map_err(|e| RuntimeError::Unsupported(e.to_string()))?;
        let EmbeddedConfig { instance, run_dir, data_dir, spool_bytes_max, shim_program, runtime } = config;
        let owner = start::occupy(&run_dir, &data_dir)?;
        let layout = Layout { instance, run_dir, data_dir, group_base: None, runtime };
        sweep::sweep_others(&layout);
        let settled = placement::settle(&layout, &shim_program)
            .map_err(|e| RuntimeError::io("making room for control groups", e))?;
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|e| RuntimeError::io("epoll", e))?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC).map_err(|e| RuntimeError::io("eventfd", e))?;
        let (sender, endings) = channel();
        let filters =
            child::Filters::new(layout.filters_dir()).map_err(|e| RuntimeError::io("filters of system calls", e))?;
        let sealed_program = Sealed::copy_of(&shim_program)
            .map_err(|e| RuntimeError::io(format!("copying `{}` into memory", shim_program.display()), e))?;
        raise_descriptor_limit();
        let storage = storage::Pool::open(&layout).map_err(|e| RuntimeError::io("ephemeral storage", e))?;
        let shared = Arc::new(Shared {
            layout: Layout { group_base: settled.base, ..layout },
            storage,
            filters: Mutex::new(filters),
            sealed_program,
            shim_program,
            spool_bytes_max,
            sink,
            tasks: Mutex::new(BTreeMap::new()),
            watched: Mutex::new(BTreeMap::new()),
            kept_networks: Mutex::new(BTreeSet::new()),
            epoll,
            wake,
            woken: Mutex::default(),
            endings: Mutex::new(sender),
            next_token: AtomicU64::new(1),
        });
        let threads = Some(reader::start(&shared, endings)?);
        Ok(Self { shared, threads, _holder: settled.holder, _owner: owner })
    }

    fn in_vpc<T: Send>(
        &self,
        vpc_id: &str,
        what: &str,
        act: impl FnOnce() -> std::io::Result<T> + Send,
    ) -> Result<T, RuntimeError> {
        start::check_vpc(vpc_id)?;
        if !net::vpcs(&self.shared.layout).iter().any(|known| known == vpc_id) {
            return Err(RuntimeError::UnknownNetwork(vpc_id.to_owned()));
        }
        net::in_vpc(&self.shared.layout, vpc_id, act).map_err(|e| RuntimeError::io(format!("{what} in `{vpc_id}`"), e))
    }

    fn order(&self, task: &TaskId, name: &str, order: &Order) -> Result<(), RuntimeError> {
        let link = self.shared.task(task)?;
        if !link.has_container(name) {
            return Err(RuntimeError::UnknownContainer(name.to_owned()));
        }
        link.send(order);
        Ok(())
    }
}

impl Backend for EmbeddedBackend {
    fn name(&self) -> &'static str {
        if self.shared.layout.runtime.is_some() { BackendKind::Oci.name() } else { BackendKind::Embedded.name() }
    }

    fn probe(&self) -> Vec<Capability> {
        let Layout { instance, run_dir, data_dir, runtime, .. } = self.shared.layout.clone();
        let (spool_bytes_max, shim_program) = (self.shared.spool_bytes_max, self.shared.shim_program.clone());
        probe::probe(&EmbeddedConfig { instance, run_dir, data_dir, spool_bytes_max, shim_program, runtime })
    }

    fn start(&self, spec: &TaskSpec) -> Result<(), RuntimeError> {
        start::check(spec)?;
        if self.shared.tasks().contains_key(&spec.task_id) {
            return Ok(());
        }
        match adoption::adopt(&self.shared, spec, &ResumePoints::new())? {
            Adopted::NeverStarted => start::start(&self.shared, spec),
            Adopted::Running(_) | Adopted::Gone(_) => Ok(()),
        }
    }

    fn start_container(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError> {
        self.order(task, name, &Order::Start { name: name.to_owned() })
    }

    fn stop_container(&self, task: &TaskId, name: &str, timeout_s: u32) -> Result<(), RuntimeError> {
        self.order(task, name, &Order::Stop { name: name.to_owned(), timeout_s })
    }

    fn kill(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError> {
        self.order(task, name, &Order::Kill { name: name.to_owned() })
    }

    fn exec(&self, task: &TaskId, name: &str, exec: &ExecSpec) -> Result<(), RuntimeError> {
        self.order(task, name, &Order::Exec { name: name.to_owned(), exec: exec.clone() })
    }

    fn adopt(&self, spec: &TaskSpec, resume: &ResumePoints) -> Result<Adopted, RuntimeError> {
        adoption::adopt(&self.shared, spec, resume)
    }

    fn release_output(&self, task: &TaskId, name: &str, offset: u64) {
        self.shared.wake(Wake::Released(task.clone(), name.to_owned(), offset));
    }

    fn remove(&self, task: &TaskId) -> Result<(), RuntimeError> {
        match self.shared.task(task) {
            Ok(link) => link.send(&Order::Remove),
            Err(_) => {
                let vpc = sweep::vpc_of(&self.shared.layout.task(task));
                sweep::remove_task(&self.shared.layout, task);
                // Under the tasks' lock, so that no task comes into the network meanwhile.
                let tasks = self.shared.tasks();
                if let Some(vpc) = vpc.filter(|vpc| !sweep::is_inhabited(&self.shared.layout, vpc)) {
                    self.shared.drop_idle_network(&tasks, &vpc);
                }
                drop(tasks);
                self.shared.emit(task, EventKind::TaskGone { reason: GoneReason::Removed });
            }
        }
        Ok(())
    }

    fn purge(&self) -> Result<(), RuntimeError> {
        self.shared.storage.close();
        sweep::purge(&self.shared.layout)
    }

    fn sweep(&self, known: &BTreeSet<TaskId>) -> Result<Swept, RuntimeError> {
        Ok(sweep::sweep(&self.shared.layout, known))
    }

    fn keep_network(&self, vpc_id: &str, cidr: Ipv4Cidr) -> Result<(), RuntimeError> {
        start::check_vpc(vpc_id)?;
        // Under the tasks' lock, so that the network does not go with a task that ends just now.
        let _tasks = self.shared.tasks();
        net::keep_vpc(&self.shared.layout, vpc_id, cidr)
            .map_err(|e| RuntimeError::io(format!("network of `{vpc_id}`"), e))?;
        self.shared.kept().insert(vpc_id.to_owned());
        Ok(())
    }

    fn remove_network(&self, vpc_id: &str) -> Result<(), RuntimeError> {
        let tasks = self.shared.tasks();
        self.shared.kept().remove(vpc_id);
        self.shared.drop_idle_network(&tasks, vpc_id);
        Ok(())
    }

    fn connect_tcp(&self, vpc_id: &str, to: SocketAddrV4, timeout: Duration) -> Result<TcpStream, RuntimeError> {
        self.in_vpc(vpc_id, &format!("connecting to {to}"), || TcpStream::connect_timeout(&to.into(), timeout))
    }

    fn listen_tcp(&self, vpc_id: &str, at: SocketAddrV4) -> Result<TcpListener, RuntimeError> {
        self.in_vpc(vpc_id, &format!("listening on {at}"), || TcpListener::bind(at))
    }

    fn bind_udp(&self, vpc_id: &str, at: SocketAddrV4) -> Result<UdpSocket, RuntimeError> {
        self.in_vpc(vpc_id, &format!("receiving on {at}"), || UdpSocket::bind(at))
    }
}

impl Drop for EmbeddedBackend {
    /// The tasks go on: only this side's threads and connections end.
    fn drop(&mut self) {
        reader::stop(&self.shared);
        if let Some(threads) = self.threads.take() {
            threads.join();
        }
    }
}

/// What the embedded backend needs of this machine, tried out without opening it.
pub fn probe_machine(config: &EmbeddedConfig) -> Vec<Capability> {
    probe::probe(config)
}

/// The OCI runtimes of this machine, and whether they start containers: what the backend `oci` has to choose from.
pub fn probe_runtimes(config: &EmbeddedConfig) -> Vec<Capability> {
    probe::runtimes(config)
}
