//! What tests of several crates share: a real core over a journal in memory, stand-ins for the ports, time in the hand.
//!
//! Invariant: nothing here decides what a test expects; a harness only carries out and remembers.

pub mod containers_common;
mod lists;
pub mod needs;
mod ports;

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Applied, Command, Core, CoreError, Cx, Effect, Fault, Journal, MemoryJournal, MemorySegments, Notice, Payload,
    Ports, Principal, Registry, Reply, Report, Request, Rng, RootKeyFile, Row, SecretKey, Service, Vault,
};
use neargate_shape::{from_json, to_json};
use serde_json::Value as Json;

pub use lists::List;
pub use ports::{AllowAll, OnePool, Silence};

/// A core with everything around it.
#[derive(Debug)]
pub struct Harness {
    core: Core,
    journal: MemoryJournal,
    services: fn() -> Vec<Service>,
    ports: Ports,
    /// Process time; service time begins equal to it.
    pub now: Timestamp,
    /// Where calls go.
    pub scope: Scope,
    /// Who calls.
    pub principal: Principal,
    /// Every effect so far, those already finished too.
    pub effects: Vec<Effect>,
    /// Every notice so far.
    pub notices: Vec<Notice>,
}

/// Ports that allow everything, give addresses of one subnet and drop events.
pub fn open_ports() -> Ports {
    Ports { authorizer: &AllowAll, events: &Silence, networks: &OnePool }
}

/// The one root key of all harnesses.
struct OneRootKey;

impl RootKeyFile for OneRootKey {
    fn load(&mut self) -> Result<Option<SecretKey>, String> {
        Ok(SecretKey::new(&[7; 32]))
    }

    fn keep(&mut self, _: &SecretKey) -> Result<(), String> {
        Ok(())
    }

    fn place(&self) -> String {
        "the harness".to_owned()
    }
}

/// Entropy that repeats itself, and the one root key.
pub fn vault(seed: u64) -> Vault {
    Vault::new(Box::new(Rng::seeded(seed)), Box::new(OneRootKey))
}

impl Harness {
    /// A fresh core of these services.
    pub fn new(services: fn() -> Vec<Service>, ports: Ports) -> Result<Self, CoreError> {
        let scope = Scope::new("000000000000", "eu-west-1");
        let core = Core::open(Registry::new(ports, services()), vec![], Box::new(MemorySegments::default()), 7)?
            .with_vault(vault(7))?;
        let principal = Principal::root(&scope.account);
        let (now, journal) = (Timestamp(1_795_255_200_000), MemoryJournal::default());
        Ok(Self { core, journal, services, ports, now, scope, principal, effects: vec![], notices: vec![] })
    }

    /// The core, to look at its state.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Calls an operation with an input in JSON and runs what is due then; the answer in JSON.
    pub fn call(&mut self, service: &str, operation: &str, input: Json) -> Result<Json, Fault> {
        let reply = self.send(service, operation, input);
        self.run_due();
        reply
    }

    /// Calls an operation with an input in JSON and runs nothing else.
    pub fn send(&mut self, service: &str, operation: &str, input: Json) -> Result<Json, Fault> {
        let shape = (self.core.registry().operation(service, operation)?.shape.input)();
        let input = from_json(shape, input, &mut vec![]).map_err(|error| Fault::validation(error.to_string()))?;
        let request = Request {
            scope: self.scope.clone(),
            principal: self.principal.clone(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            client: None,
        };
        let mut applied = self.core.apply(self.now, Command::Request(request));
        let reply = applied.reply.take();
        self.remember(applied);
        reply.unwrap_or_else(|| Err(Fault::internal("no reply"))).map(|output| to_json(&output))
    }

    /// Hands in any other command and runs what is due then; the answer, where there is one.
    pub fn command(&mut self, command: Command) -> Option<Reply> {
        let mut applied = self.core.apply(self.now, command);
        let reply = applied.reply.take();
        self.remember(applied);
        self.run_due();
        reply
    }

    /// Does work of an engine's own as one command, as the account's root, and runs what is due then.
    pub fn perform<T>(&mut self, work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let root = Principal::root(&self.scope.account);
        let (result, applied) = self.core.perform(self.now, &self.scope, root, work);
        self.remember(applied);
        self.run_due();
        result
    }

    /// Hands in a driver's news.
    pub fn report(&mut self, effect: &str, news: Json, finished: bool) {
        self.report_with(effect, news, None, finished);
    }

    /// Hands in a driver's news with what comes with them.
    pub fn report_with(&mut self, effect: &str, news: Json, payload: Option<Payload>, finished: bool) {
        let report = Report { effect: effect.to_owned(), news, payload, finished };
        let applied = self.core.apply(self.now, Command::Report(report));
        self.remember(applied);
        self.run_due();
    }

    /// Lets both clocks go on and runs what falls due.
    pub fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.observe(ms);
        self.run_due();
    }

