//! When a rule fires by itself.

use neargate_base::Diagnostic;
use neargate_l1::Value;
use neargate_schedule::{Dialect, NoFire};

use crate::{Duration, codes};

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
///
/// What EventBridge would refuse is a diagnostic of the rule that has it, with the nearest valid form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    expression: String,
    every_minute: bool,
    /// What is wrong that the expression does not show, with a way out.
    problem: Option<(String, String)>,
}

impl Schedule {
    /// An expression of EventBridge's own: `cron(…)` or `rate(…)`.
    pub fn expression(expression: &str) -> Self {
        Self { expression: expression.to_owned(), every_minute: false, problem: None }
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
        let fields = [
            ("minute", &minute),
            ("hour", &hour),
            ("day", &day),
            ("month", &month),
            ("week_day", &week_day),
            ("year", &year),
        ];
        let problem = fields.into_iter().find_map(|(name, field)| not_one_field(name, field));
        let expression = format!("cron({minute} {hour} {day} {month} {week_day} {year})");
        Self { expression, every_minute, problem }
    }

    /// Again and again, from when the rule is made: a whole number of minutes.
    pub fn rate(every: Duration) -> Self {
        let seconds = every.to_seconds();
        let problem = (seconds < 60 || seconds % 60 != 0).then(|| {
            let message = format!("a rule cannot fire every {seconds} seconds: expected a whole number of minutes");
            let nearest = ((seconds + 30) / 60).max(1);
            (message, format!("the nearest is `Duration::minutes({nearest})`"))
        });
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

    /// What EventBridge would refuse, and what is probably not meant. An expression that holds a value of deployment is checked there.
    pub(super) fn problems(&self) -> Vec<Diagnostic> {
        let expression = &self.expression;
        if let Some((message, hint)) = &self.problem {
            return vec![Diagnostic::error(codes::SCHEDULE, message.clone()).hint(hint.clone())];
        }
        if Value::from(expression.as_str()).known().is_none() {
            return vec![];
        }
        let schedule = match neargate_schedule::Schedule::parse(expression, Dialect::Rule) {
            Ok(schedule) => schedule,
            Err(error) => return vec![refusal(&error)],
        };
        let mut found = vec![];
        if schedule.next_fire(0) == Err(NoFire::ImpossibleDate) {
            let message = format!("`{expression}` never fires: there is no such date");
            found.push(Diagnostic::warning(codes::SCHEDULE, message).hint("change its day, month or year"));
        }
        if self.every_minute {
            let hint = "set `minute` to `Some(\"0\")` for once an hour, or to `Some(\"*\")` if every minute is meant";
            let message = format!("`{expression}` fires every minute");
            found.push(Diagnostic::warning(codes::SCHEDULE, message).hint(hint));
        }
        found
    }
}

/// A field that is empty, or several at once, would move the fields after it.
fn not_one_field(name: &str, field: &str) -> Option<(String, String)> {
    Value::from(field).known()?;
    let hint = match field {
        whole if whole.contains('(') => format!("a whole expression is `Schedule::expression(\"{whole}\")`"),
        "" => format!("leave `{name}` out, or write `*` for every one"),
        several if several.contains(char::is_whitespace) => {
            let parts: Vec<&str> = several.split_whitespace().collect();
            format!("list with commas: `{}`", parts.join(","))
        }
        _ => return None,
    };
    Some((format!("`{name}` of a cron schedule: got `{field}`, expected one field such as `0`, `*/6` or `1,15`"), hint))
}

fn refusal(error: &neargate_schedule::ScheduleError) -> Diagnostic {
    let place = match error.field() {
        Some(field) => format!("{} of `{}`", field.name(), error.expression()),
        None => format!("schedule `{}`", error.expression()),
    };
    let got = match error.got() {
        got if got.is_empty() => "nothing".to_owned(),
        got => format!("`{got}`"),
    };
    let message = format!("{place}: got {got}, expected {}", error.expected());
    let diagnostic = Diagnostic::error(codes::SCHEDULE, message);
    diagnostic.hint(match error.nearest() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            "write it as `cron(minutes hours day-of-month month day-of-week year)` or as `rate(5 minutes)`".to_owned()
        }
    })
}
