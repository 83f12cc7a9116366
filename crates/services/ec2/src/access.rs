//! What EC2 authorises calls for, with the condition keys that policies can ask about.
//!
//! Follows <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>.

use neargate_kernel::{Access, Accesses, Cx};

use crate::api;
use crate::kind::Kind;
use crate::state::{Address, NatGateway, NetworkInterface, RouteTable, SecurityGroup, Subnet, Vpc};
use crate::tags::tags as tags_of;
use neargate_base::zone_id;

const TAG: &str = "ec2:ResourceTag/";

/// An action on everything.
pub(crate) fn anything(action: &str) -> Accesses {
    on_everything(action).into()
}

/// An action on everything, or on what cannot be told.
pub(crate) fn on_everything(action: &str) -> Access {
    Access::new(&format!("ec2:{action}"), "*").complete("ec2:").with_resource_tags(Some(TAG), []).with_request_tags([])
}

/// An action on a thing, with its tags and with what it is as condition keys. What is not there has none.
pub(crate) fn on(cx: &Cx<'_>, action: &str, kind: Kind, id: &str) -> Access {
    let access = about(cx, Access::new(&format!("ec2:{action}"), kind.arn(cx, id)), kind, id);
    let access = access.with_resource_tags(Some(TAG), tags_of(cx, id));
    // Which attribute is changed, and to what, is not told.
    if action.starts_with("Modify") { access } else { access.complete("ec2:Attribute").complete("ec2:Attribute/") }
}

/// An action that makes a thing, with the tags it is given. `vpc` is the one that it is made in.
pub(crate) fn creates(
    cx: &Cx<'_>,
    action: &str,
    kind: Kind,
    specifications: Option<&Vec<api::TagSpecification>>,
    vpc: Option<&str>,
) -> Accesses {
    let made = kind.arn(cx, "*");
    let given: Vec<_> = specifications.into_iter().flatten().filter_map(|it| it.tags.as_ref()).flatten().collect();
    let tagged = |action: &str| {
        let access = with_request_tags(Access::new(action, made.clone()), given.iter().copied());
        let vpc = vpc.map(|id| Kind::Vpc.arn(cx, id));
        of_every_kind(cx, access)
            .with_option("ec2:Vpc", vpc)
            .complete("ec2:Attribute")
            .complete("ec2:Attribute/")
            .with_resource_tags(Some(TAG), [])
    };
    let mut accesses = Accesses::new(tagged(&format!("ec2:{action}")));
    if !given.is_empty() {
        accesses.push(tagged("ec2:CreateTags").with("ec2:CreateAction", action));
    }
    accesses
}

/// An access with the tags of its request as condition keys.
pub(crate) fn with_request_tags<'t>(access: Access, tags: impl Iterator<Item = &'t api::Tag>) -> Access {
    let pair = |tag: &api::Tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default());
    access.with_request_tags(tags.map(pair))
}

/// The condition keys that say what a thing is.
fn about(cx: &Cx<'_>, access: Access, kind: Kind, id: &str) -> Access {
    let access = of_every_kind(cx, access);
    let in_vpc =
        |access: Access, vpc: Option<&String>| access.with_option("ec2:Vpc", vpc.map(|vpc| Kind::Vpc.arn(cx, vpc)));
    match kind {
        Kind::Vpc => {
            let tenancy = cx.get::<Vpc>(id).map(|vpc| vpc.tenancy.as_str());
            access.with("ec2:VpcID", id).with_option("ec2:Tenancy", tenancy)
        }
        Kind::Subnet => {
            let subnet = cx.get::<Subnet>(id);
            let access = in_vpc(access.with("ec2:SubnetID", id), subnet.map(|subnet| &subnet.vpc));
            let zone = subnet.map(|subnet| subnet.zone.as_str());
            let id = zone.and_then(|zone| zone_id(cx.scope.region.as_str(), zone));
            access.with_option("ec2:AvailabilityZone", zone).with_option("ec2:AvailabilityZoneId", id)
        }
        Kind::RouteTable => {
            in_vpc(access.with("ec2:RouteTableID", id), cx.get::<RouteTable>(id).map(|table| &table.vpc))
        }
        Kind::InternetGateway => access.with("ec2:InternetGatewayID", id),
        Kind::Address => {
            let address = cx.get::<Address>(id).map(|address| address.public_ip.to_string());
            let access = access.with("ec2:AllocationId", id).with("ec2:Domain", "vpc");
            access.with_option("ec2:PublicIpAddress", address)
        }
        Kind::NatGateway => in_vpc(access, cx.get::<NatGateway>(id).map(|gateway| &gateway.vpc)),
        Kind::SecurityGroup => {
            in_vpc(access.with("ec2:SecurityGroupID", id), cx.get::<SecurityGroup>(id).map(|group| &group.vpc))
        }
        Kind::NetworkInterface => in_vpc(
            access.with("ec2:NetworkInterfaceID", id),
            cx.get::<NetworkInterface>(id).map(|interface| &interface.vpc),
        ),
        Kind::SecurityGroupRule => access,
    }
}

/// The condition keys that everything has, and those of what there is not here: address pools, launch templates, managed resources.
fn of_every_kind(cx: &Cx<'_>, access: Access) -> Access {
    let absent = [
        "ec2:AllocationId",
        "ec2:CreateAction",
        "ec2:InternetGatewayID",
        "ec2:IpamPrefixListResolverTargetId",
        "ec2:Ipv4IpamPoolId",
        "ec2:Ipv6IpamPoolId",
        "ec2:IsLaunchTemplateResource",
        "ec2:LaunchTemplate",
        "ec2:ManagedResourceOperator",
        "ec2:PublicIpAddress",
        "ec2:RouteTableID",
        "ec2:SecurityGroupID",
        "ec2:SubnetID",
        "ec2:VpcID",
        "ec2:VpcPeeringConnectionID",
    ];
    let access = access.with("ec2:Region", cx.scope.region.as_str()).with_request_tags([]);
    absent.into_iter().fold(access, |access, key| access.complete(key))
}
