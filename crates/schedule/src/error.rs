//! What can be wrong with an expression, a zone or bounds, and why a schedule does not fire.
//!
//! Invariant: a `nearest` form, where there is one, parses in the same dialect.

use std::{fmt, ops::Range};

use crate::{Dialect, LocalTime};

/// One of the six fields of `cron(...)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59.
    Minutes,
    /// 0 to 23.
    Hours,
    /// 1 to 31, `?`, `L`, `W`.
    DayOfMonth,
    /// 1 to 12 or JAN to DEC.
    Month,
    /// 1 to 7 or SUN to SAT, `?`, `L`, `#`.
    DayOfWeek,
    /// 1970 to 2199.
    Year,
}

impl Field {
    pub(crate) const ALL: [Self; 6] =
        [Self::Minutes, Self::Hours, Self::DayOfMonth, Self::Month, Self::DayOfWeek, Self::Year];

    /// The name AWS gives the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        }
    }

    pub(crate) fn bounds(self) -> (i64, i64) {
        match self {
            Self::Minutes => (0, 59),
            Self::Hours => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (1, 7),
            Self::Year => (crate::calendar::YEAR_MIN, crate::calendar::YEAR_MAX),
        }
    }

    pub(crate) fn value_names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
            Self::DayOfWeek => &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
            _ => &[],
        }
    }
}

/// An expression EventBridge refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError(Box<Details>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) expression: String,
    pub(crate) field: Option<Field>,
    pub(crate) columns: Range<usize>,
    pub(crate) expected: String,
    pub(crate) nearest: Option<String>,
}

impl ScheduleError {
    pub(crate) fn new(details: Details) -> Self {
        Self(Box::new(details))
    }

    /// The expression as given.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The field at fault, when it is one of a cron expression.
    pub fn field(&self) -> Option<Field> {
        self.0.field
    }

    /// The characters at fault, counted from 0 in the whole expression. May be empty: something is missing there.
    pub fn columns(&self) -> Range<usize> {
        self.0.columns.clone()
    }

    /// What stands at [`ScheduleError::columns`].
    pub fn got(&self) -> String {
        let columns = self.columns();
        self.0.expression.chars().skip(columns.start).take(columns.len()).collect()
    }

    /// What should stand there.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// The nearest expression that is valid.
    pub fn nearest(&self) -> Option<&str> {
        self.0.nearest.as_deref()
    }

    /// The message of the `ValidationException` that the API of this dialect answers.
    pub fn aws_message(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Rule => "Parameter ScheduleExpression is not valid.".to_owned(),
            Dialect::Scheduler => format!("Invalid Schedule Expression {}.", self.0.expression),
        }
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (got, columns) = (self.got(), self.columns());
        match self.0.field {
            Some(field) => write!(f, "{} of `{}`", field.name(), self.0.expression)?,
            None => write!(f, "schedule `{}`", self.0.expression)?,
        }
        if got.is_empty() {
            write!(f, ": got nothing at column {}", columns.start + 1)?;
        } else if columns.len() == 1 {
            write!(f, ": got `{got}` at column {}", columns.start + 1)?;
        } else {
            write!(f, ": got `{got}` at columns {}-{}", columns.start + 1, columns.end)?;
        }
        write!(f, ", expected {}", self.0.expected)?;
        self.nearest().map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
    }
}

impl std::error::Error for ScheduleError {}

/// A flexible window, a start or an end that EventBridge Scheduler refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundsError {
    /// `MaximumWindowInMinutes` is not 1 to 1440.
    Window {
        /// What was given.
        minutes: i64,
    },
    /// The end does not come after the start.
    EndBeforeStart,
}

impl fmt::Display for BoundsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window { minutes } => write!(f, "flexible window has {minutes} minutes, expected 1 to 1440"),
            Self::EndBeforeStart => f.write_str("the end date is not after the start date"),
        }
    }
}

impl std::error::Error for BoundsError {}

/// Why a schedule has no next fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFire {
    /// The fields never meet, as in 30 February.
    ImpossibleDate,
    /// The next fire would come after the end date.
    Ended {
        /// The end date.
        end_ms: i64,
    },
    /// The last year of the year field, or 2199, is over.
    YearsOver,
    /// The one time of `at(...)` is over.
    Past {
        /// That time.
        at_ms: i64,
    },
    /// The one time of `at(...)` does not exist: clocks skip it.
    SkippedByGap {
        /// The local time, with the offset before the change.
        local: LocalTime,
    },
}

impl fmt::Display for NoFire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImpossibleDate => f.write_str("never fires: no date satisfies all fields"),
            Self::Ended { end_ms } => write!(f, "does not fire again: ended at {}", LocalTime::utc(*end_ms)),
            Self::YearsOver => f.write_str("does not fire again: the last year of the expression is over"),
            Self::Past { at_ms } => write!(f, "does not fire again: its one time was {}", LocalTime::utc(*at_ms)),
            Self::SkippedByGap { local } => {
                write!(f, "never fires: {} does not exist, clocks skip it", local.without_offset())
            }
        }
    }
}

impl std::error::Error for NoFire {}
