//! The two clocks.
//!
//! *Service time* is what AWS services see: schedules, retention, timestamps. It can be turned. *Process time* is the machine's
//! own and belongs to sockets, signatures and real processes.

use neargate_base::{Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Record;

/// The time of one command, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Service time.
    pub service: Timestamp,
    /// Process time, as the machine's wall clock shows it.
    pub process: Timestamp,
}

/// How service time follows process time; kept in the state so that it outlives the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Service time minus process time, in milliseconds.
    pub offset_ms: i64,
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
        Now { service: process.plus_ms(self.offset_ms), process }
    }

    /// Moves service time so that it reads `service` at the moment `process`.
    pub(crate) fn set(&mut self, service: Timestamp, process: Timestamp) {
        self.offset_ms = service.millis().saturating_sub(process.millis());
    }
}
