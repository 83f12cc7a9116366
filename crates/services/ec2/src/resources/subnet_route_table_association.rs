//! `AWS::EC2::SubnetRouteTableAssociation`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::json;

use super::{answer, delete, plain};
use crate::api;

/// `AWS::EC2::SubnetRouteTableAssociation`: `Ref` is the association's id, which changes with the route table.
pub(crate) struct SubnetRouteTableAssociationType;

impl ResourceType for SubnetRouteTableAssociationType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_SUBNET_ROUTE_TABLE_ASSOCIATION
    }

    /// The schema has it for one that cannot be changed; CloudFormation associates the subnet anew all the same.
    fn changes_in_place(&self) -> &'static [&'static str] {
        &["RouteTableId"]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => associate(cx, request),
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
