//! VPCs that exist.

use neargate_base::Diagnostic;
use neargate_l1::Value;

use super::subnet::{Subnet, SubnetAttributes};
use super::vpc::{State, Vpc};
use crate::{Scope, codes};

/// What is known of a VPC that exists. Subnets are listed group by group, each group in the order of the zones.
#[derive(Clone, Debug, Default)]
pub struct VpcAttributes {
    /// The id; required.
    pub vpc_id: Value<String>,
    /// The zones that have subnets; required.
    pub availability_zones: Vec<Value<String>>,
    /// The IPv4 range.
    pub vpc_cidr_block: Option<Value<String>>,
    /// Ids of public subnets: so many per group as there are zones.
    pub public_subnet_ids: Vec<Value<String>>,
    /// Names of the groups of public subnets. Default: `Public`.
    pub public_subnet_names: Vec<String>,
    /// Route tables of the public subnets.
    pub public_subnet_route_table_ids: Vec<Value<String>>,
    /// Ids of private subnets.
    pub private_subnet_ids: Vec<Value<String>>,
    /// Names of the groups of private subnets. Default: `Private`.
    pub private_subnet_names: Vec<String>,
    /// Route tables of the private subnets.
    pub private_subnet_route_table_ids: Vec<Value<String>>,
    /// Ids of isolated subnets.
    pub isolated_subnet_ids: Vec<Value<String>>,
    /// Names of the groups of isolated subnets. Default: `Isolated`.
    pub isolated_subnet_names: Vec<String>,
    /// Route tables of the isolated subnets.
    pub isolated_subnet_route_table_ids: Vec<Value<String>>,
}

impl Vpc {
    /// Takes in a VPC that exists.
    ///
    /// ```
    /// use neargate_constructs::{App, Stack, StackProps, ec2::{Vpc, VpcAttributes}};
    ///
    /// let app = App::new();
    /// let stack = Stack::new(&app, "Jobs", StackProps::default());
    /// let vpc = Vpc::from_vpc_attributes(&stack, "Vpc", VpcAttributes {
    ///     vpc_id: "vpc-12345".into(),
    ///     availability_zones: vec!["eu-west-1a".into(), "eu-west-1b".into()],
    ///     private_subnet_ids: vec!["subnet-1".into(), "subnet-2".into()],
    ///     ..Default::default()
    /// });
    /// assert_eq!(vpc.private_subnets()[1].availability_zone(), "eu-west-1b".into());
    /// ```
    pub fn from_vpc_attributes(scope: &Scope, id: &str, attributes: VpcAttributes) -> Self {
        let scope = scope.child(id);
        let zones = attributes.availability_zones.clone();
        let import = |default: &str, ids: &[Value<String>], names: &[String], tables: &[Value<String>]| {
            import(&scope, &zones, &Group { default, ids, names, tables })
        };
        let a = &attributes;
        let public = import("Public", &a.public_subnet_ids, &a.public_subnet_names, &a.public_subnet_route_table_ids);
        let private =
            import("Private", &a.private_subnet_ids, &a.private_subnet_names, &a.private_subnet_route_table_ids);
        let isolated =
            import("Isolated", &a.isolated_subnet_ids, &a.isolated_subnet_names, &a.isolated_subnet_route_table_ids);
        Self::of(State {
            vpc_id: attributes.vpc_id,
            cidr_block: attributes.vpc_cidr_block,
            availability_zones: zones.clone(),
            public,
            private,
            isolated,
            scope: scope.clone(),
        })
    }
}

struct Group<'a> {
    default: &'a str,
    ids: &'a [Value<String>],
    names: &'a [String],
    tables: &'a [Value<String>],
}

fn import(scope: &Scope, zones: &[Value<String>], group: &Group<'_>) -> Vec<Subnet> {
    let kind = group.default.to_lowercase();
    let error = |message: String| {
        scope.report(
            Diagnostic::error(codes::VPC, message)
                .hint("list the subnets group by group, one per zone in the order of the zones"),
        );
    };
    if zones.is_empty() || !group.ids.len().is_multiple_of(zones.len()) {
        if !group.ids.is_empty() {
            error(format!("{} {kind} subnets do not divide evenly among {} zones", group.ids.len(), zones.len()));
        }
        return vec![];
    }
    if !group.tables.is_empty() && group.tables.len() != group.ids.len() {
        error(format!("{} route tables are given for {} {kind} subnets", group.tables.len(), group.ids.len()));
    }
    let groups = group.ids.len() / zones.len();
    if !group.names.is_empty() && group.names.len() != groups {
        error(format!("{} names are given for {groups} groups of {kind} subnets", group.names.len()));
    }
    let of_zone = |index: usize| zones.get(index % zones.len()).cloned().unwrap_or_default();
    let subnets = group.ids.iter().enumerate().map(|(index, subnet_id)| {
        let name = group.names.get(index / zones.len()).map_or(group.default, String::as_str);
        let attributes = SubnetAttributes {
            subnet_id: subnet_id.clone(),
            availability_zone: of_zone(index),
            route_table_id: group.tables.get(index).cloned().unwrap_or_default(),
            ipv4_cidr_block: Value::default(),
        };
        Subnet::from_subnet_attributes(scope, &format!("{name}Subnet{}", index + 1), attributes)
    });
    subnets.collect()
}
