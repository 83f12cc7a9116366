//! The VPC part of Amazon EC2: VPCs, subnets, route tables, gateways, addresses, security groups, network interfaces.
//!
//! - [`service`] is the API and the CloudFormation types, `Custom::VpcRestrictDefaultSG` of CDK included.
//! - [`Interfaces`] stands behind the kernel's [`Networks`](neargate_kernel::Networks) port: tasks get their
//!   addresses here.
//!
//! What a VPC holds is recorded and checked as EC2 checks it; whoever runs the containers makes networks of it. Every
//! account has a default VPC in each region. There are no instances, network ACLs, IPv6 blocks or endpoints.
//!
//! Invariant: subnets of a VPC do not overlap and lie in its block; an address belongs to one interface.
//!
//! Invariant: nothing is deleted that something else hangs on; the fault is EC2's `DependencyViolation`.

mod access;
mod cidr;
mod default_vpc;
mod errors;
mod interfaces;
mod kind;
mod list;
mod ops;
mod resources;
mod rules;
mod state;
mod tags;
mod zones;

pub use interfaces::Interfaces;

use neargate_api::ec2 as api;
use neargate_kernel::{OperationEntry, ResourceType, Service};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: operations(),
        resources: resources(),
        jobs: vec![],
        reports: vec![],
        records: |store| {
            store.register::<state::Vpc>();
            store.register::<state::Subnet>();
            store.register::<state::RouteTable>();
            store.register::<state::InternetGateway>();
            store.register::<state::Address>();
            store.register::<state::NatGateway>();
            store.register::<state::SecurityGroup>();
            store.register::<state::NetworkInterface>();
            store.register::<state::TagSet>();
            store.register::<default_vpc::DefaultVpc>();
        },
    }
}

fn operations() -> Vec<OperationEntry> {
    vec![
        OperationEntry::of::<ops::AllocateAddress>(),
        OperationEntry::of::<ops::AssociateRouteTable>(),
        OperationEntry::of::<ops::AttachInternetGateway>(),
        OperationEntry::of::<ops::AuthorizeSecurityGroupEgress>(),
        OperationEntry::of::<ops::AuthorizeSecurityGroupIngress>(),
        OperationEntry::of::<ops::CreateInternetGateway>(),
        OperationEntry::of::<ops::CreateNatGateway>(),
        OperationEntry::of::<ops::CreateRoute>(),
        OperationEntry::of::<ops::CreateRouteTable>(),
        OperationEntry::of::<ops::CreateSecurityGroup>(),
        OperationEntry::of::<ops::CreateSubnet>(),
        OperationEntry::of::<ops::CreateTags>(),
        OperationEntry::of::<ops::CreateVpc>(),
        OperationEntry::of::<ops::DeleteInternetGateway>(),
        OperationEntry::of::<ops::DeleteNatGateway>(),
        OperationEntry::of::<ops::DeleteRoute>(),
        OperationEntry::of::<ops::DeleteRouteTable>(),
        OperationEntry::of::<ops::DeleteSecurityGroup>(),
        OperationEntry::of::<ops::DeleteSubnet>(),
        OperationEntry::of::<ops::DeleteTags>(),
        OperationEntry::of::<ops::DeleteVpc>(),
        OperationEntry::of::<ops::DescribeAddresses>(),
        OperationEntry::of::<ops::DescribeAvailabilityZones>(),
        OperationEntry::of::<ops::DescribeInternetGateways>(),
        OperationEntry::of::<ops::DescribeNatGateways>(),
        OperationEntry::of::<ops::DescribeNetworkInterfaces>(),
        OperationEntry::of::<ops::DescribeRegions>(),
        OperationEntry::of::<ops::DescribeRouteTables>(),
        OperationEntry::of::<ops::DescribeSecurityGroupRules>(),
        OperationEntry::of::<ops::DescribeSecurityGroups>(),
        OperationEntry::of::<ops::DescribeSubnets>(),
        OperationEntry::of::<ops::DescribeTags>(),
        OperationEntry::of::<ops::DescribeVpcAttribute>(),
        OperationEntry::of::<ops::DescribeVpcs>(),
        OperationEntry::of::<ops::DetachInternetGateway>(),
        OperationEntry::of::<ops::DisassociateRouteTable>(),
        OperationEntry::of::<ops::ModifySubnetAttribute>(),
        OperationEntry::of::<ops::ModifyVpcAttribute>(),
        OperationEntry::of::<ops::ReleaseAddress>(),
        OperationEntry::of::<ops::RevokeSecurityGroupEgress>(),
        OperationEntry::of::<ops::RevokeSecurityGroupIngress>(),
        OperationEntry::of::<ops::UpdateSecurityGroupRuleDescriptionsEgress>(),
        OperationEntry::of::<ops::UpdateSecurityGroupRuleDescriptionsIngress>(),
    ]
}

fn resources() -> Vec<&'static dyn ResourceType> {
    vec![
        &resources::VpcType,
        &resources::SubnetType,
        &resources::RouteTableType,
        &resources::SubnetRouteTableAssociationType,
        &resources::RouteType,
        &resources::InternetGatewayType,
        &resources::VpcGatewayAttachmentType,
        &resources::EipType,
        &resources::NatGatewayType,
        &resources::SecurityGroupType,
        &resources::SecurityGroupIngressType,
        &resources::SecurityGroupEgressType,
        &resources::RestrictDefaultGroupType,
    ]
}
