//! Events per CPU-second beside the crate `quamina`, and what a hundred thousand rules cost.
//!
//! `cargo bench -p neargate-event-pattern --bench patterns -- RULES.json EVENTS.jsonl [--events N] [--rounds N] [--kind NAME]`
//!
//! `RULES.json` is an object of lists of pattern texts, a list a kind; `EVENTS.jsonl` holds an event a line. The two
//! matchers take turns over the same events on one thread; shown are the medians of the rounds, their spread, and the
//! ratio of the medians. Without paths (`EVENT_PATTERN_RULES` and `EVENT_PATTERN_EVENTS` will do, too) nothing runs.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for people that may fail loudly"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use neargate_event_pattern::{Pattern, RuleSet};
use quamina::Quamina;

const MANY: usize = 100_000;

struct Settings {
    rules: String,
    events: String,
    events_max: usize,
    rounds: usize,
    kind: String,
}

fn settings() -> Option<Settings> {
    let mut found = Settings {
        rules: std::env::var("EVENT_PATTERN_RULES").unwrap_or_default(),
        events: std::env::var("EVENT_PATTERN_EVENTS").unwrap_or_default(),
        events_max: 50_000,
        rounds: 7,
        kind: String::new(),
    };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--events" => found.events_max = arguments.next()?.parse().ok()?,
            "--rounds" => found.rounds = arguments.next()?.parse().ok()?,
            "--kind" => found.kind = arguments.next()?,
            _ if found.rules.is_empty() => found.rules = argument,
            _ => found.events = argument,
        }
    }
    (!found.rules.is_empty() && !found.events.is_empty()).then_some(found)
}

/// Seconds this thread has spent on a CPU; wall time where the kernel does not say.
fn cpu_s(start: Instant) -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = spent.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    ns.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    let before = cpu_s(start);
    work();
    cpu_s(start) - before
}

fn median(mut of: Vec<f64>) -> (f64, f64) {
    of.sort_by(f64::total_cmp);
    let middle = of.get(of.len() / 2).copied().unwrap_or(0.0);
    let spread = (of.last().copied().unwrap_or(0.0) - of.first().copied().unwrap_or(0.0)) / middle;
    (middle, spread)
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// Events per CPU-second, over as many passes as the clock's 4 ms need to be lost in.
fn rate(events: &[Vec<u8>], mut matched: impl FnMut(&[u8])) -> f64 {
    let (mut passes, mut seconds) = (0, 0.0);
    while seconds < 0.3 {
        seconds += timed(|| events.iter().for_each(|event| matched(event)));
        passes += 1;
    }
    (passes * events.len()) as f64 / seconds
}

fn ours(rules: &RuleSet<u32>, events: &[Vec<u8>]) -> f64 {
    rate(events, |event| drop(black_box(rules.matches(event).expect("an event"))))
}

fn theirs(rules: &Quamina<u32>, events: &[Vec<u8>]) -> f64 {
    rate(events, |event| drop(black_box(rules.matches_for_event(event).expect("an event"))))
}

fn kinds(settings: &Settings, events: &[Vec<u8>]) {
    let text = std::fs::read_to_string(&settings.rules).expect("the rules");
    let kinds: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).expect("the rules' JSON");
    println!("| rules | events/s | spread | quamina 0.7.0 | spread | ratio |\n|---|---|---|---|---|---|");
    for (kind, patterns) in kinds.iter().filter(|(kind, _)| kind.starts_with(&settings.kind)) {
        let set = RuleSet::new();
        let mut other: Option<Quamina<u32>> = Some(Quamina::new());
        for (key, text) in (0..).zip(patterns) {
            set.add(key, &Pattern::parse(text).expect("a pattern"));
            if other.as_mut().is_some_and(|q| q.add_pattern(key, text).is_err()) {
                other = None;
            }
        }
        let (mut own, mut their) = (Vec::new(), Vec::new());
        for _ in 0..settings.rounds {
            own.push(ours(&set, events));
            their.extend(other.as_ref().map(|q| theirs(q, events)));
        }
        let (own, spread) = median(own);
        print!("| {kind} | {:.0} k | {:.0} % |", own / 1e3, spread * 100.0);
        if their.is_empty() {
            println!(" not supported | | |");
        } else {
            let (their, spread) = median(their);
            println!(" {:.0} k | {:.0} % | {:.2} |", their / 1e3, spread * 100.0, own / their);
        }
    }
}

fn exact(n: usize) -> Pattern {
    Pattern::parse(&format!(r#"{{"properties": {{"MAPBLKLOT": ["{n:07}"]}}}}"#)).expect("a pattern")
}

/// The median of adding and removing a rule, in nanoseconds.
fn change_ns(rules: &RuleSet<u32>) -> (f64, f64) {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for n in 0..2001 {
        let pattern = exact(5_000_000 + n * 7);
        let start = Instant::now();
        rules.add(u32::MAX, &pattern);
        add.push(start.elapsed().as_nanos() as f64);
        let start = Instant::now();
        rules.remove(&u32::MAX);
        remove.push(start.elapsed().as_nanos() as f64);
    }
    (median(add).0, median(remove).0)
}

fn many(settings: &Settings, events: &[Vec<u8>]) {
    let few = RuleSet::new();
    let (add_few, remove_few) = change_ns(&few);
    for n in 0..5 {
        few.add(n, &exact(n as usize));
    }
    let patterns: Vec<Pattern> = (0..MANY).map(exact).collect();
    let before = resident_bytes();
    let rules = RuleSet::new();
    let added = timed(|| {
        for (key, pattern) in (0..).zip(&patterns) {
            rules.add(key, pattern);
        }
    });
    let each = resident_bytes().saturating_sub(before) / MANY;
    drop(patterns);
    let parsed = timed(|| (0..MANY).for_each(|n| drop(black_box(exact(n)))));
    let (add, remove) = change_ns(&rules);
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        of_few.push(ours(&few, events));
        of_many.push(ours(&rules, events));
    }
    let (of_few, of_many) = (median(of_few).0, median(of_many).0);
    println!(
        "\n{MANY} exact rules: {:.0} k events/s, {:.2} of the {:.0} k with 5",
        of_many / 1e3,
        of_many / of_few,
        of_few / 1e3
    );
    println!("adding them: {added:.2} CPU s (parsing them {parsed:.2} s more), {each} bytes a rule");
    println!(
        "one more rule: add {add:.0} ns, remove {remove:.0} ns (median; on an empty set {add_few:.0} and {remove_few:.0} ns)"
    );
}

fn main() {
    let Some(settings) = settings() else {
        println!("usage: patterns RULES.json EVENTS.jsonl [--events N] [--rounds N] [--kind NAME]");
        return;
    };
    let text = std::fs::read(&settings.events).expect("the events");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events: Vec<Vec<u8>> = lines.take(settings.events_max).map(<[u8]>::to_vec).collect();
    drop(text);
    let bytes: usize = events.iter().map(Vec::len).sum();
    println!("{} events of {} bytes, {} rounds\n", events.len(), bytes / events.len().max(1), settings.rounds);
    kinds(&settings, &events);
    if settings.kind.is_empty() {
        many(&settings, &events);
    }
}
