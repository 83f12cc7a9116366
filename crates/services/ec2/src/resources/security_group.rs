//! `AWS::EC2::SecurityGroup`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::permission::{Direction, authorize, revoke};
use super::{NO_PACKET_IS_FILTERED, answer, delete, input, retag};
use crate::api;
use crate::kind::Kind;
use crate::state::{SecurityGroup, known};

/// `AWS::EC2::SecurityGroup`: `Ref` is the id. Without egress rules of its own a group lets everything out.
pub(crate) struct SecurityGroupType;

impl ResourceType for SecurityGroupType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_SECURITY_GROUP
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => {
                let id = request.physical_id();
                retag(cx, request, id)?;
                change_rules(cx, id, request.previous.unwrap_or(&Value::Null), request.properties)?;
                done(cx, id)
            }
            Action::Delete => delete(cx, request, "DeleteSecurityGroup", json!({ "GroupId": request.physical_id() })),
        }
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some(NO_PACKET_IS_FILTERED.to_owned())
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let mut properties = request.properties.clone();
    if let Some(members) = properties.as_object_mut() {
        if !members.contains_key("GroupName") {
            members.insert("GroupName".to_owned(), json!(request.generated_name(cx, 255)));
        }
        if let Some(description) = members.remove("GroupDescription") {
            members.insert("Description".to_owned(), description);
        }
    }
    let own = [Direction::Ingress.property(), Direction::Egress.property()];
    let input = input::<api::CreateSecurityGroupInput>(&properties, Kind::SecurityGroup, &own)?;
    let output = cx.call("ec2", "CreateSecurityGroup", input)?;
    let id = answer(&output, &["GroupId"]);
    change_rules(cx, &id, &Value::Null, request.properties)?;
    done(cx, &id)
}

/// Takes the rules away that are no longer listed, then adds those that are new.
fn change_rules(cx: &mut Cx<'_>, group: &str, before: &Value, after: &Value) -> Result<(), Fault> {
    for direction in [Direction::Ingress, Direction::Egress] {
        let (before, after) = (rules(before, direction), rules(after, direction));
        for gone in before.iter().filter(|rule| !after.contains(rule)) {
            revoke(cx, direction, group, gone)?;
        }
        let new: Vec<_> = after.into_iter().filter(|rule| !before.contains(rule)).collect();
        if !new.is_empty() {
            authorize(cx, direction, group, &new)?;
        }
    }
    Ok(())
}

/// The rules that properties stand for.
fn rules(properties: &Value, direction: Direction) -> Vec<Value> {
    let listed = properties.get(direction.property()).and_then(Value::as_array).filter(|rules| !rules.is_empty());
    match (listed, direction) {
        (Some(rules), _) => rules.clone(),
        (None, Direction::Egress) => vec![json!({ "CidrIp": "0.0.0.0/0", "IpProtocol": "-1" })],
        (None, Direction::Ingress) => vec![],
    }
}

fn done(cx: &Cx<'_>, id: &str) -> Result<Progress, Fault> {
    let group = known::<SecurityGroup>(cx, id)?;
    Ok(Progress::Done(ResourceState::new(id).with("GroupId", id).with("Id", id).with("VpcId", group.vpc)))
}
