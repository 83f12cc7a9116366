//! Subnets.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, block, creates, on, real};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::interfaces::free_addresses;
use crate::kind::{Kind, new_id};
use crate::list::{Field, Listed, Query, flag, list, number, text};
use crate::state::{NetworkInterface, RouteTable, Subnet, Vpc, forget, known};
use crate::tags;
use neargate_base::{zone_id, zones};

/// `CreateSubnet` makes a subnet in one zone; its block lies in the VPC's and apart from the other subnets'.
pub(crate) struct CreateSubnet;

impl Operation for CreateSubnet {
    const SHAPE: &'static OperationShape = &api::CREATE_SUBNET;
    type Input = api::CreateSubnetInput;
    type Output = api::CreateSubnetOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        // Without a zone EC2 chooses one, which is not known before.
        let with_zone = |mut access: Access| {
            for (key, zone) in [
                ("ec2:AvailabilityZone", &input.availability_zone),
                ("ec2:AvailabilityZoneId", &input.availability_zone_id),
            ] {
                access = zone.iter().fold(access, |access, zone| access.with(key, zone.as_str()));
            }
            access
        };
        creates(cx, "CreateSubnet", Kind::Subnet, input.tag_specifications.as_ref(), Some(&input.vpc_id))
            .map(with_zone)
            .and([on(cx, "CreateSubnet", Kind::Vpc, &input.vpc_id)])
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let vpc = known::<Vpc>(cx, &input.vpc_id)?;
        let cidr = block("cidrBlock", input.cidr_block.as_deref())?;
        if !cidr.fits_a_vpc() || !vpc.cidr.contains(cidr) {
            return Err(Ec2Error::SubnetRange(cidr.to_string()).into());
        }
        if cx.scan::<Subnet>("").any(|(_, other)| other.vpc == input.vpc_id && other.cidr.overlaps(cidr)) {
            return Err(Ec2Error::SubnetConflict(cidr.to_string()).into());
        }
        let zone = zone(cx, input.availability_zone.as_deref(), input.availability_zone_id.as_deref())?;
        if input.ipv6_cidr_block.is_some() || input.ipv6_native == Some(true) {
            cx.not_simulated("ec2:CreateSubnet", "accepted; the subnet has no IPv6 block");
        }
        let id = Kind::Subnet.id(cx);
        let acl_association = new_id(cx, "aclassoc");
        let subnet =
            Subnet { vpc: input.vpc_id, cidr, zone, acl_association, maps_public_ip: false, is_default: false };
        cx.put(&id, subnet.clone());
        tags::specify(cx, Kind::Subnet, &id, input.tag_specifications.as_ref())?;
        Ok(api::CreateSubnetOutput { subnet: Some(view(cx, &id, &subnet)) })
    }
}

/// The name of the zone asked for, or of the region's first.
fn zone(cx: &Cx<'_>, name: Option<&str>, id: Option<&str>) -> Result<String, Ec2Error> {
    let zones = zones(cx.scope.region.as_str());
    let fits =
        |zone: &&neargate_base::Zone| name.is_none_or(|name| zone.name == name) && id.is_none_or(|id| zone.id == id);
    zones.iter().find(fits).map(|zone| zone.name.clone()).ok_or_else(|| {
        let names: Vec<_> = zones.iter().map(|zone| zone.name.as_str()).collect();
        Ec2Error::InvalidValue(format!(
            "Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following \
             availability zones: {}.",
            name.or(id).unwrap_or_default(),
            names.join(", ")
        ))
    })
}

/// `DeleteSubnet` takes a subnet away; no interface may be left in it.
pub(crate) struct DeleteSubnet;

impl Operation for DeleteSubnet {
    const SHAPE: &'static OperationShape = &api::DELETE_SUBNET;
    type Input = api::DeleteSubnetInput;
    type Output = api::DeleteSubnetOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteSubnet", Kind::Subnet, &input.subnet_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.subnet_id;
        known::<Subnet>(cx, &id)?;
        if cx.scan::<NetworkInterface>("").any(|(_, it)| it.subnet == id) {
            let text = format!("The subnet '{id}' has dependencies and cannot be deleted.");
            return Err(Ec2Error::Dependency(text).into());
        }
        let is_of = |table: &RouteTable| table.associations.iter().any(|it| it.subnet.as_ref() == Some(&id));
        let table = cx.scan::<RouteTable>("").find(|(_, table)| is_of(table)).map(|(table, _)| table.to_owned());
        if let Some(table) = table {
            cx.update::<RouteTable, _>(&table, |table| table.associations.retain(|it| it.subnet.as_ref() != Some(&id)));
        }
        forget::<Subnet>(cx, &id);
        Ok(api::DeleteSubnetOutput::default())
    }
}

