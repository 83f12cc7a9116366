//! CloudFormation types of ECS.
//!
//! Invariant: whatever a type does, it does through operations as the stack's principal.

mod capacity_provider_associations;
mod cluster;
mod task_definition;

pub(crate) use capacity_provider_associations::CapacityProviderAssociationsType;
pub(crate) use cluster::ClusterType;
pub(crate) use task_definition::TaskDefinitionType;

use neargate_kernel::{Cx, Fault, ResourceRequest};
use neargate_shape::{Value, Wire, from_properties};
use serde_json::{Value as Json, json};

/// Properties as the input of an operation.
fn input<I: Wire>(properties: &Json) -> Result<Value, Fault> {
    from_properties(I::shape(), properties).map_err(|error| Fault::validation(error.to_string()))
}

/// Calls an operation of ECS with properties as its input.
fn call_with(cx: &mut Cx<'_>, operation: &str, properties: &Json) -> Result<Value, Fault> {
    let shape = (cx.registry.operation("ecs", operation)?.shape.input)();
    let input = from_properties(shape, properties).map_err(|error| Fault::validation(error.to_string()))?;
    cx.call("ecs", operation, input)
}

/// Makes the tags of something those of the properties.
fn retag(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, arn: &str) -> Result<(), Fault> {
    if !request.changed("Tags") {
        return Ok(());
    }
    let (gone, wanted) = request.changed_tags("Tags");
    if !gone.is_empty() {
        cx.call_json("ecs", "UntagResource", json!({ "resourceArn": arn, "tagKeys": gone }))?;
    }
    if !wanted.is_empty() {
        call_with(cx, "TagResource", &json!({ "ResourceArn": arn, "Tags": wanted }))?;
    }
    Ok(())
}
