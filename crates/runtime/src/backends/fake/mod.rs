//! Containers that are only pretended, under a clock that the caller turns.
//!
//! What a container would do is a [`FakePlan`], chosen by container name. Orders put what follows from them into a
//! queue; [`FakeBackend::advance_to`] turns the clock and emits what is due, in order of time and then of order given.
//! Nothing is ever emitted from within an order.
//!
//! Invariant: no thread, no wall clock, no randomness: the same calls give the same events.

mod plan;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use neargate_base::Timestamp;

pub use self::plan::{FakeEnd, FakeOutput, FakePlan};
use self::world::{Action, World};
use crate::backend::{Adopted, Backend, ContainerState, ExecSpec, ResumePoints, RuntimeError, Swept};
use crate::event::{EventSink, GoneReason, RuntimeEvent};
use crate::probe::Capability;
use crate::spec::{Ipv4Cidr, TaskId, TaskSpec};

/// The fake backend.
pub struct FakeBackend {
    sink: EventSink,
    world: Mutex<World>,
}

impl std::fmt::Debug for FakeBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeBackend").finish_non_exhaustive()
    }
}

impl FakeBackend {
    /// A backend at the time `now` whose containers run until they are stopped, unless a plan says otherwise.
    pub fn new(now: Timestamp, sink: EventSink) -> Self {
        Self { sink, world: Mutex::new(World::new(now)) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What containers of that name do from their next start on.
    pub fn plan(&self, container: &str, plan: FakePlan) {
        self.world().plans.insert(container.to_owned(), plan);
    }

    /// What containers without a plan of their own do.
    pub fn plan_default(&self, plan: FakePlan) {
        self.world().default_plan = plan;
    }

    /// What a command run in a container of that name exits with; 0 unless said otherwise.
    pub fn plan_exec(&self, container: &str, exit_code: i32) {
        self.world().exec_codes.insert(container.to_owned(), exit_code);
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.world().now
    }

    /// When the next thing happens, if nothing is ordered before.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.world().next_at()
    }

    /// Turns the clock forward and emits all that happens up to then.
    pub fn advance_to(&self, now: Timestamp) {
        loop {
            // One at a time, without the lock: the sink may give orders.
            let due = self.world().take_due(now);
            let Some(events) = due else { break };
            for event in events {
                (self.sink)(event);
            }
        }
    }

    /// As if the task's shim had been killed: all is lost, at once.
    pub fn lose(&self, task: &TaskId) {
        let mut world = self.world();
        world.push(0, task, Action::Gone(GoneReason::Lost("the fake lost it".to_owned())));
    }

    fn with_container(&self, task: &TaskId, name: &str, act: impl FnOnce(&mut World)) -> Result<(), RuntimeError> {
        let mut world = self.world();
        let known = world.tasks.get(task).ok_or_else(|| RuntimeError::UnknownTask(task.clone()))?;
        if known.spec.container(name).is_none() {
            return Err(RuntimeError::UnknownContainer(name.to_owned()));
        }
        act(&mut world);
        Ok(())
    }
}

impl Backend for FakeBackend {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn probe(&self) -> Vec<Capability> {
        let detail = "containers are pretended".to_owned();
        vec![Capability { name: "fake", ok: true, required: true, detail, hint: String::new() }]
    }

    fn start(&self, spec: &TaskSpec) -> Result<(), RuntimeError> {
        if spec.spool_key.bytes().is_none() {
            return Err(RuntimeError::InvalidSpec("the task's spool key was not given".to_owned()));
        }
        self.world().start(spec);
        Ok(())
    }

    fn start_container(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError> {
        self.with_container(task, name, |world| world.start_container(task, name))
    }

    fn stop_container(&self, task: &TaskId, name: &str, timeout_s: u32) -> Result<(), RuntimeError> {
        self.with_container(task, name, |world| world.stop(task, name, timeout_s))
    }

    fn kill(&self, task: &TaskId, name: &str) -> Result<(), RuntimeError> {
        self.with_container(task, name, |world| world.stop(task, name, 0))
    }

    fn exec(&self, task: &TaskId, name: &str, exec: &ExecSpec) -> Result<(), RuntimeError> {
        self.with_container(task, name, |world| world.exec(task, name, exec))
    }

    fn adopt(&self, spec: &TaskSpec, _resume: &ResumePoints) -> Result<Adopted, RuntimeError> {
        Ok(match self.world().tasks.get(&spec.task_id) {
            Some(task) => Adopted::Running(task.states()),
            None => Adopted::NeverStarted,
        })
    }

    fn release_output(&self, _task: &TaskId, _name: &str, _offset: u64) {}

    fn remove(&self, task: &TaskId) -> Result<(), RuntimeError> {
        self.world().push(0, task, Action::Gone(GoneReason::Removed));
        Ok(())
    }

    fn purge(&self) -> Result<(), RuntimeError> {
        Ok(())
    }

    fn sweep(&self, known: &BTreeSet<TaskId>) -> Result<Swept, RuntimeError> {
        let mut world = self.world();
        let unclaimed: Vec<TaskId> = world.tasks.keys().filter(|task| !known.contains(*task)).cloned().collect();
        unclaimed.iter().for_each(|task| world.forget(task));
        Ok(Swept { tasks: unclaimed.iter().map(ToString::to_string).collect(), networks: Vec::new() })
    }

    fn keep_network(&self, _vpc_id: &str, _cidr: Ipv4Cidr) -> Result<(), RuntimeError> {
        Ok(())
    }

    fn remove_network(&self, _vpc_id: &str) -> Result<(), RuntimeError> {
        Ok(())
    }

    fn connect_tcp(&self, _vpc_id: &str, _to: SocketAddrV4, _timeout: Duration) -> Result<TcpStream, RuntimeError> {
        Err(no_network())
    }

    fn listen_tcp(&self, _vpc_id: &str, _at: SocketAddrV4) -> Result<TcpListener, RuntimeError> {
        Err(no_network())
    }

    fn bind_udp(&self, _vpc_id: &str, _at: SocketAddrV4) -> Result<UdpSocket, RuntimeError> {
        Err(no_network())
    }
}

fn no_network() -> RuntimeError {
    RuntimeError::Unsupported("the fake backend has no network".to_owned())
}

/// A task's containers by name.
type States = BTreeMap<String, ContainerState>;
/// What one moment brings.
type Events = Vec<RuntimeEvent>;
