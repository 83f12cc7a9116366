//! Route tables and the subnets they are for.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, creates, on, real};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::kind::{Kind, new_id};
use crate::list::{Field, Listed, Query, each, list, text};
use crate::state::{
    Association, InternetGateway, NatGateway, NetworkInterface, Route, RouteTable, Subnet, Target, Vpc, forget, known,
};
use crate::tags;

/// `CreateRouteTable` makes a route table with nothing but the VPC's local route.
pub(crate) struct CreateRouteTable;

impl Operation for CreateRouteTable {
    const SHAPE: &'static OperationShape = &api::CREATE_ROUTE_TABLE;
    type Input = api::CreateRouteTableInput;
    type Output = api::CreateRouteTableOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut accesses =
            creates(cx, "CreateRouteTable", Kind::RouteTable, input.tag_specifications.as_ref(), Some(&input.vpc_id));
        accesses.push(on(cx, "CreateRouteTable", Kind::Vpc, &input.vpc_id));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        known::<Vpc>(cx, &input.vpc_id)?;
        let id = Kind::RouteTable.id(cx);
        let table = RouteTable { vpc: input.vpc_id, associations: vec![], routes: vec![] };
        cx.put(&id, table.clone());
        tags::specify(cx, Kind::RouteTable, &id, input.tag_specifications.as_ref())?;
        let route_table = Some(view(cx, &id, &table));
        Ok(api::CreateRouteTableOutput { route_table, client_token: input.client_token })
    }
}

/// `DeleteRouteTable` takes a route table away that is for no subnet.
pub(crate) struct DeleteRouteTable;

impl Operation for DeleteRouteTable {
    const SHAPE: &'static OperationShape = &api::DELETE_ROUTE_TABLE;
    type Input = api::DeleteRouteTableInput;
    type Output = api::DeleteRouteTableOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteRouteTable", Kind::RouteTable, &input.route_table_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.route_table_id;
        if !known::<RouteTable>(cx, &id)?.associations.is_empty() {
            let text = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
            return Err(Ec2Error::Dependency(text).into());
        }
        forget::<RouteTable>(cx, &id);
        Ok(api::DeleteRouteTableOutput::default())
    }
}

/// `AssociateRouteTable` makes a route table that of a subnet.
pub(crate) struct AssociateRouteTable;

impl Operation for AssociateRouteTable {
    const SHAPE: &'static OperationShape = &api::ASSOCIATE_ROUTE_TABLE;
    type Input = api::AssociateRouteTableInput;
    type Output = api::AssociateRouteTableOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut accesses = Accesses::new(on(cx, "AssociateRouteTable", Kind::RouteTable, &input.route_table_id));
        accesses.extend(input.subnet_id.iter().map(|id| on(cx, "AssociateRouteTable", Kind::Subnet, id)));
        accesses.extend(input.gateway_id.iter().map(|id| on(cx, "AssociateRouteTable", Kind::InternetGateway, id)));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let table_id = input.route_table_id;
        let mut table = known::<RouteTable>(cx, &table_id)?;
        let Some(subnet_id) = input.subnet_id else {
            let text = "Neargate associates route tables with subnets, not with gateways: give `SubnetId`";
            return Err(Fault::sender("UnsupportedOperation", text));
        };
        let subnet = known::<Subnet>(cx, &subnet_id)?;
        if subnet.vpc != table.vpc {
            let text = format!("Route table {table_id} and subnet {subnet_id} belong to different networks");
            return Err(Ec2Error::InvalidValue(text).into());
        }
        let is_taken = |table: &RouteTable| table.associations.iter().any(|it| it.subnet.as_ref() == Some(&subnet_id));
        if cx.scan::<RouteTable>("").any(|(_, table)| is_taken(table)) {
            let text =
                format!("the specified association for route table {table_id} conflicts with an existing association");
            return Err(Ec2Error::AlreadyAssociated(text).into());
        }
        let id = new_id(cx, "rtbassoc");
        table.associations.push(Association { id: id.clone(), subnet: Some(subnet_id) });
        cx.put(&table_id, table);
        Ok(api::AssociateRouteTableOutput { association_id: Some(id), association_state: associated() })
    }
}

/// `DisassociateRouteTable` gives a subnet back to the VPC's main route table.
pub(crate) struct DisassociateRouteTable;

impl Operation for DisassociateRouteTable {
    const SHAPE: &'static OperationShape = &api::DISASSOCIATE_ROUTE_TABLE;
    type Input = api::DisassociateRouteTableInput;
    type Output = api::DisassociateRouteTableOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        match associated_table(cx, &input.association_id) {
            Some((table, _)) => on(cx, "DisassociateRouteTable", Kind::RouteTable, &table).into(),
            None => anything("DisassociateRouteTable"),
        }
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.association_id;
        let (table, association) =
            associated_table(cx, &id).ok_or_else(|| Ec2Error::AssociationNotFound(id.clone()))?;
        if association.subnet.is_none() {
            let text = format!("cannot disassociate the main route table association {id}");
            return Err(Ec2Error::InvalidValue(text).into());
        }
        cx.update::<RouteTable, _>(&table, |table| table.associations.retain(|it| it.id != id));
        Ok(api::DisassociateRouteTableOutput::default())
    }
}

