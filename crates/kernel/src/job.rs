//! Work that waits for its time.
//!
//! Jobs lie in the state under keys that sort by due time, so the next one is the first row, a restart loses none, and a failed
//! command leaves none behind.

use neargate_base::{Scope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CauseId, Record};

/// When a job is due, on one of the two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// On the clock that can be turned.
    Service(Timestamp),
    /// On the machine's own clock. While the job waits, a moment of steady time: one put back does not make the wait longer.
    Process(Timestamp),
}

/// The key of a job in its table: sorts by due time, then by order of scheduling.
pub type JobId = String;

/// One piece of waiting work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// When.
    pub due: Due,
    /// Which handler of which service, such as `cloudformation.step`.
    pub handler: String,
    /// Where.
    pub scope: Scope,
    /// What, in the handler's own form.
    pub payload: Value,
    /// Why.
    pub cause: Option<CauseId>,
}

/// A job as it lies in the state: one table per clock, because they are polled apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ServiceJob(pub(crate) Job);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ProcessJob(pub(crate) Job);

impl Record for ServiceJob {
    const TABLE: &'static str = "kernel.job.service";
}

impl Record for ProcessJob {
    const TABLE: &'static str = "kernel.job.process";
}

impl Due {
    /// The time, on whichever clock.
    pub(crate) fn time(self) -> Timestamp {
        match self {
            Self::Service(time) | Self::Process(time) => time,
        }
    }

    /// The key's first part. Times before 1970 count as due at once.
    pub(crate) fn key(self, sequence: u64) -> JobId {
        let clock = if matches!(self, Self::Service(_)) { 's' } else { 'p' };
        format!("{clock}{:016}-{sequence:012}", self.time().millis().max(0))
    }
}
