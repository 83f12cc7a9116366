//! The pretended tasks and the queue of what will happen to them.
//!
//! Invariant: what was planned for an earlier start of a container never happens to a later one.

use std::collections::BTreeMap;

use neargate_base::Timestamp;

use super::plan::{FakeEnd, FakeOutput, FakePlan};
use super::{Events, States};
use crate::backend::{ContainerState, ExecSpec};
use crate::event::{EventKind, GoneReason, OutputLine, OutputLines, RuntimeEvent, StartFailure, StartFailureKind};
use crate::spec::{TaskId, TaskSpec};

/// 128 + SIGKILL.
const KILLED: i32 = 137;
const MS_PER_S: u64 = 1000;

/// Something that will happen. `run` is the container's start that it belongs to.
#[derive(Debug)]
pub(super) enum Action {
    NetworkReady,
    Start { name: String, run: u32 },
    Output { name: String, run: u32, output: FakeOutput },
    Exit { name: String, run: u32, exit_code: i32, oom_killed: bool },
    Cancel { name: String },
    ExecExit { exec_id: String, exit_code: i32 },
    Gone(GoneReason),
}

#[derive(Debug)]
pub(super) struct FakeTask {
    pub(super) spec: TaskSpec,
    containers: BTreeMap<String, FakeContainer>,
}

#[derive(Debug)]
struct FakeContainer {
    state: ContainerState,
    starting: bool,
    run: u32,
    plan: FakePlan,
    written: u64,
}

impl FakeTask {
    pub(super) fn states(&self) -> States {
        self.containers.iter().map(|(name, container)| (name.clone(), container.state.clone())).collect()
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) plans: BTreeMap<String, FakePlan>,
    pub(super) default_plan: FakePlan,
    pub(super) exec_codes: BTreeMap<String, i32>,
    pub(super) tasks: BTreeMap<TaskId, FakeTask>,
    queue: BTreeMap<(Timestamp, u64), (TaskId, Action)>,
    sequence: u64,
}

