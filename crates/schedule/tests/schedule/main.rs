//! Schedules against the corpora, against a scan of every minute, and against single rules.

#![allow(clippy::disallowed_methods, reason = "tests read cases from files")]

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod model;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod timers;

/// `2026-11-21T00:00:30Z` in milliseconds, by a calendar that is not ours.
#[cfg(test)]
fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}
