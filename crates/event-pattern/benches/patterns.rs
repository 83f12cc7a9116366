//! Events per CPU-second beside the crate `quamina`, and what a hundred thousand rules cost.
//!
//! `cargo bench -p neargate-event-pattern --bench patterns -- RULES.json EVENTS.jsonl [--events N] [--rounds N] [--kind NAME]`
//!
//! `RULES.json` is an object of lists of pattern texts, a list a kind; `EVENTS.jsonl` holds an event a line. The two
//! matchers take turns over the same events on one thread; shown are the medians of the rounds, their spread, and the
//! ratio of the medians. Without paths (`EVENT_PATTERN_RULES` and `EVENT_PATTERN_EVENTS` will do, too) nothing runs.

#![allow(clippy::disallowed_methods, reason = "a bench measures time and reads its input from files")]
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

/// Seconds this thread has spent on a CPU.
fn cpu_s() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn timed(work: impl FnOnce()) -> f64 {
    let before = cpu_s();
    work();
    cpu_s() - before
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

/// Kinds that the peer lacks, each with the plain kind of our own that it is held against.
const PLAIN: [(&str, &str); 6] = [
    ("ANYTHING_BUT_IGNORE_CASE_RULES", "ANYTHING_BUT_RULES"),
    ("ANYTHING_BUT_PREFIX_RULES", "ANYTHING_BUT_RULES"),
    ("ANYTHING_BUT_SUFFIX_RULES", "ANYTHING_BUT_RULES"),
    ("ANYTHING_BUT_WILDCARD_RULES", "ANYTHING_BUT_RULES"),
    ("PREFIX_EQUALS_IGNORE_CASE_RULES", "PREFIX_RULES"),
    ("SUFFIX_EQUALS_IGNORE_CASE_RULES", "SUFFIX_RULES"),
];

/// Whether a bound holds, as a cell.
fn held(holds: bool) -> &'static str {
    if holds { "holds" } else { "**fails**" }
}

struct Contest {
    kind: String,
    ours: RuleSet<u32>,
    theirs: Option<Quamina<u32>>,
    rates: (Vec<f64>, Vec<f64>),
}

impl Contest {
    fn new(kind: &str, patterns: &[String]) -> Self {
        let ours = RuleSet::new();
        let mut theirs: Option<Quamina<u32>> = Some(Quamina::new());
        for (key, text) in (0..).zip(patterns) {
            ours.add(key, &Pattern::parse(text).expect("a pattern"));
            if theirs.as_mut().is_some_and(|q| q.add_pattern(key, text).is_err()) {
                theirs = None;
            }
        }
        Self { kind: kind.to_owned(), ours, theirs, rates: (vec![], vec![]) }
    }

    /// Events on which the two disagree: then their speeds say nothing.
    fn differing(&self, events: &[Vec<u8>]) -> usize {
        let Some(theirs) = &self.theirs else { return 0 };
        let differ = |event: &&Vec<u8>| {
            let mut own = self.ours.matches(event).expect("an event");
            let mut their = theirs.matches_for_event(event).expect("an event");
            own.sort_unstable();
            their.sort_unstable();
            own != their
        };
        events.iter().filter(differ).count()
    }

    fn round(&mut self, events: &[Vec<u8>]) {
        self.rates.0.push(ours(&self.ours, events));
        self.rates.1.extend(self.theirs.as_ref().map(|q| theirs(q, events)));
    }

    fn row(&self, all: &[Self]) -> String {
        let (own, spread) = median(self.rates.0.clone());
        let cells = format!("| {} | {:.0} k | {:.0} % |", self.kind, own / 1e3, spread * 100.0);
        let plain = PLAIN.iter().find(|(kind, _)| *kind == self.kind).map(|(_, plain)| *plain);
        let of_plain = || {
            let plain = all.iter().find(|other| Some(&*other.kind) == plain)?;
            let ratio = own / median(plain.rates.0.clone()).0;
            Some(format!("| {ratio:.2} of {} | >= 0.5: {} |", plain.kind, held(ratio >= 0.5)))
        };
        if self.rates.1.is_empty() {
            return format!("{cells} not supported | {}", of_plain().unwrap_or_else(|| "| | |".to_owned()));
        }
        let (their, spread) = median(self.rates.1.clone());
        let (ratio, bound) = (own / their, if self.kind == "ANYTHING_BUT_RULES" { 1.6 } else { 1.2 });
        let verdict = held(ratio >= bound);
        format!("{cells} {:.0} k | {:.0} % | {ratio:.2} | >= {bound}: {verdict} |", their / 1e3, spread * 100.0)
    }
}

