//! Resource types that belong to no AWS service.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;

/// `AWS::CDK::Metadata`: the CDK's own statistics, which do nothing on AWS either.
pub(crate) struct CdkMetadata;

static SHAPE: ResourceShape = ResourceShape::unknown("AWS::CDK::Metadata");

impl ResourceType for CdkMetadata {
    fn shape(&self) -> &'static ResourceShape {
        &SHAPE
    }

    fn step(&self, cx: &mut Cx<'_>, _: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let id = request.current.map_or_else(|| cx.rng.uuid(), |state| state.physical_id.clone());
        Ok(Progress::Done(ResourceState::new(id)))
    }
}
