//! Applying what waits, committing it, letting it out; and what becomes of it when the journal cannot be written.
//!
//! Every commit takes from each lane its share and then from whoever has more, and the lane that is first changes from commit to
//! commit. So a call is served after at most as many commits as there are shares of calls before it, whatever the drivers report.
//! What the reports of one commit weigh and how long they take is bounded too, so that the call does not wait long for its commit.
//!
//! A journal that fails is a state of the writer. What was not made durable is undone; calls that would change something are
//! answered that the state cannot be written, reads are answered, reports and jobs wait, no effect leaves. Where it is certain that
//! the failed commit left nothing on disk, the journal is probed from time to time and the writer goes on once it can; otherwise
//! the engine has to be started again, which reads what is on disk.
//!
//! Invariant: what leaves the writer is durable, also the state that a read is answered from.
//!
//! Invariant: while the journal fails nothing is ordered from a driver, and no report is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use neargate_kernel::{
    Applied, Command, Core, Delta, Effect, Fault, Journal, JournalError, Notice, NoticeKind, Reply, Undo,
};
use neargate_runtime::crash;

use super::lanes::Lanes;
use super::{Answer, Call, Driver, News, NoticeSink, Parts, Snapshot, Word, Writer};
use crate::wall;

/// Commands and due jobs that one commit may hold.
pub(super) const COMMANDS_PER_COMMIT_MAX: usize = 512;

/// What the reports in one commit may weigh; the first may weigh more.
pub(super) const REPORT_BYTES_PER_COMMIT_MAX: usize = 1 << 20;

/// How long the reports in one commit may take to apply; the one that goes beyond is the last.
pub(super) const REPORT_TIME_PER_COMMIT_MAX: Duration = Duration::from_millis(2);

/// The longest wait for something to do.
const WAIT_MS_MAX: u64 = 60_000;

/// A wait that took longer than it should by so much: the machine slept, or its clock was set.
const SLEEP_MS_MIN: i64 = 60_000;

/// Whether something became durable.
pub(super) type Outcome = Result<(), Fault>;

#[derive(Clone, Copy)]
enum Lane {
    Calls,
    Reports,
    Jobs,
}

/// In the order in which they begin to be first.
const LANES: [Lane; 3] = [Lane::Calls, Lane::Reports, Lane::Jobs];

/// How the writer sees time pass.
pub(super) type Passed = Box<dyn Fn() -> Duration + Send>;

/// The journal cannot be written.
#[derive(Debug)]
struct Failure {
    error: JournalError,
    probe_at: Instant,
}

/// The writer's thread.
pub(super) struct Committer {
    core: Core,
    journal: Box<dyn Journal + Send>,
    drivers: BTreeMap<&'static str, Box<dyn Driver>>,
    notices: NoticeSink,
    lanes: Arc<Lanes<Call, News>>,
    snapshot: Snapshot,
    size_max: usize,
    retry: Duration,
    /// Time that passes, from any beginning.
    passed: Passed,
    /// Which lane is first in the next commit.
    turn: usize,
    failure: Option<Failure>,
    /// When the machine's clock was last looked at.
    observed: Instant,
    /// The machine slept, or its clock was put forward, since.
    slept: bool,
}

impl Committer {
    pub(super) fn new(parts: Parts, writer: &Writer, retry: Duration) -> Self {
        let begin = Instant::now();
        Self::with_clock(parts, writer, retry, Box::new(move || begin.elapsed()))
    }

    /// A writer that sees time pass as it is told.
    pub(super) fn with_clock(parts: Parts, writer: &Writer, retry: Duration, passed: Passed) -> Self {
        let Parts { core, journal, drivers, notices } = parts;
        Self {
            core,
            journal,
            drivers,
            notices,
            lanes: Arc::clone(&writer.lanes),
            snapshot: writer.snapshot.clone(),
            size_max: crash::commands_per_commit_max().unwrap_or(COMMANDS_PER_COMMIT_MAX),
            retry,
            passed,
            turn: 0,
            failure: None,
            observed: Instant::now(),
            slept: false,
        }
    }

