//! A cron schedule as a construct.

use std::ops::Deref;

use neargate_constructs::events::{CronDay, CronOptions, Schedule};
use neargate_constructs::{Diagnostic, Scope};

use super::codes;

/// Properties of a [`CronScheduleConstruct`]: the fields of EventBridge's cron expressions, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CronScheduleConstructProps {
    /// Default: `0`, at the full hour.
    pub minute: Option<String>,
    /// Default: `*`, every hour.
    pub hour: Option<String>,
    /// Days of the month; not together with `week_day`. Default: every day.
    pub day: Option<String>,
    /// Default: every month.
    pub month: Option<String>,
    /// Days of the week, `MON-FRI`; Sunday is 1. Not together with `day`. Default: every day.
    pub week_day: Option<String>,
    /// Default: every year.
    pub year: Option<String>,
}

/// A cron schedule. It makes no resource; what is wrong with a field is reported where the schedule is used.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps};
/// use neargate_patterns::fargate_tasks::{CronScheduleConstruct, CronScheduleConstructProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let hourly = CronScheduleConstruct::new(&stack, "Hourly", CronScheduleConstructProps::default());
/// assert_eq!(hourly.schedule().expression_string(), "cron(0 * * * ? *)");
/// let nightly = CronScheduleConstruct::new(&stack, "Nightly", CronScheduleConstructProps {
///     minute: Some("30".into()),
///     hour: Some("4".into()),
///     week_day: Some("MON-FRI".into()),
///     ..Default::default()
/// });
/// assert_eq!(nightly.schedule().expression_string(), "cron(30 4 ? * MON-FRI *)");
/// ```
#[derive(Clone, Debug)]
pub struct CronScheduleConstruct {
    scope: Scope,
    schedule: Schedule,
}

impl CronScheduleConstruct {
    /// Makes a schedule.
    pub fn new(scope: &Scope, id: &str, props: CronScheduleConstructProps) -> Self {
        let scope = scope.child(id);
        let day = match (props.day, props.week_day) {
            (None, None) => CronDay::Every,
            (None, Some(days)) => CronDay::OfWeek(days),
            (Some(days), None) => CronDay::OfMonth(days),
            // `?` is how EventBridge writes that the other one counts.
            (Some(none), Some(days)) if none == "?" => CronDay::OfWeek(days),
            (Some(days), Some(none)) if none == "?" => CronDay::OfMonth(days),
            (Some(days), Some(week_days)) => {
                let message = format!("`day` is `{days}` and `week_day` is `{week_days}`: expected one of the two");
                let hint = "leave one out: EventBridge takes either days of the month or days of the week";
                scope.report(Diagnostic::error(codes::CRON_DAYS, message).hint(hint));
                CronDay::OfMonth(days)
            }
        };
        let schedule = Schedule::cron(CronOptions {
            minute: Some(props.minute.unwrap_or_else(|| "0".to_owned())),
            hour: props.hour,
            day,
            month: props.month,
            year: props.year,
        });
        let cron = Self { scope, schedule };
        cron.register("neargate.CronScheduleConstruct", &cron);
        cron
    }

    /// The schedule, for a rule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }
}

impl Deref for CronScheduleConstruct {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}
