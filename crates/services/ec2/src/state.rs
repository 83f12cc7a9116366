//! What EC2 keeps: VPCs and what lies in them, each under its id. Tags lie apart, under the id of what they belong to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Record};
use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;
use crate::errors::Ec2Error;
use crate::kind::Kind;

/// A record with an id that callers name.
pub(crate) trait Named: Record {
    /// What it is.
    const KIND: Kind;
}

/// A VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) cidr: Cidr,
    /// `vpc-cidr-assoc-…`.
    pub(crate) cidr_association: String,
    pub(crate) tenancy: String,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    pub(crate) address_usage_metrics: bool,
    pub(crate) default_group: String,
    pub(crate) main_table: String,
    /// `acl-…`: a name only, there are no network ACLs.
    pub(crate) network_acl: String,
    /// Whether it is the account's default one.
    #[serde(default)]
    pub(crate) is_default: bool,
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) vpc: String,
    pub(crate) cidr: Cidr,
    /// The name of its availability zone.
    pub(crate) zone: String,
    /// `aclassoc-…`.
    pub(crate) acl_association: String,
    pub(crate) maps_public_ip: bool,
    /// Whether it is its zone's default one.
    #[serde(default)]
    pub(crate) is_default: bool,
}

/// A route table; its local route is understood.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) vpc: String,
    pub(crate) associations: Vec<Association>,
    pub(crate) routes: Vec<Route>,
}

/// What a route table is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Association {
    /// `rtbassoc-…`.
    pub(crate) id: String,
    /// The subnet; `None` for all subnets of the VPC that have no table of their own.
    pub(crate) subnet: Option<String>,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) destination: Cidr,
    pub(crate) target: Target,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    InternetGateway(String),
    NatGateway(String),
    Interface(String),
}

/// An internet gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct InternetGateway {
    pub(crate) vpc: Option<String>,
}

/// An elastic IP address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) public_ip: Ipv4Addr,
    /// `eipassoc-…` and the network interface.
    pub(crate) association: Option<(String, String)>,
}

/// A NAT gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NatGateway {
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    /// Whether it has a public address.
    pub(crate) public: bool,
    pub(crate) allocation: Option<String>,
    pub(crate) interface: Option<String>,
    pub(crate) created: Timestamp,
    /// Code and text of why it could not be made.
    pub(crate) failure: Option<(String, String)>,
}

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) vpc: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) rules: Vec<Rule>,
}

/// One rule of a security group: one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// `sgr-…`.
    pub(crate) id: String,
    pub(crate) egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub(crate) protocol: String,
    /// Ports, or type and code; `None` where the protocol has none.
    pub(crate) range: Option<(i32, i32)>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
}

/// Whom a rule allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Peer {
    Ipv4(Cidr),
    Ipv6(String),
    PrefixList(String),
    Group(String),
}

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkInterface {
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) mac: String,
    pub(crate) description: String,
    pub(crate) groups: Vec<String>,
    pub(crate) serves: Serves,
    /// `eni-attach-…`.
    pub(crate) attachment: String,
    pub(crate) created: Timestamp,
}

/// What a network interface was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Serves {
    Task,
    NatGateway,
}

/// The tags of whatever has the id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TagSet(pub(crate) BTreeMap<String, String>);

impl Record for TagSet {
    const TABLE: &'static str = "ec2.tags";
}

macro_rules! named {
    ($($record:ident $table:literal)*) => {$(
        impl Record for $record {
            const TABLE: &'static str = $table;
        }

        impl Named for $record {
            const KIND: Kind = Kind::$record;
        }
    )*};
}

named! {
    Vpc "ec2.vpc"
    Subnet "ec2.subnet"
    RouteTable "ec2.route-table"
    InternetGateway "ec2.internet-gateway"
    Address "ec2.address"
    NatGateway "ec2.nat-gateway"
    SecurityGroup "ec2.security-group"
    NetworkInterface "ec2.network-interface"
}

impl Kind {
    /// Whether there is one of that id.
    pub(crate) fn exists(self, cx: &Cx<'_>, id: &str) -> bool {
        match self {
            Self::Vpc => cx.get::<Vpc>(id).is_some(),
            Self::Subnet => cx.get::<Subnet>(id).is_some(),
            Self::RouteTable => cx.get::<RouteTable>(id).is_some(),
            Self::InternetGateway => cx.get::<InternetGateway>(id).is_some(),
            Self::Address => cx.get::<Address>(id).is_some(),
            Self::NatGateway => cx.get::<NatGateway>(id).is_some(),
            Self::SecurityGroup => cx.get::<SecurityGroup>(id).is_some(),
            Self::NetworkInterface => cx.get::<NetworkInterface>(id).is_some(),
            Self::SecurityGroupRule => {
                cx.scan::<SecurityGroup>("").any(|(_, group)| group.rules.iter().any(|rule| rule.id == id))
            }
        }
    }
}

/// The record of that id, or EC2's word that there is none.
pub(crate) fn known<R: Named>(cx: &Cx<'_>, id: &str) -> Result<R, Ec2Error> {
    cx.get::<R>(id).cloned().ok_or_else(|| R::KIND.missing(id))
}

/// Deletes a record and its tags.
pub(crate) fn forget<R: Named>(cx: &mut Cx<'_>, id: &str) {
    cx.delete::<R>(id);
    cx.delete::<TagSet>(id);
}
