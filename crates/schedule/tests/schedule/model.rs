//! A second reading of cron, written for the tests: fields as lists of numbers, the calendar from jiff, no bit sets.
//!
//! Invariant: shares nothing with the crate but the text of an expression, which is made together with what it means.

use fastrand::Rng;
use jiff::civil::{Date, DateTime};

/// A minute as clocks show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) time: DateTime,
    pub(crate) week: i64,
    pub(crate) last: i64,
}

impl Shown {
    pub(crate) fn new(time: DateTime) -> Self {
        let week = i64::from(time.weekday().to_sunday_zero_offset()) + 1;
        Self { time, week, last: i64::from(time.days_in_month()) }
    }
}

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

/// An expression and what it means.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) text: String,
    minutes: Vec<i64>,
    hours: Vec<i64>,
    months: Vec<i64>,
    years: Vec<i64>,
    days: Vec<Day>,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEK: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// How a field is written.
struct Field {
    min: i64,
    max: i64,
    wraps: bool,
    names: &'static [&'static str],
}

const MINUTES: Field = Field { min: 0, max: 59, wraps: true, names: &[] };
const HOURS: Field = Field { min: 0, max: 23, wraps: true, names: &[] };
const MONTH: Field = Field { min: 1, max: 12, wraps: true, names: &MONTHS };
const DAY: Field = Field { min: 1, max: 31, wraps: true, names: &[] };
const WEEKDAY: Field = Field { min: 1, max: 7, wraps: true, names: &WEEK };
const YEAR: Field = Field { min: 1970, max: 2199, wraps: false, names: &[] };

impl Field {
    /// A value in one of its spellings.
    fn spell(&self, value: i64, rng: &mut Rng) -> String {
        match self.names.get((value - self.min) as usize).filter(|_| rng.bool()) {
            Some(name) if rng.bool() => name.to_lowercase(),
            Some(name) => (*name).to_owned(),
            None if rng.u8(0..20) == 0 => format!("{value:02}"),
            None => value.to_string(),
        }
    }

    /// One item of a list: its text and the values it stands for.
    fn item(&self, rng: &mut Rng, around: i64) -> (String, Vec<i64>) {
        let near = |rng: &mut Rng| {
            if self.max > 1000 { rng.i64(around - 9..around + 9) } else { rng.i64(self.min..=self.max) }
        };
        let (from, to, step) = (near(rng), near(rng), rng.i64(1..=self.max.min(20)));
        let (from, to) = (from.clamp(self.min, self.max), to.clamp(self.min, self.max));
        let (from, to) = if self.wraps { (from, to) } else { (from.min(to), from.max(to)) };
        // What a range goes through, beginning again after the highest value.
        let size = self.max - self.min + 1;
        let walk: Vec<i64> = (0..size)
            .map(|n| (from - self.min + n) % size + self.min)
            .take((to - from).rem_euclid(size) as usize + 1)
            .collect();
        let every = |values: &[i64]| values.iter().copied().step_by(step as usize).collect();
        let all: Vec<i64> = (self.min..=self.max).collect();
        let (low, high) = (self.spell(from, rng), self.spell(to, rng));
        match rng.u8(0..7) {
            0 => ("*".to_owned(), all),
            1 => (format!("*/{step}"), every(&all)),
            2 => (format!("{low}/{step}"), every(&all[(from - self.min) as usize..])),
            3 => (format!("{low}-{high}"), walk),
            4 => (format!("{low}-{high}/{step}"), every(&walk)),
            _ => (low, vec![from]),
        }
    }

    fn list(&self, rng: &mut Rng, around: i64) -> (String, Vec<i64>) {
        let count = if rng.u8(0..3) == 0 { rng.usize(2..5) } else { 1 };
        let items: Vec<_> = (0..count).map(|_| self.item(rng, around)).collect();
        let texts: Vec<&str> = items.iter().map(|(text, _)| &**text).collect();
        (texts.join(","), items.iter().flat_map(|(_, values)| values).copied().collect())
    }
}

fn day_of_month(rng: &mut Rng) -> (String, Day) {
    let number = rng.i64(1..=31);
    match rng.u8(0..8) {
        0 => ("L".to_owned(), Day::BeforeLast(0)),
        1 => (format!("L-{}", number % 31), Day::BeforeLast(number % 31)),
        2 | 3 => (format!("{number}W"), Day::Nearest(number)),
        4 => ("LW".to_owned(), Day::LastWeekday),
        _ => {
            let (text, values) = DAY.item(rng, 0);
            (text, Day::Month(values))
        }
    }
}

