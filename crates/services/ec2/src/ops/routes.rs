//! Routes of a route table.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{block, on, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::state::{InternetGateway, NatGateway, NetworkInterface, Route, RouteTable, Target, Vpc, known};

/// `CreateRoute` adds a route to an internet gateway, a NAT gateway or a network interface.
pub(crate) struct CreateRoute;

impl Operation for CreateRoute {
    const SHAPE: &'static OperationShape = &api::CREATE_ROUTE;
    type Input = api::CreateRouteInput;
    type Output = api::CreateRouteOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "CreateRoute", Kind::RouteTable, &input.route_table_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let mut table = known::<RouteTable>(cx, &input.route_table_id)?;
        let destination = block("destinationCidrBlock", input.destination_cidr_block.as_deref())?;
        let target = target(cx, &input, &table.vpc)?;
        let vpc = known::<Vpc>(cx, &table.vpc)?;
        if vpc.cidr.contains(destination) && matches!(target, Target::InternetGateway(_)) {
            let text = format!(
                "The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
            );
            return Err(Ec2Error::InvalidValue(text).into());
        }
        match table.routes.iter().find(|route| route.destination == destination) {
            // The same route once more is no error.
            Some(route) if route.target == target => {}
            Some(_) => return Err(Ec2Error::RouteExists(destination.to_string()).into()),
            None => {
                table.routes.push(Route { destination, target });
                cx.put(&input.route_table_id, table);
            }
        }
        Ok(api::CreateRouteOutput { r#return: Some(true) })
    }
}

/// What the route leads to. It must be there and, where it lies in a VPC, in the table's.
fn target(cx: &Cx<'_>, input: &api::CreateRouteInput, vpc: &str) -> Result<Target, Fault> {
    let targets = [&input.gateway_id, &input.nat_gateway_id, &input.network_interface_id];
    if targets.into_iter().flatten().count() > 1 {
        return Err(Ec2Error::InvalidCombination("Only one target may be specified for a route".to_owned()).into());
    }
    let table = &input.route_table_id;
    let elsewhere = |what: &str, id: &str| {
        Fault::from(Ec2Error::InvalidValue(format!("route table {table} and {what} {id} belong to different networks")))
    };
    match (&input.gateway_id, &input.nat_gateway_id, &input.network_interface_id) {
        (Some(id), ..) => match known::<InternetGateway>(cx, id)? {
            gateway if gateway.vpc.as_deref() == Some(vpc) => Ok(Target::InternetGateway(id.clone())),
            _ => Err(elsewhere("network gateway", id)),
        },
        (_, Some(id), _) => match cx.get::<NatGateway>(id).filter(|gateway| gateway.failure.is_none()) {
            Some(gateway) if gateway.vpc == vpc => Ok(Target::NatGateway(id.clone())),
            Some(_) => Err(elsewhere("nat gateway", id)),
            None => Err(Ec2Error::NatTargetNotFound(id.clone()).into()),
        },
        (.., Some(id)) => match known::<NetworkInterface>(cx, id)? {
            interface if interface.vpc == vpc => Ok(Target::Interface(id.clone())),
            _ => Err(elsewhere("interface", id)),
        },
        _ => {
            let text = "Neargate routes to internet gateways, NAT gateways and network interfaces: give `GatewayId`, \
                        `NatGatewayId` or `NetworkInterfaceId`";
            Err(Fault::sender("UnsupportedOperation", text))
        }
    }
}

/// `DeleteRoute` takes a route away by its destination.
pub(crate) struct DeleteRoute;

impl Operation for DeleteRoute {
    const SHAPE: &'static OperationShape = &api::DELETE_ROUTE;
    type Input = api::DeleteRouteInput;
    type Output = api::DeleteRouteOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteRoute", Kind::RouteTable, &input.route_table_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let mut table = known::<RouteTable>(cx, &input.route_table_id)?;
        let destination = block("destinationCidrBlock", input.destination_cidr_block.as_deref())?;
        let before = table.routes.len();
        table.routes.retain(|route| route.destination != destination);
        if table.routes.len() == before {
            let (destination, table) = (destination.to_string(), input.route_table_id);
            return Err(Ec2Error::RouteNotFound { destination, table }.into());
        }
        cx.put(&input.route_table_id, table);
        Ok(api::DeleteRouteOutput::default())
    }
}
