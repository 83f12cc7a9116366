//! How fast the next fire is found, against crate croner in the same run, and what a million schedules cost.
//!
//! `cargo bench -p neargate-schedule`. Each row is the median of interleaved rounds in CPU time, with the span from the 10th
//! to the 90th percentile and the bound that is promised. croner gets the type that suits it best: civil times in UTC,
//! `Zoned` elsewhere. That both find the same times is checked first, but where croner fires after a gap.

#![allow(clippy::disallowed_methods, reason = "a bench reads what it cost from the kernel")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops when its own input is wrong")]

use std::{fs, hint::black_box, str::FromStr};

use croner::Cron;
use jiff::{Timestamp, Zoned, civil, tz::TimeZone};
use neargate_schedule::{Dialect, Schedule, TimerQueue, Zone};

const ROUNDS: usize = 21;
const FIRES: usize = 300;
/// Work done again in each round, so that the clock of CPU time is not too coarse for it.
const REPEATS: usize = 8;
/// What is promised of the next fire beside croner.
const BOUND: f64 = 5.0;
/// 2026-11-21T00:00:00Z.
const NOW_MS: i64 = 1_795_219_200_000;

/// The same times for AWS and for croner.
const PAIRS: [(&str, &str); 10] = [
    ("cron(* * * * ? *)", "* * * * *"),
    ("cron(0 0/2 ? 3-10 MON,WED,FRI *)", "0 */2 * 3-10 MON,WED,FRI"),
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

/// Seconds this thread has spent on a CPU.
fn cpu_s() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn cpu_ms(work: impl FnOnce()) -> f64 {
    let before = cpu_s();
    work();
    (cpu_s() - before) * 1e3
}

/// Whether a bound holds, as a cell.
fn held(holds: bool) -> &'static str {
    if holds { "holds" } else { "**fails**" }
}

/// Nanoseconds for each unit of `work`, ours and theirs by turns, and whether ours is `bound` times as fast.
fn versus(name: &str, units: usize, bound: Option<f64>, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let time = |work: &mut dyn FnMut()| cpu_ms(|| (0..REPEATS).for_each(|_| work())) * 1e6 / (units * REPEATS) as f64;
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_times.push(time(&mut ours));
        their_times.push(time(&mut theirs));
    }
    let (ours, theirs) = (spread(our_times), spread(their_times));
    let ratio = theirs.median / ours.median;
    let verdict = bound.map_or(String::new(), |bound| format!(">= {bound}: {}", held(ratio >= bound)));
    let cell = |of: &Spread| format!("{:.1} ns | {:.1}-{:.1}", of.median, of.low, of.high);
    println!("| {name} | {} | {} | {ratio:.1} | {verdict} |", cell(&ours), cell(&theirs));
}

fn our_fires(schedule: &Schedule) {
    let mut now_ms = NOW_MS;
    // 29 February comes no more than 43 times before 2200.
    for _ in 0..FIRES {
        now_ms = schedule.next_fire(now_ms).unwrap_or(NOW_MS);
    }
    black_box(now_ms);
}

/// Both engines are asked the same question: a difference would make their times mean nothing.
fn same_times() {
    let utc: civil::DateTime = "2026-11-21T00:00:00".parse().unwrap();
    for (ours, theirs) in PAIRS {
        let (schedule, cron) = (Schedule::parse(ours, Dialect::Rule).unwrap(), Cron::from_str(theirs).unwrap());
        let (mut now_ms, mut now) = (NOW_MS, utc);
        for _ in 0..40 {
            now_ms = schedule.next_fire(now_ms).unwrap();
            now = cron.find_next_occurrence(&now, false).unwrap();
            let their_ms = now.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond();
            if now_ms != their_ms {
                println!("`{ours}` and `{theirs}` differ: {now_ms} and {their_ms}");
                break;
            }
        }
    }
}

