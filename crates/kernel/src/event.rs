//! Events that services publish on an account's default bus.

use serde_json::Value;

use crate::{Cx, Fault};

/// One event of an AWS service, as EventBridge will carry it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Such as `aws.ecs`.
    pub source: &'static str,
    /// Such as `ECS Task State Change`.
    pub detail_type: &'static str,
    /// The ARNs it is about.
    pub resources: Vec<String>,
    /// The body.
    pub detail: Value,
}

/// The port to the event bus; the EventBridge service stands behind it.
pub trait EventSink: Sync {
    /// Puts the event on the default bus of the context's scope.
    fn publish(&self, cx: &mut Cx<'_>, event: Event) -> Result<(), Fault>;
}
