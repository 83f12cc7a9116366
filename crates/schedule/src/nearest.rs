//! Reading a whole expression, and finding the nearest one that can be read.
//!
//! Invariant: a suggestion is only made when it parses.

use crate::{
    Dialect, ScheduleError,
    cron::Cron,
    cron_parse::{self, Slip},
    error::Details,
    once,
};

/// What an expression says, before zone and bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Cron(Box<Cron>),
    /// With the time the schedule was made, once that is known.
    Rate {
        interval_ms: i64,
        created_ms: Option<i64>,
    },
    At {
        local_s: i64,
    },
}

const EDITS_MAX: usize = 12;
const FORMS: &str = "`cron(...)`, `rate(...)` or, in EventBridge Scheduler, `at(...)`";

pub(crate) fn parse(expression: &str, dialect: Dialect) -> Result<Expression, ScheduleError> {
    read(expression, dialect).map_err(|slip| {
        let chars = |byte: usize| expression.get(..byte).map_or(0, |before| before.chars().count());
        ScheduleError::new(Details {
            expression: expression.to_owned(),
            field: slip.field,
            columns: chars(slip.span.start)..chars(slip.span.end),
            expected: slip.expected.clone(),
            nearest: mend(expression, slip, dialect),
        })
    })
}

fn read(expression: &str, dialect: Dialect) -> Result<Expression, Slip> {
    let body = |name: &str| expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(fields) = body("cron") {
        return cron_parse::parse(fields, "cron(".len()).map(|cron| Expression::Cron(Box::new(cron)));
    }
    if let Some(rate) = body("rate") {
        return once::rate(rate, "rate(".len(), dialect)
            .map(|interval_ms| Expression::Rate { interval_ms, created_ms: None });
    }
    if let (Some(time), Dialect::Scheduler) = (body("at"), dialect) {
        return once::at(time, "at(".len()).map(|local_s| Expression::At { local_s });
    }
    let span = 0..expression.len();
    let expected = if dialect == Dialect::Rule { "`cron(...)` or `rate(...)`" } else { FORMS };
    let edit = reshape(expression).map(|text| (span.clone(), text));
    Err(Slip { field: None, span, expected: expected.to_owned(), edit })
}

/// Applies edit after edit until the expression parses.
fn mend(expression: &str, slip: Slip, dialect: Dialect) -> Option<String> {
    let mut text = expression.to_owned();
    let mut edit = slip.edit?;
    for _ in 0..EDITS_MAX {
        let (span, replacement) = edit;
        text = format!("{}{replacement}{}", text.get(..span.start)?, text.get(span.end..)?);
        match read(&text, dialect) {
            Ok(_) => return Some(text),
            Err(slip) => edit = slip.edit?,
        }
    }
    None
}

/// An expression whose outer form is wrong: spaces around it, capitals, no parentheses, or another tool's shorthand.
fn reshape(expression: &str) -> Option<String> {
    let text = expression.trim();
    let lower = text.to_ascii_lowercase();
    let shorthand = match lower.as_str() {
        "@hourly" => "cron(0 * * * ? *)",
        "@daily" | "@midnight" => "cron(0 0 * * ? *)",
        "@weekly" => "cron(0 0 ? * SUN *)",
        "@monthly" => "cron(0 0 1 * ? *)",
        "@yearly" | "@annually" => "cron(0 0 1 1 ? *)",
        _ => "",
    };
    if !shorthand.is_empty() {
        return Some(shorthand.to_owned());
    }
    for name in ["cron", "rate", "at"] {
        if let Some(rest) = lower.strip_prefix(name).filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric())) {
            let body = text.get(text.len() - rest.len()..)?.trim();
            let body = body.trim_start_matches('(').trim_end_matches(')').trim();
            let reshaped = format!("{name}({body})");
            return (reshaped != expression).then_some(reshaped);
        }
    }
    match text.split_whitespace().count() {
        5..=7 => Some(format!("cron({text})")),
        2 => Some(format!("rate({text})")),
        1 if text.contains('T') && text.contains('-') => Some(format!("at({text})")),
        _ => None,
    }
}
