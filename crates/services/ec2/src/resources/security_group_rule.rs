//! `AWS::EC2::SecurityGroupIngress` and `AWS::EC2::SecurityGroupEgress`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::permission::{Direction, authorize};
use super::{NO_PACKET_IS_FILTERED, answer, delete};

/// `AWS::EC2::SecurityGroupIngress`: `Ref` is the rule's id.
pub(crate) struct SecurityGroupIngressType;

/// `AWS::EC2::SecurityGroupEgress`: `Ref` is the rule's id.
pub(crate) struct SecurityGroupEgressType;

impl ResourceType for SecurityGroupIngressType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_SECURITY_GROUP_INGRESS
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        step(Direction::Ingress, cx, action, request)
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some(NO_PACKET_IS_FILTERED.to_owned())
    }
}

impl ResourceType for SecurityGroupEgressType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_SECURITY_GROUP_EGRESS
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        step(Direction::Egress, cx, action, request)
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some(NO_PACKET_IS_FILTERED.to_owned())
    }
}

fn step(
    direction: Direction,
    cx: &mut Cx<'_>,
    action: Action,
    request: &ResourceRequest<'_>,
) -> Result<Progress, Fault> {
    let group = request.text("GroupId").unwrap_or_default();
    let id = request.physical_id();
    match action {
        Action::Create => {
            let output = authorize(cx, direction, group, &[rule(request.properties)])?;
            Ok(done(&answer(&output, &["SecurityGroupRules", "0", "SecurityGroupRuleId"])))
        }
        Action::Update if only_description_changed(request) => {
            describe(cx, direction, group, id, request.text("Description"))?;
            Ok(done(id))
        }
        Action::Update => Ok(Progress::Replace),
        Action::Delete => {
            let input = json!({ "GroupId": group, "SecurityGroupRuleIds": [id] });
            delete(cx, request, &format!("Revoke{}", direction.property()), input)
        }
    }
}

/// The rule without the group it is for.
fn rule(properties: &Value) -> Value {
    let mut rule = properties.clone();
    if let Some(members) = rule.as_object_mut() {
        members.remove("GroupId");
    }
    rule
}

fn only_description_changed(request: &ResourceRequest<'_>) -> bool {
    let rest = |properties: &Value| {
        let mut rest = properties.clone();
        if let Some(members) = rest.as_object_mut() {
            members.remove("Description");
        }
        rest
    };
    request.previous.is_some_and(|previous| rest(previous) == rest(request.properties))
}

/// A rule's description changes under an operation of its own.
fn describe(
    cx: &mut Cx<'_>,
    direction: Direction,
    group: &str,
    id: &str,
    description: Option<&str>,
) -> Result<(), Fault> {
    let mut wanted = json!({ "SecurityGroupRuleId": id });
    if let (Some(description), Some(wanted)) = (description, wanted.as_object_mut()) {
        wanted.insert("Description".to_owned(), json!(description));
    }
    let input = json!({ "GroupId": group, "SecurityGroupRuleDescriptions": [wanted] });
    let operation = match direction {
        Direction::Ingress => "UpdateSecurityGroupRuleDescriptionsIngress",
        Direction::Egress => "UpdateSecurityGroupRuleDescriptionsEgress",
    };
    cx.call_json("ec2", operation, input).map(drop)
}

fn done(id: &str) -> Progress {
    Progress::Done(ResourceState::new(id).with("Id", id))
}
