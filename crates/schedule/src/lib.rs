//! Schedule expressions as EventBridge rules and EventBridge Scheduler decide them: `cron(...)`, `rate(...)`, `at(...)`.
//!
//! [`Schedule`] is a parsed expression with its zone and bounds, a pure function from time to the next fire.
//! [`TimerQueue`] holds millions of due times and hands out what is due, in order. All instants are `i64` milliseconds
//! since the Unix epoch, UTC, named `..._ms`; no caller needs a date library.
//!
//! ```
//! use neargate_schedule::{Dialect, Schedule, Zone};
//!
//! let zone = Zone::named("Europe/Berlin")?;
//! let schedule = Schedule::parse("cron(30 2 ? * MON-FRI *)", Dialect::Scheduler)?.in_zone(zone.clone());
//! let fire_ms = schedule.next_fire(1_795_219_200_000)?; // 2026-11-21T00:00:00Z, a Saturday
//! assert_eq!(zone.local(fire_ms).to_string(), "2026-11-23T02:30:00+01:00");
//!
//! let error = Schedule::parse("cron(0 9 * * MON-FRI *)", Dialect::Rule).unwrap_err();
//! assert_eq!(error.nearest(), Some("cron(0 9 ? * MON-FRI *)"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: a local time in a spring gap is skipped, one in an autumn overlap fires once, at its first occurrence.
//!
//! Invariant: no clock is read here; the caller says what time it is.
//!
//! Invariant: no other crate of ours.

/// The examples of the README, compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod calendar;
mod cron;
mod cron_parse;
mod dialect;
mod dst;
mod error;
mod nearest;
mod offsets;
mod once;
mod schedule;
mod timers;
mod zone;

pub use dialect::Dialect;
pub use dst::{DstKind, DstRemark};
pub use error::{BoundsError, Field, NoFire, ScheduleError};
pub use schedule::{Fires, FlexibleWindow, Schedule};
pub use timers::{Due, TimerId, TimerQueue};
pub use zone::{LocalTime, Zone, ZoneError};
