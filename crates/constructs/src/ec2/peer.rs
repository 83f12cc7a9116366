//! Who a security group's rule lets in, or lets be reached.

use neargate_l1::Value;

use super::security_group::SecurityGroup;

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
