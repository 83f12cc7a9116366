//! The single writer: one command after the other, each a transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use neargate_base::{Account, Scope, Timestamp};
use neargate_shape::Value;

use crate::context::Ground;
use crate::job::{ProcessJob, ServiceJob};
use crate::{
    Client, Clock, Cx, Delta, Due, Effect, Fault, Job, JournalError, Notice, NoticeKind, Now, Principal, Reads,
    Registry, Report, Rng, Row, Segments, Store, Undo, Vault,
};

/// One thing for the core to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// An API call.
    Request(Request),
    /// A driver's news.
    Report(Report),
    /// Do a job of a service's now, beside those that wait. The reply says whether it was done.
    RunJob {
        /// Where.
        scope: Scope,
        /// Which handler of which service.
        handler: &'static str,
        /// What, in the handler's own form.
        payload: serde_json::Value,
    },
    /// Move service time forward to a moment; work that falls due on the way fires in order.
    TurnClock {
        /// The moment. One that is past already changes nothing.
        to: Timestamp,
        /// Whether to stop at each job until no effect is under way.
        waits_for_effects: bool,
    },
    /// Put service time to any moment at once. Work that lies before the moment becomes due, in order.
    SetClock {
        /// The moment.
        to: Timestamp,
    },
}

/// One API call, decoded and authenticated.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where.
    pub scope: Scope,
    /// Who.
    pub principal: Principal,
    /// The service's short name.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Its input.
    pub input: Value,
    /// Unique per call.
    pub request_id: String,
    /// Where it came from; `None` where an AWS service makes it.
    pub client: Option<Client>,
}

/// What a request is answered.
pub type Reply = Result<Value, Fault>;

/// What one command brought about. Nothing of it may be seen outside before the deltas are durable.
#[derive(Debug, Default)]
pub struct Applied {
    /// The answer, where the command was a request.
    pub reply: Option<Reply>,
    /// For the journal.
    pub deltas: Vec<Delta>,
    /// For the drivers.
    pub effects: Vec<Effect>,
    /// For the user.
    pub notices: Vec<Notice>,
    /// Segments that no record names any more.
    pub removed_segments: Vec<String>,
    /// How to put the state back to what it was before the command, as long as the command is not durable.
    pub undo: Undo,
    /// Why a segment could not be written, where that made the core undo the command.
    pub unwritten: Option<JournalError>,
}

impl Applied {
    /// Whether the command left nothing behind that would have to be durable, or be done.
    pub fn is_read(&self) -> bool {
        self.deltas.is_empty()
            && self.effects.is_empty()
            && self.removed_segments.is_empty()
            && self.unwritten.is_none()
    }
}

/// The state cannot be read.
#[derive(Debug)]
pub struct CoreError(pub String);

impl std::fmt::Display for CoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CoreError {}

/// The deterministic core: state, services, randomness.
#[derive(Debug)]
pub struct Core {
    store: Store,
    registry: Arc<Registry>,
    segments: Box<dyn Segments + Send>,
    rng: Rng,
    vault: Vault,
    /// Encrypted rows that wait for the vault.
    sealed: Vec<Row>,
    /// Rows from before their table was encrypted: the next command writes them anew.
    unsealed: Vec<(&'static str, String)>,
    sequence: u64,
    /// Service time when the first command came after the start, where the clock was set, or the machine woke up, since.
    running_since: Option<Timestamp>,
    /// The latest steady time that was observed.
    steady: Option<Timestamp>,
}

impl Core {
    /// A core over the rows of a journal.
    pub fn open(
        registry: Registry,
        rows: Vec<Row>,
        segments: Box<dyn Segments + Send>,
        seed: u64,
    ) -> Result<Self, CoreError> {
        let mut store = Store::default();
        store.register::<Clock>();
        store.register::<Effect>();
        store.register::<ServiceJob>();
        store.register::<ProcessJob>();
        store.register::<crate::Cause>();
        store.register::<crate::vault::RootKeyProof>();
        registry.register_records(&mut store);
        let (mut sealed, mut unsealed) = (vec![], vec![]);
        for row in rows {
            if crate::vault::is_sealed(&row.body) {
                sealed.push(row);
                continue;
            }
            unsealed.extend(store.sealed_name(&row.table).map(|table| (table, row.key.clone())));
            store.load(row).map_err(CoreError)?;
        }
        let jobs = store.all::<ServiceJob>().map(|(_, id, _)| id).chain(store.all::<ProcessJob>().map(|(_, id, _)| id));
        let effects = store.all::<Effect>().map(|(_, id, _)| id);
        let sequence = jobs.chain(effects).filter_map(|id| id.rsplit('-').next()?.parse().ok()).max().unwrap_or(0);
        let vault = Vault::new(Box::new(crate::vault::Absent), Box::new(crate::vault::Absent));
        let rng = Rng::seeded(seed);
        Ok(Self {
            store,
            registry: Arc::new(registry),
            segments,
            rng,
            vault,
            sealed,
            unsealed,
            sequence,
            running_since: None,
            steady: None,
        })
    }

