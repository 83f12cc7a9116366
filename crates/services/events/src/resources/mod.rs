//! CloudFormation types of EventBridge.

mod event_bus;
mod rule;

pub(crate) use event_bus::EventBusType;
pub(crate) use rule::RuleType;
