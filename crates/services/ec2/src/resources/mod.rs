//! CloudFormation types of EC2, one file each.
//!
//! Invariant: whatever a type does, it does through EC2's own operations as the stack's principal.

mod eip;
mod internet_gateway;
mod nat_gateway;
mod permission;
mod restrict_default_group;
mod route;
mod route_table;
mod security_group;
mod security_group_rule;
mod subnet;
mod subnet_route_table_association;
mod vpc;
mod vpc_gateway_attachment;

pub(crate) use eip::EipType;
pub(crate) use internet_gateway::InternetGatewayType;
pub(crate) use nat_gateway::NatGatewayType;
pub(crate) use restrict_default_group::RestrictDefaultGroupType;
pub(crate) use route::RouteType;
pub(crate) use route_table::RouteTableType;
pub(crate) use security_group::SecurityGroupType;
pub(crate) use security_group_rule::{SecurityGroupEgressType, SecurityGroupIngressType};
pub(crate) use subnet::SubnetType;
pub(crate) use subnet_route_table_association::SubnetRouteTableAssociationType;
pub(crate) use vpc::VpcType;
pub(crate) use vpc_gateway_attachment::VpcGatewayAttachmentType;

use neargate_kernel::{Cx, Fault, Progress, ResourceRequest, ResourceState};
use neargate_shape::{Value, Wire, from_properties};
use serde_json::{Value as Json, json};

use crate::kind::Kind;

/// How often a delete is tried again while something else still hangs on the resource: tasks that stop take their time.
const DELETE_ATTEMPTS_MAX: u64 = 120;
const DELETE_RETRY_MS: i64 = 1000;
const NO_PACKET_IS_FILTERED: &str = "security-group rules are recorded; no packet is filtered yet";

/// Properties as the input of an operation: `Tags` become a tag specification of the kind; those that are the type's
/// `own` affair are left out.
fn input<I: Wire>(properties: &Json, kind: Kind, own: &[&str]) -> Result<Value, Fault> {
    let mut members = properties.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| !own.contains(&name.as_str()));
    if let Some(tags) = members.remove("Tags") {
        let specification = json!([{ "ResourceType": kind.type_name(), "Tags": tags }]);
        members.insert("TagSpecifications".to_owned(), specification);
    }
    plain::<I>(&Json::Object(members))
}

/// Properties as the input of an operation, as they are.
fn plain<I: Wire>(properties: &Json) -> Result<Value, Fault> {
    from_properties(I::shape(), properties).map_err(|error| Fault::validation(error.to_string()))
}

/// Text in an answer.
fn answer(output: &Value, path: &[&str]) -> String {
    output.at(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A truth value, which templates also write as text.
fn truth(properties: &Json, property: &str) -> Option<bool> {
    match properties.get(property)? {
        Json::String(text) => text.to_ascii_lowercase().parse().ok(),
        other => other.as_bool(),
    }
}

/// Makes the tags those of the properties.
fn retag(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, id: &str) -> Result<(), Fault> {
    if !request.changed("Tags") {
        return Ok(());
    }
    let listed = |properties: Option<&Json>| {
        let tags = properties.and_then(|it| it.get("Tags")).and_then(Json::as_array);
        tags.cloned().unwrap_or_default()
    };
    let wanted = listed(Some(request.properties));
    let is_left = |tag: &Json| wanted.iter().any(|other| other.get("Key") == tag.get("Key"));
    let gone: Vec<_> = listed(request.previous).into_iter().filter(|tag| !is_left(tag)).collect();
    if !gone.is_empty() {
        let gone: Vec<_> = gone.iter().map(|tag| json!({ "Key": tag.get("Key") })).collect();
        cx.call_json("ec2", "DeleteTags", json!({ "Resources": [id], "Tags": gone }))?;
    }
    if !wanted.is_empty() {
        cx.call_json("ec2", "CreateTags", json!({ "Resources": [id], "Tags": wanted }))?;
    }
    Ok(())
}

/// Deletes through an operation. What is gone already is deleted; what something else hangs on is tried again for a
/// while.
fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, operation: &str, input: Json) -> Result<Progress, Fault> {
    let state = ResourceState::new(request.physical_id());
    if request.physical_id().is_empty() {
        return Ok(Progress::Done(state));
    }
    let attempt = request.callback.and_then(|callback| callback.get("attempt")).and_then(Json::as_u64).unwrap_or(0);
    match cx.call_json("ec2", operation, input) {
        Err(fault) if fault.code == "DependencyViolation" && attempt < DELETE_ATTEMPTS_MAX => {
            Ok(Progress::InProgress {
                callback: json!({ "attempt": attempt + 1 }),
                delay_ms: DELETE_RETRY_MS,
                state: request.current.cloned(),
            })
        }
        Err(fault) if !is_gone(&fault) => Err(fault),
        _ => Ok(Progress::Done(state)),
    }
}

fn is_gone(fault: &Fault) -> bool {
    fault.code.ends_with(".NotFound") || matches!(fault.code, "NatGatewayNotFound" | "Gateway.NotAttached")
}
