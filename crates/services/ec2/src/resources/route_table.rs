//! `AWS::EC2::RouteTable`.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use serde_json::json;

use super::{answer, delete, input, must_replace, retag};
use crate::api;
use crate::kind::Kind;

/// `AWS::EC2::RouteTable`: `Ref` is the id.
pub(crate) struct RouteTableType;

impl ResourceType for RouteTableType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::RouteTable"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let input = input::<api::CreateRouteTableInput>(request.properties, Kind::RouteTable, &[])?;
                let output = cx.call("ec2", "CreateRouteTable", input)?;
                let id = answer(&output, &["RouteTable", "RouteTableId"]);
                Ok(done(&id))
            }
            Action::Update if must_replace(request, &["VpcId"]) => Ok(Progress::Replace),
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