    /// Works until the lanes are closed. `Err` says why not all that was in them could be written.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.hand_out(self.core.unfinished());
        loop {
            self.wait();
            let is_closed = self.lanes.is_closed();
            self.step();
            if is_closed && (self.failure.is_some() || self.lanes.len() == (0, 0)) {
                self.lanes.clear();
                return self.failure.take().map_or(Ok(()), |failure| Err(failure.error.to_string()));
            }
        }
    }

    /// One commit, or whatever can be done without.
    pub(super) fn step(&mut self) {
        if self.failure.is_some() {
            return self.step_without_journal();
        }
        let mut batch = self.gather();
        let unwritten = batch.unwritten.take();
        match self.commit(&mut batch) {
            Ok(()) => {
                self.let_out(batch);
                if let Some(error) = unwritten {
                    self.fail(error);
                }
            }
            Err(error) => self.undo(batch, error),
        }
    }

    /// Waits until there is something to do.
    fn wait(&mut self) {
        if let Some(failure) = &self.failure {
            let until_probe = failure.probe_at.saturating_duration_since(Instant::now());
            return self.lanes.wait(false, failure.error.is_undone.then_some(until_probe));
        }
        let now = wall::now();
        let until_due = |due: neargate_base::Timestamp| due.millis().saturating_sub(now.millis());
        let wait_ms = self.core.next_due(now).map(|due| u64::try_from(until_due(due)).unwrap_or(0));
        // A longer wait than a minute is cut, so that a machine that slept or whose clock was set is noticed.
        let wait_ms = wait_ms.unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX);
        self.lanes.wait(true, Some(Duration::from_millis(wait_ms)));
        let after = wall::now();
        if after.millis().saturating_sub(now.millis()) > i64::try_from(wait_ms).unwrap_or(0) + SLEEP_MS_MIN {
            self.slept = true;
        }
    }

    /// Looks at the machine's clock: before anything else of a commit, which may not see it go back.
    fn observe(&mut self, batch: &mut Batch) {
        let (process, at) = (wall::now(), Instant::now());
        let elapsed = at.duration_since(std::mem::replace(&mut self.observed, at));
        if let Some(applied) = self.core.observe(process, i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)) {
            drop(batch.add(applied));
        }
        if std::mem::take(&mut self.slept) {
            self.core.resumed(process);
        }
    }

    /// Applies what one commit may hold: of each lane its share, then more of those that have more.
    fn gather(&mut self) -> Batch {
        let mut batch = Batch::default();
        self.observe(&mut batch);
        let share = self.size_max.div_ceil(LANES.len());
        for most in [share, self.size_max] {
            for lane in LANES.iter().cycle().skip(self.turn).take(LANES.len()) {
                let size_max = (batch.size + most).min(self.size_max);
                while batch.size < size_max && batch.unwritten.is_none() && self.apply_next(*lane, &mut batch) {}
            }
        }
        self.turn = (self.turn + 1) % LANES.len();
        batch
    }

    /// Applies the next of a lane; answers whether there was one.
    fn apply_next(&mut self, lane: Lane, batch: &mut Batch) -> bool {
        match lane {
            Lane::Calls => match self.lanes.take_call() {
                Some(call) => batch.apply_call(&mut self.core, call),
                None => return false,
            },
            Lane::Reports => match batch.report_bytes_left().and_then(|bytes| self.lanes.take_report(bytes)) {
                Some((news, bytes)) => {
                    let before = (self.passed)();
                    batch.apply_news(&mut self.core, news, bytes);
                    batch.report_time += (self.passed)().saturating_sub(before);
                }
                None => return false,
            },
            Lane::Jobs => match self.core.run_due(wall::now()) {
                Some(applied) => drop(batch.add(applied)),
                None => return false,
            },
        }
        true
    }

    fn commit(&mut self, batch: &mut Batch) -> Result<(), JournalError> {
        let mut sequence = None;
        for deltas in std::mem::take(&mut batch.deltas) {
            crash::point();
            sequence = Some(self.journal.append(deltas)?);
            batch.is_change = true;
        }
        if let Some(sequence) = sequence {
            self.core.sync_segments()?;
            crash::point();
            self.journal.durable(sequence)?;
            crash::point();
        }
        Ok(())
    }

    /// Lets out what is durable.
    fn let_out(&mut self, batch: Batch) {
        self.snapshot.publish(self.core.store(), batch.undo.iter());
        if let Err(error) = self.core.remove_segments(&batch.removed_segments) {
            let text = format!("{error}: it takes room and is never read");
            (self.notices)(Notice { kind: NoticeKind::Failed, subject: "engine".to_owned(), text, hint: None });
        }
        for notice in batch.notices {
            (self.notices)(notice);
        }
        for (answer, reply, notices) in batch.replies {
            answer(reply, notices);
            if batch.is_change {
                crash::point();
            }
        }
        self.hand_out(batch.effects);
        for word in batch.words {
            word(Ok(()));
        }
        for (news, _, word) in batch.reports {
            match (news, word) {
                (News::Report(_, Some(kept)), _) => kept(),
                (News::Work(_), Some(word)) => word(Ok(())),
                _ => {}
            }
        }
        self.lanes.put_back(batch.unapplied.into_iter());
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

    /// Puts the state back to what is durable, and everything else to where it came from.
    fn undo(&mut self, batch: Batch, error: JournalError) {
        self.journal.discard();
        self.core.undo(batch.undo.into_iter());
        let fault = unavailable(&error);
        for (answer, _, _) in batch.replies {
            answer(Err(fault.clone()), vec![]);
        }
        for word in batch.words {
            word(Err(fault.clone()));
        }
        let reports = batch.reports.into_iter().map(|(news, bytes, _)| (news, bytes));
        self.lanes.put_back(reports.chain(batch.unapplied).collect::<Vec<_>>().into_iter());
        self.fail(error);
    }

    fn fail(&mut self, error: JournalError) {
        let text = format!(
            "the engine's state cannot be written: {error}: calls that change something are refused, tasks run on as they are"
        );
        self.snapshot.set_failure(Some(error.to_string()));
        (self.notices)(Notice {
            kind: NoticeKind::Failed,
            subject: "engine".to_owned(),
            text,
            hint: Some(way_out(&error).to_owned()),
        });
        self.failure = Some(Failure { error, probe_at: Instant::now() + self.retry });
    }

    /// Answers what needs no commit; looks from time to time whether the journal can be written again.
    fn step_without_journal(&mut self) {
        let Some(fault) = self.failure.as_ref().map(|failure| unavailable(&failure.error)) else { return };
        while let Some(call) = self.lanes.take_call() {
            let mut batch = Batch::default();
            batch.apply_call(&mut self.core, call);
            let is_read = batch.is_read;
            self.core.undo(batch.undo.into_iter());
            for (answer, reply, notices) in batch.replies {
                if is_read { answer(reply, notices) } else { answer(Err(fault.clone()), vec![]) }
            }
            for word in batch.words {
                word(if is_read { Ok(()) } else { Err(fault.clone()) });
            }
        }
        let Some(failure) = self.failure.as_mut() else { return };
        if !failure.error.is_undone || Instant::now() < failure.probe_at {
            return;
        }
        match self.journal.probe() {
            Ok(()) => {
                self.failure = None;
                self.snapshot.set_failure(None);
                let text = "the engine's state can be written again".to_owned();
                (self.notices)(Notice { kind: NoticeKind::Progress, subject: "engine".to_owned(), text, hint: None });
            }
            Err(error) => {
                failure.error = error;
                failure.probe_at = Instant::now() + self.retry;
            }
        }
    }
}

