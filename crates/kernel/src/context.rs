//! What an operation, a job, a report or a resource step works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use neargate_base::{Scope, Timestamp};
use neargate_shape::Value;

use crate::clock::SEEN_MS_MAX;
use crate::job::{ProcessJob, ServiceJob};
use crate::origin::Origin;
use crate::store::Transaction;
use crate::{
    Access, Cause, CauseId, Client, Clock, Due, Effect, EffectId, Event, Fault, Job, JobId, JournalError, LinesPart,
    Notice, NoticeKind, Now, Principal, Record, Registry, Rng, Segments, Store, Vault,
};

/// The context of one command: state, time, randomness, the caller, and everything the command brings about.
#[derive(Debug)]
pub struct Cx<'a> {
    /// Where: every read and write goes to this account and region.
    pub scope: Scope,
    /// Who.
    pub principal: Principal,
    /// When, on both clocks.
    pub now: Now,
    /// The request's id, unique per command.
    pub request_id: String,
    /// Why: the link that new causes hang on.
    pub cause: Option<CauseId>,
    /// Randomness, from a seed: for ids.
    pub rng: &'a mut Rng,
    /// Every service.
    pub registry: &'a Registry,
    pub(crate) vault: &'a mut Vault,
    /// Links that this command has added to the chain of causes.
    pub(crate) causes: BTreeMap<CauseId, Cause>,
    pub(crate) via: Vec<&'static str>,
    pub(crate) client: Option<Client>,
    pub(crate) source: Option<String>,
    pub(crate) system_tags: BTreeMap<String, String>,
    /// Service time from which on nothing that falls due is missed.
    pub(crate) running_since: Timestamp,
    pub(crate) store: &'a mut Store,
    pub(crate) segments: &'a mut dyn Segments,
    pub(crate) transaction: Transaction,
    pub(crate) sequence: &'a mut u64,
    pub(crate) effects: Vec<Effect>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) removed_segments: Vec<String>,
    /// Why a segment could not be written: the command is then undone, whatever it makes of it.
    pub(crate) unwritten: Option<JournalError>,
}

/// What a command stands on.
pub(crate) struct Ground<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a mut Store,
    pub(crate) segments: &'a mut dyn Segments,
    pub(crate) rng: &'a mut Rng,
    pub(crate) vault: &'a mut Vault,
    pub(crate) sequence: &'a mut u64,
}

impl<'a> Cx<'a> {
    /// The context of a command that nothing has caused.
    pub(crate) fn new(ground: Ground<'a>, scope: Scope, principal: Principal, now: Now, request_id: String) -> Self {
        let Ground { registry, store, segments, rng, vault, sequence } = ground;
        Self {
            scope,
            principal,
            now,
            request_id,
            cause: None,
            causes: BTreeMap::new(),
            rng,
            vault,
            via: vec![],
            client: None,
            source: None,
            system_tags: BTreeMap::new(),
            running_since: now.service,
            registry,
            store,
            segments,
            transaction: Transaction::default(),
            sequence,
            effects: vec![],
            notices: vec![],
            removed_segments: vec![],
            unwritten: None,
        }
    }

    /// Whether the command has brought nothing about and has nothing to say but its answer.
    pub(crate) fn is_untouched(&self) -> bool {
        self.transaction.is_empty()
            && self.effects.is_empty()
            && self.notices.is_empty()
            && self.removed_segments.is_empty()
            && self.unwritten.is_none()
    }

    /// All state, to read.
    pub fn store(&self) -> &Store {
        self.store
    }

    /// One record of this scope.
    pub fn get<R: Record>(&self, id: &str) -> Option<&R> {
        self.store.get(&self.scope, id)
    }

    /// One record of this scope as it is now, to be held while the state changes.
    pub fn share<R: Record>(&self, id: &str) -> Option<Arc<R>> {
        self.store.share(&self.scope, id)
    }

