//! Rules of security groups: recorded; no packet is filtered.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, on, real, with_request_tags};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::list::{Field, Listed, Query, flag, list, text};
use crate::rules::expand;
use crate::state::{Peer, Rule, SecurityGroup, TagSet, known};
use crate::tags;

const RULES_PER_DIRECTION_MAX: usize = 60;

/// `AuthorizeSecurityGroupIngress` adds rules for what comes in.
pub(crate) struct AuthorizeSecurityGroupIngress;

impl Operation for AuthorizeSecurityGroupIngress {
    const SHAPE: &'static OperationShape = &api::AUTHORIZE_SECURITY_GROUP_INGRESS;
    type Input = api::AuthorizeSecurityGroupIngressInput;
    type Output = api::AuthorizeSecurityGroupIngressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        authorizing(cx, "AuthorizeSecurityGroupIngress", input.group_id.as_deref(), input.tag_specifications.as_ref())
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let flat = Flat {
            protocol: input.ip_protocol,
            ports: (input.from_port, input.to_port),
            cidr: input.cidr_ip,
            group_name: input.source_security_group_name,
        };
        let permissions = flat.permissions(input.ip_permissions)?;
        let group = default_vpc::group(cx, input.group_id, input.group_name.as_deref())?;
        let rules = authorize(cx, Some(group), false, &permissions, input.tag_specifications.as_ref())?;
        Ok(api::AuthorizeSecurityGroupIngressOutput { r#return: Some(true), security_group_rules: Some(rules) })
    }
}

/// `AuthorizeSecurityGroupEgress` adds rules for what goes out.
pub(crate) struct AuthorizeSecurityGroupEgress;

impl Operation for AuthorizeSecurityGroupEgress {
    const SHAPE: &'static OperationShape = &api::AUTHORIZE_SECURITY_GROUP_EGRESS;
    type Input = api::AuthorizeSecurityGroupEgressInput;
    type Output = api::AuthorizeSecurityGroupEgressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        authorizing(cx, "AuthorizeSecurityGroupEgress", Some(&input.group_id), input.tag_specifications.as_ref())
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let flat = Flat {
            protocol: input.ip_protocol,
            ports: (input.from_port, input.to_port),
            cidr: input.cidr_ip,
            group_name: input.source_security_group_name,
        };
        let permissions = flat.permissions(input.ip_permissions)?;
        let rules = authorize(cx, Some(input.group_id), true, &permissions, input.tag_specifications.as_ref())?;
        Ok(api::AuthorizeSecurityGroupEgressOutput { r#return: Some(true), security_group_rules: Some(rules) })
    }
}

/// `RevokeSecurityGroupIngress` takes rules for what comes in away.
pub(crate) struct RevokeSecurityGroupIngress;

impl Operation for RevokeSecurityGroupIngress {
    const SHAPE: &'static OperationShape = &api::REVOKE_SECURITY_GROUP_INGRESS;
    type Input = api::RevokeSecurityGroupIngressInput;
    type Output = api::RevokeSecurityGroupIngressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "RevokeSecurityGroupIngress", Kind::SecurityGroup, input.group_id.as_deref().unwrap_or("*")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let flat = Flat {
            protocol: input.ip_protocol,
            ports: (input.from_port, input.to_port),
            cidr: input.cidr_ip,
            group_name: input.source_security_group_name,
        };
        let group = default_vpc::group(cx, input.group_id, input.group_name.as_deref())?;
        let revoked = match input.security_group_rule_ids {
            Some(ids) => revoke_ids(cx, Some(group), false, &ids)?,
            None => {
                let permissions = flat.permissions(input.ip_permissions)?;
                revoke(cx, Some(group), false, &permissions)?
            }
        };
        Ok(api::RevokeSecurityGroupIngressOutput {
            r#return: Some(true),
            unknown_ip_permissions: None,
            revoked_security_group_rules: Some(revoked),
        })
    }
}

/// `RevokeSecurityGroupEgress` takes rules for what goes out away.
pub(crate) struct RevokeSecurityGroupEgress;

impl Operation for RevokeSecurityGroupEgress {
    const SHAPE: &'static OperationShape = &api::REVOKE_SECURITY_GROUP_EGRESS;
    type Input = api::RevokeSecurityGroupEgressInput;
    type Output = api::RevokeSecurityGroupEgressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "RevokeSecurityGroupEgress", Kind::SecurityGroup, &input.group_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let flat = Flat {
            protocol: input.ip_protocol,
            ports: (input.from_port, input.to_port),
            cidr: input.cidr_ip,
            group_name: input.source_security_group_name,
        };
        let group = Some(input.group_id);
        let revoked = match input.security_group_rule_ids {
            Some(ids) => revoke_ids(cx, group, true, &ids)?,
            None => {
                let permissions = flat.permissions(input.ip_permissions)?;
                revoke(cx, group, true, &permissions)?
            }
        };
        Ok(api::RevokeSecurityGroupEgressOutput {
            r#return: Some(true),
            unknown_ip_permissions: None,
            revoked_security_group_rules: Some(revoked),
        })
    }
}