fn way_out(error: &JournalError) -> &'static str {
    if error.is_undone {
        "nothing that was acknowledged is lost: make room, and the engine goes on by itself"
    } else {
        "nothing that was acknowledged is lost: see to the disk and start the engine again, tasks that run are taken over"
    }
}

/// What a call is answered that cannot be made durable.
fn unavailable(error: &JournalError) -> Fault {
    Fault::unavailable(format!("The engine's state cannot be written: {error}")).with_hint(way_out(error))
}

/// Everything that one commit holds.
struct Batch {
    size: usize,
    is_change: bool,
    /// Whether nothing in it needs a commit.
    is_read: bool,
    deltas: Vec<Vec<Delta>>,
    undo: Vec<Undo>,
    replies: Vec<(Answer, Reply, Vec<Notice>)>,
    words: Vec<Word>,
    reports: Vec<(News, usize, Option<Word>)>,
    report_bytes: usize,
    report_time: Duration,
    effects: Vec<Effect>,
    notices: Vec<Notice>,
    removed_segments: Vec<String>,
    /// Why the last command could not be applied; it is in `unapplied`, or answered.
    unwritten: Option<JournalError>,
    unapplied: Vec<(News, usize)>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            size: 0,
            is_change: false,
            is_read: true,
            deltas: vec![],
            undo: vec![],
            replies: vec![],
            words: vec![],
            reports: vec![],
            report_bytes: 0,
            report_time: Duration::ZERO,
            effects: vec![],
            notices: vec![],
            removed_segments: vec![],
            unwritten: None,
            unapplied: vec![],
        }
    }
}

