//! How fast the next fire is found, against crate croner in the same run, and what a million schedules cost.
//!
//! `cargo bench -p neargate-schedule`. Each row is the median of interleaved rounds, with the span from the 10th to the
//! 90th percentile. croner gets the type that suits it best: civil times in UTC, `Zoned` elsewhere.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops when its own input is wrong")]

use std::{fs, hint::black_box, str::FromStr, time::Instant};

use croner::Cron;
use jiff::{Timestamp, Zoned, civil, tz::TimeZone};
use neargate_schedule::{Dialect, Schedule, TimerQueue, Zone};

const ROUNDS: usize = 21;
const FIRES: usize = 300;
/// 2026-11-21T00:00:00Z.
const NOW_MS: i64 = 1_795_219_200_000;

/// The same times for AWS and for croner.
const PAIRS: [(&str, &str); 8] = [
    ("cron(0/5 * * * ? *)", "*/5 * * * *"),
    ("cron(30 2 * * ? *)", "30 2 * * *"),
    ("cron(0 9 ? * MON-FRI *)", "0 9 * * MON-FRI"),
    ("cron(0 4 1 * ? *)", "0 4 1 * *"),
    ("cron(0 0 L * ? *)", "0 0 L * *"),
    ("cron(15 10 ? * 6#3 *)", "15 10 * * FRI#3"),
    ("cron(0 12 15W * ? *)", "0 12 15W * *"),
    ("cron(0 0 29 2 ? *)", "0 0 29 2 *"),
];

struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

fn spread(mut samples: Vec<f64>) -> Spread {
    samples.sort_by(f64::total_cmp);
    let at = |share: usize| samples.get(samples.len() * share / 100).copied().unwrap_or_default();
    Spread { median: at(50), low: at(10), high: at(90) }
}

/// Nanoseconds for each unit of `work`, ours and theirs by turns.
fn versus(name: &str, units: usize, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / units as f64
    };
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_times.push(time(&mut ours));
        their_times.push(time(&mut theirs));
    }
    let (ours, theirs) = (spread(our_times), spread(their_times));
    println!(
        "{name:<36} {:>9.1} ns ({:.1}-{:.1})   croner {:>9.1} ns ({:.1}-{:.1})   {:.1} x",
        ours.median,
        ours.low,
        ours.high,
        theirs.median,
        theirs.low,
        theirs.high,
        theirs.median / ours.median
    );
}

fn our_fires(schedule: &Schedule) {
    let mut now_ms = NOW_MS;
    // 29 February comes no more than 43 times before 2200.
    for _ in 0..FIRES {
        now_ms = schedule.next_fire(now_ms).unwrap_or(NOW_MS);
    }
    black_box(now_ms);
}

fn next_fires() {
    let utc: civil::DateTime = "2026-11-21T00:00:00".parse().unwrap();
    for (ours, theirs) in PAIRS {
        let (schedule, cron) = (Schedule::parse(ours, Dialect::Rule).unwrap(), Cron::from_str(theirs).unwrap());
        let their_fires = || {
            let mut now = utc;
            for _ in 0..FIRES {
                now = cron.find_next_occurrence(&now, false).ok().filter(|next| next.year() < 2200).unwrap_or(utc);
            }
            black_box(now);
        };
        versus(&format!("next, UTC      {theirs}"), FIRES, || our_fires(&schedule), their_fires);
    }
    let start: Zoned = Timestamp::from_millisecond(NOW_MS).unwrap().to_zoned(TimeZone::get("Europe/Berlin").unwrap());
    for (ours, theirs) in PAIRS {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let schedule = Schedule::parse(ours, Dialect::Scheduler).unwrap().in_zone(zone);
        let cron = Cron::from_str(theirs).unwrap();
        let their_fires = || {
            let mut now = start.clone();
            for _ in 0..FIRES {
                let next = cron.find_next_occurrence(&now, false).ok().filter(|next| next.year() < 2200);
                now = next.unwrap_or_else(|| start.clone());
            }
            black_box(now);
        };
        versus(&format!("next, Berlin   {theirs}"), FIRES, || our_fires(&schedule), their_fires);
    }
    versus(
        "parse",
        PAIRS.len(),
        || PAIRS.iter().for_each(|(ours, _)| drop(black_box(Schedule::parse(ours, Dialect::Rule)))),
        || PAIRS.iter().for_each(|(_, theirs)| drop(black_box(Cron::from_str(theirs)))),
    );
}

/// Wall time, which is never less than CPU time.
fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / 1e6
}

fn resident_mib() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * 4096.0 / 1_048_576.0
}

fn a_million() {
    const COUNT: usize = 1_000_000;
    const SAME_SECOND: usize = 10_000;
    let zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"].map(|name| Zone::named(name).unwrap());
    let (memory, start) = (resident_mib(), Instant::now());
    let mut queue = TimerQueue::new();
    let mut schedules = Vec::with_capacity(COUNT);
    for index in 0..COUNT {
        // One in a hundred runs at noon UTC, the others all over the month.
        let noon = index % (COUNT / SAME_SECOND) == 0;
        let (minute, hour, day) = (index % 60, index / 60 % 24, index / 1440 % 28 + 1);
        let text = if noon { "cron(0 12 * * ? *)".to_owned() } else { format!("cron({minute} {hour} {day} * ? *)") };
        let zone = if noon { Zone::UTC } else { zones.get(index % 4).cloned().unwrap_or_default() };
        let schedule = Schedule::parse(&text, Dialect::Scheduler).unwrap().in_zone(zone);
        queue.insert(schedule.next_fire(NOW_MS).unwrap(), index);
        schedules.push(schedule);
    }
    println!(
        "1,000,000 schedules: parse, next fire, insert {:>8.0} ms, {:.0} MiB",
        ms_since(start),
        resident_mib() - memory
    );

    let noon_ms = NOW_MS + 12 * 3_600_000;
    queue.drain_due(noon_ms - 1);
    let start = Instant::now();
    let due = queue.drain_due(noon_ms);
    let drained = ms_since(start);
    let handed = due.len();
    for due in due {
        let schedule = schedules.get(due.key).unwrap();
        queue.insert(schedule.next_fire(due.due_ms).unwrap(), due.key);
    }
    println!(
        "{handed} due in one second: handed out {drained:.2} ms, with next fire and insert {:.2} ms",
        ms_since(start)
    );

    let mut far = TimerQueue::new();
    let far_ms = NOW_MS + 150 * 365 * 86_400_000;
    for index in 0..COUNT as i64 {
        far.insert(if index % 10_000 == 0 { NOW_MS + index } else { far_ms + index * 7919 % 100_000_000 }, index);
    }
    let start = Instant::now();
    let handed = far.drain_due(far_ms - 1).len();
    println!("jump of 150 years with {handed} due among 1,000,000: {:.3} ms", ms_since(start));
}

fn main() {
    // Under `cargo test` a bench only has to build.
    if std::env::args().any(|argument| argument == "--bench") {
        next_fires();
        a_million();
    }
}
