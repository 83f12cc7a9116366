//! When a rule fires by itself.

use crate::Duration;

/// The days of a cron schedule: EventBridge takes either days of the month or days of the week, never both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CronDay {
    /// Every day.
    #[default]
    Every,
    /// Days of the month: `1`, `L`, `1-15`.
    OfMonth(String),
    /// Days of the week: `MON-FRI`, `2#1`; Sunday is 1.
    OfWeek(String),
}

/// The fields of a cron schedule, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CronOptions {
    /// Default: every minute.
    pub minute: Option<String>,
    /// Default: every hour.
    pub hour: Option<String>,
    /// Default: every day.
    pub day: CronDay,
    /// Default: every month.
    pub month: Option<String>,
    /// Default: every year.
    pub year: Option<String>,
}

/// When a rule fires.
///
/// ```
/// use neargate_constructs::{Duration, events::{CronDay, CronOptions, Schedule}};
///
/// let nightly = Schedule::cron(CronOptions { minute: Some("0".into()), hour: Some("4".into()), ..Default::default() });
/// assert_eq!(nightly.expression_string(), "cron(0 4 * * ? *)");
/// let first = CronOptions { day: CronDay::OfMonth("1".into()), ..Default::default() };
/// assert_eq!(Schedule::cron(first).expression_string(), "cron(* * 1 * ? *)");
/// assert_eq!(Schedule::rate(Duration::minutes(120)).expression_string(), "rate(2 hours)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    expression: String,
    pub(super) every_minute: bool,
    pub(super) problem: Option<String>,
}

impl Schedule {
    /// An expression of EventBridge's own: `cron(…)` or `rate(…)`.
    pub fn expression(expression: &str) -> Self {
        let legal = ["cron(", "rate("].iter().any(|start| expression.starts_with(start)) && expression.ends_with(')');
        let problem = (!legal).then(|| format!("`{expression}` is no schedule: expected `cron(…)` or `rate(…)`"));
        Self { expression: expression.to_owned(), every_minute: false, problem }
    }

    /// At the minutes that the fields name.
    pub fn cron(options: CronOptions) -> Self {
        let every_minute = options.minute.is_none();
        let all = |field: Option<String>| field.unwrap_or_else(|| "*".to_owned());
        let (day, week_day) = match options.day {
            CronDay::Every => ("*".to_owned(), "?".to_owned()),
            CronDay::OfMonth(days) => (days, "?".to_owned()),
            CronDay::OfWeek(days) => ("?".to_owned(), days),
        };
        let (minute, hour, month, year) =
            (all(options.minute), all(options.hour), all(options.month), all(options.year));
        let expression = format!("cron({minute} {hour} {day} {month} {week_day} {year})");
        Self { expression, every_minute, problem: None }
    }

    /// Again and again, from when the rule is made: a whole number of minutes.
    pub fn rate(every: Duration) -> Self {
        let seconds = every.to_seconds();
        let problem = (seconds < 60 || seconds % 60 != 0)
            .then(|| format!("a rule cannot fire every {seconds} seconds: expected a whole number of minutes"));
        let (amount, unit) = match seconds / 60 {
            minutes if minutes % 1440 == 0 => (minutes / 1440, "day"),
            minutes if minutes % 60 == 0 => (minutes / 60, "hour"),
            minutes => (minutes, "minute"),
        };
        let plural = if amount == 1 { "" } else { "s" };
        Self { expression: format!("rate({amount} {unit}{plural})"), every_minute: false, problem }
    }

    /// The expression.
    pub fn expression_string(&self) -> &str {
        &self.expression
    }
}