fn next_fires() {
    println!("| | ns a fire | 10-90 % | croner 4.0.3 | 10-90 % | ratio | bound |\n|---|---|---|---|---|---|---|");
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
        versus(&format!("next, UTC: `{theirs}`"), FIRES, Some(BOUND), || our_fires(&schedule), their_fires);
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
        versus(&format!("next, Berlin: `{theirs}`"), FIRES, Some(BOUND), || our_fires(&schedule), their_fires);
    }
    versus(
        "parse",
        PAIRS.len(),
        None,
        || PAIRS.iter().for_each(|(ours, _)| drop(black_box(Schedule::parse(ours, Dialect::Rule)))),
        || PAIRS.iter().for_each(|(_, theirs)| drop(black_box(Cron::from_str(theirs)))),
    );
}

fn resident_mib() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * 4096.0 / 1_048_576.0
}

const COUNT: usize = 1_000_000;
const SAME_SECOND: usize = 10_000;

/// One in a hundred at noon UTC, the others all over the month.
fn a_schedule(index: usize, zones: &[Zone]) -> Schedule {
    if index.is_multiple_of(COUNT / SAME_SECOND) {
        return Schedule::parse("cron(0 12 * * ? *)", Dialect::Scheduler).unwrap();
    }
    let text = format!("cron({} {} {} * ? *)", index % 60, index / 60 % 24, index / 1440 % 28 + 1);
    let zone = zones.get(index % zones.len()).cloned().unwrap_or_default();
    Schedule::parse(&text, Dialect::Scheduler).unwrap().in_zone(zone)
}

fn a_million() {
    let row = |what: &str, value: String, bound: &str, holds: Option<bool>| {
        println!("| {what} | {value} | {bound}{} |", holds.map_or("", held));
    };
    println!("\n| 1,000,000 schedules in four zones | | bound |\n|---|---|---|");
    let zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"].map(|name| Zone::named(name).unwrap());
    let memory = resident_mib();
    let mut queue = TimerQueue::new();
    let mut schedules = Vec::with_capacity(COUNT);
    let load_ms = cpu_ms(|| {
        for index in 0..COUNT {
            let schedule = a_schedule(index, &zones);
            queue.insert(schedule.next_fire(NOW_MS).unwrap(), index);
            schedules.push(schedule);
        }
    });
    let mib = resident_mib() - memory;
    row("load: parse, next fire, insert", format!("{:.2} CPU s", load_ms / 1e3), "<= 10 s: ", Some(load_ms <= 1e4));
    row("memory, with the queue", format!("{mib:.0} MiB"), "<= 300 MiB: ", Some(mib <= 300.0));

    let noon_ms = NOW_MS + 12 * 3_600_000;
    queue.drain_due(noon_ms - 1);
    let mut due = vec![];
    let drain_ms = cpu_ms(|| due = queue.drain_due(noon_ms));
    let handed = due.len();
    row(
        &format!("{handed} due in one second, handed out"),
        format!("{drain_ms:.2} CPU ms"),
        "<= 50 ms: ",
        Some(drain_ms <= 50.0),
    );
    let again_ms = cpu_ms(|| {
        for due in due {
            let schedule = schedules.get(due.key).unwrap();
            queue.insert(schedule.next_fire(due.due_ms).unwrap(), due.key);
        }
    });
    row("their next fires found and put in", format!("{again_ms:.2} CPU ms"), "", None);

    let mut far = TimerQueue::new();
    let far_ms = NOW_MS + 150 * 365 * 86_400_000;
    for index in 0..COUNT as i64 {
        far.insert(if index % 10_000 == 0 { NOW_MS + index } else { far_ms + index * 7919 % 100_000_000 }, index);
    }
    let mut handed = 0;
    let jump_ms = cpu_ms(|| handed = far.drain_due(far_ms - 1).len());
    row(&format!("a jump of 150 years, {handed} due"), format!("{jump_ms:.3} CPU ms"), "", None);
}

fn main() {
    // Under `cargo test` a bench only has to build.
    if std::env::args().any(|argument| argument == "--bench") {
        same_times();
        next_fires();
        a_million();
    }
}
