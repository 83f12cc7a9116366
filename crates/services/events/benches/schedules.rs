//! A million rules with a schedule in the engine's own state: what they cost, and what it takes to find those that are due.
//!
//! `cargo bench -p neargate-events --bench schedules`. The rules are put through the API, over a journal that keeps nothing;
//! then the same rows are loaded as after a restart, the clock is turned to noon, and 10,000 rules fire in one second.

#![allow(clippy::disallowed_methods, reason = "a bench reads what it cost from the kernel")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people that stops when its own input is wrong"
)]

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Command, Core, MemorySegments, Ports, Principal, Registry, Request, Row};
use neargate_shape::from_json;
use neargate_testkit::open_ports;
use serde_json::json;

const RULES: usize = 1_000_000;
const SAME_SECOND: usize = 10_000;
/// 2026-11-21T00:00:00Z.
const NOW: Timestamp = Timestamp(1_795_219_200_000);
const NOON: Timestamp = Timestamp(NOW.0 + 12 * 3_600_000);

fn resident_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * 4096.0 / 1_048_576.0
}

/// Seconds this thread has spent on a CPU.
fn cpu_s() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = cpu_s();
    let answer = work();
    (answer, cpu_s() - before)
}

fn core(rows: Vec<Row>) -> Core {
    let ports = Ports { events: &neargate_events::Bus, ..open_ports() };
    let registry = Registry::new(ports, vec![neargate_events::service()]);
    Core::open(registry, rows, Box::new(MemorySegments::default()), 7).unwrap()
}

/// One in a hundred at noon, the others all over the month.
fn expression(index: usize) -> String {
    if index.is_multiple_of(RULES / SAME_SECOND) {
        return "cron(0 12 * * ? *)".to_owned();
    }
    format!("cron({} {} {} * ? *)", index % 60, index / 60 % 24, index / 1440 % 28 + 1)
}

fn put_rule(core: &mut Core, index: usize) -> Vec<Row> {
    let scope = Scope::new("000000000000", "eu-west-1");
    let input = json!({ "Name": format!("rule-{index}"), "ScheduleExpression": expression(index) });
    let shape = (core.registry().operation("events", "PutRule").unwrap().shape.input)();
    let request = Request {
        principal: Principal::root(&scope.account),
        scope,
        service: "events".to_owned(),
        operation: "PutRule".to_owned(),
        input: from_json(shape, input, &mut vec![]).unwrap(),
        request_id: String::new(),
        client: None,
    };
    let applied = core.apply(NOW, Command::Request(request));
    applied.reply.unwrap().unwrap();
    let rows = applied.deltas.into_iter().filter_map(|delta| match delta {
        neargate_kernel::Delta::Put(row) => Some(row),
        neargate_kernel::Delta::Delete { .. } => None,
    });
    rows.collect()
}

fn a_million() {
    let before = resident_mib();
    let mut made = core(vec![]);
    let ((), put_s) = timed(|| (0..RULES).for_each(|index| drop(put_rule(&mut made, index))));
    println!("{RULES} rules put through the API: {put_s:.1} CPU s, {:.0} MiB with their jobs", resident_mib() - before);
    drop(made);
    let mut made = core(vec![]);
    let rows: Vec<Row> = (0..RULES).flat_map(|index| put_rule(&mut made, index)).collect();
    drop(made);
    let (mut loaded, load_s) = timed(|| core(rows));
    println!("loaded as after a restart: {load_s:.1} CPU s");
    while loaded.next_due(NOW).is_some_and(|due| due < NOON) {
        let due = loaded.next_due(NOW).unwrap_or(NOON);
        while loaded.run_due(due).is_some() {}
    }
    let ((), find_s) = timed(|| {
        (0..SAME_SECOND).for_each(|_| {
            std::hint::black_box(loaded.next_due(NOON));
        })
    });
    let (fired, fire_s) = timed(|| std::iter::from_fn(|| loaded.run_due(NOON)).count());
    println!(
        "{fired} due in one second: the next one asked for {SAME_SECOND} times {:.1} ms, each fired in a transaction of its \
         own {:.0} ms",
        find_s * 1e3,
        fire_s * 1e3
    );
}

fn main() {
    // Under `cargo test` a bench only has to build.
    if std::env::args().any(|argument| argument == "--bench") {
        a_million();
    }
}
