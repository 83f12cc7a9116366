//! Peers that rules speak of, and the security group, which is one and holds the rules.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use neargate_l1::Value;

use super::port::Port;
use crate::{Scope, construct};
/// A security group: who may reach what carries it, and what that may reach. Answers always pass.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ec2::{Peer, Port, SecurityGroup, SecurityGroupProps, Vpc, VpcProps}};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let vpc = Vpc::new(&stack, "Vpc", VpcProps::default());
/// let group = SecurityGroup::new(&stack, "Group", SecurityGroupProps { vpc: Some(vpc), ..Default::default() });
/// group.add_ingress_rule(&Peer::ipv4("10.0.0.0/16"), &Port::tcp(8080), Some("from inside"));
/// ```
#[derive(Clone)]
pub struct SecurityGroup(pub(super) Rc<State>);

construct!(SecurityGroup);

pub(super) struct State {
    pub(super) scope: Scope,
    pub(super) group_id: Value<String>,
    pub(super) allow_all_outbound: bool,
    pub(super) allow_all_ipv6_outbound: bool,
    pub(super) kind: Kind,
    /// How many rules name a peer that only deployment knows.
    pub(super) indirect_peers: Cell<usize>,
    pub(super) rules: Rc<RefCell<Rules>>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Owned { inline: bool },
    Imported { mutable: bool },
}

#[derive(Default)]
pub(super) struct Rules {
    pub(super) ingress: Vec<Rule>,
    pub(super) egress: Vec<Rule>,
}

#[derive(Clone)]
pub(super) struct Rule {
    pub(super) peer: Peer,
    pub(super) port: Port,
    pub(super) description: String,
}

impl Rule {
    /// The same traffic, whatever is said about it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.peer == other.peer && self.port == other.port
    }
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Peer {
    /// An IPv4 range.
    Ipv4(Value<String>),
    /// An IPv6 range.
    Ipv6(Value<String>),
    /// A managed prefix list, by id.
    PrefixList(Value<String>),
    /// Whatever has a security group.
    SecurityGroup(SecurityGroup),
    /// Whatever has a security group, by id.
    SecurityGroupId(Value<String>),
}

impl Peer {
    /// Every IPv4 address.
    pub fn any_ipv4() -> Self {
        Self::Ipv4("0.0.0.0/0".into())
    }

    /// Every IPv6 address.
    pub fn any_ipv6() -> Self {
        Self::Ipv6("::/0".into())
    }

    /// An IPv4 range such as `10.0.0.0/16`.
    pub fn ipv4(cidr: &str) -> Self {
        Self::Ipv4(cidr.into())
    }

    /// What names the peer in ids and descriptions.
    pub(super) fn unique_id(&self) -> Value<String> {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) | Self::SecurityGroupId(text) => text.clone(),
            Self::SecurityGroup(group) => group.unique_id().into(),
        }
    }

    /// Whether a rule about it may stand inside the group, rather than as a resource of its own.
    pub(super) fn can_be_inline(&self) -> bool {
        matches!(self, Self::Ipv4(_) | Self::Ipv6(_) | Self::SecurityGroupId(_))
    }

    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Ipv4(text) => {
                let cidr = text.known()?;
                super::cidr::Cidr::parse(cidr)
                    .is_none()
                    .then(|| format!("`{cidr}` is no IPv4 range: expected one such as `10.0.0.0/16`"))
            }
            Self::Ipv6(text) => {
                let cidr = text.known()?;
                let (address, length) = cidr.split_once('/')?;
                let legal = address.parse::<std::net::Ipv6Addr>().is_ok()
                    && length.parse::<u8>().is_ok_and(|length| length <= 128);
                (!legal).then(|| format!("`{cidr}` is no IPv6 range: expected one such as `2001:db8::/32`"))
            }
            _ => None,
        }
    }
}
