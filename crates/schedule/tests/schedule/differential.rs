//! Random cron expressions against a scan that looks at every single minute.
//!
//! The scan knows the fields as lists of numbers and the calendar from jiff; it shares no code with the crate. In a zone it
//! fires when a local time is shown that is later than all shown before, which is the rule of gap and overlap.

use fastrand::Rng;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use neargate_schedule::{Dialect, Schedule, Zone};

#[derive(Debug, Clone)]
enum Day {
    Month(Vec<i64>),
    Week(Vec<i64>),
    BeforeLast(i64),
    Nearest(i64),
    LastWeekday,
    LastOfWeek(i64),
    Nth(i64, i64),
}

#[derive(Debug)]
struct Model {
    text: String,
    minutes: Vec<i64>,
    hours: Vec<i64>,
    months: Vec<i64>,
    years: Vec<i64>,
    day: Day,
}

/// A random field: its text and the values it stands for.
fn field(rng: &mut Rng, min: i64, max: i64, wraps: bool) -> (String, Vec<i64>) {
    let all = || (min..=max).collect::<Vec<_>>();
    let from = rng.i64(min..=max);
    let to = rng.i64(min..=max);
    let step = rng.i64(1..=max.min(20));
    match rng.u8(0..6) {
        0 => ("*".to_owned(), all()),
        1 => (from.to_string(), vec![from]),
        2 => (format!("*/{step}"), all().into_iter().step_by(step as usize).collect()),
        3 => (format!("{from}/{step}"), (from..=max).step_by(step as usize).collect()),
        4 if from <= to => (format!("{from}-{to}/{step}"), (from..=to).step_by(step as usize).collect()),
        4 if wraps => (format!("{from}-{to}"), (from..=max).chain(min..=to).collect()),
        _ => (format!("{from},{to}"), vec![from, to]),
    }
}

fn day(rng: &mut Rng) -> (String, Day) {
    let number = rng.i64(1..=31);
    let (week, nth) = (rng.i64(1..=7), rng.i64(1..=5));
    match rng.u8(0..10) {
        0 => ("L * ?".to_owned(), Day::BeforeLast(0)),
        1 => (format!("L-{} * ?", number % 31), Day::BeforeLast(number % 31)),
        2 => (format!("{number}W * ?"), Day::Nearest(number)),
        3 => ("LW * ?".to_owned(), Day::LastWeekday),
        4 => (format!("? * {week}L"), Day::LastOfWeek(week)),
        5 => (format!("? * {week}#{nth}"), Day::Nth(week, nth)),
        6 | 7 => {
            let (text, values) = field(rng, 1, 7, true);
            (format!("? * {text}"), Day::Week(values))
        }
        _ => {
            let (text, values) = field(rng, 1, 31, true);
            (format!("{text} * ?"), Day::Month(values))
        }
    }
}

fn model(rng: &mut Rng) -> Model {
    let (minute_text, minutes) = field(rng, 0, 59, true);
    let (hour_text, hours) = field(rng, 0, 23, true);
    let (month_text, months) = if rng.bool() { ("*".to_owned(), (1..=12).collect()) } else { field(rng, 1, 12, true) };
    let (year_text, years) =
        if rng.u8(0..4) > 0 { ("*".to_owned(), (1970..=2199).collect()) } else { field(rng, 2020, 2035, false) };
    // A bare step or `*` would reach to 2199, not to 2035.
    let (year_text, years) = if year_text.contains('-') || !year_text.contains(['/', '*']) {
        (year_text, years)
    } else {
        ("*".to_owned(), (1970..=2199).collect())
    };
    let (day_text, day) = day(rng);
    let day_text = day_text.replacen(" * ", &format!(" {month_text} "), 1);
    let text = format!("cron({minute_text} {hour_text} {day_text} {year_text})");
    Model { text, minutes, hours, months, years, day }
}

fn nearest_weekday(local: DateTime, target: i64) -> bool {
    let date = local.date();
    let Ok(wanted) = jiff::civil::Date::new(date.year(), date.month(), target as i8) else { return false };
    let candidates = [0, -1, 1, -2, 2].map(|shift| wanted.checked_add(jiff::Span::new().days(shift)).unwrap());
    let fits = |candidate: &jiff::civil::Date| {
        candidate.month() == date.month() && candidate.weekday().to_monday_zero_offset() < 5
    };
    candidates.into_iter().find(fits) == Some(date)
}