/// One permission, spread over parameters of its own.
struct Flat {
    protocol: Option<String>,
    ports: (Option<i32>, Option<i32>),
    cidr: Option<String>,
    group_name: Option<String>,
}

impl Flat {
    /// The permissions given in either way.
    fn permissions(self, listed: Option<Vec<api::IpPermission>>) -> Result<Vec<api::IpPermission>, Ec2Error> {
        if let Some(listed) = listed.filter(|listed| !listed.is_empty()) {
            return Ok(listed);
        }
        if self.group_name.is_some() {
            return Err(Ec2Error::NoDefaultVpc);
        }
        if self.protocol.is_none() && self.cidr.is_none() {
            return Err(Ec2Error::MissingParameter("ipPermissions".to_owned()));
        }
        let (from_port, to_port) = self.ports;
        let range = self.cidr.map(|cidr| vec![api::IpRange { description: None, cidr_ip: Some(cidr) }]);
        let ip_protocol = self.protocol;
        Ok(vec![api::IpPermission {
            ip_protocol,
            from_port,
            to_port,
            ip_ranges: range,
            ..api::IpPermission::default()
        }])
    }
}

fn authorizing(
    cx: &Cx<'_>,
    action: &str,
    group: Option<&str>,
    specifications: Option<&Vec<api::TagSpecification>>,
) -> Accesses {
    let given: Vec<_> = specifications.into_iter().flatten().filter_map(|it| it.tags.as_ref()).flatten().collect();
    let mut accesses = Accesses::new(on(cx, action, Kind::SecurityGroup, group.unwrap_or("*")));
    if !given.is_empty() {
        let made = on(cx, "CreateTags", Kind::SecurityGroupRule, "*");
        accesses.push(with_request_tags(made, given.into_iter()).with("ec2:CreateAction", action));
    }
    accesses
}

fn authorize(
    cx: &mut Cx<'_>,
    group: Option<String>,
    egress: bool,
    permissions: &[api::IpPermission],
    specifications: Option<&Vec<api::TagSpecification>>,
) -> Result<Vec<api::SecurityGroupRule>, Fault> {
    let id = group.ok_or(Ec2Error::NoDefaultVpc)?;
    let mut group = known::<SecurityGroup>(cx, &id)?;
    let mut made = vec![];
    for rule in expand(cx, &group.vpc, egress, permissions)? {
        if group.rules.iter().any(|other| other.allows_as(&rule)) {
            return Err(Ec2Error::RuleExists(rule.in_words()).into());
        }
        let rule = Rule { id: Kind::SecurityGroupRule.id(cx), ..rule };
        group.rules.push(rule.clone());
        made.push(rule);
    }
    if group.rules.iter().filter(|rule| rule.egress == egress).count() > RULES_PER_DIRECTION_MAX {
        return Err(Ec2Error::RuleLimit.into());
    }
    cx.put(&id, group);
    for rule in &made {
        tags::specify(cx, Kind::SecurityGroupRule, &rule.id, specifications)?;
    }
    let direction = if egress { "Egress" } else { "Ingress" };
    cx.not_simulated(format!("ec2:AuthorizeSecurityGroup{direction}"), "recorded; no packet is filtered yet");
    Ok(made.iter().map(|rule| view(cx, &id, rule)).collect())
}

fn revoke(
    cx: &mut Cx<'_>,
    group: Option<String>,
    egress: bool,
    permissions: &[api::IpPermission],
) -> Result<Vec<api::RevokedSecurityGroupRule>, Ec2Error> {
    let id = group.ok_or(Ec2Error::NoDefaultVpc)?;
    let group = known::<SecurityGroup>(cx, &id)?;
    let mut ids = vec![];
    for rule in expand(cx, &group.vpc, egress, permissions)? {
        let found = group.rules.iter().find(|other| other.allows_as(&rule));
        ids.push(found.ok_or(Ec2Error::RuleNotFound)?.id.clone());
    }
    revoke_ids(cx, Some(id), egress, &ids)
}

