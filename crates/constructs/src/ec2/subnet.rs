//! Subnets with their route tables.

use std::cell::RefCell;
use std::rc::Rc;

use neargate_l1::{Value, ec2 as l1};

use super::subnet_group::SubnetType;
use crate::{CfnResource, Scope, TagOptions, Tags, construct};

/// A subnet: one of a [`super::Vpc`], or one that exists.
#[derive(Clone)]
pub struct Subnet(Rc<State>);

construct!(Subnet);

struct State {
    scope: Scope,
    subnet_id: Value<String>,
    availability_zone: Value<String>,
    route_table_id: Value<String>,
    cidr_block: Value<String>,
    /// What must exist before anything in here reaches the internet.
    internet: RefCell<Vec<CfnResource>>,
}

/// What is known of a subnet that exists.
#[derive(Clone, Debug, Default)]
pub struct SubnetAttributes {
    /// Its id; required.
    pub subnet_id: Value<String>,
    /// Its zone.
    pub availability_zone: Value<String>,
    /// Its route table.
    pub route_table_id: Value<String>,
    /// Its IPv4 range.
    pub ipv4_cidr_block: Value<String>,
}

/// What a VPC makes a subnet of.
pub(super) struct SubnetPlan<'a> {
    pub(super) availability_zone: Value<String>,
    pub(super) vpc_id: Value<String>,
    pub(super) cidr_block: String,
    pub(super) map_public_ip_on_launch: bool,
    pub(super) group_name: &'a str,
    pub(super) subnet_type: SubnetType,
}

impl Subnet {
    /// Takes in a subnet that exists.
    pub fn from_subnet_attributes(scope: &Scope, id: &str, attributes: SubnetAttributes) -> Self {
        let scope = scope.child(id);
        let subnet = Self(Rc::new(State {
            scope,
            subnet_id: attributes.subnet_id,
            availability_zone: attributes.availability_zone,
            route_table_id: attributes.route_table_id,
            cidr_block: attributes.ipv4_cidr_block,
            internet: RefCell::default(),
        }));
        subnet.register("neargate.ec2.Subnet", &subnet);
        subnet
    }

    /// A subnet with a route table of its own.
    pub(super) fn new(scope: &Scope, id: &str, plan: SubnetPlan<'_>) -> Self {
        let scope = scope.child(id);
        Tags::of(&scope).add("Name", scope.path());
        let only_subnets =
            || TagOptions { include_resource_types: vec!["AWS::EC2::Subnet".to_owned()], ..TagOptions::default() };
        Tags::of(&scope).add_with("aws-cdk:subnet-name", plan.group_name, only_subnets());
        Tags::of(&scope).add_with("aws-cdk:subnet-type", plan.subnet_type.as_str(), only_subnets());
        let subnet = CfnResource::new(
            &scope,
            "Subnet",
            l1::Subnet {
                availability_zone: Some(plan.availability_zone.clone()),
                cidr_block: Some(plan.cidr_block.clone().into()),
                map_public_ip_on_launch: Some(plan.map_public_ip_on_launch.into()),
                vpc_id: Some(plan.vpc_id.clone()),
                ..Default::default()
            },
        );
        let table = l1::RouteTable { vpc_id: Some(plan.vpc_id), ..Default::default() };
        let table = CfnResource::new(&scope, "RouteTable", table);
        let association = l1::SubnetRouteTableAssociation {
            route_table_id: Some(table.reference()),
            subnet_id: Some(subnet.reference()),
        };
        let association = CfnResource::new(&scope, "RouteTableAssociation", association);
        let subnet = Self(Rc::new(State {
            scope,
            subnet_id: subnet.reference(),
            availability_zone: plan.availability_zone,
            route_table_id: table.reference(),
            cidr_block: plan.cidr_block.into(),
            internet: RefCell::new(vec![association]),
        }));
        subnet.register("neargate.ec2.Subnet", &subnet);
        subnet
    }

    /// The id.
    pub fn subnet_id(&self) -> Value<String> {
        self.0.subnet_id.clone()
    }

    /// The zone.
    pub fn availability_zone(&self) -> Value<String> {
        self.0.availability_zone.clone()
    }

    /// The id of its route table.
    pub fn route_table_id(&self) -> Value<String> {
        self.0.route_table_id.clone()
    }

    /// The IPv4 range.
    pub fn ipv4_cidr_block(&self) -> Value<String> {
        self.0.cidr_block.clone()
    }

    /// Makes a construct wait until what is in this subnet can reach the internet.
    pub fn add_internet_dependency(&self, construct: &Scope) {
        self.0.internet.borrow().iter().for_each(|resource| construct.add_dependency(resource));
    }

    /// Sends everything to the internet gateway.
    pub(super) fn add_default_internet_route(&self, gateway: &CfnResource, attachment: &CfnResource) {
        let route = self.default_route(l1::Route { gateway_id: Some(gateway.reference()), ..Default::default() });
        route.add_depends_on(attachment);
    }

    /// Sends everything to a NAT gateway.
    pub(super) fn add_default_nat_route(&self, gateway: &CfnResource) {
        self.default_route(l1::Route { nat_gateway_id: Some(gateway.reference()), ..Default::default() });
    }

    fn default_route(&self, route: l1::Route) -> CfnResource {
        let route = l1::Route {
            destination_cidr_block: Some("0.0.0.0/0".into()),
            route_table_id: Some(self.route_table_id()),
            ..route
        };
        let route = CfnResource::new(self, "DefaultRoute", route);
        self.0.internet.borrow_mut().push(route.clone());
        route
    }

    /// Puts a NAT gateway with an address of its own into this public subnet.
    pub(super) fn add_nat_gateway(&self) -> CfnResource {
        let address = CfnResource::new(self, "EIP", l1::Eip { domain: Some("vpc".into()), ..Default::default() });
        let gateway = l1::NatGateway {
            allocation_id: Some(address.attribute("AllocationId")),
            subnet_id: Some(self.subnet_id()),
            ..Default::default()
        };
        let gateway = CfnResource::new(self, "NATGateway", gateway);
        self.add_internet_dependency(&gateway);
        gateway
    }
}
