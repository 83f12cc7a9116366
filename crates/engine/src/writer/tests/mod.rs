//! The writer over a journal that is told when to fail, step by step: a test counts commits, not time.

mod failing;
mod lanes;
mod order;
mod reads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use neargate_base::Scope;
use neargate_kernel::{
    Command, Core, Cx, Delta, Effect, Fault, Job, Journal, JournalError, MemoryJournal, Notice, NoticeKind, Record,
    Registry, Report, Row, Segments, Service,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::commit::Committer;
use super::{Answer, Call, Driver, News, Parts, Repeatable, Writer};

/// A row of the test's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing(u64);

impl Record for Thing {
    const TABLE: &'static str = "test.thing";
    const IS_PUBLISHED: bool = true;
}

fn scope() -> Scope {
    Scope::new("000000000000", "eu-west-1")
}

const DRIVER: &str = "test";
const WORK: &str = "test.work";

/// Does what the payload says, in this order.
fn work(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let has = |member: &str| job.payload.get(member).and_then(Json::as_str).map(str::to_owned);
    if let Some(id) = has("put") {
        let before = cx.get::<Thing>(&id).map_or(0, |thing| thing.0);
        cx.put(&id, Thing(before + 1));
    }
    if let Some(bytes) = has("segment") {
        // A service may take a failure lightly; what it acknowledges then is still undone.
        let _ = cx.write_segment("segment", 0, bytes.as_bytes());
    }
    if let Some(order) = has("emit") {
        cx.emit(DRIVER, json!({ "order": order }));
    }
    if let Some(text) = has("notice") {
        cx.notice(Notice { kind: NoticeKind::Progress, subject: "test".to_owned(), text, hint: None });
    }
    if has("panic").is_some() {
        panic!("as asked for");
    }
    has("fault").map_or(Ok(()), |text| Err(Fault::validation(text)))
}

/// Counts the reports about an order.
fn report(cx: &mut Cx<'_>, effect: &Effect, _: &Report) -> Result<(), Fault> {
    let id = format!("reports-{}", effect.id);
    let before = cx.get::<Thing>(&id).map_or(0, |thing| thing.0);
    cx.put(&id, Thing(before + 1));
    Ok(())
}

fn service() -> Service {
    Service {
        shape: &neargate_api::sts::SERVICE,
        operations: vec![],
        resources: vec![],
        jobs: vec![(WORK, work)],
        reports: vec![(DRIVER, report)],
        records: |store| store.register::<Thing>(),
    }
}

/// What happened, in order.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Durable(usize),
    Failed,
    Reply(String, Result<(), u16>),
    Effect(String),
    Notice(String),
    Kept(String),
}

type Log = Arc<Mutex<Vec<Seen>>>;

fn see(log: &Log, seen: Seen) {
    log.lock().unwrap().push(seen);
}

/// What the disk does next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Disk {
    Works,
    /// Nothing can be written, and nothing was.
    Full,
    /// Nobody knows what was written.
    Broken,
}

#[derive(Debug)]
struct Recording {
    journal: MemoryJournal,
    disk: Arc<Mutex<Disk>>,
    log: Log,
    waiting: usize,
    /// What the published state is while a commit is made.
    snapshot: Arc<Mutex<Option<super::Snapshot>>>,
}

fn no_room(disk: Disk) -> Result<(), JournalError> {
    let error = |is_undone| JournalError { doing: "commit".to_owned(), cause: "no space".to_owned(), is_undone };
    match disk {
        Disk::Works => Ok(()),
        Disk::Full => Err(error(true)),
        Disk::Broken => Err(error(false)),
    }
}

impl Journal for Recording {
    fn load(&mut self) -> Result<Vec<Row>, JournalError> {
        self.journal.load()
    }

    fn append(&mut self, deltas: Vec<Delta>) -> Result<u64, JournalError> {
        self.waiting += 1;
        if let (Some(snapshot), Some(Delta::Put(row))) = (&*self.snapshot.lock().unwrap(), deltas.first())
            && row.table == Thing::TABLE
        {
            let published = snapshot.look(|store| {
                store.all::<Thing>().any(|(_, id, thing)| {
                    row.key.ends_with(&format!("/{id}")) && serde_json::to_vec(thing).unwrap() == row.body
                })
            });
            assert!(!published, "published before it was durable: {row:?}");
        }
        self.journal.append(deltas)
    }

    fn durable(&mut self, sequence: u64) -> Result<(), JournalError> {
        let waiting = std::mem::take(&mut self.waiting);
        no_room(*self.disk.lock().unwrap()).inspect_err(|_| see(&self.log, Seen::Failed))?;
        self.journal.durable(sequence)?;
        see(&self.log, Seen::Durable(waiting));
        Ok(())
    }

    fn discard(&mut self) {
        self.waiting = 0;
        self.journal.discard();
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        no_room(*self.disk.lock().unwrap())
    }
}

#[derive(Debug)]
struct TestSegments(Arc<Mutex<Disk>>);

