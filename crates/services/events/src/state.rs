//! What EventBridge keeps: buses and rules with their targets.

use neargate_base::{Arn, Scope, Timestamp};
use neargate_kernel::{Cx, JobId, Record};
use serde::{Deserialize, Serialize};

use crate::api;
use crate::errors::EventsError;

/// The bus that every account has.
pub(crate) const DEFAULT_BUS: &str = "default";

/// A bus beside the default one, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EventBus {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) tags: Vec<api::Tag>,
}

impl Record for EventBus {
    const TABLE: &'static str = "events.bus";
}

/// A rule, by `bus/name`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) bus: String,
    pub(crate) pattern: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) state: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) created_by: String,
    pub(crate) tags: Vec<api::Tag>,
    pub(crate) targets: Vec<api::Target>,
    /// The job of the next fire, for rules with a schedule.
    pub(crate) job: Option<JobId>,
    /// Where `rate` counts from.
    pub(crate) enabled_at: Timestamp,
    /// As the metrics of the same names.
    pub(crate) matched_events: u64,
    pub(crate) invocations: u64,
    pub(crate) failed_invocations: u64,
}

impl Record for Rule {
    const TABLE: &'static str = "events.rule";
    const IS_PUBLISHED: bool = true;
}

/// The key of a rule.
pub(crate) fn rule_key(bus: &str, name: &str) -> String {
    format!("{bus}/{name}")
}

/// A bus by name or ARN, or the default one; it must exist.
pub(crate) fn bus_name(cx: &Cx<'_>, reference: Option<&str>) -> Result<String, EventsError> {
    let reference = reference.unwrap_or(DEFAULT_BUS);
    let name = reference.parse::<Arn>().map_or_else(|_| reference.to_owned(), |arn| arn.resource_name().to_owned());
    if name == DEFAULT_BUS || cx.get::<EventBus>(&name).is_some() {
        return Ok(name);
    }
    Err(EventsError::BusNotFound(name))
}

/// A bus's ARN.
pub(crate) fn bus_arn(cx: &Cx<'_>, name: &str) -> String {
    cx.scope.arn("events", &format!("event-bus/{name}"))
}

/// A rule's ARN: the default bus is not named in it.
pub(crate) fn rule_arn(cx: &Cx<'_>, bus: &str, name: &str) -> String {
    scoped_rule_arn(&cx.scope, bus, name)
}

/// The ARN of a rule that is somewhere else.
pub(crate) fn scoped_rule_arn(scope: &Scope, bus: &str, name: &str) -> String {
    let path = if bus == DEFAULT_BUS { name.to_owned() } else { format!("{bus}/{name}") };
    scope.arn("events", &format!("rule/{path}"))
}

/// A rule by bus and name.
pub(crate) fn rule(cx: &Cx<'_>, bus: &str, name: &str) -> Result<Rule, EventsError> {
    let missing = || EventsError::RuleNotFound { rule: name.to_owned(), bus: bus.to_owned() };
    cx.get::<Rule>(&rule_key(bus, name)).cloned().ok_or_else(missing)
}

impl Rule {
    /// As `ListRules` shows it.
    pub(crate) fn to_api(&self, cx: &Cx<'_>) -> api::Rule {
        api::Rule {
            name: Some(self.name.clone()),
            arn: Some(rule_arn(cx, &self.bus, &self.name)),
            event_pattern: self.pattern.clone(),
            state: Some(self.state.clone()),
            description: self.description.clone(),
            schedule_expression: self.schedule.clone(),
            role_arn: self.role_arn.clone(),
            managed_by: None,
            event_bus_name: Some(self.bus.clone()),
        }
    }
}