/// The route table that an association is of.
fn associated_table(cx: &Cx<'_>, association: &str) -> Option<(String, Association)> {
    cx.scan::<RouteTable>("").find_map(|(id, table)| {
        let found = table.associations.iter().find(|it| it.id == association)?;
        Some((id.to_owned(), found.clone()))
    })
}

fn associated() -> Option<api::RouteTableAssociationState> {
    Some(api::RouteTableAssociationState { state: Some("associated".to_owned()), status_message: None })
}

/// `DescribeRouteTables` lists route tables with their routes.
pub(crate) struct DescribeRouteTables;

impl Operation for DescribeRouteTables {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_ROUTE_TABLES;
    type Input = api::DescribeRouteTablesInput;
    type Output = api::DescribeRouteTablesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeRouteTables")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.route_table_ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<RouteTable>("").map(|(id, table)| view(cx, id, table)).collect();
        let (tables, next_token) = list(all, query)?;
        Ok(api::DescribeRouteTablesOutput { next_token, route_tables: Some(tables) })
    }
}

impl Listed for api::RouteTable {
    const FIELDS: &'static [Field<Self>] = &[
        ("association.gateway-id", |it| each(&it.associations, |a| a.gateway_id.clone())),
        ("association.main", |it| each(&it.associations, |a| a.main.map(|main| main.to_string()))),
        ("association.route-table-association-id", |it| {
            each(&it.associations, |a| a.route_table_association_id.clone())
        }),
        ("association.route-table-id", |it| each(&it.associations, |a| a.route_table_id.clone())),
        ("association.subnet-id", |it| each(&it.associations, |a| a.subnet_id.clone())),
        ("owner-id", |it| text(&it.owner_id)),
        ("route-table-id", |it| text(&it.route_table_id)),
        ("route.destination-cidr-block", |it| each(&it.routes, |r| r.destination_cidr_block.clone())),
        ("route.gateway-id", |it| each(&it.routes, |r| r.gateway_id.clone())),
        ("route.nat-gateway-id", |it| each(&it.routes, |r| r.nat_gateway_id.clone())),
        ("route.origin", |it| each(&it.routes, |r| r.origin.clone())),
        ("route.state", |it| each(&it.routes, |r| r.state.clone())),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.route_table_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::RouteTable.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, table: &RouteTable) -> api::RouteTable {
    let association = |it: &Association| api::RouteTableAssociation {
        main: Some(it.subnet.is_none()),
        route_table_association_id: Some(it.id.clone()),
        route_table_id: Some(id.to_owned()),
        subnet_id: it.subnet.clone(),
        association_state: associated(),
        ..api::RouteTableAssociation::default()
    };
    let local = api::Route {
        destination_cidr_block: cx.get::<Vpc>(&table.vpc).map(|vpc| vpc.cidr.to_string()),
        gateway_id: Some("local".to_owned()),
        origin: Some("CreateRouteTable".to_owned()),
        state: Some("active".to_owned()),
        ..api::Route::default()
    };
    let routes = std::iter::once(local).chain(table.routes.iter().map(|route| route_view(cx, &table.vpc, route)));
    api::RouteTable {
        associations: Some(table.associations.iter().map(association).collect()),
        propagating_vgws: Some(vec![]),
        route_table_id: Some(id.to_owned()),
        routes: Some(routes.collect()),
        tags: tags::view(cx, id),
        vpc_id: Some(table.vpc.clone()),
        owner_id: Some(cx.scope.account.to_string()),
    }
}

/// A route to something that is gone or detached is a black hole.
fn route_view(cx: &Cx<'_>, vpc: &str, route: &Route) -> api::Route {
    let mut view = api::Route {
        destination_cidr_block: Some(route.destination.to_string()),
        origin: Some("CreateRoute".to_owned()),
        ..api::Route::default()
    };
    let leads_somewhere = match &route.target {
        Target::InternetGateway(id) => {
            view.gateway_id = Some(id.clone());
            cx.get::<InternetGateway>(id).is_some_and(|gateway| gateway.vpc.as_deref() == Some(vpc))
        }
        Target::NatGateway(id) => {
            view.nat_gateway_id = Some(id.clone());
            cx.get::<NatGateway>(id).is_some_and(|gateway| gateway.failure.is_none())
        }
        Target::Interface(id) => {
            view.network_interface_id = Some(id.clone());
            cx.get::<NetworkInterface>(id).is_some()
        }
    };
    view.state = Some(if leads_somewhere { "active" } else { "blackhole" }.to_owned());
    view
}
