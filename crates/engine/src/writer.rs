//! The single writer: a thread that owns the core and the journal, and lets nothing out before it is durable.
//!
//! Commands are taken in the order they come. Everything that waits is applied before one commit is made for all of it, so the
//! cost of a commit is shared when there is much to do and paid alone when there is little.
//!
//! Invariant: a reply, an effect or a notice leaves this thread only after the deltas of its command are durable.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use neargate_base::Scope;
use neargate_kernel::{
    Applied, Command, Core, Cx, Effect, Fault, Journal, Notice, NoticeKind, Principal, Reply, Request,
};
use neargate_runtime::crash;

use crate::wall;

/// Commands and due jobs that one commit may hold.
const COMMANDS_PER_COMMIT_MAX: usize = 512;

/// The longest wait for a message where a job is due later.
const WAIT_MS_MAX: u64 = 60_000;

/// A wait that took longer than it should by so much: the machine slept, or its clock was set.
const SLEEP_MS_MIN: i64 = 60_000;

/// Carries out the effects of one kind. Must not block the writer: hand over and return.
pub(crate) trait Driver: Send {
    /// Takes an order. It may be one that was given before a restart.
    fn carry_out(&self, effect: Effect);
}

/// Takes notices for the user.
pub(crate) type NoticeSink = Box<dyn Fn(Notice) + Send>;

type Answer = Box<dyn FnOnce(Reply, Vec<Notice>) + Send>;
type Look = Box<dyn FnOnce(&Core) + Send>;
/// Does something as one command; what comes back tells the one who waits, once the command is durable.
type Deed = Box<dyn FnOnce(&mut Core) -> (Applied, Word) + Send>;
type Word = Box<dyn FnOnce() + Send>;

enum Message {
    Command(Box<Command>, Option<Answer>),
    Deed(Deed),
    Look(Look),
    Stop,
}

/// The way to the writer, to be cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    sender: Sender<Message>,
}

impl Writer {
    /// A channel to a writer that is started later, so that drivers can hold one end.
    pub(crate) fn channel() -> (Self, Inbox) {
        let (sender, receiver) = channel();
        (Self { sender }, Inbox(receiver))
    }

    /// Hands in an API call; the answer comes from the writer's thread, with what the call accepted and does not act on.
    pub(crate) fn request(&self, request: Request, answer: impl FnOnce(Reply, Vec<Notice>) + Send + 'static) {
        self.ask(Command::Request(request), answer);
    }

    /// Hands in a command that is answered.
    pub(crate) fn ask(&self, command: Command, answer: impl FnOnce(Reply, Vec<Notice>) + Send + 'static) {
        let message = Message::Command(Box::new(command), Some(Box::new(answer)));
        if let Err(refused) = self.sender.send(message)
            && let Message::Command(_, Some(answer)) = refused.0
        {
            answer(Err(Fault::internal("the engine is stopping").with_status(503)), vec![]);
        }
    }

    /// Hands in a command that nobody waits for. After the writer's end it is dropped, as after a crash.
    pub(crate) fn command(&self, command: Command) {
        let _ = self.sender.send(Message::Command(Box::new(command), None));
    }

    /// Does work of the engine's own as the account's root, as one command, and waits until it is durable.
    pub(crate) fn perform<T: Send + 'static>(
        &self,
        scope: Scope,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, receiver) = channel();
        let deed = move |core: &mut Core| {
            let principal = Principal::root(&scope.account);
            let (result, applied) = core.perform(wall::now(), &scope, principal, work);
            // Whoever asked may be gone.
            (applied, Box::new(move || drop(sender.send(result))) as Word)
        };
        let stopping = || Fault::internal("the engine is stopping").with_status(503);
        self.sender.send(Message::Deed(Box::new(deed))).map_err(|_| stopping())?;
        receiver.recv().map_err(|_| stopping())?
    }

    /// Looks at the state, in order with the commands and after everything before is durable. `None` when the engine stops.
    pub(crate) fn look<T: Send + 'static>(&self, look: impl FnOnce(&Core) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = channel();
        let look = Box::new(move |core: &Core| drop(sender.send(look(core))));
        self.sender.send(Message::Look(look)).ok()?;
        receiver.recv().ok()
    }

    /// Does something on the writer's thread once everything handed in before is durable.
    pub(crate) fn after(&self, work: impl FnOnce() + Send + 'static) {
        let _ = self.sender.send(Message::Look(Box::new(move |_| work())));
    }

    /// Ends the writer after what it has taken so far.
    pub(crate) fn stop(&self) {
        let _ = self.sender.send(Message::Stop);
    }
}

/// The writer's end of the channel.
#[derive(Debug)]
pub(crate) struct Inbox(Receiver<Message>);

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

