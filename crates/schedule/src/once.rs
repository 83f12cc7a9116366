//! `rate(...)` and `at(...)`.
//!
//! Rules hold a rate's unit to its number (`1 minute`, `5 minutes`); EventBridge Scheduler takes either and any case.
//!
//! Invariant: an interval is at least a minute; a time exists in the calendar, though perhaps in no zone.

use crate::{Dialect, calendar::days_in_month, cron_parse::Slip, zone::local_second};

const MINUTE_MS: i64 = 60_000;
const UNITS: [(&str, i64); 3] = [("minute", MINUTE_MS), ("hour", 60 * MINUTE_MS), ("day", 1440 * MINUTE_MS)];
const COUNT_DIGITS_MAX: usize = 9;
const RATE_FORM: &str =
    "a positive number, one space and `minutes`, `hours` or `days` (`minute`, `hour`, `day` after 1)";
const AT_FORM: &str = "a date and time such as `2027-01-31T09:30:00`, without zone";

/// The interval in milliseconds.
pub(crate) fn rate(text: &str, at: usize, dialect: Dialect) -> Result<i64, Slip> {
    let slip = || {
        let span = at..at + text.len();
        let edit = nearest_rate(text).filter(|nearest| nearest != text).map(|nearest| (span.clone(), nearest));
        Slip { field: None, span, expected: RATE_FORM.to_owned(), edit }
    };
    let (count, unit) = text.split_once(' ').ok_or_else(slip)?;
    let digits = (1..=COUNT_DIGITS_MAX).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = if digits { count.parse::<i64>().ok() } else { None };
    let count = count.filter(|count| *count > 0).ok_or_else(slip)?;
    let lower = unit.to_ascii_lowercase();
    let named = UNITS.iter().find_map(|(name, unit_ms)| {
        let plural = match lower.strip_prefix(name)? {
            "" => false,
            "s" => true,
            _ => return None,
        };
        Some((plural, *unit_ms))
    });
    let (plural, unit_ms) = named.ok_or_else(slip)?;
    let strict = dialect == Dialect::Rule;
    if strict && (unit != lower || plural != (count != 1)) {
        return Err(slip());
    }
    Ok(count * unit_ms)
}

/// What was most likely meant: the first number with the unit that starts alike.
fn nearest_rate(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let digits: String = lower.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let digits = digits.get(..digits.len().min(COUNT_DIGITS_MAX))?;
    let count = digits.parse::<i64>().unwrap_or(1).max(1);
    let unit: String = lower.chars().filter(char::is_ascii_alphabetic).collect();
    let starts = |names: &[&str]| names.iter().any(|name| unit.starts_with(name));
    let (count, unit) = match unit.as_str() {
        _ if starts(&["sec"]) || unit == "s" => ((count + 59) / 60, "minute"),
        _ if starts(&["mon"]) => (count * 30, "day"),
        _ if starts(&["w"]) => (count * 7, "day"),
        _ if starts(&["y"]) => (count * 365, "day"),
        _ if starts(&["h"]) => (count, "hour"),
        _ if starts(&["d"]) => (count, "day"),
        _ => (count, "minute"),
    };
    Some(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
}

/// The local time in seconds since 1970-01-01T00:00:00.
pub(crate) fn at(text: &str, at: usize) -> Result<i64, Slip> {
    parse_at(text).ok_or_else(|| {
        let span = at..at + text.len();
        let edit = nearest_at(text).map(|nearest| (span.clone(), nearest));
        Slip { field: None, span, expected: AT_FORM.to_owned(), edit }
    })
}

fn parse_at(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let exists = (1970..=2199).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    exists.then(|| local_second((year, month, day), (hour, minute, second)))
}

/// Three numbers with exactly these counts of digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let fits = |(part, count): (&&str, usize)| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().zip(digits).all(fits) {
        return None;
    }
    parts.iter().map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?.try_into().ok()
}

/// The same time without a zone, fraction or blank, with what is left out set to zero.
fn nearest_at(text: &str) -> Option<String> {
    let text = text.trim().replacen([' ', 't'], "T", 1);
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let end = time.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(time.len());
    let time = time.get(..end)?;
    let time = format!("{time}{}", "00:00:00".get(time.len()..).unwrap_or_default());
    let nearest = format!("{date}T{time}");
    parse_at(&nearest).map(|_| nearest)
}
