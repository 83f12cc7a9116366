//! `AWS::IAM::Policy`: one inline policy in several roles.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value as Json, json};

use super::{call, call_to_remove, has_inline, refuse_users_and_groups, texts};
use crate::api;

pub(super) struct Policy;

impl ResourceType for Policy {
    fn shape(&self) -> &'static ResourceShape {
        &resources::IAM_POLICY
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let taken = taken(cx, request);
                put(cx, request)?;
                if let Some(role) = taken {
                    let name = request.text("PolicyName").unwrap_or_default();
                    return Err(request.already_exists(&format!("{name}|{role}")));
                }
                let start = |text: &str| text.chars().take(5).collect::<String>();
                let (stack, logical_id) = (start(request.stack_name), start(request.logical_id));
                let id = format!("{stack}-{logical_id}-{}", cx.rng.upper_alphanumeric(12));
                Ok(Progress::Done(ResourceState::new(id.as_str()).with("Id", id)))
            }
            Action::Update => {
                let roles = texts(Some(request.properties), "Roles");
                let is_renamed = request.changed("PolicyName");
                let taken = taken(cx, request);
                put(cx, request)?;
                if let Some(role) = taken {
                    let name = request.text("PolicyName").unwrap_or_default();
                    return Err(request.already_exists(&format!("{name}|{role}")));
                }
                let old =
                    texts(request.previous, "Roles").into_iter().filter(|role| is_renamed || !roles.contains(role));
                remove(cx, old, request.previous)?;
                Ok(Progress::Done(request.current.cloned().unwrap_or_default()))
            }
            Action::Delete => {
                let roles = texts(Some(request.properties), "Roles");
                remove(cx, roles.into_iter(), Some(request.properties))?;
                Ok(Progress::Done(ResourceState::default()))
            }
        }
    }
}

/// The first role that has an inline policy of this name which is not this resource's.
fn taken(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Option<String> {
    let name = request.text("PolicyName")?;
    let own = if request.changed("PolicyName") { vec![] } else { texts(request.previous, "Roles") };
    let mut others = texts(Some(request.properties), "Roles").into_iter().filter(|role| !own.contains(role));
    others.find(|role| has_inline(cx, role, name)).map(str::to_owned)
}

fn put(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    refuse_users_and_groups(request.properties)?;
    let roles = texts(Some(request.properties), "Roles");
    if roles.is_empty() {
        return Err(Fault::validation("At least one of [Groups,Roles,Users] must be non-empty."));
    }
    let member = |property: &str| request.properties.get(property).cloned().unwrap_or_default();
    for role in roles {
        let (name, document) = (member("PolicyName"), member("PolicyDocument"));
        let input = json!({"RoleName": role, "PolicyName": name, "PolicyDocument": document});
        call(cx, &api::PUT_ROLE_POLICY, &input)?;
    }
    Ok(())
}

fn remove<'p>(cx: &mut Cx<'_>, roles: impl Iterator<Item = &'p str>, properties: Option<&Json>) -> Result<(), Fault> {
    let name =
        properties.and_then(|properties| properties.get("PolicyName")).and_then(Json::as_str).unwrap_or_default();
    for role in roles {
        call_to_remove(cx, &api::DELETE_ROLE_POLICY, &json!({"RoleName": role, "PolicyName": name}))?;
    }
    Ok(())
}