/// `ModifySubnetAttribute` says whether instances get a public address.
pub(crate) struct ModifySubnetAttribute;

impl Operation for ModifySubnetAttribute {
    const SHAPE: &'static OperationShape = &api::MODIFY_SUBNET_ATTRIBUTE;
    type Input = api::ModifySubnetAttributeInput;
    type Output = api::ModifySubnetAttributeOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "ModifySubnetAttribute", Kind::Subnet, &input.subnet_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut subnet = known::<Subnet>(cx, &input.subnet_id)?;
        let api::ModifySubnetAttributeInput { subnet_id, map_public_ip_on_launch, .. } = &input;
        let only = api::ModifySubnetAttributeInput {
            subnet_id: subnet_id.clone(),
            map_public_ip_on_launch: map_public_ip_on_launch.clone(),
            ..Default::default()
        };
        if only != input {
            let text = "recorded is `MapPublicIpOnLaunch` alone; the other attributes are accepted and forgotten";
            cx.not_simulated("ec2:ModifySubnetAttribute", text);
        }
        if let Some(maps) = map_public_ip_on_launch {
            subnet.maps_public_ip = maps.value.unwrap_or_default();
            cx.put(subnet_id, subnet);
        }
        Ok(api::ModifySubnetAttributeOutput::default())
    }
}

/// `DescribeSubnets` lists subnets.
pub(crate) struct DescribeSubnets;

impl Operation for DescribeSubnets {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_SUBNETS;
    type Input = api::DescribeSubnetsInput;
    type Output = api::DescribeSubnetsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeSubnets")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.subnet_ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<Subnet>("").map(|(id, subnet)| view(cx, id, subnet)).collect();
        let (subnets, next_token) = list(all, query)?;
        Ok(api::DescribeSubnetsOutput { next_token, subnets: Some(subnets) })
    }
}

impl Listed for api::Subnet {
    const FIELDS: &'static [Field<Self>] = &[
        ("availability-zone", |it| text(&it.availability_zone)),
        ("availabilityZone", |it| text(&it.availability_zone)),
        ("availability-zone-id", |it| text(&it.availability_zone_id)),
        ("available-ip-address-count", |it| number(it.available_ip_address_count)),
        ("cidr", |it| text(&it.cidr_block)),
        ("cidrBlock", |it| text(&it.cidr_block)),
        ("cidr-block", |it| text(&it.cidr_block)),
        ("default-for-az", |it| flag(it.default_for_az)),
        ("defaultForAz", |it| flag(it.default_for_az)),
        ("map-public-ip-on-launch", |it| flag(it.map_public_ip_on_launch)),
        ("owner-id", |it| text(&it.owner_id)),
        ("state", |it| text(&it.state)),
        ("subnet-arn", |it| text(&it.subnet_arn)),
        ("subnet-id", |it| text(&it.subnet_id)),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.subnet_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::Subnet.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, subnet: &Subnet) -> api::Subnet {
    api::Subnet {
        availability_zone_id: zone_id(cx.scope.region.as_str(), &subnet.zone),
        map_customer_owned_ip_on_launch: Some(false),
        owner_id: Some(cx.scope.account.to_string()),
        assign_ipv6_address_on_creation: Some(false),
        ipv6_cidr_block_association_set: Some(vec![]),
        tags: tags::view(cx, id),
        subnet_arn: Some(Kind::Subnet.arn(cx, id)),
        enable_dns64: Some(false),
        ipv6_native: Some(false),
        private_dns_name_options_on_launch: Some(api::PrivateDnsNameOptionsOnLaunch {
            hostname_type: Some("ip-name".to_owned()),
            enable_resource_name_dns_a_record: Some(false),
            enable_resource_name_dns_aaaa_record: Some(false),
        }),
        subnet_id: Some(id.to_owned()),
        state: Some("available".to_owned()),
        vpc_id: Some(subnet.vpc.clone()),
        cidr_block: Some(subnet.cidr.to_string()),
        available_ip_address_count: i32::try_from(free_addresses(cx, id, subnet.cidr)).ok(),
        availability_zone: Some(subnet.zone.clone()),
        default_for_az: Some(subnet.is_default),
        map_public_ip_on_launch: Some(subnet.maps_public_ip),
        ..api::Subnet::default()
    }
}
