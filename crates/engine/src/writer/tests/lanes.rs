//! Bounds and turns.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::json;

use super::super::commit::{COMMANDS_PER_COMMIT_MAX, REPORT_BYTES_PER_COMMIT_MAX, REPORT_TIME_PER_COMMIT_MAX};
use super::super::lanes::{CALLS_MAX, CALLS_WAITING_MAX, Lanes, REPORT_BYTES_MAX, REPORTS_MAX, Refused};
use super::{Bench, Seen};

/// Reports in the run; each is a command of its own.
const REPORTS: usize = 1_000_000;
/// Calls that come together, now and then.
const CALLS: usize = 400;

#[test]
fn calls_are_served_within_a_few_commits_whatever_is_reported() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    // A call waits for the shares of those before it, and for the turn of its lane.
    let share = COMMANDS_PER_COMMIT_MAX.div_ceil(3);
    let commits_max = CALLS.div_ceil(share);
    let (mut reported, mut commits, mut asked_at, mut answered, mut worst) = (0, 0, 0, CALLS, 0);
    while reported < REPORTS {
        while bench.writer.lanes.len().1 < REPORTS_MAX && reported < REPORTS {
            // Most are about orders that are done, which cost the least: so the lane is always full.
            let about = if reported % 64 == 0 { effect.as_str() } else { "0000000000000099" };
            bench.report("", about, 64);
            reported += 1;
        }
        if answered == CALLS && commits % 7 == 0 {
            (answered, asked_at) = (0, commits);
            for number in 0..CALLS {
                bench.call("call", json!({ "put": format!("{}", number % 10) }));
            }
        }
        bench.step();
        commits += 1;
        let replies = bench.seen().iter().filter(|seen| matches!(seen, Seen::Reply(_, Ok(())))).count();
        answered += replies;
        if replies > 0 && answered == CALLS {
            worst = worst.max(commits - asked_at);
        }
        assert!(answered == CALLS || commits - asked_at <= commits_max, "{answered} of {CALLS} after {commits_max}");
    }
    assert!(worst > 0 && worst <= commits_max, "{worst}");
}

#[test]
fn reports_are_served_whatever_is_called() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    bench.report("news", &effect, 10);
    for _ in 0..10 * COMMANDS_PER_COMMIT_MAX {
        bench.call("call", json!({}));
    }
    bench.step();
    assert!(bench.seen().contains(&Seen::Kept("news".to_owned())));
}

