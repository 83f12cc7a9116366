//! CloudFormation types of ECS.

mod capacity_provider_associations;
mod cluster;
mod task_definition;

pub(crate) use capacity_provider_associations::CapacityProviderAssociationsType;
pub(crate) use cluster::ClusterType;
pub(crate) use task_definition::TaskDefinitionType;

use neargate_kernel::Fault;
use neargate_shape::{Value, Wire, from_properties};
use serde_json::Value as Json;

/// Properties as the input of an operation.
fn input<I: Wire>(properties: &Json) -> Result<Value, Fault> {
    from_properties(I::shape(), properties).map_err(|error| Fault::validation(error.to_string()))
}
