//! What rules of security groups say of themselves.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{on, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::rules::expand;
use crate::state::{SecurityGroup, known};

/// `UpdateSecurityGroupRuleDescriptionsIngress` changes the descriptions of rules for what comes in.
pub(crate) struct UpdateSecurityGroupRuleDescriptionsIngress;

impl Operation for UpdateSecurityGroupRuleDescriptionsIngress {
    const SHAPE: &'static OperationShape = &api::UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_INGRESS;
    type Input = api::UpdateSecurityGroupRuleDescriptionsIngressInput;
    type Output = api::UpdateSecurityGroupRuleDescriptionsIngressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        describing(cx, "UpdateSecurityGroupRuleDescriptionsIngress", input.group_id.as_deref()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (permissions, rules) = (input.ip_permissions, input.security_group_rule_descriptions);
        describe(cx, input.group_id, false, permissions, rules)?;
        Ok(api::UpdateSecurityGroupRuleDescriptionsIngressOutput { r#return: Some(true) })
    }
}

/// `UpdateSecurityGroupRuleDescriptionsEgress` changes the descriptions of rules for what goes out.
pub(crate) struct UpdateSecurityGroupRuleDescriptionsEgress;

impl Operation for UpdateSecurityGroupRuleDescriptionsEgress {
    const SHAPE: &'static OperationShape = &api::UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_EGRESS;
    type Input = api::UpdateSecurityGroupRuleDescriptionsEgressInput;
    type Output = api::UpdateSecurityGroupRuleDescriptionsEgressOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        describing(cx, "UpdateSecurityGroupRuleDescriptionsEgress", input.group_id.as_deref()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (permissions, rules) = (input.ip_permissions, input.security_group_rule_descriptions);
        describe(cx, input.group_id, true, permissions, rules)?;
        Ok(api::UpdateSecurityGroupRuleDescriptionsEgressOutput { r#return: Some(true) })
    }
}

fn describing(cx: &Cx<'_>, action: &str, group: Option<&str>) -> Access {
    on(cx, action, Kind::SecurityGroup, group.unwrap_or("*"))
}

/// Describes the rules that permissions stand for, or those with ids.
fn describe(
    cx: &mut Cx<'_>,
    group: Option<String>,
    egress: bool,
    permissions: Option<Vec<api::IpPermission>>,
    rules: Option<Vec<api::SecurityGroupRuleDescription>>,
) -> Result<(), Fault> {
    let id = group.ok_or(Ec2Error::NoDefaultVpc)?;
    let mut group = known::<SecurityGroup>(cx, &id)?;
    let (permissions, rules) = (permissions.unwrap_or_default(), rules.unwrap_or_default());
    if permissions.is_empty() == rules.is_empty() {
        let text = "exactly one of ipPermissions and securityGroupRuleDescriptions";
        return Err(Ec2Error::MissingParameter(text.to_owned()).into());
    }
    for wanted in expand(cx, &group.vpc, egress, &permissions)? {
        let rule = group.rules.iter_mut().find(|rule| rule.allows_as(&wanted));
        rule.ok_or(Ec2Error::RuleNotFound)?.description = wanted.description;
    }
    for wanted in rules {
        let rule_id = wanted.security_group_rule_id.unwrap_or_default();
        let rule = group.rules.iter_mut().find(|rule| rule.egress == egress && rule.id == rule_id);
        rule.ok_or_else(|| Kind::SecurityGroupRule.missing(&rule_id))?.description = wanted.description;
    }
    cx.put(&id, group);
    Ok(())
}