impl World {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            plans: BTreeMap::new(),
            default_plan: FakePlan::until_stopped(),
            exec_codes: BTreeMap::new(),
            tasks: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
        }
    }

    pub(super) fn push(&mut self, after_ms: u64, task: &TaskId, action: Action) {
        self.sequence += 1;
        let at = self.now.plus_ms(i64::try_from(after_ms).unwrap_or(i64::MAX));
        self.queue.insert((at, self.sequence), (task.clone(), action));
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Turns the clock to the next thing due by `now`, does it, and gives what is to be said about it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Events> {
        let due = self.queue.first_entry().filter(|entry| entry.key().0 <= now);
        let Some(entry) = due else {
            self.now = self.now.max(now);
            return None;
        };
        let ((at, _), (task, action)) = entry.remove_entry();
        self.now = self.now.max(at);
        let kind = self.apply(&task, action);
        Some(kind.into_iter().map(|kind| RuntimeEvent { task_id: task.clone(), kind }).collect())
    }

    pub(super) fn start(&mut self, spec: &TaskSpec) {
        if self.tasks.contains_key(&spec.task_id) {
            return;
        }
        let container = || FakeContainer {
            state: ContainerState::Waiting,
            starting: false,
            run: 0,
            plan: FakePlan::until_stopped(),
            written: 0,
        };
        let containers = spec.containers.iter().map(|spec| (spec.name.clone(), container())).collect();
        self.tasks.insert(spec.task_id.clone(), FakeTask { spec: spec.clone(), containers });
        self.push(0, &spec.task_id, Action::NetworkReady);
        for container in spec.containers.iter().filter(|container| container.start_on_launch) {
            self.start_container(&spec.task_id, &container.name);
        }
    }

    fn container(&mut self, task: &TaskId, name: &str) -> Option<&mut FakeContainer> {
        self.tasks.get_mut(task)?.containers.get_mut(name)
    }

    pub(super) fn start_container(&mut self, task: &TaskId, name: &str) {
        let plan = self.plans.get(name).unwrap_or(&self.default_plan).clone();
        let Some(container) = self.container(task, name) else { return };
        if container.starting || matches!(container.state, ContainerState::Running { .. }) {
            return;
        }
        let delay = plan.start_delay_ms;
        container.state = ContainerState::Waiting;
        container.starting = true;
        container.run += 1;
        container.plan = plan;
        let run = container.run;
        self.push(delay, task, Action::Start { name: name.to_owned(), run });
    }

    pub(super) fn stop(&mut self, task: &TaskId, name: &str, timeout_s: u32) {
        let Some(container) = self.container(task, name) else { return };
        let run = container.run;
        match (&container.state, container.starting) {
            (ContainerState::Running { .. }, _) => {
                let timeout_ms = u64::from(timeout_s) * MS_PER_S;
                let (after, exit_code) = match (container.plan.stop_delay_ms, &container.plan.end) {
                    (Some(delay), _) if delay > timeout_ms => (timeout_ms, KILLED),
                    (None, _) => (timeout_ms, KILLED),
                    (Some(_), _) if timeout_s == 0 => (0, KILLED),
                    (Some(delay), FakeEnd::WhenStopped { exit_code }) => (delay, *exit_code),
                    (Some(delay), _) => (delay, 143),
                };
                self.push(after, task, Action::Exit { name: name.to_owned(), run, exit_code, oom_killed: false });
            }
            (ContainerState::Waiting, _) => {
                container.run += 1;
                container.starting = false;
                self.push(0, task, Action::Cancel { name: name.to_owned() });
            }
            _ => {}
        }
    }

    pub(super) fn exec(&mut self, task: &TaskId, name: &str, exec: &ExecSpec) {
        let code = self.exec_codes.get(name).copied().unwrap_or(0);
        let running = self.container(task, name).is_some_and(|c| matches!(c.state, ContainerState::Running { .. }));
        let exit_code = if running { code } else { 126 };
        self.push(1, task, Action::ExecExit { exec_id: exec.exec_id.clone(), exit_code });
    }

    pub(super) fn forget(&mut self, task: &TaskId) {
        self.tasks.remove(task);
        self.queue.retain(|_, (owner, _)| owner != task);
    }

    fn apply(&mut self, task: &TaskId, action: Action) -> Option<EventKind> {
        let at = self.now;
        match action {
            Action::NetworkReady => Some(EventKind::NetworkReady),
            Action::Start { name, run } => self.begin(task, name, run),
            Action::Output { name, run, output } => {
                let container = self.container(task, &name).filter(|c| c.is_running(run))?;
                container.written += 1;
                let next_offset = container.written;
                let (stream, bytes) = (output.stream, output.line.as_bytes());
                let mut lines = OutputLines::default();
                lines.push(OutputLine { stream, at, bytes, partial: false });
                Some(EventKind::Output { name, lines, next_offset })
            }
            Action::Exit { name, run, exit_code, oom_killed } => {
                let container = self.container(task, &name).filter(|c| c.is_running(run))?;
                container.state = ContainerState::Exited { exit_code, oom_killed, at };
                Some(EventKind::ContainerExited { name, exit_code, oom_killed, at })
            }
            Action::Cancel { name } => {
                let text = "the container was stopped before it was started";
                Some(self.fail(task, name, StartFailure::new(StartFailureKind::Cancelled, text)))
            }
            Action::ExecExit { exec_id, exit_code } => Some(EventKind::ExecExited { exec_id, exit_code }),
            Action::Gone(reason) => {
                self.forget(task);
                Some(EventKind::TaskGone { reason })
            }
        }
    }

    fn fail(&mut self, task: &TaskId, name: String, failure: StartFailure) -> EventKind {
        let at = self.now;
        if let Some(container) = self.container(task, &name) {
            container.starting = false;
            container.state = ContainerState::Failed { failure: failure.clone(), at };
        }
        EventKind::ContainerFailed { name, failure, at }
    }

    fn begin(&mut self, task: &TaskId, name: String, run: u32) -> Option<EventKind> {
        let at = self.now;
        let container = self.container(task, &name).filter(|c| c.starting && c.run == run)?;
        let plan = container.plan.clone();
        if let FakeEnd::FailsToStart(failure) = plan.end {
            return Some(self.fail(task, name, failure));
        }
        container.starting = false;
        container.state = ContainerState::Running { pid: 0, started_at: at };
        for output in plan.output {
            self.push(output.after_ms, task, Action::Output { name: name.clone(), run, output });
        }
        if let FakeEnd::After { after_ms, exit_code, oom_killed } = plan.end {
            self.push(after_ms, task, Action::Exit { name: name.clone(), run, exit_code, oom_killed });
        }
        Some(EventKind::ContainerStarted { name, pid: 0, at })
    }
}

impl FakeContainer {
    fn is_running(&self, run: u32) -> bool {
        self.run == run && matches!(self.state, ContainerState::Running { .. })
    }
}
