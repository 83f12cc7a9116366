//! CloudFormation types of EventBridge.
//!
//! Invariant: whatever a type does, it does through operations as the stack's principal.

mod event_bus;
mod rule;

pub(crate) use event_bus::EventBusType;
pub(crate) use rule::RuleType;

use neargate_kernel::{Cx, Fault, ResourceRequest};
use serde_json::json;

/// Makes the tags of a bus or a rule those of the properties.
fn retag(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, arn: &str) -> Result<(), Fault> {
    if !request.changed("Tags") {
        return Ok(());
    }
    let (gone, wanted) = request.changed_tags("Tags");
    if !gone.is_empty() {
        cx.call_json("events", "UntagResource", json!({ "ResourceARN": arn, "TagKeys": gone }))?;
    }
    if !wanted.is_empty() {
        cx.call_json("events", "TagResource", json!({ "ResourceARN": arn, "Tags": wanted }))?;
    }
    Ok(())
}