impl Model {
    fn matches(&self, local: DateTime) -> bool {
        let week = i64::from(local.weekday().to_sunday_zero_offset()) + 1;
        let (number, last) = (i64::from(local.day()), i64::from(local.days_in_month()));
        self.minutes.contains(&i64::from(local.minute()))
            && self.hours.contains(&i64::from(local.hour()))
            && self.months.contains(&i64::from(local.month()))
            && self.years.contains(&i64::from(local.year()))
            && match &self.day {
                Day::Month(days) => days.contains(&number),
                Day::Week(days) => days.contains(&week),
                Day::BeforeLast(back) => number == last - back,
                Day::Nearest(target) => nearest_weekday(local, *target),
                Day::LastWeekday => nearest_weekday(local, last),
                Day::LastOfWeek(day) => *day == week && number > last - 7,
                Day::Nth(day, nth) => *day == week && (number - 1) / 7 + 1 == *nth,
            }
    }

    /// The fires from `from_s` on, by looking at every minute.
    fn scan(&self, from_s: i64, minutes: i64, zone: &TimeZone) -> Vec<i64> {
        let mut latest = zone.to_datetime(Timestamp::from_second(from_s - 86_400).unwrap());
        let mut fires = Vec::new();
        for minute in -1440..minutes {
            let instant_s = from_s + minute * 60;
            let local = zone.to_datetime(Timestamp::from_second(instant_s).unwrap());
            if local > latest || minute == -1440 {
                latest = local;
                if minute >= 0 && self.matches(local) {
                    fires.push(instant_s * 1000);
                }
            }
        }
        fires
    }
}

/// Every day, in the hours in which clocks change.
fn nightly(rng: &mut Rng) -> Model {
    let (minute_text, minutes) = field(rng, 0, 59, true);
    let (hour_text, hours) = match rng.u8(0..3) {
        0 => ("*", (0..=23).collect()),
        1 => ("0-3", (0..=3).collect()),
        _ => ("23-1", vec![23, 0, 1]),
    };
    let text = format!("cron({minute_text} {hour_text} ? * * *)");
    let (months, years) = ((1..=12).collect(), (1970..=2199).collect());
    Model { text, minutes, hours, months, years, day: Day::Week((1..=7).collect()) }
}

/// Compares the fires of some days that begin up to `lead_days` before a given time.
fn compare(model: &Model, name: &str, around: &str, (lead_days, span_days): (i64, i64)) -> usize {
    let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
    let from_s = (crate::ms(around) / 1000 - lead_days * 86_400) / 60 * 60;
    let minutes = span_days * 1440;
    let expected = model.scan(from_s, minutes, &zone);
    let schedule = Schedule::parse(&model.text, Dialect::Scheduler).unwrap().in_zone(Zone::named(name).unwrap());
    let actual: Vec<i64> = schedule.fires_between(from_s * 1000, (from_s + minutes * 60) * 1000).collect();
    assert_eq!(actual, expected, "{} in {name} from {from_s}", model.text);
    actual.len()
}

#[test]
fn in_utc() {
    let spans = ["2024-02-28T00:00:00Z", "2026-11-21T00:00:00Z", "2027-01-01T00:00:00Z", "2100-02-27T00:00:00Z"];
    let mut rng = Rng::with_seed(11);
    let mut fired = 0;
    for round in 0..160 {
        let model = model(&mut rng);
        fired += compare(&model, "UTC", spans[round % spans.len()], (rng.i64(0..30), 30));
    }
    assert!(fired > 1000, "the expressions fire often enough to tell");
}

#[test]
fn across_changes_of_the_clocks() {
    let changes = [
        ("America/New_York", "2027-03-14T07:00:00Z"),
        ("America/New_York", "2027-11-07T06:00:00Z"),
        ("Europe/Berlin", "2027-10-31T01:00:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
        ("Africa/Cairo", "2025-04-24T22:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("Asia/Kathmandu", "2026-11-21T00:00:00Z"),
        ("Africa/Casablanca", "2027-02-07T02:00:00Z"),
    ];
    let mut rng = Rng::with_seed(12);
    for (zone, around) in changes {
        let fired: usize = (0..12)
            .map(|round| {
                let model = if round % 3 == 0 { model(&mut rng) } else { nightly(&mut rng) };
                compare(&model, zone, around, (rng.i64(1..3), 4))
            })
            .sum();
        assert!(fired > 100, "{zone}: the expressions fire often enough to tell");
    }
}
