//! `AWS::EC2::SubnetRouteTableAssociation`.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use serde_json::json;

use super::{answer, delete, must_replace, plain};
use crate::api;

/// `AWS::EC2::SubnetRouteTableAssociation`: `Ref` is the association's id, which changes with the route table.
pub(crate) struct SubnetRouteTableAssociationType;

impl ResourceType for SubnetRouteTableAssociationType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::SubnetRouteTableAssociation"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => associate(cx, request),
            Action::Update if must_replace(request, &["SubnetId"]) => Ok(Progress::Replace),
            Action::Update if !request.changed("RouteTableId") => Ok(done(request.physical_id())),
            // A subnet has one route table at a time, so the old association goes first.
            Action::Update => {
                delete(cx, request, "DisassociateRouteTable", json!({ "AssociationId": request.physical_id() }))?;
                associate(cx, request)
            }
            Action::Delete => {
                delete(cx, request, "DisassociateRouteTable", json!({ "AssociationId": request.physical_id() }))
            }
        }
    }
}

fn associate(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let output = cx.call("ec2", "AssociateRouteTable", plain::<api::AssociateRouteTableInput>(request.properties)?)?;
    Ok(done(&answer(&output, &["AssociationId"])))
}

fn done(id: &str) -> Progress {
    Progress::Done(ResourceState::new(id).with("Id", id))
}
