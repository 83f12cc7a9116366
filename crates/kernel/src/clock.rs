//! The two clocks.
//!
//! *Service time* is what AWS services see: schedules, retention, timestamps. It can be turned. *Process time* is the machine's
//! own and belongs to sockets, signatures and real processes.
//!
//! The machine's own clock may be put back, by hand or when it turns out to have been wrong. Service time does not go back with it, for
//! what has happened at a time would happen again: it goes on from where it was, ahead of the machine's. Once the machine's clock is put
//! forward again, it first catches up with what service time is ahead. Work that waits on process time waits as long as it was meant to.
//!
//! Invariant: neither clock, as commands see them, goes back, unless service time is set.

use neargate_base::{Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Due, Record};

/// The time of one command, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Service time.
    pub service: Timestamp,
    /// Process time, as the machine's wall clock shows it.
    pub process: Timestamp,
}

/// By so much the machine's clock may go back, or forward beyond what time has passed, without being put: commands see it stand still
/// meanwhile.
pub(crate) const STEP_MS_MAX: i64 = 5_000;
/// How far behind the moment may be that is kept for the next start.
pub(crate) const SEEN_MS_MAX: i64 = 60_000;

/// How service time follows process time; kept in the state so that it outlives the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Service time minus steady time, in milliseconds.
    pub offset_ms: i64,
    /// Steady time minus process time: how far the machine's clock was put back, less what it has caught up. Steady time is process time
    /// that never goes back.
    #[serde(default)]
    pub ahead_ms: i64,
    /// A moment of steady time that was, so that the next start notices a clock that was put back in between.
    #[serde(default)]
    pub seen: Option<Timestamp>,
    /// Set while the clock is being turned forward: due work fires in order until service time is here.
    pub turning_to: Option<Timestamp>,
    /// While turning: stop at each job until no effect of it is under way any more.
    pub waits_for_effects: bool,
}

impl Record for Clock {
    const TABLE: &'static str = "kernel.clock";
    const IS_PUBLISHED: bool = true;
}

impl Clock {
    /// Where the one clock lies in the state.
    pub(crate) fn place() -> (Scope, &'static str) {
        (Scope::new("-", "-"), "clock")
    }

    /// Both clocks at a moment of process time.
    pub fn at(&self, process: Timestamp) -> Now {
        Now { service: self.steady(process).plus_ms(self.offset_ms), process }
    }

    /// Steady time at a moment of process time.
    pub(crate) fn steady(&self, process: Timestamp) -> Timestamp {
        process.plus_ms(self.ahead_ms)
    }

    /// The moment of process time at which work is due.
    pub(crate) fn process_time(&self, due: Due) -> Timestamp {
        match due {
            Due::Service(time) => time.plus_ms(-self.offset_ms).plus_ms(-self.ahead_ms),
            Due::Process(steady) => steady.plus_ms(-self.ahead_ms),
        }
    }

    /// What steady time should be at a start, as far as `seen` says; more than [`SEEN_MS_MAX`] after it nothing was changed.
    pub(crate) fn expected_at_start(&self, seen: Timestamp, process: Timestamp) -> Timestamp {
        let (steady, latest) = (self.steady(process), seen.plus_ms(SEEN_MS_MAX));
        if seen.plus_ms(-STEP_MS_MAX) <= steady && steady <= latest { steady } else { latest }
    }

    /// How far ahead steady time is to be, where process time shows `process` when it should show `expected`.
    pub(crate) fn ahead_after(&self, expected: Timestamp, process: Timestamp) -> i64 {
        let drift = self.steady(process).millis().saturating_sub(expected.millis());
        if drift.abs() <= STEP_MS_MAX { self.ahead_ms } else { self.ahead_ms.saturating_sub(drift).max(0) }
    }

    /// Moves service time so that it reads `service` at the moment `process`.
    pub(crate) fn set(&mut self, service: Timestamp, process: Timestamp) {
        self.offset_ms = service.millis().saturating_sub(self.steady(process).millis());
    }
}
