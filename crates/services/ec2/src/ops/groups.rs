//! Security groups: their rules are recorded; no packet is filtered.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, creates, on, real};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::list::{Field, Listed, Query, list, text};
use crate::rules::{all_egress, check_description, gather};
use crate::state::{NetworkInterface, Peer, Rule, SecurityGroup, Vpc, forget, known};
use crate::tags;

/// `CreateSecurityGroup` makes a group that lets everything out and nothing in.
pub(crate) struct CreateSecurityGroup;

impl Operation for CreateSecurityGroup {
    const SHAPE: &'static OperationShape = &api::CREATE_SECURITY_GROUP;
    type Input = api::CreateSecurityGroupInput;
    type Output = api::CreateSecurityGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let action = "CreateSecurityGroup";
        let mut accesses =
            creates(cx, action, Kind::SecurityGroup, input.tag_specifications.as_ref(), input.vpc_id.as_deref());
        accesses.extend(input.vpc_id.iter().map(|id| on(cx, action, Kind::Vpc, id)));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let vpc = match input.vpc_id {
            Some(vpc) => vpc,
            None => default_vpc::id(cx)?,
        };
        known::<Vpc>(cx, &vpc)?;
        let name = input.group_name;
        check_name(&name)?;
        check_description("security group", &input.description)?;
        if cx.scan::<SecurityGroup>("").any(|(_, group)| group.vpc == vpc && group.name == name) {
            return Err(Ec2Error::GroupExists { name, vpc }.into());
        }
        let id = Kind::SecurityGroup.id(cx);
        let rules = vec![all_egress(cx)];
        cx.put(&id, SecurityGroup { vpc, name, description: input.description, rules });
        tags::specify(cx, Kind::SecurityGroup, &id, input.tag_specifications.as_ref())?;
        Ok(api::CreateSecurityGroupOutput {
            tags: tags::view(cx, &id),
            security_group_arn: Some(Kind::SecurityGroup.arn(cx, &id)),
            group_id: Some(id),
        })
    }
}

fn check_name(name: &str) -> Result<(), Ec2Error> {
    if name == "default" {
        return Err(Ec2Error::InvalidValue("Cannot use reserved security group name: default".to_owned()));
    }
    if name.starts_with("sg-") {
        return Err(Ec2Error::InvalidValue("Group names may not be in the format sg-*".to_owned()));
    }
    if name.is_empty() || name.len() > 255 || !name.is_ascii() {
        let text = format!(
            "Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported."
        );
        return Err(Ec2Error::InvalidValue(text));
    }
    Ok(())
}

/// `DeleteSecurityGroup` takes a group away that no interface has and no other group names.
pub(crate) struct DeleteSecurityGroup;