fn revoke_ids(
    cx: &mut Cx<'_>,
    group: Option<String>,
    egress: bool,
    ids: &[String],
) -> Result<Vec<api::RevokedSecurityGroupRule>, Ec2Error> {
    let id = group.ok_or(Ec2Error::NoDefaultVpc)?;
    let mut group = known::<SecurityGroup>(cx, &id)?;
    let mut revoked = vec![];
    for rule_id in ids {
        let at = group.rules.iter().position(|rule| rule.egress == egress && rule.id == *rule_id);
        let rule = group.rules.remove(at.ok_or_else(|| Kind::SecurityGroupRule.missing(rule_id))?);
        cx.delete::<TagSet>(rule_id);
        revoked.push(revoked_view(&id, rule));
    }
    cx.put(&id, group);
    Ok(revoked)
}

fn revoked_view(group: &str, rule: Rule) -> api::RevokedSecurityGroupRule {
    let (from_port, to_port) = rule.range.unwrap_or((-1, -1));
    let mut view = api::RevokedSecurityGroupRule {
        security_group_rule_id: Some(rule.id),
        group_id: Some(group.to_owned()),
        is_egress: Some(rule.egress),
        ip_protocol: Some(rule.protocol),
        from_port: Some(from_port),
        to_port: Some(to_port),
        description: rule.description,
        ..api::RevokedSecurityGroupRule::default()
    };
    match rule.peer {
        Peer::Ipv4(cidr) => view.cidr_ipv4 = Some(cidr.to_string()),
        Peer::Ipv6(cidr) => view.cidr_ipv6 = Some(cidr),
        Peer::PrefixList(id) => view.prefix_list_id = Some(id),
        Peer::Group(id) => view.referenced_group_id = Some(id),
    }
    view
}

/// `DescribeSecurityGroupRules` lists rules one by one.
pub(crate) struct DescribeSecurityGroupRules;

impl Operation for DescribeSecurityGroupRules {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_SECURITY_GROUP_RULES;
    type Input = api::DescribeSecurityGroupRulesInput;
    type Output = api::DescribeSecurityGroupRulesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeSecurityGroupRules")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.security_group_rule_ids, filters: input.filters, max_results, next_token };
        let groups = cx.scan::<SecurityGroup>("");
        let all = groups.flat_map(|(id, group)| group.rules.iter().map(|rule| view(cx, id, rule))).collect();
        let (rules, next_token) = list(all, query)?;
        Ok(api::DescribeSecurityGroupRulesOutput { security_group_rules: Some(rules), next_token })
    }
}

impl Listed for api::SecurityGroupRule {
    const FIELDS: &'static [Field<Self>] = &[
        ("group-id", |it| text(&it.group_id)),
        ("is-egress", |it| flag(it.is_egress)),
        ("security-group-rule-id", |it| text(&it.security_group_rule_id)),
    ];

    fn id(&self) -> &str {
        self.security_group_rule_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::SecurityGroupRule.missing(id)
    }
}

fn view(cx: &Cx<'_>, group: &str, rule: &Rule) -> api::SecurityGroupRule {
    let account = Some(cx.scope.account.to_string());
    let (from_port, to_port) = rule.range.unwrap_or((-1, -1));
    let mut view = api::SecurityGroupRule {
        security_group_rule_id: Some(rule.id.clone()),
        group_id: Some(group.to_owned()),
        group_owner_id: account.clone(),
        is_egress: Some(rule.egress),
        ip_protocol: Some(rule.protocol.clone()),
        from_port: Some(from_port),
        to_port: Some(to_port),
        description: rule.description.clone(),
        tags: tags::view(cx, &rule.id),
        security_group_rule_arn: Some(Kind::SecurityGroupRule.arn(cx, &rule.id)),
        ..api::SecurityGroupRule::default()
    };
    match &rule.peer {
        Peer::Ipv4(cidr) => view.cidr_ipv4 = Some(cidr.to_string()),
        Peer::Ipv6(cidr) => view.cidr_ipv6 = Some(cidr.clone()),
        Peer::PrefixList(id) => view.prefix_list_id = Some(id.clone()),
        Peer::Group(id) => {
            let (group_id, user_id) = (Some(id.clone()), account);
            view.referenced_group_info = Some(api::ReferencedSecurityGroup { group_id, user_id, ..Default::default() });
        }
    }
    view
}
