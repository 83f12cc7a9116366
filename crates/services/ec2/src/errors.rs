//! The faults of the EC2 API.
//!
//! Follows <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>; texts are those EC2 answers
//! with.

use neargate_kernel::Fault;

use crate::kind::Kind;

/// What EC2 refuses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ec2Error {
    /// `DryRun` was asked for and nothing stands against the call.
    DryRun,
    NotFound(Kind, String),
    AddressNotFound(String),
    AssociationNotFound(String),
    NatTargetNotFound(String),
    RouteNotFound {
        destination: String,
        table: String,
    },
    RouteExists(String),
    InvalidId(String),
    MalformedGroup(String),
    MissingParameter(String),
    /// `InvalidParameterValue` with its text.
    InvalidValue(String),
    /// `InvalidParameterCombination` with its text.
    InvalidCombination(String),
    /// `DependencyViolation` with its text.
    Dependency(String),
    VpcRange(String),
    SubnetRange(String),
    SubnetConflict(String),
    /// `Resource.AlreadyAssociated` with its text.
    AlreadyAssociated(String),
    NotAttached {
        gateway: String,
        vpc: String,
    },
    AddressInUse(String),
    AddressLimit,
    NoDefaultVpc,
    GroupExists {
        name: String,
        vpc: String,
    },
    GroupIsDefault(String),
    OtherNetwork,
    RuleExists(String),
    RuleNotFound,
    RuleLimit,
    TagLimit(String),
}

impl From<Ec2Error> for Fault {
    fn from(error: Ec2Error) -> Self {
        let (code, text) = describe(error);
        let status = if code == "DryRunOperation" { 412 } else { 400 };
        Self::sender(code, text).with_status(status)
    }
}

impl Kind {
    /// That there is none of that id.
    pub(crate) fn missing(self, id: &str) -> Ec2Error {
        Ec2Error::NotFound(self, id.to_owned())
    }
}

fn describe(error: Ec2Error) -> (&'static str, String) {
    match error {
        Ec2Error::DryRun => ("DryRunOperation", "Request would have succeeded, but DryRun flag is set.".to_owned()),
        Ec2Error::NotFound(kind, id) => not_found(kind, &id),
        Ec2Error::AddressNotFound(ip) => ("InvalidAddress.NotFound", format!("Address '{ip}' not found.")),
        Ec2Error::AssociationNotFound(id) => {
            ("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
        }
        Ec2Error::NatTargetNotFound(id) => {
            ("InvalidNatGatewayID.NotFound", format!("The natGateway ID '{id}' does not exist"))
        }
        Ec2Error::RouteNotFound { destination, table } => (
            "InvalidRoute.NotFound",
            format!("no route with destination-cidr-block {destination} in route table {table}"),
        ),
        Ec2Error::RouteExists(destination) => {
            ("RouteAlreadyExists", format!("The route identified by {destination} already exists."))
        }
        Ec2Error::InvalidId(id) => ("InvalidID", format!("The ID '{id}' is not valid")),
        Ec2Error::MalformedGroup(id) => {
            ("InvalidGroupId.Malformed", format!("Invalid id: \"{id}\" (expecting \"sg-...\")"))
        }
        Ec2Error::MissingParameter(name) => {
            ("MissingParameter", format!("The request must contain the parameter {name}"))
        }
        Ec2Error::InvalidValue(text) => ("InvalidParameterValue", text),
        Ec2Error::InvalidCombination(text) => ("InvalidParameterCombination", text),
        Ec2Error::Dependency(text) => ("DependencyViolation", text),
        Ec2Error::VpcRange(cidr) => ("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")),
        Ec2Error::SubnetRange(cidr) => ("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")),
        Ec2Error::SubnetConflict(cidr) => {
            ("InvalidSubnet.Conflict", format!("The CIDR '{cidr}' conflicts with another subnet"))
        }
        Ec2Error::AlreadyAssociated(text) => ("Resource.AlreadyAssociated", text),
        Ec2Error::NotAttached { gateway, vpc } => {
            ("Gateway.NotAttached", format!("resource {gateway} is not attached to network {vpc}"))
        }
        Ec2Error::AddressInUse(ip) => ("InvalidIPAddress.InUse", format!("Address {ip} is in use.")),
        Ec2Error::AddressLimit => {
            ("AddressLimitExceeded", "The maximum number of addresses has been reached.".to_owned())
        }
        Ec2Error::NoDefaultVpc => ("VPCIdNotSpecified", "No default VPC for this user".to_owned()),
        Ec2Error::GroupExists { name, vpc } => {
            ("InvalidGroup.Duplicate", format!("The security group '{name}' already exists for VPC '{vpc}'"))
        }
        Ec2Error::GroupIsDefault(id) => {
            ("CannotDelete", format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"))
        }
        Ec2Error::OtherNetwork => {
            ("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.".to_owned())
        }
        Ec2Error::RuleExists(rule) => {
            ("InvalidPermission.Duplicate", format!("the specified rule \"{rule}\" already exists"))
        }
        Ec2Error::RuleNotFound => {
            ("InvalidPermission.NotFound", "The specified rule does not exist in this security group.".to_owned())
        }
        Ec2Error::RuleLimit => (
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.".to_owned(),
        ),
        Ec2Error::TagLimit(id) => ("TagLimitExceeded", format!("More than 50 tags specified for resource {id}")),
    }
}

fn not_found(kind: Kind, id: &str) -> (&'static str, String) {
    match kind {
        Kind::Vpc => ("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")),
        Kind::Subnet => ("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist")),
        Kind::RouteTable => ("InvalidRouteTableID.NotFound", format!("The routeTable ID '{id}' does not exist")),
        Kind::InternetGateway => {
            ("InvalidInternetGatewayID.NotFound", format!("The internetGateway ID '{id}' does not exist"))
        }
        Kind::Address => ("InvalidAllocationID.NotFound", format!("The allocation ID '{id}' does not exist")),
        Kind::NatGateway => ("NatGatewayNotFound", format!("The Nat Gateway {id} was not found")),
        Kind::SecurityGroup => ("InvalidGroup.NotFound", format!("The security group '{id}' does not exist")),
        Kind::SecurityGroupRule => {
            ("InvalidSecurityGroupRuleId.NotFound", format!("The security group rule ID '{id}' does not exist"))
        }
        Kind::NetworkInterface => {
            ("InvalidNetworkInterfaceID.NotFound", format!("The networkInterface ID '{id}' does not exist"))
        }
    }
}