fn day_of_week(rng: &mut Rng) -> (String, Day) {
    let (week, nth) = (rng.i64(1..=7), rng.i64(1..=5));
    match rng.u8(0..8) {
        0 => ("L".to_owned(), Day::Week(vec![7])),
        1 | 2 => (format!("{}L", WEEKDAY.spell(week, rng)), Day::LastOfWeek(week)),
        3 | 4 => (format!("{}#{nth}", WEEKDAY.spell(week, rng)), Day::Nth(week, nth)),
        _ => {
            let (text, values) = WEEKDAY.item(rng, 0);
            (text, Day::Week(values))
        }
    }
}

/// The day fields: the texts of both, and what they mean.
fn days(rng: &mut Rng) -> (String, String, Vec<Day>) {
    let by_week = rng.bool();
    let count = if rng.u8(0..3) == 0 { rng.usize(2..4) } else { 1 };
    let items: Vec<_> = (0..count).map(|_| if by_week { day_of_week(rng) } else { day_of_month(rng) }).collect();
    let text = items.iter().map(|(text, _)| &**text).collect::<Vec<&str>>().join(",");
    let days = items.into_iter().map(|(_, day)| day).collect();
    if by_week { ("?".to_owned(), text, days) } else { (text, "?".to_owned(), days) }
}

impl Model {
    /// Any expression whose years are about `year`.
    pub(crate) fn random(rng: &mut Rng, year: i64) -> Self {
        let any = |field: &Field| ("*".to_owned(), (field.min..=field.max).collect());
        let (minute_text, minutes) = MINUTES.list(rng, 0);
        // Half of them look at the hours in which clocks change.
        let (hour_text, hours) = match rng.u8(0..6) {
            0 => any(&HOURS),
            1 => ("0-3".to_owned(), vec![0, 1, 2, 3]),
            2 => ("23-1".to_owned(), vec![23, 0, 1]),
            _ => HOURS.list(rng, 0),
        };
        let (month_text, months) = if rng.u8(0..3) > 0 { any(&MONTH) } else { MONTH.list(rng, 0) };
        let (year_text, years) = if rng.u8(0..4) > 0 { any(&YEAR) } else { YEAR.list(rng, year) };
        let (day_text, week_text, days) = match rng.u8(0..3) {
            0 => ("?".to_owned(), "*".to_owned(), vec![Day::Week((1..=7).collect())]),
            _ => days(rng),
        };
        let text = format!("cron({minute_text} {hour_text} {day_text} {month_text} {week_text} {year_text})");
        Self { text, minutes, hours, months, years, days }
    }

    /// The same on one minute of the day.
    pub(crate) fn at(self, hour: i64, minute: i64) -> Self {
        let rest = self.text.trim_start_matches("cron(").splitn(3, ' ').nth(2).unwrap().to_owned();
        let text = format!("cron({minute} {hour} {rest}");
        Self { text, minutes: vec![minute], hours: vec![hour], ..self }
    }

    pub(crate) fn matches(&self, shown: Shown) -> bool {
        let Shown { time, week, last } = shown;
        self.minutes.contains(&i64::from(time.minute()))
            && self.hours.contains(&i64::from(time.hour()))
            && self.months.contains(&i64::from(time.month()))
            && self.years.contains(&i64::from(time.year()))
            && self.days.iter().any(|day| {
                let number = i64::from(time.day());
                match day {
                    Day::Month(days) => days.contains(&number),
                    Day::Week(days) => days.contains(&week),
                    Day::BeforeLast(back) => number == last - back,
                    Day::Nearest(target) => is_nearest_weekday(time, *target),
                    Day::LastWeekday => is_nearest_weekday(time, last),
                    Day::LastOfWeek(day) => *day == week && number > last - 7,
                    Day::Nth(day, nth) => *day == week && (number - 1) / 7 + 1 == *nth,
                }
            })
    }
}

/// Whether a day is the weekday nearest to day `target` of its month, found by trying the days around.
fn is_nearest_weekday(time: DateTime, target: i64) -> bool {
    let date = time.date();
    let Ok(wanted) = Date::new(date.year(), date.month(), target as i8) else { return false };
    let candidates = [0, -1, 1, -2, 2].map(|shift| wanted.checked_add(jiff::Span::new().days(shift)).unwrap());
    let fits = |candidate: &Date| candidate.month() == date.month() && candidate.weekday().to_monday_zero_offset() < 5;
    candidates.into_iter().find(fits) == Some(date)
}