    /// Adds entropy and the root key's location. Without them nothing can be sealed.
    /// `Err` where the state was sealed with a root key that is not there.
    pub fn with_vault(mut self, mut vault: Vault) -> Result<Self, CoreError> {
        vault.check(&self.store).map_err(CoreError)?;
        for row in std::mem::take(&mut self.sealed) {
            let row = vault.open_row(row).map_err(CoreError)?;
            self.store.load(row).map_err(CoreError)?;
        }
        self.vault = vault;
        Ok(self)
    }

    /// All state, to read.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The services.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What can be answered without the core, from a copy of its published tables.
    pub fn reads(&self) -> Reads {
        Reads::new(&self.registry)
    }

    /// Both clocks at a moment of process time.
    pub fn now(&self, process: Timestamp) -> Now {
        let clock = self.clock();
        clock.at(self.at_least(&clock, process))
    }

    /// The machine's clock shows `process`, `elapsed_ms` after it was last observed. Where it was put back, service time goes on from
    /// where it was; where it was put forward again, it catches up first. `None` when nothing has to change.
    pub fn observe(&mut self, process: Timestamp, elapsed_ms: i64) -> Option<Applied> {
        let clock = self.clock();
        let expected = match (self.steady, clock.seen) {
            (Some(steady), _) => steady.plus_ms(elapsed_ms),
            (None, Some(seen)) => clock.expected_at_start(seen, process),
            (None, None) => clock.steady(process),
        };
        let ahead_ms = clock.ahead_after(expected, process);
        let is_back = ahead_ms > clock.ahead_ms;
        let steady = process.plus_ms(ahead_ms);
        let steady = self.steady.map_or(steady, |before| before.max(steady));
        self.steady = Some(steady);
        if ahead_ms == clock.ahead_ms {
            return None;
        }
        let mut applied = self.turn(process, |clock, _| {
            clock.ahead_ms = ahead_ms;
            clock.seen = Some(steady);
        });
        if is_back {
            let service = steady.plus_ms(clock.offset_ms);
            let (subject, hint) =
                ("clock".to_owned(), Some("`neargate clock set TIME` puts service time elsewhere".to_owned()));
            let text = format!(
                "this machine's clock was put back by {}: service time goes on from {service}",
                duration_text(ahead_ms.saturating_sub(clock.ahead_ms))
            );
            applied.notices.push(Notice { kind: NoticeKind::Progress, subject, text, hint });
        }
        Some(applied)
    }

    /// Whether the clock is being turned.
    pub fn is_turning(&self) -> bool {
        self.clock().turning_to.is_some()
    }

    /// Where the clock is being turned to.
    pub fn turning_to(&self) -> Option<Timestamp> {
        self.clock().turning_to
    }

    /// Every effect that no driver has finished: to be handed out again after a restart.
    pub fn unfinished(&self) -> Vec<Effect> {
        self.store.all::<Effect>().map(|(_, _, effect)| effect.clone()).collect()
    }

    /// Makes what was written to segments survive a crash.
    pub fn sync_segments(&mut self) -> Result<(), crate::JournalError> {
        self.segments.sync()
    }

    /// Forgets segments whose command is durable.
    pub fn remove_segments(&mut self, segments: &[String]) -> Result<(), crate::JournalError> {
        segments.iter().try_for_each(|segment| self.segments.remove(segment))
    }

    /// Puts the state back to what it was before commands that did not become durable. They are given in their order, and all
    /// commands after them are among them.
    pub fn undo(&mut self, commands: impl DoubleEndedIterator<Item = Undo>) {
        for undo in commands.rev() {
            self.store.undo(undo);
        }
    }

    /// The machine slept until now, or its clock was set: what fell due in between was missed.
    pub fn resumed(&mut self, process: Timestamp) {
        self.running_since = Some(self.now(process).service);
    }

    /// Process time as commands see it: where the machine's clock has gone back a little, it stands still until that has passed.
    fn at_least(&self, clock: &Clock, process: Timestamp) -> Timestamp {
        self.steady.map_or(process, |steady| process.max(steady.plus_ms(-clock.ahead_ms)))
    }

