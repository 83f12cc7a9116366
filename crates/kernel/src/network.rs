//! Network interfaces for tasks.

use serde::{Deserialize, Serialize};

use crate::{Cx, Fault};

/// What a task asks of its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceRequest<'a> {
    /// Subnets to choose from.
    pub subnets: &'a [String],
    /// Security groups; empty means the VPC's default group.
    pub security_groups: &'a [String],
    /// Shown by `DescribeNetworkInterfaces`.
    pub description: &'a str,
    /// Whether the interface gets a public address.
    pub public_ip: bool,
}

/// An elastic network interface as a task sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// The subnet chosen.
    pub subnet_id: String,
    /// The subnet's block.
    pub subnet_cidr: String,
    /// The subnet's availability zone.
    pub availability_zone: String,
    /// The VPC.
    pub vpc_id: String,
    /// The VPC's block.
    pub vpc_cidr: String,
    /// The private IPv4 address.
    pub private_ip: String,
    /// The private DNS name.
    pub private_dns_name: String,
    /// The MAC address.
    pub mac: String,
}

/// The port through which tasks get their interfaces; the EC2 service stands behind it.
pub trait Networks: Sync {
    /// Makes an interface in one of the subnets.
    fn attach(&self, cx: &mut Cx<'_>, request: &InterfaceRequest<'_>) -> Result<Interface, Fault>;

    /// Gives the interface and its address back. One that is gone already is no error.
    fn detach(&self, cx: &mut Cx<'_>, interface_id: &str);
}
