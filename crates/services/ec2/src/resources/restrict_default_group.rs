//! `Custom::VpcRestrictDefaultSG`, which CDK otherwise has a Lambda function for.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::NO_PACKET_IS_FILTERED;
use super::permission::{Direction, authorize, revoke};

/// `Custom::VpcRestrictDefaultSG`: takes the rules of a VPC's default group away, and gives them back when it goes.
pub(crate) struct RestrictDefaultGroupType;

/// What the resource took away: of two resources for one group, only that one gives it back.
const TAKEN: &str = "Taken";
const PROPERTIES: [&str; 3] = ["ServiceToken", "DefaultSecurityGroupId", "Account"];

static SHAPE: ResourceShape = ResourceShape::unknown("Custom::VpcRestrictDefaultSG");

impl ResourceType for RestrictDefaultGroupType {
    fn shape(&self) -> &'static ResourceShape {
        &SHAPE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let group = request.text("DefaultSecurityGroupId").unwrap_or_default();
        match action {
            Action::Create => {
                check(request.properties)?;
                let taken = restrict(cx, request.properties, group)?;
                Ok(Progress::Done(ResourceState::new(format!("restrict-{group}")).with(TAKEN, taken)))
            }
            Action::Update => {
                check(request.properties)?;
                let mut state = request.current.cloned().unwrap_or_default();
                if request.changed("DefaultSecurityGroupId") {
                    restore(cx, request.previous.unwrap_or(&Value::Null), request)?;
                    let taken = restrict(cx, request.properties, group)?;
                    state = state.with(TAKEN, taken);
                }
                Ok(Progress::Done(state))
            }
            Action::Delete => {
                if !request.physical_id().is_empty() {
                    restore(cx, request.properties, request)?;
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

/// Takes the rules away; answers the directions of those that were there.
fn restrict(cx: &mut Cx<'_>, properties: &Value, group: &str) -> Result<Vec<&'static str>, Fault> {
    let mut taken = vec![];
    for (direction, rule) in default_rules(properties, group) {
        if revoke(cx, direction, group, &rule)? {
            taken.push(direction.property());
        }
    }
    Ok(taken)
}

/// Gives the rules back that this resource took, where the group is still there and lacks them.
fn restore(cx: &mut Cx<'_>, properties: &Value, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    let group = properties.get("DefaultSecurityGroupId").and_then(Value::as_str).unwrap_or_default();
    let taken = request.current.and_then(|state| state.attributes.get(TAKEN)).and_then(Value::as_array);
    // Resources of before this was noted took both.
    let is_taken = |direction: Direction| taken.is_none_or(|all| all.iter().any(|it| it == direction.property()));
    for (direction, rule) in default_rules(properties, group).into_iter().filter(|(it, _)| is_taken(*it)) {
        match authorize(cx, direction, group, &[rule]) {
            Err(fault) if !matches!(fault.code, "InvalidPermission.Duplicate" | "InvalidGroup.NotFound") => {
                return Err(fault);
            }
            _ => {}
        }
    }
    Ok(())
}
