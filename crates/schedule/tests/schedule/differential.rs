//! Random cron expressions against a scan that looks at every single minute.
//!
//! In a zone the scan fires when a local time is shown that is later than all shown before: that is the whole rule of gap
//! and overlap. `SCHEDULE_EXPRESSIONS` sets how many expressions to try, `SCHEDULE_SEED` where to begin; a failure prints the
//! expression, its zone and where it differs. `cargo xtask fuzz schedules` is the same, optimised.

use std::sync::LazyLock;

use fastrand::Rng;
use jiff::{
    Timestamp, ToSpan as _,
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};
use neargate_schedule::{Dialect, DstKind, Schedule, Zone};

use crate::model::{Model, Shown};

/// The one that the crate has; the machine's own may be of another year.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const DAY_S: i64 = 86_400;
/// Days of a scan.
const SPAN_DAYS: i64 = 6;
/// Expressions for each scan of the clocks.
const EACH: usize = 40;

/// Zones and moments at which their clocks do something worth looking at.
const CHANGES: [(&str, &str); 24] = [
    ("America/New_York", "2027-03-14T07:00:00Z"),
    ("America/New_York", "2027-11-07T06:00:00Z"),
    ("America/St_Johns", "2006-10-29T02:31:00Z"),
    ("Europe/Berlin", "2027-03-28T01:00:00Z"),
    ("Europe/Berlin", "2027-10-31T01:00:00Z"),
    ("Europe/Dublin", "2027-10-31T01:00:00Z"),
    ("Australia/Lord_Howe", "2027-04-03T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Africa/Cairo", "2025-04-24T22:00:00Z"),
    ("Africa/Casablanca", "2025-02-23T02:00:00Z"),
    ("Africa/Casablanca", "2025-04-06T02:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Sao_Paulo", "2019-02-17T02:00:00Z"),
    ("America/Asuncion", "2024-03-24T03:00:00Z"),
    ("America/Caracas", "2007-12-09T07:00:00Z"),
    ("Asia/Tehran", "2021-03-21T20:30:00Z"),
    ("Asia/Gaza", "2027-02-05T22:00:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30:00Z"),
    ("Asia/Pyongyang", "2015-08-14T15:00:00Z"),
    ("Antarctica/Troll", "2027-03-28T01:00:00Z"),
    ("Antarctica/Casey", "2020-03-07T16:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
    ("Pacific/Norfolk", "2015-10-03T15:30:00Z"),
];

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What the clocks of a zone show in some days, minute by minute.
struct Scan {
    name: String,
    from_s: i64,
    minutes: Vec<Minute>,
}

enum Minute {
    /// A local time later than all before, and the local times that were left out right before it.
    New(Shown, Vec<Shown>),
    /// A local time that was shown already.
    Again(Shown),
}

impl Scan {
    /// From a day before, which only says what was shown.
    fn new(name: &str, from_s: i64) -> Self {
        let zone = DATABASE.get(name).unwrap();
        let shown = |instant_s: i64| zone.to_datetime(Timestamp::from_second(instant_s).unwrap());
        let mut latest = shown(from_s - DAY_S);
        let mut minutes = Vec::new();
        for minute in -1440..SPAN_DAYS * 1440 {
            let local = shown(from_s + minute * 60);
            let is_new = local > latest;
            if minute >= 0 {
                minutes.push(if is_new {
                    let skipped = successors(latest).take_while(|skipped| *skipped < local);
                    Minute::New(Shown::new(local), skipped.map(Shown::new).collect())
                } else {
                    Minute::Again(Shown::new(local))
                });
            }
            latest = latest.max(local);
        }
        Self { name: name.to_owned(), from_s, minutes }
    }

    /// A scan in which clocks change, or of any zone at any time.
    fn random(rng: &mut Rng) -> Self {
        let lead_s = rng.i64(0..SPAN_DAYS * 1440) * 60;
        if rng.bool() {
            let (name, at) = CHANGES[rng.usize(..CHANGES.len())];
            return Self::new(name, crate::ms(at) / 1000 - lead_s);
        }
        let names: Vec<String> = DATABASE.available().map(|name| name.to_string()).collect();
        let name = loop {
            let name = &names[rng.usize(..names.len())];
            if Zone::named(name).is_ok() {
                break name;
            }
        };
        // From 1973 on every offset is of whole minutes.
        let from_s =
            rng.i64(crate::ms("1973-01-01T00:00:00Z") / 60_000..crate::ms("2199-12-20T00:00:00Z") / 60_000) * 60;
        let zone = DATABASE.get(name).unwrap();
        // Where clocks change after that, it is looked at.
        let change = zone.following(Timestamp::from_second(from_s).unwrap()).next();
        let change_s = change.map(|change| change.timestamp().as_second()).filter(|at_s| *at_s < 7_258_000_000);
        Self::new(name, change_s.map_or(from_s, |at_s| at_s.div_euclid(60) * 60 - lead_s))
    }

    fn year(&self) -> i64 {
        match &self.minutes[0] {
            Minute::New(shown, _) | Minute::Again(shown) => i64::from(shown.time.year()),
        }
    }

    /// The fires, and the changes of the clocks that concern the expression, with how many times they do.
    fn expected(&self, model: &Model) -> (Vec<i64>, Vec<(DstKind, usize)>) {
        let (mut fires, mut remarks, mut again) = (Vec::new(), Vec::new(), 0);
        for (at, minute) in self.minutes.iter().enumerate() {
            match minute {
                Minute::New(shown, skipped) => {
                    if again > 0 {
                        remarks.push((DstKind::Fold, std::mem::take(&mut again)));
                    }
                    let left_out = skipped.iter().filter(|shown| model.matches(**shown)).count();
                    if left_out > 0 {
                        remarks.push((DstKind::Gap, left_out));
                    }
                    if model.matches(*shown) {
                        fires.push((self.from_s + at as i64 * 60) * 1000);
                    }
                }
                Minute::Again(shown) => again += usize::from(model.matches(*shown)),
            }
        }
        (fires, remarks)
    }

    /// Holds the crate against the scan; how often the expression fired.
    fn compare(&self, model: &Model, rng: &mut Rng) -> usize {
        let (from_ms, to_ms) = (self.from_s * 1000, (self.from_s + SPAN_DAYS * DAY_S) * 1000);
        let (expected, told) = self.expected(model);
        let schedule = Schedule::parse(&model.text, Dialect::Scheduler).unwrap_or_else(|error| panic!("{error}"));
        let schedule = schedule.in_zone(Zone::named(&self.name).unwrap());
        let place = || format!("{} in {} from {}", model.text, self.name, Timestamp::from_second(self.from_s).unwrap());
        let actual: Vec<i64> = schedule.fires_between(from_ms, to_ms).collect();
        assert_eq!(actual, expected, "{}", place());
        for _ in 0..4 {
            let after_ms = rng.i64(from_ms..to_ms);
            let next = schedule.next_fire(after_ms).ok().filter(|fire_ms| *fire_ms < to_ms);
            let following = expected.get(expected.partition_point(|fire_ms| *fire_ms <= after_ms));
            assert_eq!(next.as_ref(), following, "{} after {after_ms}", place());
        }
        let whole = |minute: &Minute| matches!(minute, Minute::New(_, skipped) if skipped.is_empty());
        // A change that the scan sees half of tells nothing.
        if self.minutes.first().is_some_and(whole) && self.minutes.last().is_some_and(whole) {
            let remarks = schedule.dst_remarks(from_ms, to_ms);
            let remarks: Vec<_> = remarks.iter().map(|remark| (remark.kind, remark.times)).collect();
            assert_eq!(remarks, told, "{}", place());
        }
        actual.len()
    }
}

/// The minutes after a local time.
fn successors(local: DateTime) -> impl Iterator<Item = DateTime> {
    std::iter::successors(Some(local), |local| local.checked_add(1.minute()).ok()).skip(1)
}

#[test]
fn every_minute_agrees() {
    let expressions = setting("SCHEDULE_EXPRESSIONS", 800);
    let first = setting("SCHEDULE_SEED", 1);
    let rounds = expressions.div_ceil(EACH as u64);
    let mut fired = 0;
    for seed in first..first + rounds {
        let mut rng = Rng::with_seed(seed);
        let scan = Scan::random(&mut rng);
        for _ in 0..EACH {
            let model = Model::random(&mut rng, scan.year());
            fired += scan.compare(&model, &mut rng);
        }
    }
    let expressions = rounds * EACH as u64;
    println!("{expressions} expressions from seed {first} on over {SPAN_DAYS} days each, {fired} fires, no difference");
    assert!(fired > rounds as usize, "the expressions fire often enough to tell");
}

/// Every day of 230 years: what a scan of minutes is too short for.
#[test]
fn every_day_agrees() {
    let expressions = setting("SCHEDULE_EXPRESSIONS", 800) / 40;
    let first = setting("SCHEDULE_SEED", 1);
    let days: Vec<DateTime> = std::iter::successors(Some("1970-01-01T00:00".parse::<DateTime>().unwrap()), |day| {
        day.checked_add(1.day()).ok().filter(|day| day.year() < 2200)
    })
    .collect();
    let mut fired = 0;
    for seed in first..first + expressions {
        let mut rng = Rng::with_seed(seed);
        let (hour, minute) = (rng.i8(0..24), rng.i8(0..60));
        let model = Model::random(&mut rng, 2050).at(hour.into(), minute.into());
        let shown = |day: &DateTime| day.with().hour(hour).minute(minute).build().unwrap();
        let times = days.iter().map(shown).filter(|time| model.matches(Shown::new(*time)));
        let expected: Vec<i64> =
            times.map(|time| time.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond()).collect();
        let schedule = Schedule::parse(&model.text, Dialect::Rule).unwrap_or_else(|error| panic!("{error}"));
        let actual: Vec<i64> = schedule.fires_between(i64::MIN, i64::MAX).collect();
        assert!(actual == expected, "seed {seed}: {} gives {} days, not {}", model.text, actual.len(), expected.len());
        fired += actual.len();
    }
    println!("{expressions} expressions from seed {first} on over 230 years each, {fired} fires, no difference");
    assert!(fired > 0);
}