    /// Does one command.
    pub fn apply(&mut self, process: Timestamp, command: Command) -> Applied {
        match command {
            Command::Request(request) => self.request(process, request),
            Command::Report(report) => self.report(process, &report),
            Command::RunJob { scope, handler, payload } => self.job_by_hand(process, scope, handler, payload),
            Command::TurnClock { to, waits_for_effects } => self.turn(process, |clock, now| {
                clock.turning_to = (to > now.service).then_some(to);
                clock.waits_for_effects = waits_for_effects;
            }),
            Command::SetClock { to } => {
                self.running_since = Some(to);
                self.turn(process, |clock, now| {
                    clock.turning_to = None;
                    clock.set(to, now.process);
                })
            }
        }
    }

    /// Does work of the engine's own, or of a test, as one command: wholly or not at all.
    pub fn perform<T>(
        &mut self,
        process: Timestamp,
        scope: &Scope,
        principal: Principal,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>,
    ) -> (Result<T, Fault>, Applied) {
        let request_id = self.rng.uuid();
        self.transact(process, scope.clone(), principal, request_id, None, work)
    }

    /// The moment of process time at which [`Core::run_due`] will next have something to do; `None` when only a command can
    /// bring something about.
    pub fn next_due(&self, process: Timestamp) -> Option<Timestamp> {
        let clock = self.clock();
        let on_process = self.store.first::<ProcessJob>().map(|(_, job)| clock.process_time(job.0.due));
        let on_service = match clock.turning_to {
            Some(_) if self.is_waiting(&clock) => None,
            Some(_) => Some(process),
            None => self.store.first::<ServiceJob>().map(|(_, job)| clock.process_time(job.0.due)),
        };
        on_process.into_iter().chain(on_service).min()
    }

    /// Runs the next due job, or moves a turning clock on; `None` when nothing is due.
    pub fn run_due(&mut self, process: Timestamp) -> Option<Applied> {
        let clock = self.clock();
        let process = self.at_least(&clock, process);
        let first = self.store.first::<ProcessJob>().filter(|(_, job)| job.0.due.time() <= clock.steady(process));
        if let Some((id, job)) = first {
            let job = job.0.clone();
            return Some(self.run_job(process, &id, &job));
        }
        let next = self.store.first::<ServiceJob>().map(|(id, job)| (id, job.0.clone()));
        let Some(to) = clock.turning_to else {
            let (id, job) = next.filter(|(_, job)| job.due.time() <= clock.at(process).service)?;
            return Some(self.run_job(process, &id, &job));
        };
        if self.is_waiting(&clock) {
            return None;
        }
        match next.filter(|(_, job)| job.due.time() <= to) {
            None => Some(self.turn(process, |clock, now| {
                clock.turning_to = None;
                if now.service < to {
                    clock.set(to, now.process);
                }
            })),
            Some((_, job)) if job.due.time() > clock.at(process).service => {
                Some(self.turn(process, |clock, now| clock.set(job.due.time(), now.process)))
            }
            Some((id, job)) => Some(self.run_job(process, &id, &job)),
        }
    }

    fn is_waiting(&self, clock: &Clock) -> bool {
        clock.waits_for_effects && self.store.count::<Effect>() > 0
    }

    fn clock(&self) -> Clock {
        self.store.clock()
    }

    fn request(&mut self, process: Timestamp, request: Request) -> Applied {
        let Request { scope, principal, service, operation, input, request_id, client } = request;
        let (reply, applied) = self.transact(process, scope, principal, request_id, None, |cx| {
            cx.client = client;
            let registry = cx.registry;
            registry.invoke(cx, &service, &operation, input)
        });
        Applied { reply: Some(reply), ..applied }
    }

    fn report(&mut self, process: Timestamp, report: &Report) -> Applied {
        let (place, _) = Clock::place();
        let Some(effect) = self.store.share::<Effect>(&place, &report.effect) else {
            return Applied::default();
        };
        let Some(handler) = self.registry.report(&effect.driver) else {
            return failed(&effect.driver, &Fault::internal("no service takes this driver's reports"));
        };
        let finish = |cx: &mut Cx<'_>| {
            if report.finished {
                cx.transaction.delete::<Effect>(cx.store, &place, &effect.id);
            }
        };
        let (result, applied) = self.background(process, &effect.scope, effect.cause.clone(), |cx| {
            finish(cx);
            handler(cx, &effect, report)
        });
        match result {
            Ok(()) => applied,
            Err(_) if applied.unwritten.is_some() => applied,
            Err(fault) => {
                let (_, applied) = self.background(process, &effect.scope, None, |cx| {
                    finish(cx);
                    Ok(())
                });
                Applied { notices: failed(&effect.driver, &fault).notices, ..applied }
            }
        }
    }

