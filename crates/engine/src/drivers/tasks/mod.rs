//! The driver of tasks: ECS's orders, carried out by a runtime backend.
//!
//! Orders of one task are carried out one after the other, those of different tasks side by side. The order to run a task
//! stands until the task is gone; given again after a restart it adopts what is running.

mod news;
mod platform;
mod specification;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use neargate_base::{Diagnostic, Scope};
use neargate_ecs::SecretEnvironment;
use neargate_ecs::order::{News, Order, TaskOrder};
use neargate_kernel::{Effect, EffectId, Lines, Payload, Report, Store};
use neargate_runtime::crash;
use neargate_runtime::images::{ImageStores, RootFs};
use neargate_runtime::{
    Adopted, Backend, BackendKind, ContainerState, EventSink, RuntimeError, SpoolKey, TaskId, TaskSpec,
};

use serde::Deserialize;

use crate::writer::{Driver, Refused, Writer};
use specification::Specified;

/// Threads that carry out orders.
const WORKERS: usize = 4;

/// The driver.
#[derive(Debug)]
pub(crate) struct TaskDriver {
    queues: Vec<Sender<Effect>>,
}

/// What the workers and the backend's reports share.
#[derive(Debug)]
pub(crate) struct Shared {
    kind: BackendKind,
    backend: OnceLock<Result<Arc<dyn Backend>, String>>,
    images: ImageStores,
    writer: Writer,
    tasks: Mutex<BTreeMap<TaskId, Standing>>,
}

/// The orders of one task that stand.
#[derive(Debug, Default)]
struct Standing {
    run: Option<EffectId>,
    remove: Option<EffectId>,
    /// Seconds from stop signal to SIGKILL, by container.
    stop_timeouts_s: BTreeMap<String, u32>,
    /// Containers that a former engine had started: an order to start one of them has been carried out.
    begun: BTreeSet<String>,
    /// The images' layers, held against removal.
    layers: Vec<RootFs>,
}

impl TaskDriver {
    /// A driver over a backend that reports to a sink made of `shared`.
    pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let mut queues = vec![];
        for worker in 0..WORKERS {
            let (sender, receiver) = channel();
            let shared = Arc::clone(shared);
            let name = format!("tasks-{worker}");
            std::thread::Builder::new().name(name).spawn(move || work(&shared, &receiver))?;
            queues.push(sender);
        }
        Ok(Self { queues })
    }
}

impl Driver for TaskDriver {
    fn carry_out(&self, effect: Effect) {
        let mut hasher = DefaultHasher::new();
        neargate_ecs::order::task_of(&effect).hash(&mut hasher);
        let worker = usize::try_from(hasher.finish() % WORKERS as u64).unwrap_or(0);
        if let Some(queue) = self.queues.get(worker) {
            // A worker ends with the engine alone; the effect is then still there for the next one.
            let _ = queue.send(effect);
        }
    }
}

fn work(shared: &Shared, orders: &Receiver<Effect>) {
    while let Ok(effect) = orders.recv() {
        match Order::deserialize(&effect.order) {
            Ok(order) => shared.carry_out(&effect, order),
            Err(error) => shared.report(&effect.id, &News::Remark { text: format!("unreadable order: {error}") }, true),
        }
    }
}

impl Shared {
    /// What is needed before the backend, which reports to it, is opened.
    pub(crate) fn new(images: ImageStores, writer: Writer, kind: BackendKind) -> Arc<Self> {
        Arc::new(Self { kind, backend: OnceLock::new(), images, writer, tasks: Mutex::default() })
    }

    /// Sets the backend, or why there is none; orders wait for it.
    pub(crate) fn open(&self, backend: Result<Arc<dyn Backend>, String>) {
        let _ = self.backend.set(backend);
    }

    /// Removes what the backend keeps of its own on this machine; no task is left.
    pub(crate) fn close(&self) {
        // What cannot be removed now is swept by the next engine.
        let _ = self.backend().and_then(Backend::purge);
    }

    /// The sink for the backend's reports.
    pub(crate) fn sink(self: &Arc<Self>) -> EventSink {
        news::sink(self)
    }

