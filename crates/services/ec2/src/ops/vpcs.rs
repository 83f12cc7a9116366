//! VPCs, each with its default security group and its main route table.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, block, creates, on, real};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::kind::{Kind, new_id};
use crate::list::{Field, Listed, Query, each, flag, list, text};
use crate::rules::default_group;
use crate::state::{
    Association, InternetGateway, NetworkInterface, RouteTable, SecurityGroup, Subnet, Vpc, forget, known,
};
use crate::tags;

/// `CreateVpc` makes a VPC of one IPv4 block between /16 and /28.
pub(crate) struct CreateVpc;

impl Operation for CreateVpc {
    const SHAPE: &'static OperationShape = &api::CREATE_VPC;
    type Input = api::CreateVpcInput;
    type Output = api::CreateVpcOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let tenancy = input.instance_tenancy.as_deref().unwrap_or("default");
        creates(cx, "CreateVpc", Kind::Vpc, input.tag_specifications.as_ref(), None)
            .map(|access| access.with("ec2:Tenancy", tenancy))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let cidr = block("cidrBlock", input.cidr_block.as_deref())?;
        if !cidr.fits_a_vpc() {
            return Err(Ec2Error::VpcRange(cidr.to_string()).into());
        }
        if input.amazon_provided_ipv6_cidr_block == Some(true) || input.ipv6_cidr_block.is_some() {
            cx.not_simulated("ec2:CreateVpc", "accepted; the VPC has no IPv6 block");
        }
        let id = Kind::Vpc.id(cx);
        let vpc = Vpc {
            cidr,
            cidr_association: new_id(cx, "vpc-cidr-assoc"),
            tenancy: input.instance_tenancy.unwrap_or_else(|| "default".to_owned()),
            dns_support: true,
            dns_hostnames: false,
            address_usage_metrics: false,
            default_group: Kind::SecurityGroup.id(cx),
            main_table: Kind::RouteTable.id(cx),
            network_acl: new_id(cx, "acl"),
            is_default: false,
        };
        let group = default_group(cx, &id, &vpc.default_group);
        cx.put(&vpc.default_group, group);
        let main = Association { id: new_id(cx, "rtbassoc"), subnet: None };
        cx.put(&vpc.main_table, RouteTable { vpc: id.clone(), associations: vec![main], routes: vec![] });
        cx.put(&id, vpc.clone());
        tags::specify(cx, Kind::Vpc, &id, input.tag_specifications.as_ref())?;
        // A new VPC is shown once as it is on its way.
        let made = api::Vpc { state: Some("pending".to_owned()), ..view(cx, &id, &vpc) };
        Ok(api::CreateVpcOutput { vpc: Some(made) })
    }
}

/// `DeleteVpc` takes a VPC away with its default group and main route table; nothing else may be left in it.
pub(crate) struct DeleteVpc;

impl Operation for DeleteVpc {
    const SHAPE: &'static OperationShape = &api::DELETE_VPC;
    type Input = api::DeleteVpcInput;
    type Output = api::DeleteVpcOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteVpc", Kind::Vpc, &input.vpc_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.vpc_id;
        let vpc = known::<Vpc>(cx, &id)?;
        let is_used = cx.scan::<Subnet>("").any(|(_, it)| it.vpc == id)
            || cx.scan::<NetworkInterface>("").any(|(_, it)| it.vpc == id)
            || cx.scan::<InternetGateway>("").any(|(_, it)| it.vpc.as_deref() == Some(&id))
            || cx.scan::<SecurityGroup>("").any(|(group, it)| it.vpc == id && group != vpc.default_group)
            || cx.scan::<RouteTable>("").any(|(table, it)| it.vpc == id && table != vpc.main_table);
        if is_used {
            return Err(Ec2Error::Dependency(format!("The vpc '{id}' has dependencies and cannot be deleted.")).into());
        }
        tags::forget_rules(cx, &vpc.default_group);
        forget::<SecurityGroup>(cx, &vpc.default_group);
        forget::<RouteTable>(cx, &vpc.main_table);
        forget::<Vpc>(cx, &id);
        Ok(api::DeleteVpcOutput::default())
    }
}

/// `DescribeVpcs` lists VPCs.
pub(crate) struct DescribeVpcs;