fn kinds(settings: &Settings, events: &[Vec<u8>]) {
    let text = std::fs::read_to_string(&settings.rules).expect("the rules");
    let kinds: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).expect("the rules' JSON");
    let chosen = kinds.iter().filter(|(kind, _)| kind.starts_with(&settings.kind));
    let mut contests: Vec<Contest> = chosen.map(|(kind, patterns)| Contest::new(kind, patterns)).collect();
    for contest in &contests {
        let differing = contest.differing(events.get(..5000).unwrap_or(events));
        if differing > 0 {
            println!("{}: the two disagree on {differing} of the first 5000 events", contest.kind);
        }
    }
    for _ in 0..settings.rounds {
        contests.iter_mut().for_each(|contest| contest.round(events));
    }
    println!("| rules | events/s | spread | quamina 0.7.0 | spread | ratio | bound |\n|---|---|---|---|---|---|---|");
    contests.iter().for_each(|contest| println!("{}", contest.row(&contests)));
}

fn exact(n: usize) -> Pattern {
    Pattern::parse(&format!(r#"{{"properties": {{"MAPBLKLOT": ["{n:07}"]}}}}"#)).expect("a pattern")
}

/// The medians of adding and removing a rule in each of some sets by turns, in nanoseconds.
fn change_ns<const N: usize>(sets: [&RuleSet<u32>; N]) -> [(f64, f64); N] {
    let mut times = [(); N].map(|()| (Vec::new(), Vec::new()));
    for n in 0..2001 {
        let pattern = exact(5_000_000 + n * 7);
        for (rules, (add, remove)) in sets.iter().zip(&mut times) {
            let start = Instant::now();
            rules.add(u32::MAX, &pattern);
            add.push(start.elapsed().as_nanos() as f64);
            let start = Instant::now();
            rules.remove(&u32::MAX);
            remove.push(start.elapsed().as_nanos() as f64);
        }
    }
    times.map(|(add, remove)| (median(add).0, median(remove).0))
}

fn many(settings: &Settings, events: &[Vec<u8>]) {
    let few = RuleSet::new();
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
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        of_few.push(ours(&few, events));
        of_many.push(ours(&rules, events));
    }
    let (of_few, of_many) = (median(of_few).0, median(of_many).0);
    let [(add_none, remove_none), (add, remove)] = change_ns([&RuleSet::new(), &rules]);
    let row = |what: &str, value: String, bound: &str, holds: bool| {
        println!("| {what} | {value} | {bound}: {} |", held(holds));
    };
    println!("\n| {MANY} exact rules | | bound |\n|---|---|---|");
    let (speed, share) = (of_many / 1e3, of_many / of_few);
    let value = format!("{speed:.0} k events/s, {share:.2} of the {:.0} k with 5", of_few / 1e3);
    row("speed", value, ">= 0.5", share >= 0.5);
    let value = format!("{added:.2} CPU s, parsing them {parsed:.2} s more");
    row("adding them", value, "<= 1 s", added + parsed <= 1.0);
    row("memory of a rule", format!("{each} bytes"), "<= 1024", each <= 1024);
    let value = format!("{add:.0} ns, on an empty set {add_none:.0} ns");
    row("one rule more, median", value, "<= 2 x", add <= 2.0 * add_none);
    let value = format!("{remove:.0} ns, on an empty set {remove_none:.0} ns");
    row("one rule less, median", value, "<= 2 x", remove <= 2.0 * remove_none);
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
