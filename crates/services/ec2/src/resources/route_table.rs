//! `AWS::EC2::RouteTable`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::json;

use super::{answer, delete, input, retag};
use crate::api;
use crate::kind::Kind;

/// `AWS::EC2::RouteTable`: `Ref` is the id.
pub(crate) struct RouteTableType;

impl ResourceType for RouteTableType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_ROUTE_TABLE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let input = input::<api::CreateRouteTableInput>(request.properties, Kind::RouteTable, &[])?;
                let output = cx.call("ec2", "CreateRouteTable", input)?;
                let id = answer(&output, &["RouteTable", "RouteTableId"]);
                Ok(done(&id))
            }
            Action::Update => {
                retag(cx, request, request.physical_id())?;
                Ok(done(request.physical_id()))
            }
            Action::Delete => delete(cx, request, "DeleteRouteTable", json!({ "RouteTableId": request.physical_id() })),
        }
    }
}

fn done(id: &str) -> Progress {
    Progress::Done(ResourceState::new(id).with("RouteTableId", id))
}
