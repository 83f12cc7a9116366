//! Why something happened: a chain from a request or a schedule to the task it started.

use neargate_base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Record;

/// The id of a [`Cause`]: the id of the thing itself (request, event, task).
pub type CauseId = String;

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// `request`, `event`, `schedule`, `rule`, `target`, `task`.
    pub kind: String,
    /// What a person calls it.
    pub name: String,
    /// When, by service time. Links of before this was noted have none.
    #[serde(default)]
    pub time: Option<Timestamp>,
    /// The link before.
    pub parent: Option<CauseId>,
}

impl Record for Cause {
    const TABLE: &'static str = "kernel.cause";
    const IS_PUBLISHED: bool = true;
}
