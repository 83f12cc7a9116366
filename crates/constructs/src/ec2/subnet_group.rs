//! Groups of subnets: what each can reach, and how its ranges are cut.

/// What the subnets of a group can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubnetType {
    /// Nothing outside the VPC.
    PrivateIsolated,
    /// The internet, through a NAT gateway; the internet cannot reach them.
    PrivateWithEgress,
    /// The internet, which can reach them.
    Public,
}

impl SubnetType {
    /// The name in the tag that CDK puts on subnets.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::PrivateIsolated => "Isolated",
            Self::PrivateWithEgress => "Private",
            Self::Public => "Public",
        }
    }
}

/// A group of subnets, one in each availability zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetConfiguration {
    /// The group's name, in ids and in a tag.
    pub name: String,
    /// What they can reach.
    pub subnet_type: SubnetType,
    /// The prefix length of each one's range, 16 to 28. Default: an equal share of what is left.
    pub cidr_mask: Option<u32>,
    /// Whether instances get public addresses; public subnets only. Default: yes in public subnets.
    pub map_public_ip_on_launch: Option<bool>,
    /// Whether the ranges are only kept free, without subnets. Default: no.
    pub reserved: bool,
}

impl SubnetConfiguration {
    /// A group with default options.
    pub fn new(name: &str, subnet_type: SubnetType) -> Self {
        Self { name: name.to_owned(), subnet_type, cidr_mask: None, map_public_ip_on_launch: None, reserved: false }
    }
}