    /// The records of this scope whose ids begin with `prefix`.
    pub fn scan<'s, R: Record>(&'s self, prefix: &str) -> impl Iterator<Item = (&'s str, &'s R)> + use<'s, 'a, R> {
        self.store.scan(&self.scope, prefix)
    }

    /// Adds or replaces a record of this scope.
    pub fn put<R: Record>(&mut self, id: &str, record: R) {
        self.transaction.put(self.store, &self.scope, id, record);
    }

    /// Changes a record of this scope; answers `None` where there is none.
    pub fn update<R: Record, T>(&mut self, id: &str, change: impl FnOnce(&mut R) -> T) -> Option<T> {
        let mut record = self.get::<R>(id)?.clone();
        let answer = change(&mut record);
        self.put(id, record);
        Some(answer)
    }

    /// Deletes a record of this scope. One that is not there is no error.
    pub fn delete<R: Record>(&mut self, id: &str) {
        self.transaction.delete::<R>(self.store, &self.scope, id);
    }

    /// The account's part of the state that has no region: IAM and the like.
    pub fn in_global<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let global = Scope::new(self.scope.account.as_str(), "global");
        let scope = std::mem::replace(&mut self.scope, global);
        let answer = work(self);
        self.scope = scope;
        answer
    }

    /// The same account in another region; `None` stays here.
    pub fn in_region<T>(&mut self, region: Option<&str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let there = region.map_or_else(|| self.scope.clone(), |region| Scope::new(self.scope.account.as_str(), region));
        let scope = std::mem::replace(&mut self.scope, there);
        let answer = work(self);
        self.scope = scope;
        answer
    }

    /// Does something as somebody else, in this scope and transaction.
    pub fn as_principal<T>(&mut self, principal: Principal, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.principal, principal);
        let (via, client, source) = (std::mem::take(&mut self.via), self.client.take(), self.source.take());
        let system_tags = std::mem::take(&mut self.system_tags);
        let answer = work(self);
        (self.principal, self.via, self.client, self.source) = (before, via, client, source);
        self.system_tags = system_tags;
        answer
    }

    /// Does something for a resource of a stack: what is made for the current principal meanwhile gets these tags of AWS's own,
    /// which no caller may give.
    pub fn marking<T>(&mut self, tags: BTreeMap<String, String>, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.system_tags, tags);
        let answer = work(self);
        self.system_tags = before;
        answer
    }

    /// The tags of AWS's own that a new thing gets; none outside of stacks.
    pub fn system_tags(&self) -> &BTreeMap<String, String> {
        &self.system_tags
    }

    /// Does something for the current principal in the name of a service that it asked, the last of those that already call in
    /// its name: what `kms:ViaService` and `aws:CalledVia` see. `service` is the service's short name.
    pub fn via<T>(&mut self, service: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.via.len();
        self.via.push(service);
        let answer = work(self);
        self.via.truncate(depth);
        answer
    }

    /// Does something as an AWS service, for the resource that it does it for: `aws:SourceArn` and `aws:SourceAccount`.
    pub fn as_service<T>(&mut self, name: &str, source_arn: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.as_principal(Principal::service(name), |cx| {
            cx.source = Some(source_arn.to_owned());
            work(cx)
        })
    }

    /// The service that makes the current call for its caller, by its short name.
    pub fn called_via(&self) -> Option<&'static str> {
        self.via.last().copied()
    }

    /// Calls an operation of any service as the current principal: the same way in as over HTTP. What the call wrote is put
    /// back when it fails, the rest of the command is not.
    pub fn call(&mut self, service: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        let registry = self.registry;
        self.attempt(|cx| registry.invoke(cx, service, operation, input))
    }

    /// Calls an operation that takes texts in bulk, as the current principal: what a call with an input that holds them would do,
    /// without making one. `input` is the rest of it; `Err` is the same fault.
    pub fn call_with_lines(
        &mut self,
        service: &str,
        operation: &str,
        input: &Value,
        lines: LinesPart<'_>,
    ) -> Result<(), Fault> {
        let registry = self.registry;
        self.attempt(|cx| registry.invoke_with_lines(cx, service, operation, input, lines))
    }

    /// Calls an operation with an input in JSON, as a service writes it down for another.
    pub fn call_json(&mut self, service: &str, operation: &str, input: serde_json::Value) -> Result<Value, Fault> {
        let shape = (self.registry.operation(service, operation)?.shape.input)();
        let input = neargate_shape::from_json(shape, input, &mut vec![]);
        self.call(service, operation, input.map_err(|error| Fault::validation(error.to_string()))?)
    }

    /// Does something wholly or not at all, within the command.
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let depth = self.transaction.begin();
        let (effects, notices, removed) = (self.effects.len(), self.notices.len(), self.removed_segments.len());
        let answer = work(self);
        if answer.is_ok() {
            self.transaction.keep();
        } else {
            self.transaction.undo_to(self.store, depth);
            self.effects.truncate(effects);
            self.notices.truncate(notices);
            self.removed_segments.truncate(removed);
        }
        answer
    }

    /// Whether the current principal may; the fault is AWS's `AccessDeniedException`.
    pub fn authorize(&self, access: &Access) -> Result<(), Fault> {
        let decision = self.registry.ports.authorizer.authorize(self.store, &self.principal, &self.in_request(access));
        if decision.is_allowed() {
            return Ok(());
        }
        let (who, action, resource) = (self.principal.arn(), &access.action, &access.resource);
        let because = decision.because(action);
        let text = format!("User: {who} is not authorized to perform: {action} on resource: {resource} {because}");
        Err(Fault::sender("AccessDeniedException", text).with_hint(format!("{decision}")))
    }

    /// Takes a role on as an AWS service, for the resource that it is done for: `aws:SourceArn` and `aws:SourceAccount`. `Err` says why
    /// the role's trust policy does not let it.
    pub fn assume_for_service(&self, role_arn: &str, service: &str, source_arn: &str) -> Result<Principal, String> {
        let origin = Origin { source: Some(source_arn), ..Origin::default() };
        let context = self.with_keys(&Access::new("sts:AssumeRole", role_arn), origin).context;
        let mut principal = self.registry.ports.authorizer.may_assume(self.store, role_arn, service, &context)?;
        if let Principal::Role { session, .. } = &mut principal {
            session.issued = Some(self.time());
        }
        Ok(principal)
    }

    /// The access with the condition keys that every request has.
    pub fn in_request(&self, access: &Access) -> Access {
        let (client, source) = (self.client.as_ref(), self.source.as_deref());
        self.with_keys(access, Origin { via: &self.via, client, source })
    }

    fn with_keys(&self, access: &Access, origin: Origin<'_>) -> Access {
        let region = if self.scope.region.as_str() == "global" { "us-east-1" } else { self.scope.region.as_str() };
        let time = self.time();
        let own = self.scope.account.as_str();
        let account = access.resource.split(':').nth(4).filter(|account| !account.is_empty()).unwrap_or(own);
        let access = access
            .clone()
            .with("aws:CurrentTime", time.to_iso_seconds())
            .with("aws:EpochTime", time.millis().div_euclid(1000).to_string())
            .with("aws:RequestedRegion", region)
            .with("aws:ResourceAccount", account);
        origin.keys(access)
    }

    /// Lets work wait for its time. A job due now runs right after this command.
    pub fn schedule(&mut self, due: Due, handler: &'static str, payload: serde_json::Value) -> JobId {
        self.keep_causes();
        let due = match due {
            Due::Process(time) => Due::Process(self.store.clock().steady(time)),
            service @ Due::Service(_) => service,
        };
        let id = due.key(self.next_sequence());
        let job =
            Job { due, handler: handler.to_owned(), scope: self.scope.clone(), payload, cause: self.cause.clone() };
        let (scope, _) = Clock::place();
        match due {
            Due::Service(_) => self.transaction.put(self.store, &scope, &id, ServiceJob(job)),
            Due::Process(_) => self.transaction.put(self.store, &scope, &id, ProcessJob(job)),
        }
        id
    }

    /// Drops a job that has not run yet.
    pub fn cancel(&mut self, job: &str) {
        let (scope, _) = Clock::place();
        if job.starts_with('s') {
            self.transaction.delete::<ServiceJob>(self.store, &scope, job);
        } else {
            self.transaction.delete::<ProcessJob>(self.store, &scope, job);
        }
    }

    /// Orders something from a driver, once this command is durable.
    pub fn emit(&mut self, driver: &'static str, order: serde_json::Value) -> EffectId {
        self.keep_causes();
        let id = format!("{:016}", self.next_sequence());
        let (scope, cause) = (self.scope.clone(), self.cause.clone());
        let effect = Effect { id: id.clone(), driver: driver.to_owned(), scope, order, cause };
        let (place, _) = Clock::place();
        self.transaction.put(self.store, &place, &id, effect.clone());
        self.effects.push(effect);
        id
    }

    /// Hands an unfinished effect to its driver once more.
    pub fn emit_again(&mut self, id: &str) {
        let (place, _) = Clock::place();
        self.effects.extend(self.store.get::<Effect>(&place, id).cloned());
    }

    /// Publishes an event of an AWS service on the default bus.
    pub fn publish(&mut self, event: Event) -> Result<(), Fault> {
        self.registry.ports.events.publish(self, event)
    }

    /// Adds a link to the chain of causes; what follows in this command hangs on it. The chain is kept once something does that
    /// outlives the command: a job, an effect, or what asks for it with [`Cx::keep_causes`].
    pub fn because(&mut self, id: &str, kind: &str, name: &str) {
        let time = Some(self.time());
        let link = Cause { kind: kind.to_owned(), name: name.to_owned(), time, parent: self.cause.take() };
        self.causes.insert(id.to_owned(), link);
        self.cause = Some(id.to_owned());
    }

    /// Keeps the chain of causes for what this command leaves behind.
    pub fn keep_causes(&mut self) {
        let mut next = self.cause.clone();
        while let Some(id) = next {
            // Links of earlier commands are kept already.
            let Some(link) = self.causes.get(&id).cloned() else { return };
            next = link.parent.clone();
            if self.get::<Cause>(&id).is_none() {
                self.put(&id, link);
            }
        }
    }

    /// Tells the user something.
    pub fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Tells the user that something was accepted and is not acted on.
    pub fn not_simulated(&mut self, subject: impl Into<String>, text: impl Into<String>) {
        self.notice(Notice { kind: NoticeKind::NotSimulated, subject: subject.into(), text: text.into(), hint: None });
    }

    /// Service time.
    pub fn time(&self) -> Timestamp {
        self.now.service
    }

    /// Whether what fell due at a moment of service time was missed: the moment lies before the engine was started, the machine woke
    /// up or the clock was set, by more than a tolerance. Work is late, not missed, as long as the engine runs, and while the clock is turned.
    pub fn was_missed(&self, due: Timestamp, tolerance_ms: i64) -> bool {
        let (scope, id) = Clock::place();
        let is_turning = self.store.get::<Clock>(&scope, id).is_some_and(|clock| clock.turning_to.is_some());
        !is_turning && due.plus_ms(tolerance_ms) < self.running_since
    }

    /// Appends to a segment at an offset that the caller keeps in a record. Where that fails the whole command is undone: what it
    /// would have acknowledged cannot be kept.
    pub fn write_segment(&mut self, segment: &str, offset: u64, bytes: &[u8]) -> Result<(), JournalError> {
        let written = self.segments.write(segment, offset, bytes);
        if let Err(error) = &written {
            self.unwritten.get_or_insert_with(|| error.clone());
        }
        written
    }

    /// Reads from a segment.
    pub fn read_segment(&self, segment: &str, offset: u64, length: usize) -> Result<Vec<u8>, JournalError> {
        self.segments.read(segment, offset, length)
    }

    /// Keeps what time it is for the next start, where the command changes anything, and not with each one.
    pub(crate) fn keep_seen(&mut self, steady: Timestamp) {
        let clock = self.store.clock();
        let is_old = clock.seen.is_none_or(|seen| steady.millis().saturating_sub(seen.millis()) >= SEEN_MS_MAX);
        if is_old && self.transaction.is_change() {
            let (scope, id) = Clock::place();
            self.transaction.put(self.store, &scope, id, Clock { seen: Some(steady), ..clock });
        }
    }

    /// Forgets a segment whose record is deleted, once this command is durable.
    pub fn remove_segment(&mut self, segment: String) {
        self.removed_segments.push(segment);
    }

    fn next_sequence(&mut self) -> u64 {
        *self.sequence += 1;
        *self.sequence
    }
}
