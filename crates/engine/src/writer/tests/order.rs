//! What leaves, and when.

use serde_json::json;

use super::{Bench, Seen};

fn ok(name: &str) -> Seen {
    Seen::Reply(name.to_owned(), Ok(()))
}

#[test]
fn nothing_leaves_before_it_is_durable() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    bench.call("one", json!({ "put": "a", "emit": "run", "notice": "said" }));
    bench.report("news", &effect, 0);
    assert_eq!((bench.seen(), bench.published("a")), (vec![], None));
    bench.step();
    // The journal itself looks that nothing of a row is published while it takes it in.
    let expected = [
        Seen::Durable(2),
        Seen::Notice("said".to_owned()),
        ok("one"),
        Seen::Effect("run".to_owned()),
        Seen::Kept("news".to_owned()),
    ];
    assert_eq!(bench.seen(), expected);
    assert_eq!((bench.published("a"), bench.published(&format!("reports-{effect}"))), (Some(1), Some(1)));
}

#[test]
fn what_waits_together_is_one_commit() {
    let mut bench = Bench::new();
    for number in 0..100 {
        bench.call(&format!("{number}"), json!({ "put": format!("{number}") }));
    }
    bench.step();
    let seen = bench.seen();
    assert_eq!(seen.first(), Some(&Seen::Durable(100)));
    let replies: Vec<Seen> = (0..100).map(|number| ok(&number.to_string())).collect();
    assert_eq!(seen.get(1..), Some(replies.as_slice()), "in their order");
}

#[test]
fn a_read_needs_no_commit() {
    let mut bench = Bench::new();
    bench.call("read", json!({}));
    bench.step();
    assert_eq!(bench.seen(), [ok("read")]);
}

#[test]
fn a_fault_or_a_panic_leaves_nothing_and_spares_its_neighbours() {
    let mut bench = Bench::new();
    bench.call("before", json!({ "put": "a" }));
    bench.call("fault", json!({ "put": "a", "emit": "never", "notice": "never", "fault": "no" }));
    bench.call("panic", json!({ "put": "a", "emit": "never", "notice": "never", "panic": "yes" }));
    bench.call("after", json!({ "put": "a" }));
    bench.step();
    let refused = |name: &str, status| Seen::Reply(name.to_owned(), Err(status));
    let expected = [Seen::Durable(2), ok("before"), refused("fault", 400), refused("panic", 500), ok("after")];
    assert_eq!(bench.seen(), expected);
    assert_eq!(bench.published("a"), Some(2));
}

#[test]
fn a_report_about_an_order_that_is_done_is_kept_without_a_commit() {
    let mut bench = Bench::new();
    bench.report("late", "0000000000000042", 10);
    bench.step();
    assert_eq!(bench.seen(), [Seen::Kept("late".to_owned())]);
}