impl Operation for DeleteSecurityGroup {
    const SHAPE: &'static OperationShape = &api::DELETE_SECURITY_GROUP;
    type Input = api::DeleteSecurityGroupInput;
    type Output = api::DeleteSecurityGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let id = input.group_id.as_deref();
        on(cx, "DeleteSecurityGroup", Kind::SecurityGroup, id.unwrap_or("*")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = default_vpc::group(cx, input.group_id, input.group_name.as_deref())?;
        let group = known::<SecurityGroup>(cx, &id)?;
        if group.name == "default" {
            return Err(Ec2Error::GroupIsDefault(id).into());
        }
        let names = |rule: &Rule| rule.peer == Peer::Group(id.clone());
        let is_named = |(other, group): (&str, &SecurityGroup)| other != id && group.rules.iter().any(names);
        let is_used = cx.scan::<NetworkInterface>("").any(|(_, it)| it.groups.contains(&id));
        if is_used || cx.scan::<SecurityGroup>("").any(is_named) {
            return Err(Ec2Error::Dependency(format!("resource {id} has a dependent object")).into());
        }
        tags::forget_rules(cx, &id);
        forget::<SecurityGroup>(cx, &id);
        Ok(api::DeleteSecurityGroupOutput { r#return: Some(true), group_id: Some(id) })
    }
}

/// `DescribeSecurityGroups` lists security groups with their rules as permissions.
pub(crate) struct DescribeSecurityGroups;

impl Operation for DescribeSecurityGroups {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_SECURITY_GROUPS;
    type Input = api::DescribeSecurityGroupsInput;
    type Output = api::DescribeSecurityGroupsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeSecurityGroups")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let mut ids = input.group_ids;
        for name in input.group_names.into_iter().flatten() {
            let id = default_vpc::group(cx, None, Some(&name))?;
            ids.get_or_insert_default().push(id);
        }
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<SecurityGroup>("").map(|(id, group)| view(cx, id, group)).collect();
        let (groups, next_token) = list(all, query)?;
        Ok(api::DescribeSecurityGroupsOutput { next_token, security_groups: Some(groups) })
    }
}

impl Listed for api::SecurityGroup {
    const FIELDS: &'static [Field<Self>] = &[
        ("description", |it| text(&it.description)),
        ("egress.ip-permission.cidr", |it| blocks(&it.ip_permissions_egress)),
        ("egress.ip-permission.from-port", |it| ports(&it.ip_permissions_egress, |p| p.from_port)),
        ("egress.ip-permission.group-id", |it| groups(&it.ip_permissions_egress)),
        ("egress.ip-permission.ipv6-cidr", |it| ipv6_blocks(&it.ip_permissions_egress)),
        ("egress.ip-permission.prefix-list-id", |it| prefix_lists(&it.ip_permissions_egress)),
        ("egress.ip-permission.protocol", |it| protocols(&it.ip_permissions_egress)),
        ("egress.ip-permission.to-port", |it| ports(&it.ip_permissions_egress, |p| p.to_port)),
        ("group-id", |it| text(&it.group_id)),
        ("group-name", |it| text(&it.group_name)),
        ("ip-permission.cidr", |it| blocks(&it.ip_permissions)),
        ("ip-permission.from-port", |it| ports(&it.ip_permissions, |p| p.from_port)),
        ("ip-permission.group-id", |it| groups(&it.ip_permissions)),
        ("ip-permission.ipv6-cidr", |it| ipv6_blocks(&it.ip_permissions)),
        ("ip-permission.prefix-list-id", |it| prefix_lists(&it.ip_permissions)),
        ("ip-permission.protocol", |it| protocols(&it.ip_permissions)),
        ("ip-permission.to-port", |it| ports(&it.ip_permissions, |p| p.to_port)),
        ("owner-id", |it| text(&it.owner_id)),
        ("vpc-id", |it| text(&it.vpc_id)),
    ];

    fn id(&self) -> &str {
        self.group_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        if id.starts_with("sg-") { Kind::SecurityGroup.missing(id) } else { Ec2Error::MalformedGroup(id.to_owned()) }
    }
}

type Permissions = Option<Vec<api::IpPermission>>;

fn blocks(of: &Permissions) -> Vec<String> {
    of.iter().flatten().flat_map(|it| it.ip_ranges.iter().flatten()).filter_map(|range| range.cidr_ip.clone()).collect()
}

fn ipv6_blocks(of: &Permissions) -> Vec<String> {
    let ranges = of.iter().flatten().flat_map(|it| it.ipv6_ranges.iter().flatten());
    ranges.filter_map(|range| range.cidr_ipv6.clone()).collect()
}

fn prefix_lists(of: &Permissions) -> Vec<String> {
    let lists = of.iter().flatten().flat_map(|it| it.prefix_list_ids.iter().flatten());
    lists.filter_map(|list| list.prefix_list_id.clone()).collect()
}

fn groups(of: &Permissions) -> Vec<String> {
    let pairs = of.iter().flatten().flat_map(|it| it.user_id_group_pairs.iter().flatten());
    pairs.filter_map(|pair| pair.group_id.clone()).collect()
}

fn ports(of: &Permissions, port: fn(&api::IpPermission) -> Option<i32>) -> Vec<String> {
    of.iter().flatten().filter_map(port).map(|port| port.to_string()).collect()
}

fn protocols(of: &Permissions) -> Vec<String> {
    of.iter().flatten().filter_map(|it| it.ip_protocol.clone()).collect()
}

fn view(cx: &Cx<'_>, id: &str, group: &SecurityGroup) -> api::SecurityGroup {
    api::SecurityGroup {
        group_id: Some(id.to_owned()),
        ip_permissions_egress: Some(gather(cx, group.rules.iter().filter(|rule| rule.egress))),
        tags: tags::view(cx, id),
        vpc_id: Some(group.vpc.clone()),
        security_group_arn: Some(Kind::SecurityGroup.arn(cx, id)),
        owner_id: Some(cx.scope.account.to_string()),
        group_name: Some(group.name.clone()),
        description: Some(group.description.clone()),
        ip_permissions: Some(gather(cx, group.rules.iter().filter(|rule| !rule.egress))),
    }
}