    /// The machine sleeps, and so does the engine.
    pub fn sleep(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.observe(0);
        self.core.resumed(self.now);
        self.run_due();
    }

    /// The machine's clock is put forward or back while no time passes. As the engine does, a clock that is put forward is taken for
    /// a machine that slept.
    pub fn put_clock(&mut self, ms: i64) {
        self.observe(0);
        self.now = self.now.plus_ms(ms);
        self.observe(0);
        if ms > 60_000 {
            self.core.resumed(self.now);
        }
        self.run_due();
    }

    /// Lets the core do something that does not become durable and is undone.
    pub fn lose(&mut self, work: impl FnOnce(&mut Core, Timestamp) -> Option<Applied>) {
        let applied = work(&mut self.core, self.now);
        self.core.undo(applied.into_iter().map(|applied| applied.undo));
    }

    fn observe(&mut self, elapsed_ms: i64) {
        if let Some(applied) = self.core.observe(self.now, elapsed_ms) {
            self.remember(applied);
        }
    }

    /// Turns service time forward.
    pub fn turn_to(&mut self, to: Timestamp, waits_for_effects: bool) {
        let applied = self.core.apply(self.now, Command::TurnClock { to, waits_for_effects });
        self.remember(applied);
        self.run_due();
    }

    /// Runs everything that is due.
    pub fn run_due(&mut self) {
        while self.run_next() {}
    }

    /// Runs the next thing that is due, if any is.
    pub fn run_next(&mut self) -> bool {
        let Some(applied) = self.core.run_due(self.now) else { return false };
        self.remember(applied);
        true
    }

    /// The effects that no driver has finished.
    pub fn unfinished(&self) -> Vec<Effect> {
        self.core.unfinished()
    }

    /// Kills the engine and starts it again over what was durable. Segments do not outlive it.
    pub fn restart(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        self.reopen()?;
        self.run_due();
        Ok(())
    }

    /// As [`restart`](Self::restart), the machine's clock having been put forward or back meanwhile.
    pub fn restart_with_clock(&mut self, ms: i64) -> Result<(), Box<dyn std::error::Error>> {
        self.reopen()?;
        self.now = self.now.plus_ms(ms);
        self.observe(0);
        self.run_due();
        Ok(())
    }

    /// As [`restart`](Self::restart), before anything that is due has run.
    pub fn reopen(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let rows = self.journal.load()?;
        self.core =
            Core::open(Registry::new(self.ports, (self.services)()), rows, Box::new(MemorySegments::default()), 8)?
                .with_vault(vault(8))?;
        self.effects = self.core.unfinished();
        Ok(())
    }

    /// Every row that is durable.
    pub fn rows(&mut self) -> Vec<Row> {
        // The journal in memory cannot fail.
        self.journal.load().unwrap_or_default()
    }

    fn remember(&mut self, applied: Applied) {
        // The journal in memory cannot fail.
        if let Ok(sequence) = self.journal.append(applied.deltas) {
            let _ = self.journal.durable(sequence);
        }
        self.effects.extend(applied.effects);
        self.notices.extend(applied.notices);
    }
}