impl Operation for DescribeVpcs {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_VPCS;
    type Input = api::DescribeVpcsInput;
    type Output = api::DescribeVpcsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeVpcs")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.vpc_ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<Vpc>("").map(|(id, vpc)| view(cx, id, vpc)).collect();
        let (vpcs, next_token) = list(all, query)?;
        Ok(api::DescribeVpcsOutput { next_token, vpcs: Some(vpcs) })
    }
}

impl Listed for api::Vpc {
    const FIELDS: &'static [Field<Self>] = &[
        ("cidr", |it| text(&it.cidr_block)),
        ("cidr-block-association.association-id", |it| {
            each(&it.cidr_block_association_set, |a| a.association_id.clone())
        }),
        ("cidr-block-association.cidr-block", |it| each(&it.cidr_block_association_set, |a| a.cidr_block.clone())),
        ("dhcp-options-id", |it| text(&it.dhcp_options_id)),
        ("is-default", |it| flag(it.is_default)),
        ("isDefault", |it| flag(it.is_default)),
        ("owner-id", |it| text(&it.owner_id)),
        ("state", |it| text(&it.state)),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.vpc_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::Vpc.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, vpc: &Vpc) -> api::Vpc {
    let association = api::VpcCidrBlockAssociation {
        association_id: Some(vpc.cidr_association.clone()),
        cidr_block: Some(vpc.cidr.to_string()),
        cidr_block_state: Some(api::VpcCidrBlockState { state: Some("associated".to_owned()), status_message: None }),
    };
    api::Vpc {
        owner_id: Some(cx.scope.account.to_string()),
        instance_tenancy: Some(vpc.tenancy.clone()),
        cidr_block_association_set: Some(vec![association]),
        is_default: Some(vpc.is_default),
        tags: tags::view(cx, id),
        vpc_id: Some(id.to_owned()),
        state: Some("available".to_owned()),
        cidr_block: Some(vpc.cidr.to_string()),
        dhcp_options_id: Some("default".to_owned()),
        ..api::Vpc::default()
    }
}

/// `DescribeVpcAttribute` shows one attribute.
pub(crate) struct DescribeVpcAttribute;

impl Operation for DescribeVpcAttribute {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_VPC_ATTRIBUTE;
    type Input = api::DescribeVpcAttributeInput;
    type Output = api::DescribeVpcAttributeOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DescribeVpcAttribute", Kind::Vpc, &input.vpc_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let vpc = known::<Vpc>(cx, &input.vpc_id)?;
        let shown = |name: &str, value: bool| {
            (input.attribute == name).then_some(api::AttributeBooleanValue { value: Some(value) })
        };
        Ok(api::DescribeVpcAttributeOutput {
            enable_dns_hostnames: shown("enableDnsHostnames", vpc.dns_hostnames),
            enable_dns_support: shown("enableDnsSupport", vpc.dns_support),
            enable_network_address_usage_metrics: shown("enableNetworkAddressUsageMetrics", vpc.address_usage_metrics),
            vpc_id: Some(input.vpc_id),
        })
    }
}

/// `ModifyVpcAttribute` changes one attribute.
pub(crate) struct ModifyVpcAttribute;

impl Operation for ModifyVpcAttribute {
    const SHAPE: &'static OperationShape = &api::MODIFY_VPC_ATTRIBUTE;
    type Input = api::ModifyVpcAttributeInput;
    type Output = api::ModifyVpcAttributeOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "ModifyVpcAttribute", Kind::Vpc, &input.vpc_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut vpc = known::<Vpc>(cx, &input.vpc_id)?;
        let value =
            |member: &Option<api::AttributeBooleanValue>| member.as_ref().map(|it| it.value.unwrap_or_default());
        match (
            value(&input.enable_dns_hostnames),
            value(&input.enable_dns_support),
            value(&input.enable_network_address_usage_metrics),
        ) {
            (Some(on), None, None) => vpc.dns_hostnames = on,
            (None, Some(on), None) => vpc.dns_support = on,
            (None, None, Some(on)) => vpc.address_usage_metrics = on,
            (None, None, None) => {
                return Err(Ec2Error::InvalidCombination("No attributes specified.".to_owned()).into());
            }
            _ => {
                let text = "Fields for multiple attribute types specified".to_owned();
                return Err(Ec2Error::InvalidCombination(text).into());
            }
        }
        cx.put(&input.vpc_id, vpc);
        Ok(api::ModifyVpcAttributeOutput::default())
    }
}
