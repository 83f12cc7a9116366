//! `Custom::VpcRestrictDefaultSG`, which CDK otherwise has a Lambda function for.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use serde_json::{Value, json};

use super::NO_PACKET_IS_FILTERED;
use super::permission::{Direction, authorize, revoke};

/// `Custom::VpcRestrictDefaultSG`: takes the rules of a VPC's default group away, and gives them back when it goes.
pub(crate) struct RestrictDefaultGroupType;

const PROPERTIES: [&str; 3] = ["ServiceToken", "DefaultSecurityGroupId", "Account"];

impl ResourceType for RestrictDefaultGroupType {
    fn type_name(&self) -> &'static str {
        "Custom::VpcRestrictDefaultSG"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let group = request.text("DefaultSecurityGroupId").unwrap_or_default();
        match action {
            Action::Create => {
                check(request.properties)?;
                restrict(cx, request.properties, group)?;
                Ok(Progress::Done(ResourceState::new(format!("restrict-{group}"))))
            }
            Action::Update => {
                check(request.properties)?;
                if request.changed("DefaultSecurityGroupId") {
                    restore(cx, request.previous.unwrap_or(&Value::Null))?;
                    restrict(cx, request.properties, group)?;
                }
                Ok(Progress::Done(ResourceState::new(request.physical_id())))
            }
            Action::Delete => {
                if !request.physical_id().is_empty() {
                    restore(cx, request.properties)?;
                }
                Ok(Progress::Done(ResourceState::new(request.physical_id())))
            }
        }
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some(NO_PACKET_IS_FILTERED.to_owned())
    }
}

fn check(properties: &Value) -> Result<(), Fault> {
    let unknown = properties.as_object().and_then(|it| it.keys().find(|name| !PROPERTIES.contains(&name.as_str())));
    match unknown {
        Some(name) => Err(Fault::validation(format!("unknown property `{name}` in `Custom::VpcRestrictDefaultSG`"))),
        None => Ok(()),
    }
}

/// The rules that a VPC's default group begins with.
fn default_rules(properties: &Value, group: &str) -> [(Direction, Value); 2] {
    let account = properties.get("Account").cloned().unwrap_or(Value::Null);
    let from_itself =
        json!({ "IpProtocol": "-1", "SourceSecurityGroupId": group, "SourceSecurityGroupOwnerId": account });
    let to_anywhere = json!({ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" });
    [(Direction::Ingress, from_itself), (Direction::Egress, to_anywhere)]
}

fn restrict(cx: &mut Cx<'_>, properties: &Value, group: &str) -> Result<(), Fault> {
    default_rules(properties, group).iter().try_for_each(|(direction, rule)| revoke(cx, *direction, group, rule))
}

/// Gives the rules back, where the group is still there and lacks them.
fn restore(cx: &mut Cx<'_>, properties: &Value) -> Result<(), Fault> {
    let group = properties.get("DefaultSecurityGroupId").and_then(Value::as_str).unwrap_or_default();
    for (direction, rule) in default_rules(properties, group) {
        match authorize(cx, direction, group, &[rule]) {
            Err(fault) if !matches!(fault.code, "InvalidPermission.Duplicate" | "InvalidGroup.NotFound") => {
                return Err(fault);
            }
            _ => {}
        }
    }
    Ok(())
}
