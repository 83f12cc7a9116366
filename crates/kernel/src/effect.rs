//! What the core wants done outside, and what comes back.
//!
//! An effect is journaled with the deltas of the command that emitted it and stays until its driver reports it finished. After a
//! restart every unfinished effect is handed out again, so a driver must be idempotent: find what is there, then do the rest.

use std::any::Any;
use std::sync::Arc;

use neargate_base::Scope;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CauseId, Record, Store};

/// The id of an [`Effect`], in the order of emission.
pub type EffectId = String;

/// One order to a driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The order's id.
    pub id: EffectId,
    /// Which driver carries it out.
    pub driver: String,
    /// Whose state the reports change.
    pub scope: Scope,
    /// The order itself, in the driver's own form.
    pub order: Value,
    /// What caused it.
    pub cause: Option<CauseId>,
}

impl Record for Effect {
    const TABLE: &'static str = "kernel.effect";
    const IS_PUBLISHED: bool = true;
}

impl Store {
    /// How many effects no driver has finished.
    pub fn unfinished_effects(&self) -> usize {
        self.count::<Effect>()
    }
}

/// What comes with a report and is too much for JSON, in the driver's own type. It is in memory alone.
pub type Payload = Arc<dyn Any + Send + Sync>;

/// A driver's report about one effect.
#[derive(Clone, Debug)]
pub struct Report {
    /// The effect it is about.
    pub effect: EffectId,
    /// What it says, in the driver's own form.
    pub news: Value,
    /// What comes with it.
    pub payload: Option<Payload>,
    /// Whether the driver is done with the effect: it will not be handed out again.
    pub finished: bool,
}