/// Starts the writer. The thread's result is why it ended, when that was not asked for; `failed` hears it at once.
pub(crate) fn start(
    parts: Parts,
    inbox: Inbox,
    failed: impl FnOnce(&str) + Send + 'static,
) -> std::io::Result<JoinHandle<Result<(), String>>> {
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || run(parts, &inbox.0).inspect_err(|reason| failed(reason)))
}

fn run(mut parts: Parts, inbox: &Receiver<Message>) -> Result<(), String> {
    let unfinished = parts.core.unfinished();
    parts.hand_out(unfinished);
    let size_max = crash::commands_per_commit_max().unwrap_or(COMMANDS_PER_COMMIT_MAX);
    loop {
        let Some(first) = parts.wait(inbox) else { return Ok(()) };
        let mut batch = Batch::default();
        let mut stop = batch.take(&mut parts.core, first);
        while !stop && batch.size < size_max {
            match inbox.try_recv() {
                Ok(message) => stop = batch.take(&mut parts.core, Some(message)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => stop = true,
            }
        }
        batch.run_due(&mut parts.core, size_max);
        parts.commit(batch).map_err(|error| error.to_string())?;
        if stop {
            return Ok(());
        }
    }
}

impl Parts {
    /// The next message; `Some(None)` when a job is due instead, `None` when nobody can send any more.
    #[allow(clippy::option_option, reason = "outer: goes on, inner: has a message")]
    fn wait(&mut self, inbox: &Receiver<Message>) -> Option<Option<Message>> {
        let now = wall::now();
        let Some(due) = self.core.next_due(now) else { return inbox.recv().ok().map(Some) };
        let wait_ms = u64::try_from(due.millis().saturating_sub(now.millis())).unwrap_or(0);
        // A longer wait than a minute is cut, so that a machine that slept or whose clock was set is noticed.
        let wait_ms = wait_ms.min(WAIT_MS_MAX);
        let received = inbox.recv_timeout(Duration::from_millis(wait_ms));
        let after = wall::now();
        if after.millis().saturating_sub(now.millis()) > i64::try_from(wait_ms).unwrap_or(0) + SLEEP_MS_MIN {
            self.core.resumed(after);
        }
        match received {
            Ok(message) => Some(Some(message)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<(), neargate_kernel::JournalError> {
        let mut sequence = None;
        let is_change = !batch.deltas.is_empty();
        for deltas in batch.deltas {
            crash::point();
            sequence = Some(self.journal.append(deltas)?);
        }
        if let Some(sequence) = sequence {
            self.core.sync_segments()?;
            crash::point();
            self.journal.durable(sequence)?;
            crash::point();
        }
        self.core.remove_segments(&batch.removed_segments)?;
        for (answer, reply, notices) in batch.replies {
            answer(reply, notices);
            if is_change {
                crash::point();
            }
        }
        self.hand_out(batch.effects);
        for notice in batch.notices {
            (self.notices)(notice);
        }
        for look in batch.looks {
            look(&self.core);
        }
        for word in batch.words {
            word();
        }
        Ok(())
    }

    fn hand_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let Some(driver) = self.drivers.get(effect.driver.as_str()) {
                crash::point();
                driver.carry_out(effect);
                crash::point();
            }
        }
    }
}

/// Everything that one commit holds.
#[derive(Default)]
struct Batch {
    size: usize,
    deltas: Vec<Vec<neargate_kernel::Delta>>,
    replies: Vec<(Answer, Reply, Vec<Notice>)>,
    effects: Vec<Effect>,
    notices: Vec<Notice>,
    removed_segments: Vec<String>,
    looks: Vec<Look>,
    words: Vec<Word>,
}

impl Batch {
    /// Applies one message; answers whether the writer should end.
    fn take(&mut self, core: &mut Core, message: Option<Message>) -> bool {
        match message {
            None => {}
            Some(Message::Stop) => return true,
            Some(Message::Look(look)) => self.looks.push(look),
            Some(Message::Deed(deed)) => {
                let (applied, word) = deed(core);
                self.words.push(word);
                self.add(applied);
            }
            Some(Message::Command(command, answer)) => {
                let mut applied = core.apply(wall::now(), *command);
                if let (Some(answer), Some(reply)) = (answer, applied.reply.take()) {
                    let silent = applied.notices.iter().filter(|notice| notice.kind == NoticeKind::NotSimulated);
                    self.replies.push((answer, reply, silent.cloned().collect()));
                }
                self.add(applied);
            }
        }
        false
    }

    fn run_due(&mut self, core: &mut Core, size_max: usize) {
        while self.size < size_max
            && let Some(applied) = core.run_due(wall::now())
        {
            self.add(applied);
        }
    }

    fn add(&mut self, applied: Applied) {
        self.size += 1;
        if !applied.deltas.is_empty() {
            self.deltas.push(applied.deltas);
        }
        self.effects.extend(applied.effects);
        self.notices.extend(applied.notices);
        self.removed_segments.extend(applied.removed_segments);
    }
}
