//! `AWS::EC2::Route`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::json;

use super::{delete, plain};
use crate::api;
use crate::state::RouteTable;

/// `AWS::EC2::Route`: `Ref` is the route table's id and the destination.
pub(crate) struct RouteType;

impl ResourceType for RouteType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_ROUTE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => {
                remove(cx, request)?;
                create(cx, request)
            }
            Action::Delete => remove(cx, request),
        }
    }

    fn not_simulated(&self, properties: &serde_json::Value) -> Option<String> {
        let leads_outside = properties.get("GatewayId").or_else(|| properties.get("NatGatewayId")).is_some();
        leads_outside.then(|| "recorded; no route leads outside yet".to_owned())
    }
}

/// Where the same route is there already, `CreateRoute` has nothing to do; a stack must not take it for its own.
fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let text = |property| request.text(property).unwrap_or_default();
    let (table, destination) = (text("RouteTableId"), text("DestinationCidrBlock"));
    let routes = cx.get::<RouteTable>(table).map(|table| table.routes.as_slice()).unwrap_or_default();
    let is_taken = routes.iter().any(|route| route.destination.to_string() == destination);
    cx.call("ec2", "CreateRoute", plain::<api::CreateRouteInput>(request.properties)?)?;
    if is_taken {
        return Err(request.already_exists(&format!("{table}|{destination}")));
    }
    Ok(Progress::Done(ResourceState::new(format!("{table}|{destination}")).with("CidrBlock", destination)))
}

fn remove(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let (table, destination) = request.physical_id().split_once('|').unwrap_or_default();
    delete(cx, request, "DeleteRoute", json!({ "RouteTableId": table, "DestinationCidrBlock": destination }))
}
