//! The single writer: a thread that owns the core and the journal, and lets nothing out before it is durable.
//!
//! ```text
//! HTTP ───▶ calls   ─┐                     ┌─▶ snapshot ─▶ notices ─▶ replies ─▶ effects ─▶ credit for reports
//! drivers ▶ reports ─┼─▶ apply ─▶ commit ──┤
//! state ──▶ jobs    ─┘                     └─▶ (failed) undone; calls answered 503, reports back into their lane
//! ```
//!
//! Everything that waits is applied before one commit is made for all of it, so the cost of a commit is shared when there is much
//! to do and paid alone when there is little. [`lanes`] bounds what waits and makes it take turns; [`commit`] applies, commits and
//! lets out; [`snapshot`] is what can be read without entering here.
//!
//! Invariant: a reply, an effect, a notice or a credit leaves this thread only after the deltas of its command are durable.

mod commit;
mod lanes;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use neargate_base::Scope;
use neargate_kernel::{
    Applied, Command, Core, Cx, Effect, Fault, Journal, Notice, Principal, Reads, Reply, Report, Request,
};
use tokio::sync::oneshot;

use crate::wall;
use commit::Outcome;
pub(crate) use lanes::Refused;
use lanes::{Lanes, Place};
pub(crate) use snapshot::Snapshot;

/// Carries out the effects of one kind. Must not block the writer: hand over and return.
pub(crate) trait Driver: Send {
    /// Takes an order. It may be one that was given before a restart.
    fn carry_out(&self, effect: Effect);
}

/// Takes notices for the user.
pub(crate) type NoticeSink = Box<dyn Fn(Notice) + Send>;

type Answer = Box<dyn FnOnce(Reply, Vec<Notice>) + Send>;
/// Tells the one who waits what came of it.
type Word = Box<dyn FnOnce(Outcome) + Send>;
/// Runs something as one command.
type Work = Box<dyn FnOnce(&mut Core) -> (Applied, Word) + Send>;
/// The same, again and again until it is durable.
type Repeatable = Box<dyn FnMut(&mut Core) -> (Applied, Word) + Send>;

/// What lies in the lane of calls.
enum Call {
    Command(Box<Command>, Option<Answer>),
    Work(Work),
}

/// What lies in the lane of reports: kept until it is durable.
enum News {
    Report(Report, Option<Box<dyn FnOnce() + Send>>),
    Work(Repeatable),
}

/// The way to the writer, to be cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    lanes: Arc<Lanes<Call, News>>,
    snapshot: Snapshot,
    reads: Reads,
}

impl Writer {
    /// The way to a writer that is started later, so that drivers can hold one end.
    pub(crate) fn new(core: &Core) -> Self {
        Self { lanes: Arc::new(Lanes::new()), snapshot: Snapshot::of(core.store()), reads: core.reads() }
    }

    /// What can be read without entering the writer.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Makes an API call. One that only reads what is published is answered from there; any other waits for a place in the lane, then
    /// for the answer, which comes with what the call accepted and does not act on.
    pub(crate) async fn call(&self, request: Request) -> Result<(Reply, Vec<Notice>), Refused> {
        if self.reads.has(&request.service, &request.operation)
            && let Some(reply) = self.snapshot.answer(&self.reads, &request)
        {
            return Ok((reply, vec![]));
        }
        self.command(Command::Request(request)).await
    }

    /// Hands in a command, waits for a place in the lane and until the command is durable. One that has no answer of its own is
    /// answered with nothing.
    pub(crate) async fn command(&self, command: Command) -> Result<(Reply, Vec<Notice>), Refused> {
        let place = self.lanes.place().await?;
        let (sender, receiver) = oneshot::channel();
        // Whoever asked may be gone.
        let answer: Answer = Box::new(move |reply, notices| drop(sender.send((reply, notices))));
        self.lanes.push_call(Call::Command(Box::new(command), Some(answer)), Some(place))?;
        receiver.await.map_err(|_| Refused::Stopping)
    }

    /// Hands in a command of the engine's own that nobody waits for.
    pub(crate) fn order(&self, command: Command) {
        // After the writer's end it is dropped, as after a crash.
        let _ = self.lanes.push_call(Call::Command(Box::new(command), None), None);
    }

    /// Makes an API call of the engine's own and waits for its answer.
    pub(crate) fn call_and_wait(&self, request: Request) -> Result<Reply, Refused> {
        let (sender, receiver) = channel();
        let answer: Answer = Box::new(move |reply, _| drop(sender.send(reply)));
        self.lanes.push_call(Call::Command(Box::new(Command::Request(request)), Some(answer)), None)?;
        receiver.recv().map_err(|_| Refused::Stopping)
    }

    /// Does work of the engine's own as the account's root, as one command; waits for a place in the lane and until the work is
    /// durable.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        scope: Scope,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Result<T, Fault>, Refused> {
        let place: Place = self.lanes.place().await?;
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |core: &mut Core| {
            let (result, applied) = core.perform(wall::now(), &scope, Principal::root(&scope.account), work);
            let word: Word = Box::new(move |outcome| drop(sender.send(outcome.and(result))));
            (applied, word)
        });
        self.lanes.push_call(Call::Work(work), Some(place))?;
        receiver.await.map_err(|_| Refused::Stopping)
    }

    /// Does a driver's work as the account's root, as one command, and waits until it is durable, however long the journal
    /// cannot be written.
    pub(crate) fn perform_for_driver<T: Send + 'static>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Cx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Result<T, Fault>, Refused> {
        let (sender, receiver) = channel();
        let work: Repeatable = Box::new(move |core: &mut Core| {
            let (result, applied) = core.perform(wall::now(), &scope, Principal::root(&scope.account), &work);
            let sender = sender.clone();
            (applied, Box::new(move |outcome| drop(sender.send(outcome.and(result)))))
        });
        self.lanes.push_report(News::Work(work), 0)?;
        receiver.recv().map_err(|_| Refused::Stopping)
    }

    /// Hands in a driver's report of so many bytes, once there is room for it; `kept` is called when it is durable. After the
    /// writer's end it is dropped, as after a crash.
    pub(crate) fn report(&self, report: Report, bytes: usize, kept: Option<Box<dyn FnOnce() + Send>>) {
        let _ = self.lanes.push_report(News::Report(report, kept), bytes);
    }

    /// Ends the writer after what it has taken so far; at once, where it cannot write.
    pub(crate) fn stop(&self) {
        self.lanes.close();
    }
}

/// What the writer works on and hands to.
pub(crate) struct Parts {
    /// The core, with the journal's rows loaded.
    pub(crate) core: Core,
    /// Where deltas go.
    pub(crate) journal: Box<dyn Journal + Send>,
    /// Who carries out effects, by driver name.
    pub(crate) drivers: BTreeMap<&'static str, Box<dyn Driver>>,
    /// Who hears notices.
    pub(crate) notices: NoticeSink,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("core", &self.core).finish_non_exhaustive()
    }
}

/// How long a journal that could not be written is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the writer. The thread's result is why it could not write when it ended.
pub(crate) fn start(parts: Parts, writer: &Writer) -> std::io::Result<JoinHandle<Result<(), String>>> {
    let mut loop_ = commit::Committer::new(parts, writer, RETRY);
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || loop_.run())
}
