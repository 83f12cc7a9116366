//! The kinds of things EC2 keeps here, told apart by the prefix of their ids.

use neargate_kernel::Cx;

/// A kind of thing with an id, an ARN and tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vpc,
    Subnet,
    RouteTable,
    InternetGateway,
    Address,
    NatGateway,
    SecurityGroup,
    SecurityGroupRule,
    NetworkInterface,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Vpc,
        Self::Subnet,
        Self::RouteTable,
        Self::InternetGateway,
        Self::Address,
        Self::NatGateway,
        Self::SecurityGroup,
        Self::SecurityGroupRule,
        Self::NetworkInterface,
    ];

    /// What its ids begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Vpc => "vpc",
            Self::Subnet => "subnet",
            Self::RouteTable => "rtb",
            Self::InternetGateway => "igw",
            Self::Address => "eipalloc",
            Self::NatGateway => "nat",
            Self::SecurityGroup => "sg",
            Self::SecurityGroupRule => "sgr",
            Self::NetworkInterface => "eni",
        }
    }

    /// Its name in ARNs and tag specifications.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Vpc => "vpc",
            Self::Subnet => "subnet",
            Self::RouteTable => "route-table",
            Self::InternetGateway => "internet-gateway",
            Self::Address => "elastic-ip",
            Self::NatGateway => "natgateway",
            Self::SecurityGroup => "security-group",
            Self::SecurityGroupRule => "security-group-rule",
            Self::NetworkInterface => "network-interface",
        }
    }

    /// The kind that an id is of.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let (prefix, _) = id.split_once('-')?;
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// A new id.
    pub(crate) fn id(self, cx: &mut Cx<'_>) -> String {
        new_id(cx, self.prefix())
    }

    /// The ARN of one of them, or with `*` of all.
    pub(crate) fn arn(self, cx: &Cx<'_>, id: &str) -> String {
        cx.scope.arn("ec2", &format!("{}/{id}", self.type_name()))
    }
}

/// An id of seventeen hexadecimal digits behind a prefix, as EC2 makes them.
pub(crate) fn new_id(cx: &mut Cx<'_>, prefix: &str) -> String {
    format!("{prefix}-0{}", cx.rng.hex(16))
}
