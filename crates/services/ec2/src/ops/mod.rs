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
pub(crate) use groups::{CreateSecurityGroup, DeleteSecurityGroup, DescribeSecurityGroups};
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

use crate::access::{anything, creates, on, on_everything, with_request_tags};
use crate::cidr::Cidr;
use crate::errors::Ec2Error;

/// Stops a dry run that is allowed.
fn real(dry_run: Option<bool>) -> Result<(), Ec2Error> {
    if dry_run == Some(true) { Err(Ec2Error::DryRun) } else { Ok(()) }
}

/// A block that a parameter gives.
fn block(parameter: &str, text: Option<&str>) -> Result<Cidr, Ec2Error> {
    let text = text.ok_or_else(|| Ec2Error::MissingParameter(parameter.to_owned()))?;
    let invalid = |_| format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.");
    text.parse().map_err(invalid).map_err(Ec2Error::InvalidValue)
}