impl Segments for TestSegments {
    fn write(&mut self, _: &str, _: u64, _: &[u8]) -> Result<(), JournalError> {
        no_room(*self.0.lock().unwrap())
    }

    fn read(&self, _: &str, _: u64, _: usize) -> Result<Vec<u8>, JournalError> {
        Ok(vec![])
    }

    fn remove(&mut self, _: &str) -> Result<(), JournalError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

struct Orders(Log);

impl Driver for Orders {
    fn carry_out(&self, effect: Effect) {
        see(&self.0, Seen::Effect(effect.order["order"].as_str().unwrap().to_owned()));
    }
}

/// A writer without a thread.
struct Bench {
    writer: Writer,
    committer: Committer,
    disk: Arc<Mutex<Disk>>,
    log: Log,
    /// How much time has passed: none does unless a test says so.
    passed: Arc<Mutex<Duration>>,
}

impl Bench {
    fn new() -> Self {
        let (log, disk) = (Log::default(), Arc::new(Mutex::new(Disk::Works)));
        let snapshot = Arc::new(Mutex::new(None));
        let registry = Registry::new(neargate_testkit::open_ports(), vec![service()]);
        let core = Core::open(registry, vec![], Box::new(TestSegments(Arc::clone(&disk))), 1).unwrap();
        let writer = Writer::new(&core);
        *snapshot.lock().unwrap() = Some(writer.snapshot().clone());
        let journal = Recording {
            journal: MemoryJournal::default(),
            disk: Arc::clone(&disk),
            log: Arc::clone(&log),
            waiting: 0,
            snapshot,
        };
        let heard = Arc::clone(&log);
        let parts = Parts {
            core,
            journal: Box::new(journal),
            drivers: BTreeMap::from([(DRIVER, Box::new(Orders(Arc::clone(&log))) as Box<dyn Driver>)]),
            notices: Box::new(move |notice| see(&heard, Seen::Notice(notice.text))),
        };
        let passed = Arc::new(Mutex::new(Duration::ZERO));
        let clock = Arc::clone(&passed);
        let clock = Box::new(move || *clock.lock().unwrap());
        let committer = Committer::with_clock(parts, &writer, Duration::ZERO, clock);
        Self { writer, committer, disk, log, passed }
    }

    fn set(&self, disk: Disk) {
        *self.disk.lock().unwrap() = disk;
    }

    /// Hands in a call; its reply is seen under the name.
    fn call(&self, name: &str, payload: Json) {
        let (log, name) = (Arc::clone(&self.log), name.to_owned());
        let command = Command::RunJob { scope: scope(), handler: WORK, payload };
        let answer: Answer = Box::new(move |reply, _| {
            see(&log, Seen::Reply(name, reply.map(drop).map_err(|fault| fault.status)));
        });
        self.writer.lanes.push_call(Call::Command(Box::new(command), Some(answer)), None).unwrap();
    }

    /// Hands in a report of so many bytes; that it is kept is seen under the name.
    fn report(&self, name: &str, effect: &str, bytes: usize) {
        let (log, name) = (Arc::clone(&self.log), name.to_owned());
        let report = Report { effect: effect.to_owned(), news: Json::Null, payload: None, finished: false };
        self.writer.report(report, bytes, Some(Box::new(move || see(&log, Seen::Kept(name)))));
    }

    /// Hands in a report that takes so long to apply; that it is kept is seen under the name.
    fn slow_report(&self, name: &str, time: Duration) {
        let (passed, log, name) = (Arc::clone(&self.passed), Arc::clone(&self.log), name.to_owned());
        let work: Repeatable = Box::new(move |core| {
            *passed.lock().unwrap() += time;
            let root = neargate_kernel::Principal::root(&scope().account);
            let (result, applied) = core.perform(crate::wall::now(), &scope(), root, |cx| {
                cx.put(&format!("slow-{name}"), Thing(1));
                Ok(())
            });
            let (log, name) = (Arc::clone(&log), name.clone());
            (
                applied,
                Box::new(move |outcome| see(&log, outcome.and(result).map_or(Seen::Failed, |()| Seen::Kept(name)))),
            )
        });
        self.writer.lanes.push_report(News::Work(work), 0).unwrap();
    }

    fn step(&mut self) {
        self.committer.step();
    }

    /// What was seen since the last time.
    fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    fn published(&self, id: &str) -> Option<u64> {
        self.writer.snapshot().look(|store| store.get::<Thing>(&scope(), id).map(|thing| thing.0))
    }

    /// An order that stands, to report about.
    fn effect(&mut self) -> String {
        self.call("emit", json!({ "emit": "standing" }));
        self.step();
        self.seen();
        let unfinished = self
            .writer
            .snapshot()
            .read(|store| store.all::<Effect>().map(|(_, id, _)| id.to_owned()).collect::<Vec<_>>());
        unfinished.into_iter().next_back().unwrap()
    }
}