impl Batch {
    /// What the next report may weigh; `None` where the reports had their time.
    fn report_bytes_left(&self) -> Option<usize> {
        if self.reports.is_empty() {
            return Some(usize::MAX);
        }
        if self.report_time >= REPORT_TIME_PER_COMMIT_MAX {
            return None;
        }
        Some(REPORT_BYTES_PER_COMMIT_MAX.saturating_sub(self.report_bytes))
    }

    fn apply_call(&mut self, core: &mut Core, call: Call) {
        match call {
            Call::Work(work) => {
                let (applied, word) = work(core);
                match self.add(applied) {
                    Ok(()) => self.words.push(word),
                    Err(fault) => word(Err(fault)),
                }
            }
            Call::Command(command, answer) => {
                let mut applied = core.apply(wall::now(), *command);
                let reply = applied.reply.take().unwrap_or(Ok(neargate_shape::Value::Null));
                let silent = applied.notices.iter().filter(|notice| notice.kind == NoticeKind::NotSimulated);
                let silent: Vec<Notice> = silent.cloned().collect();
                match (self.add(applied), answer) {
                    (Ok(()), Some(answer)) => self.replies.push((answer, reply, silent)),
                    (Err(fault), Some(answer)) => answer(Err(fault), vec![]),
                    (_, None) => {}
                }
            }
        }
    }

    fn apply_news(&mut self, core: &mut Core, mut news: News, bytes: usize) {
        let (applied, word) = match &mut news {
            News::Report(report, _) => (core.apply(wall::now(), Command::Report(report.clone())), None),
            News::Work(work) => {
                let (applied, word) = work(core);
                (applied, Some(word))
            }
        };
        match self.add(applied) {
            Ok(()) => {
                self.reports.push((news, bytes, word));
                self.report_bytes += bytes;
            }
            Err(_) => self.unapplied.push((news, bytes)),
        }
    }

    /// `Err` where the core undid the command because a segment could not be written.
    fn add(&mut self, applied: Applied) -> Outcome {
        self.size += 1;
        self.is_read &= applied.is_read();
        if let Some(error) = applied.unwritten {
            let fault = unavailable(&error);
            self.unwritten = Some(error);
            return Err(fault);
        }
        if !applied.deltas.is_empty() {
            self.deltas.push(applied.deltas);
        }
        self.undo.push(applied.undo);
        self.effects.extend(applied.effects);
        self.notices.extend(applied.notices);
        self.removed_segments.extend(applied.removed_segments);
        Ok(())
    }
}
