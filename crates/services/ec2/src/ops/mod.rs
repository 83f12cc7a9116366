//! The operations, one file for each noun.

mod addresses;
mod group_rules;
mod groups;
mod interfaces;
mod internet_gateways;
mod nat_gateways;
mod route_tables;
mod routes;
mod rule_descriptions;
mod subnets;
mod tags;
mod vpcs;
mod zones;

pub(crate) use addresses::{AllocateAddress, DescribeAddresses, ReleaseAddress};
pub(crate) use group_rules::{
    AuthorizeSecurityGroupEgress, AuthorizeSecurityGroupIngress, DescribeSecurityGroupRules, RevokeSecurityGroupEgress,
    RevokeSecurityGroupIngress,
};
pub(crate) use groups::{CreateSecurityGroup, DeleteSecurityGroup, DescribeSecurityGroups, default_group};
pub(crate) use interfaces::DescribeNetworkInterfaces;
pub(crate) use internet_gateways::{
    AttachInternetGateway, CreateInternetGateway, DeleteInternetGateway, DescribeInternetGateways,
    DetachInternetGateway,
};
pub(crate) use nat_gateways::{CreateNatGateway, DeleteNatGateway, DescribeNatGateways};
pub(crate) use route_tables::{
    AssociateRouteTable, CreateRouteTable, DeleteRouteTable, DescribeRouteTables, DisassociateRouteTable,
};
pub(crate) use routes::{CreateRoute, DeleteRoute};
pub(crate) use rule_descriptions::{
    UpdateSecurityGroupRuleDescriptionsEgress, UpdateSecurityGroupRuleDescriptionsIngress,
};
pub(crate) use subnets::{CreateSubnet, DeleteSubnet, DescribeSubnets, ModifySubnetAttribute};
pub(crate) use tags::{CreateTags, DeleteTags, DescribeTags};
pub(crate) use vpcs::{CreateVpc, DeleteVpc, DescribeVpcAttribute, DescribeVpcs, ModifyVpcAttribute};
pub(crate) use zones::{DescribeAvailabilityZones, DescribeRegions};

use neargate_kernel::{Access, Accesses, Cx};

use crate::api;
use crate::cidr::Cidr;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::tags::tags as tags_of;

/// Stops a dry run that is allowed.
fn real(dry_run: Option<bool>) -> Result<(), Ec2Error> {
    if dry_run == Some(true) { Err(Ec2Error::DryRun) } else { Ok(()) }
}

/// An action on everything.
fn anything(action: &str) -> Accesses {
    Access::new(&format!("ec2:{action}"), "*").into()
}

/// An action on a thing that is there, with its tags as condition keys.
fn on(cx: &Cx<'_>, action: &str, kind: Kind, id: &str) -> Access {
    let mut access = Access::new(&format!("ec2:{action}"), kind.arn(cx, id));
    for (key, value) in tags_of(cx, id) {
        access = access.with(&format!("aws:ResourceTag/{key}"), &*value).with(&format!("ec2:ResourceTag/{key}"), value);
    }
    access
}

/// An action that makes a thing, with the tags it is given.
fn creates(cx: &Cx<'_>, action: &str, kind: Kind, specifications: Option<&Vec<api::TagSpecification>>) -> Accesses {
    let made = kind.arn(cx, "*");
    let given: Vec<_> = specifications.into_iter().flatten().filter_map(|it| it.tags.as_ref()).flatten().collect();
    let tagged = |action: &str| with_request_tags(Access::new(action, made.clone()), given.iter().copied());
    let mut accesses = Accesses::new(tagged(&format!("ec2:{action}")));
    if !given.is_empty() {
        accesses.push(tagged("ec2:CreateTags").with("ec2:CreateAction", action));
    }
    accesses
}

/// An access with the tags of its request as condition keys.
fn with_request_tags<'t>(mut access: Access, tags: impl Iterator<Item = &'t api::Tag>) -> Access {
    let mut keys = vec![];
    for tag in tags {
        let key = tag.key.clone().unwrap_or_default();
        access = access.with(&format!("aws:RequestTag/{key}"), tag.value.clone().unwrap_or_default());
        keys.push(key);
    }
    if !keys.is_empty() {
        access.context.push(("aws:TagKeys".to_owned(), keys));
    }
    access
}

/// A block that a parameter gives.
fn block(parameter: &str, text: Option<&str>) -> Result<Cidr, Ec2Error> {
    let text = text.ok_or_else(|| Ec2Error::MissingParameter(parameter.to_owned()))?;
    let invalid = |_| format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.");
    text.parse().map_err(invalid).map_err(Ec2Error::InvalidValue)
}