    fn run_job(&mut self, process: Timestamp, id: &str, job: &Job) -> Applied {
        let handler = self.registry.job(&job.handler);
        let (result, applied) = self.background(process, &job.scope, job.cause.clone(), |cx| {
            cx.cancel(id);
            let handler = handler.ok_or_else(|| Fault::internal("no service has this handler"))?;
            handler(cx, job)
        });
        match result {
            Ok(()) => applied,
            Err(_) if applied.unwritten.is_some() => applied,
            Err(fault) => {
                let (_, applied) = self.background(process, &job.scope, None, |cx| {
                    cx.cancel(id);
                    Ok(())
                });
                Applied { notices: failed(&job.handler, &fault).notices, ..applied }
            }
        }
    }

    fn job_by_hand(
        &mut self,
        process: Timestamp,
        scope: Scope,
        handler: &'static str,
        payload: serde_json::Value,
    ) -> Applied {
        let due = Due::Service(self.now(process).service);
        let job = Job { due, handler: handler.to_owned(), scope, payload, cause: None };
        let found = self.registry.job(handler);
        let (result, applied) = self.background(process, &job.scope, None, |cx| {
            found.ok_or_else(|| Fault::internal("no service has this handler"))?(cx, &job)
        });
        Applied { reply: Some(result.map(|()| Value::Null)), ..applied }
    }

    fn turn(&mut self, process: Timestamp, change: impl FnOnce(&mut Clock, Now)) -> Applied {
        let (scope, id) = Clock::place();
        let mut clock = self.clock();
        let now = self.now(process);
        change(&mut clock, now);
        let (_, applied) = self.background(process, &scope, None, |cx| {
            cx.put(id, clock);
            Ok(())
        });
        applied
    }

    fn background(
        &mut self,
        process: Timestamp,
        scope: &Scope,
        cause: Option<String>,
        work: impl FnOnce(&mut Cx<'_>) -> Result<(), Fault>,
    ) -> (Result<(), Fault>, Applied) {
        let principal = Principal::root(&Account::new(scope.account.as_str()));
        let request_id = self.rng.uuid();
        self.transact(process, scope.clone(), principal, request_id, cause, work)
    }

    /// One transaction: on success its deltas, on a fault or a panic the state as it was.
    fn transact<T>(
        &mut self,
        process: Timestamp,
        scope: Scope,
        principal: Principal,
        request_id: String,
        cause: Option<String>,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>,
    ) -> (Result<T, Fault>, Applied) {
        let now = self.now(process);
        let seen = self.steady;
        let running_since = *self.running_since.get_or_insert(now.service);
        let ground = Ground {
            registry: &self.registry,
            store: &mut self.store,
            segments: &mut *self.segments,
            rng: &mut self.rng,
            vault: &mut self.vault,
            sequence: &mut self.sequence,
        };
        let mut cx = Cx::new(ground, scope, principal, now, request_id);
        (cx.cause, cx.running_since) = (cause, running_since);
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut cx)));
        let result = result.unwrap_or_else(|_| Err(Fault::internal("the handler panicked; nothing was changed")));
        let result = result.and_then(|value| match cx.unwritten {
            Some(_) => Ok((value, vec![])),
            None => {
                if let Some(steady) = seen {
                    cx.keep_seen(steady);
                }
                Ok((value, cx.deltas(&self.unsealed)?))
            }
        });
        let Cx { store, transaction, effects, notices, removed_segments, unwritten, .. } = cx;
        if let Some(error) = unwritten {
            transaction.roll_back(store);
            let fault = Fault::unavailable(error.to_string());
            return (Err(fault), Applied { unwritten: Some(error), ..Applied::default() });
        }
        match result {
            Ok((value, deltas)) => {
                self.unsealed.clear();
                let undo = transaction.into_undo();
                (Ok(value), Applied { deltas, effects, notices, removed_segments, undo, ..Applied::default() })
            }
            Err(fault) => {
                transaction.roll_back(store);
                (Err(fault), Applied::default())
            }
        }
    }
}

/// A duration to its two largest units.
fn duration_text(ms: i64) -> String {
    let s = ms / 1000;
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, min, s) => format!("{min} min {s} s"),
        (0, h, min, _) => format!("{h} h {min} min"),
        (d, h, ..) => format!("{d} d {h} h"),
    }
}

fn failed(subject: &str, fault: &Fault) -> Applied {
    let (subject, hint) = (subject.to_owned(), fault.hint.clone());
    let notice = Notice { kind: NoticeKind::Failed, subject, text: fault.to_string(), hint };
    Applied { notices: vec![notice], ..Applied::default() }
}