#[test]
fn a_commit_holds_no_more_reports_than_its_bytes() {
    let mut bench = Bench::new();
    let effect = bench.effect();
    let half = REPORT_BYTES_PER_COMMIT_MAX / 2;
    for (name, bytes) in [("a", half), ("b", half), ("c", 1), ("heavy", 2 * REPORT_BYTES_PER_COMMIT_MAX), ("d", 1)] {
        bench.report(name, &effect, bytes);
    }
    let mut kept = || {
        bench.step();
        let names = bench.seen().into_iter().filter_map(|seen| match seen {
            Seen::Kept(name) => Some(name),
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(kept(), ["a", "b"]);
    assert_eq!(kept(), ["c"]);
    assert_eq!(kept(), ["heavy"]);
    assert_eq!(kept(), ["d"]);
}

#[test]
fn a_commit_holds_reports_for_their_time_and_calls_whatever_they_take() {
    let mut bench = Bench::new();
    let part = REPORT_TIME_PER_COMMIT_MAX / 2;
    for (name, time) in [("a", part), ("b", part), ("c", 100 * part), ("d", Duration::ZERO), ("e", part)] {
        bench.slow_report(name, time);
    }
    let mut served = |calls: usize| {
        for number in 0..calls {
            bench.call(&number.to_string(), json!({ "put": number.to_string() }));
        }
        bench.step();
        let seen = bench.seen();
        let replies = seen.iter().filter(|seen| matches!(seen, Seen::Reply(..))).count();
        let kept = seen.into_iter().filter_map(|seen| match seen {
            Seen::Kept(name) => Some(name),
            _ => None,
        });
        (kept.collect::<Vec<_>>().concat(), replies)
    };
    // Whichever lane is first.
    assert_eq!(served(5), ("ab".to_owned(), 5));
    assert_eq!(served(5), ("c".to_owned(), 5));
    assert_eq!(served(5), ("de".to_owned(), 5));
    assert_eq!(served(COMMANDS_PER_COMMIT_MAX), (String::new(), COMMANDS_PER_COMMIT_MAX));
}

#[test]
fn a_lane_of_reports_that_is_full_makes_its_driver_wait() {
    let lanes = Arc::new(Lanes::<(), usize>::new());
    let pushed = Arc::new(AtomicUsize::new(0));
    for (count, bytes) in [(REPORTS_MAX, 0), (8, REPORT_BYTES_MAX / 8)] {
        pushed.store(0, Ordering::SeqCst);
        let driver = {
            let (lanes, pushed) = (Arc::clone(&lanes), Arc::clone(&pushed));
            std::thread::spawn(move || {
                for number in 0..3 * count {
                    lanes.push_report(number, bytes).unwrap();
                    pushed.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        for number in 0..3 * count {
            let taken = loop {
                assert!(lanes.len().1 <= count, "the lane is over its bound");
                match lanes.take_report(usize::MAX) {
                    Some((taken, _)) => break taken,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(taken, number, "in their order");
            assert!(pushed.load(Ordering::SeqCst) <= number + 2 + count);
        }
        driver.join().unwrap();
    }
}

#[test]
fn a_report_beyond_the_bound_travels_alone() {
    let lanes = Lanes::<(), u8>::new();
    lanes.push_report(1, 10 * REPORT_BYTES_MAX).unwrap();
    assert_eq!(lanes.take_report(usize::MAX), Some((1, 10 * REPORT_BYTES_MAX)));
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_waits_for_a_place_and_is_refused_when_too_many_wait() {
    let lanes = Lanes::<u8, ()>::new();
    for _ in 0..CALLS_MAX {
        let Poll::Ready(Ok(place)) = poll(pin!(lanes.place())) else { panic!("there is room") };
        lanes.push_call(0, Some(place)).unwrap();
    }
    let mut waiting: Vec<_> = (0..CALLS_WAITING_MAX).map(|_| Box::pin(lanes.place())).collect();
    assert!(waiting.iter_mut().all(|one| poll(one.as_mut()).is_pending()));
    assert!(matches!(poll(pin!(lanes.place())), Poll::Ready(Err(Refused::Busy))));
    // One that gives up makes room for another to wait.
    waiting.pop();
    let mut last = Box::pin(lanes.place());
    assert!(poll(last.as_mut()).is_pending());
    assert_eq!(lanes.take_call(), Some(0));
    assert!(matches!(poll(waiting[0].as_mut()), Poll::Ready(Ok(_))), "first come, first served");
    assert!(poll(last.as_mut()).is_pending());
    lanes.close();
    assert!(matches!(poll(last.as_mut()), Poll::Ready(Err(Refused::Stopping))));
}

#[test]
fn closed_lanes_take_nothing_and_let_nobody_wait() {
    let lanes = Arc::new(Lanes::<u8, u8>::new());
    lanes.push_report(1, REPORT_BYTES_MAX).unwrap();
    let driver = {
        let lanes = Arc::clone(&lanes);
        std::thread::spawn(move || lanes.push_report(2, 1))
    };
    lanes.close();
    assert_eq!(driver.join().unwrap(), Err(Refused::Stopping));
    assert_eq!(lanes.push_call(1, None), Err(Refused::Stopping));
    assert_eq!(lanes.take_report(usize::MAX), Some((1, REPORT_BYTES_MAX)), "what it holds can be taken out");
}