    /// The backend's name.
    pub(crate) fn backend_name(&self) -> &'static str {
        self.kind.name()
    }

    /// Why there is no backend, as far as that is known yet.
    pub(crate) fn obstacle(&self) -> Option<&str> {
        self.backend.get()?.as_ref().err().map(String::as_str)
    }

    fn backend(&self) -> Result<&dyn Backend, RuntimeError> {
        self.backend.wait().as_deref().map_err(|reason| RuntimeError::Unsupported(reason.clone()))
    }

    fn standing<T>(&self, task: &TaskId, change: impl FnOnce(&mut Standing) -> T) -> T {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        change(tasks.entry(task.clone()).or_default())
    }

    fn report(&self, effect: &str, news: &News, finished: bool) {
        let news = serde_json::to_value(news).unwrap_or_default();
        crash::point();
        self.writer.report(Report { effect: effect.to_owned(), news, payload: None, finished }, 0, None);
    }

    /// Reports lines of a container; the backend goes on with the task when they are kept.
    fn report_output(self: &Arc<Self>, effect: &str, task: &TaskId, container: String, lines: Lines, next_offset: u64) {
        let news = News::Output { container: container.clone(), next_offset };
        let bytes = lines.bytes();
        let (news, payload): (_, Payload) = (serde_json::to_value(news).unwrap_or_default(), Arc::new(lines));
        crash::point();
        let report = Report { effect: effect.to_owned(), news, payload: Some(payload), finished: false };
        let (shared, task) = (Arc::clone(self), task.clone());
        let kept = move || shared.release(&task, &container, next_offset);
        self.writer.report(report, bytes, Some(Box::new(kept)));
    }

    /// Tells the backend that it may go on.
    fn release(&self, task: &TaskId, container: &str, offset: u64) {
        if let Some(Ok(backend)) = self.backend.get() {
            backend.release_output(task, container, offset);
        }
    }

    fn carry_out(&self, effect: &Effect, order: Order) {
        let Ok(task) = TaskId::parse(order.task()) else {
            return self.report(&effect.id, &News::Gone, true);
        };
        match order {
            Order::Run(order) => self.run(effect, &task, &order),
            Order::Start { container, .. } => {
                let is_begun = self.standing(&task, |it| it.begun.contains(&container));
                if !is_begun
                    && let Err(error) = self.backend().and_then(|backend| backend.start_container(&task, &container))
                {
                    let news = News::CannotStart { container, reason: error.to_string(), exit_code: None, hint: None };
                    self.report(&effect.id, &news, false);
                }
                self.report(&effect.id, &News::Done, true);
            }
            Order::Stop { containers, .. } => {
                self.stop(&task, &containers);
                self.report(&effect.id, &News::Done, true);
            }
            Order::Remove { .. } => self.remove(effect, &task),
        }
    }

    fn run(&self, effect: &Effect, task: &TaskId, order: &TaskOrder) {
        self.standing(task, |it| {
            it.run = Some(effect.id.clone());
            it.stop_timeouts_s = order.containers.iter().map(|c| (c.name.clone(), c.stop_timeout_s)).collect();
        });
        if self.look(&effect.scope, task, neargate_ecs::is_over) {
            // The engine before this one removed the task, or was about to, and could not say so any more.
            return self.remove_rest(&effect.id, task);
        }
        match self.run_or_adopt(effect, task, order) {
            // The effect stands: the next engine takes it from there.
            Ok(()) | Err(Unable::Stopping) => {}
            Err(Unable::Because(news)) => self.report(&effect.id, &news, false),
        }
    }

    /// Runs a task, or goes on with what an engine before this one began of it. `Err` says why it cannot run.
    fn run_or_adopt(&self, effect: &Effect, task: &TaskId, order: &TaskOrder) -> Result<(), Unable> {
        let outline = specification::outline(task, order, self.spool_key(&effect.scope, task)?)?;
        crash::point();
        let resume = self.look(&effect.scope, task, neargate_ecs::logged_output);
        match self.backend().and_then(|backend| backend.adopt(&outline, &resume)).map_err(cannot_provision)? {
            Adopted::NeverStarted if self.look(&effect.scope, task, neargate_ecs::has_started) => {
                let reason = "the files of the task are gone, and so are its containers".to_owned();
                Err(News::Lost { reason }.into())
            }
            Adopted::NeverStarted => self.start(effect, task, order, outline),
            Adopted::Running(states) | Adopted::Gone(states) => {
                // It runs whatever became of its images; those that are there still must stay.
                if let Ok(Specified { layers, .. }) =
                    specification::specify(&self.images, outline, order, &effect.scope)
                {
                    self.standing(task, |it| it.layers = layers);
                }
                self.tell_states(&effect.id, task, &states);
                Ok(())
            }
        }
    }

    /// Secrets first, then images, as on Fargate.
    fn start(&self, effect: &Effect, task: &TaskId, order: &TaskOrder, outline: TaskSpec) -> Result<(), Unable> {
        let secrets = self.fetch_secrets(&effect.scope, task)?;
        self.report(&effect.id, &News::PullStarted, false);
        if let Some(text) = platform::remark(order) {
            self.report(&effect.id, &News::Remark { text }, false);
        }
        let Specified { mut spec, digests, layers } =
            specification::specify(&self.images, outline, order, &effect.scope)?;
        self.standing(task, |it| it.layers = layers);
        self.report(&effect.id, &News::PullStopped { digests }, false);
        specification::add_secrets(&mut spec, secrets);
        crash::point();
        self.backend().and_then(|backend| backend.start(&spec)).map_err(cannot_provision)?;
        crash::point();
        Ok(())
    }

    fn spool_key(&self, scope: &Scope, task: &TaskId) -> Result<SpoolKey, Unable> {
        let id = task.to_string();
        let opened = self.writer.perform_for_driver(scope.clone(), move |cx| neargate_ecs::open_spool_key(cx, &id))?;
        let key = opened.map_err(|fault| News::CannotProvision {
            reason: format!("ResourceInitializationError: the key of the task's output: {}", fault.message),
            hint: fault.hint,
        })?;
        Ok(SpoolKey::new(*key))
    }

    fn fetch_secrets(&self, scope: &Scope, task: &TaskId) -> Result<SecretEnvironment, Unable> {
        let id = task.to_string();
        let fetched = self.writer.perform_for_driver(scope.clone(), move |cx| neargate_ecs::fetch_secrets(cx, &id))?;
        Ok(fetched.map_err(|fault| News::CannotProvision { reason: fault.message, hint: fault.hint })?)
    }

    /// What ECS knows of a task.
    fn look<T>(&self, scope: &Scope, task: &TaskId, known: fn(&Store, &Scope, &str) -> T) -> T {
        self.writer.snapshot().look(|store| known(store, scope, task.as_str()))
    }

    /// What became of containers while no engine watched; ends that the backend reports itself come again, which is no harm.
    fn tell_states(&self, effect: &str, task: &TaskId, states: &BTreeMap<String, ContainerState>) {
        let begun = states.iter().filter(|(_, state)| !matches!(state, ContainerState::Waiting));
        self.standing(task, |it| it.begun.extend(begun.map(|(name, _)| name.clone())));
        for (container, state) in states {
            let container = container.clone();
            match state {
                ContainerState::Running { pid, .. } => {
                    self.report(effect, &News::Started { container, pid: *pid }, false)
                }
                ContainerState::Failed { failure, .. } => {
                    self.report(effect, &news::cannot_start(container, failure), false)
                }
                ContainerState::Waiting | ContainerState::Exited { .. } | ContainerState::Lost => {}
            }
        }
    }

    fn stop(&self, task: &TaskId, containers: &[String]) {
        let timeouts_s = self.standing(task, |it| it.stop_timeouts_s.clone());
        for name in containers {
            let timeout_s = timeouts_s.get(name).copied().unwrap_or(30);
            // A task or container that is gone needs no stopping; its end is or was reported.
            let _ = self.backend().and_then(|backend| backend.stop_container(task, name, timeout_s));
            crash::point();
        }
    }

    fn remove(&self, effect: &Effect, task: &TaskId) {
        self.standing(task, |it| it.remove = Some(effect.id.clone()));
        self.remove_rest(&effect.id, task);
        crash::point();
    }

    fn remove_rest(&self, effect: &str, task: &TaskId) {
        if let Err(error) = self.backend().and_then(|backend| backend.remove(task)) {
            self.report(effect, &News::Remark { text: format!("could not remove the task: {error}") }, false);
            self.gone(task);
        }
    }

    /// Nothing is left of a task: the orders that stood for it are done.
    fn gone(&self, task: &TaskId) {
        let standing = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(task).unwrap_or_default();
        if let Some(remove) = &standing.remove {
            self.report(remove, &News::Done, true);
        }
        if let Some(run) = &standing.run {
            self.report(run, &News::Gone, true);
        }
    }
}

/// Why an order to run a task was not carried out.
enum Unable {
    /// ECS is told.
    Because(News),
    /// The engine stops: nothing is known to be wrong.
    Stopping,
}

impl From<News> for Unable {
    fn from(news: News) -> Self {
        Self::Because(news)
    }
}

impl From<Refused> for Unable {
    fn from(_: Refused) -> Self {
        Self::Stopping
    }
}

fn cannot_provision(error: RuntimeError) -> News {
    let hint = Some("`neargate doctor` says what this machine lacks".to_owned());
    News::CannotProvision { reason: format!("ResourceInitializationError: {error}"), hint }
}

/// A diagnostic in one line, for texts of AWS's form.
fn one_line(diagnostic: &Diagnostic) -> String {
    diagnostic.details.iter().fold(diagnostic.message.clone(), |text, detail| format!("{text}: {detail}"))
}
