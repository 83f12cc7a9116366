//! A journal that fails is a state of the writer.

use serde_json::json;

use super::{Bench, Disk, Seen};

fn reply(name: &str, outcome: Result<(), u16>) -> Seen {
    Seen::Reply(name.to_owned(), outcome)
}

fn notices(seen: &[Seen]) -> Vec<&str> {
    let texts = seen.iter().filter_map(|seen| match seen {
        Seen::Notice(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn nothing_of_a_failed_commit_leaves_or_stays() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    bench.call("before", json!({ "put": "a" }));
    bench.step();
    bench.seen();
    bench.set(Disk::Full);
    bench.call("one", json!({ "put": "a", "emit": "never", "notice": "never" }));
    bench.call("two", json!({ "put": "b" }));
    bench.call("read", json!({}));
    bench.report("news", &effect, 10);
    bench.step();
    let seen = bench.seen();
    // A read that came with them may have seen what they wrote.
    let refused = [Seen::Failed, reply("one", Err(503)), reply("two", Err(503)), reply("read", Err(503))];
    assert_eq!(seen.get(..4), Some(refused.as_slice()));
    assert_eq!(notices(&seen).len(), 1, "{seen:?}");
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!((bench.published("a"), bench.published("b")), (Some(1), None));
}

#[test]
fn while_it_fails_reads_are_answered_changes_refused_and_reports_wait() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    bench.set(Disk::Full);
    bench.report("news", &effect, 10);
    bench.step();
    assert_eq!(notices(&bench.seen()).len(), 1);
    for _ in 0..10 {
        bench.call("read", json!({}));
        bench.call("change", json!({ "put": "a", "emit": "never", "notice": "never" }));
        bench.call("fault", json!({ "put": "a", "fault": "no" }));
        bench.step();
        // It is said once, and nothing is tried on the journal but its probe.
        assert_eq!(bench.seen(), [reply("read", Ok(())), reply("change", Err(503)), reply("fault", Err(400))]);
    }
    assert!(bench.writer.snapshot().failure().unwrap().contains("no space"));
    bench.set(Disk::Works);
    bench.step();
    assert_eq!(bench.seen(), [Seen::Notice("the engine's state can be written again".to_owned())]);
    assert_eq!(bench.writer.snapshot().failure(), None);
    bench.call("change", json!({ "put": "a" }));
    bench.step();
    assert_eq!(bench.seen(), [Seen::Durable(2), reply("change", Ok(())), Seen::Kept("news".to_owned())]);
    assert_eq!((bench.published("a"), bench.published(&format!("reports-{effect}"))), (Some(1), Some(1)));
}

#[test]
fn reports_that_waited_are_applied_once_and_in_their_order() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    for round in 0..5 {
        bench.set(Disk::Full);
        for number in 0..3 {
            bench.report(&format!("{round}.{number}"), &effect, 10);
        }
        bench.step();
        bench.step();
        bench.set(Disk::Works);
        bench.step();
        bench.step();
    }
    let kept: Vec<Seen> = bench.seen().into_iter().filter(|seen| matches!(seen, Seen::Kept(_))).collect();
    let expected: Vec<Seen> =
        (0..5).flat_map(|round| (0..3).map(move |number| Seen::Kept(format!("{round}.{number}")))).collect();
    assert_eq!(kept, expected);
    assert_eq!(bench.published(&format!("reports-{effect}")), Some(15));
}

#[test]
fn a_segment_that_cannot_be_written_is_a_journal_that_fails() {
    let mut bench = Bench::new();
    bench.set(Disk::Full);
    bench.call("log", json!({ "put": "a", "segment": "line" }));
    bench.step();
    let seen = bench.seen();
    assert_eq!(seen.first(), Some(&reply("log", Err(503))));
    assert_eq!((notices(&seen).len(), seen.len()), (1, 2), "{seen:?}");
    assert_eq!(bench.published("a"), None);
    assert!(bench.writer.snapshot().failure().is_some());
}

#[test]
fn what_was_before_a_segment_that_cannot_be_written_is_committed() {
    let mut bench = Bench::new();
    bench.call("before", json!({ "put": "a" }));
    bench.call("log", json!({ "put": "a", "segment": "line" }));
    bench.call("after", json!({ "put": "b" }));
    bench.set(Disk::Full);
    bench.step();
    // Here the journal is as full as the segments, so that the first is refused too.
    assert_eq!(bench.published("a"), None);
    bench.step();
    let seen = bench.seen();
    let refused = |name: &str| seen.contains(&reply(name, Err(503)));
    assert!(refused("before") && refused("log") && refused("after"), "{seen:?}");
    assert_eq!(notices(&seen).len(), 1, "{seen:?}");
}

#[test]
fn a_journal_of_which_nobody_knows_what_it_kept_is_not_tried_again() {
    let mut bench = Bench::new();
    bench.set(Disk::Broken);
    bench.call("one", json!({ "put": "a" }));
    bench.step();
    bench.set(Disk::Works);
    bench.call("two", json!({ "put": "a" }));
    bench.step();
    let seen = bench.seen();
    assert!(seen.contains(&reply("one", Err(503))) && seen.contains(&reply("two", Err(503))), "{seen:?}");
    assert!(bench.writer.snapshot().failure().is_some());
}

#[test]
fn a_writer_that_cannot_write_ends_when_it_is_told_and_says_why() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    bench.set(Disk::Full);
    bench.report("news", &effect, 10);
    bench.step();
    bench.writer.stop();
    assert_eq!(bench.committer.run().unwrap_err(), "cannot commit: no space");
    assert!(!bench.seen().contains(&Seen::Kept("news".to_owned())), "what is not durable is not kept");
}
