//! One command is one transaction: it takes place wholly, leaves no trace, or is undone before it was durable.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{
    Applied, Command, Core, Cx, Delta, Derived, Due, Effect, Fault, Job, Journal, JournalError, MemoryJournal, Record,
    Registry, Report, Segments, Service, Store, Undo,
};
use neargate_shape::{Protocol, ServiceShape};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing(i64);

impl Record for Thing {
    const TABLE: &'static str = "test.thing";
    const IS_PUBLISHED: bool = true;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inner(i64);

impl Record for Inner {
    const TABLE: &'static str = "test.inner";
}

/// The sum of all things.
#[derive(Debug, Default)]
struct Sum(i64);

impl Derived for Sum {
    type Record = Thing;

    fn change(&mut self, _: &Scope, _: &str, before: Option<&Thing>, after: Option<&Thing>) {
        self.0 += after.map_or(0, |thing| thing.0) - before.map_or(0, |thing| thing.0);
    }
}

fn scope() -> Scope {
    Scope::new("000000000000", "eu-west-1")
}

static SHAPE: ServiceShape = ServiceShape {
    name: "test",
    signing_name: "test",
    protocol: Protocol::AwsJson11,
    target_prefix: "Test",
    api_version: "2026-01-01",
    xml_namespace: "",
    operations: &[],
    unimplemented: &[],
};

const NOW: Timestamp = Timestamp(1_795_255_200_000);
const DRIVER: &str = "test";
const WORK: &str = "test.work";

/// `{"put": {id: number}, "inner": {id: number}, "delete": id, "emit": order, "job": payload, "segment": text, "end": "fault"|"panic"}`
fn work(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let payload = &job.payload;
    for (id, number) in payload["put"].as_object().into_iter().flatten() {
        cx.put(id, Thing(number.as_i64().unwrap()));
    }
    for (id, number) in payload["inner"].as_object().into_iter().flatten() {
        cx.put(id, Inner(number.as_i64().unwrap()));
    }
    if let Some(id) = payload["delete"].as_str() {
        cx.delete::<Thing>(id);
    }
    if !payload["emit"].is_null() {
        cx.emit(DRIVER, payload["emit"].clone());
    }
    if !payload["job"].is_null() {
        cx.schedule(Due::Process(NOW.plus_ms(1)), WORK, payload["job"].clone());
    }
    if let Some(text) = payload["segment"].as_str() {
        // As a service that tells its user of a loss and goes on.
        let _ = cx.attempt(|cx| cx.write_segment("s", 0, text.as_bytes()).map_err(|e| Fault::internal(e.to_string())));
    }
    match payload["end"].as_str() {
        Some("fault") => Err(Fault::validation("no")),
        Some(_) => panic!("as asked for"),
        None => Ok(()),
    }
}

/// Keeps the payload's number under the news' id; fails where there is none.
fn report(cx: &mut Cx<'_>, _: &Effect, report: &Report) -> Result<(), Fault> {
    let id = report.news.as_str().unwrap_or_default();
    cx.put(id, Thing(0));
    let number = report.payload.as_ref().and_then(|payload| payload.downcast_ref::<i64>());
    cx.put(id, Thing(*number.ok_or_else(|| Fault::validation("no payload"))?));
    Ok(())
}

#[derive(Debug, Default)]
struct Disk {
    is_full: Arc<AtomicBool>,
}

impl Segments for Disk {
    fn write(&mut self, _: &str, _: u64, _: &[u8]) -> Result<(), JournalError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(JournalError { doing: "write".to_owned(), cause: "full".to_owned(), is_undone: true });
        }
        Ok(())
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

fn core() -> (Core, Arc<AtomicBool>) {
    let service = Service {
        shape: &SHAPE,
        operations: vec![],
        resources: vec![],
        jobs: vec![(WORK, work)],
        reports: vec![(DRIVER, report)],
        records: |store| {
            store.register_with::<Sum>();
            store.register::<Inner>();
        },
    };
    let disk = Disk::default();
    let is_full = Arc::clone(&disk.is_full);
    let registry = Registry::new(neargate_testkit::open_ports(), vec![service]);
    (Core::open(registry, vec![], Box::new(disk), 1).unwrap(), is_full)
}

fn apply(core: &mut Core, payload: Json) -> Applied {
    core.apply(NOW, Command::RunJob { scope: scope(), handler: WORK, payload })
}

/// Everything that a core's state shows.
fn state(core: &Core) -> String {
    let store = core.store();
    let things: Vec<_> = store.all::<Thing>().map(|(_, id, thing)| format!("{id}={}", thing.0)).collect();
    let inner: Vec<_> = store.all::<Inner>().map(|(_, id, inner)| format!("{id}={}", inner.0)).collect();
    let sum = store.derived::<Sum>().unwrap().0;
    let effects: Vec<_> = core.unfinished().into_iter().map(|effect| effect.order.to_string()).collect();
    format!("{things:?} {inner:?} sum {sum} effects {effects:?} next {:?}", core.next_due(NOW))
}

#[test]
fn commands_that_did_not_become_durable_are_undone_in_whatever_order_they_overlap() {
    let (mut core, _) = core();
    let kept = apply(&mut core, json!({ "put": { "a": 1, "b": 2 }, "inner": { "x": 1 } }));
    assert!(!kept.is_read());
    let before = state(&core);
    let commands = [
        json!({ "put": { "a": 10, "c": 3 }, "emit": 1 }),
        json!({ "put": { "a": 20 }, "delete": "b", "inner": { "x": 2, "y": 1 }, "job": { "put": { "late": 1 } } }),
        json!({ "put": { "b": 30 }, "delete": "c", "emit": 2 }),
        json!({ "delete": "a" }),
    ];
    let first: Vec<Applied> = commands.iter().map(|command| apply(&mut core, command.clone())).collect();
    let after = state(&core);
    assert_ne!(before, after);
    let (deltas, undo): (Vec<Vec<Delta>>, Vec<Undo>) = first.into_iter().map(|it| (it.deltas, it.undo)).unzip();
    core.undo(undo.into_iter());
    assert_eq!(state(&core), before);
    // Done again they come to the same; ids are never given twice.
    let rows = |deltas: &[Delta]| deltas.iter().filter(|delta| format!("{delta:?}").contains("test.")).count();
    for (command, deltas) in commands.iter().zip(&deltas) {
        assert_eq!(rows(&apply(&mut core, command.clone()).deltas), rows(deltas));
    }
    assert_eq!(state(&core), after);
}

#[test]
fn a_fault_or_a_panic_leaves_no_trace() {
    let (mut core, _) = core();
    drop(apply(&mut core, json!({ "put": { "a": 1 } })));
    let before = state(&core);
    for end in ["fault", "panic"] {
        let everything = json!({
            "put": { "a": 2, "b": 3 }, "inner": { "x": 1 }, "delete": "a", "emit": 1, "job": {}, "segment": "text", "end": end,
        });
        let applied = apply(&mut core, everything);
        assert!(applied.is_read() && applied.notices.is_empty() && applied.reply.unwrap().is_err());
        assert_eq!(state(&core), before, "{end}");
    }
}

#[test]
fn a_command_whose_segment_is_not_written_is_undone_whatever_it_makes_of_it() {
    let (mut core, is_full) = core();
    let before = state(&core);
    is_full.store(true, Ordering::Relaxed);
    let applied = apply(&mut core, json!({ "put": { "a": 1 }, "emit": 1, "segment": "text" }));
    assert_eq!(applied.unwritten.as_ref().map(ToString::to_string).as_deref(), Some("cannot write: full"));
    assert!(!applied.is_read() && applied.deltas.is_empty() && applied.effects.is_empty());
    assert_eq!(applied.reply.unwrap().unwrap_err().status, 503);
    assert_eq!(state(&core), before);
    is_full.store(false, Ordering::Relaxed);
    assert!(apply(&mut core, json!({ "put": { "a": 1 }, "segment": "text" })).unwritten.is_none());
}

#[test]
fn a_job_or_report_whose_segment_is_not_written_stays_to_be_done() {
    let (mut core, is_full) = core();
    drop(apply(&mut core, json!({ "job": { "put": { "late": 1 }, "segment": "text" } })));
    let before = state(&core);
    is_full.store(true, Ordering::Relaxed);
    let due = NOW.plus_ms(5);
    assert!(core.run_due(due).unwrap().unwritten.is_some());
    assert_eq!(state(&core), before);
    is_full.store(false, Ordering::Relaxed);
    assert!(core.run_due(due).unwrap().unwritten.is_none());
    assert!(core.run_due(due).is_none());
}

#[test]
fn what_comes_with_a_report_reaches_its_handler_and_one_that_fails_is_done_all_the_same() {
    let (mut core, _) = core();
    drop(apply(&mut core, json!({ "emit": 1 })));
    let effect = core.unfinished()[0].id.clone();
    let news = |payload: Option<i64>, finished| Report {
        effect: effect.clone(),
        news: json!("told"),
        payload: payload.map(|number| Arc::new(number) as _),
        finished,
    };
    drop(core.apply(NOW, Command::Report(news(Some(7), false))));
    assert_eq!(core.store().get::<Thing>(&scope(), "told"), Some(&Thing(7)));
    let applied = core.apply(NOW, Command::Report(news(None, true)));
    assert_eq!((applied.notices.len(), core.unfinished().len()), (1, 0));
    assert_eq!(core.store().get::<Thing>(&scope(), "told"), Some(&Thing(7)), "what it wrote is put back");
    assert!(core.apply(NOW, Command::Report(news(Some(8), false))).is_read(), "the order is done");
}

#[test]
fn what_is_published_follows_what_is_said_to_be_durable_and_nothing_else() {
    let (mut core, _) = core();
    drop(apply(&mut core, json!({ "put": { "a": 1 }, "inner": { "x": 1 } })));
    let mut published = core.store().published();
    let things = |store: &Store| store.all::<Thing>().map(|(_, id, it)| format!("{id}={}", it.0)).collect::<Vec<_>>();
    assert_eq!((things(&published), published.all::<Inner>().count()), (vec!["a=1".to_owned()], 0));
    let applied = apply(&mut core, json!({ "put": { "a": 2, "b": 3 }, "inner": { "x": 2 }, "emit": 1 }));
    assert_eq!((things(&published), published.unfinished_effects()), (vec!["a=1".to_owned()], 0));
    let read_on = published.shared();
    published.publish(core.store(), &applied.undo);
    assert_eq!(things(&published), ["a=2", "b=3"]);
    assert_eq!((published.unfinished_effects(), published.all::<Inner>().count()), (1, 0));
    assert_eq!(things(&read_on), ["a=1"], "who reads is not disturbed");
    let applied = apply(&mut core, json!({ "delete": "a" }));
    published.publish(core.store(), &applied.undo);
    assert_eq!(things(&published), ["b=3"]);
}

#[test]
fn a_journal_gives_back_what_was_durable_alone() {
    let (mut core, _) = core();
    let mut journal = MemoryJournal::default();
    let sequence = journal.append(apply(&mut core, json!({ "put": { "a": 1 } })).deltas).unwrap();
    journal.durable(sequence).unwrap();
    journal.append(apply(&mut core, json!({ "put": { "a": 2 } })).deltas).unwrap();
    journal.discard();
    let sequence = journal.append(apply(&mut core, json!({ "put": { "b": 3 } })).deltas).unwrap();
    journal.durable(sequence).unwrap();
    let rows: Vec<_> = journal.load().unwrap().into_iter().map(|row| String::from_utf8(row.body).unwrap()).collect();
    assert_eq!(rows, ["1", "3"]);
}
