//! `AWS::CloudFormation::CustomResource`, and every `Custom::…` that no type of its own serves.
//!
//! Invariant: nothing is made of a resource whose function does what is not known; a stack that has one is refused.

use neargate_kernel::{Action, Cx, Fault, Lack, Progress, Registry, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::Value as Json;

use super::known::NOT_SERVED;
use super::{SERVICE_TOKEN, sdk_call};

/// Any custom resource. Of those under names of their users' own, the CDK's calls of the AWS SDK are told by their properties.
pub(crate) struct CustomResource;

static SHAPE: ResourceShape = ResourceShape::unknown("AWS::CloudFormation::CustomResource");

impl ResourceType for CustomResource {
    fn shape(&self) -> &'static ResourceShape {
        &SHAPE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        if sdk_call::is_one(request.properties) {
            return sdk_call::step(cx, action, request);
        }
        match action {
            Action::Delete => Ok(Progress::Done(ResourceState::new(request.physical_id()))),
            _ => Err(Fault::sender("NotImplemented", NOT_SERVED).with_status(501)),
        }
    }

    fn lacks_among(&self, registry: &Registry, properties: &Json) -> Vec<Lack> {
        if sdk_call::is_one(properties) {
            return sdk_call::lacks(registry, properties);
        }
        vec![Lack { path: SERVICE_TOKEN.to_owned(), text: NOT_SERVED.to_owned() }]
    }
}
