//! `AWS::IAM::Role`.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Map, Value as Json, json};

use super::{call, call_to_remove, texts};
use crate::api;

const NAME_CHARACTERS_MAX: usize = 64;

pub(super) struct Role;

impl ResourceType for Role {
    fn shape(&self) -> &'static ResourceShape {
        &resources::IAM_ROLE
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => update(cx, request),
            Action::Delete => delete(cx, request),
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = match request.text("RoleName") {
        Some(name) => name.to_owned(),
        None => request.generated_name(cx, NAME_CHARACTERS_MAX),
    };
    let mut input: Map<String, Json> = request.properties.as_object().cloned().unwrap_or_default();
    input.retain(|property, _| property != "ManagedPolicyArns" && property != "Policies");
    input.insert("RoleName".to_owned(), json!(name));
    let made = call(cx, &api::CREATE_ROLE, &Json::Object(input))?;
    put_policies(cx, &name, request)?;
    let text =
        |member: &str| made.at(&["Role", member]).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    Ok(Progress::Done(ResourceState::new(name).with("Arn", text("Arn")).with("RoleId", text("RoleId"))))
}

fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id();
    let property = |property: &str| request.properties.get(property);
    if request.changed("AssumeRolePolicyDocument") {
        let document = property("AssumeRolePolicyDocument").cloned().unwrap_or_default();
        call(cx, &api::UPDATE_ASSUME_ROLE_POLICY, &json!({"RoleName": name, "PolicyDocument": document}))?;
    }
    if request.changed("Description") || request.changed("MaxSessionDuration") {
        let description = property("Description").cloned().unwrap_or_else(|| json!(""));
        let duration = property("MaxSessionDuration").cloned().unwrap_or_else(|| json!(3600));
        let input = json!({"RoleName": name, "Description": description, "MaxSessionDuration": duration});
        call(cx, &api::UPDATE_ROLE, &input)?;
    }
    match property("PermissionsBoundary") {
        _ if !request.changed("PermissionsBoundary") => {}
        Some(arn) => {
            let input = json!({"RoleName": name, "PermissionsBoundary": arn});
            call(cx, &api::PUT_ROLE_PERMISSIONS_BOUNDARY, &input)?;
        }
        None => drop(call(cx, &api::DELETE_ROLE_PERMISSIONS_BOUNDARY, &json!({"RoleName": name}))?),
    }
    update_tags(cx, name, request)?;
    remove_policies(cx, name, request.previous, Some(request.properties))?;
    put_policies(cx, name, request)?;
    Ok(Progress::Done(request.current.cloned().unwrap_or_default()))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id();
    if !name.is_empty() {
        remove_policies(cx, name, Some(request.properties), None)?;
        call_to_remove(cx, &api::DELETE_ROLE, &json!({"RoleName": name}))?;
    }
    Ok(Progress::Done(ResourceState::default()))
}

/// Puts every inline policy and attaches every managed policy of the properties. What is there already is put again, unchanged.
fn put_policies(cx: &mut Cx<'_>, role: &str, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    for policy in request.properties.get("Policies").and_then(Json::as_array).into_iter().flatten() {
        let mut input = policy.as_object().cloned().unwrap_or_default();
        input.insert("RoleName".to_owned(), json!(role));
        call(cx, &api::PUT_ROLE_POLICY, &Json::Object(input))?;
    }
    for arn in texts(Some(request.properties), "ManagedPolicyArns") {
        call(cx, &api::ATTACH_ROLE_POLICY, &json!({"RoleName": role, "PolicyArn": arn}))?;
    }
    Ok(())
}

/// Takes away the policies that `old` properties gave the role and `new` ones do not.
fn remove_policies(cx: &mut Cx<'_>, role: &str, old: Option<&Json>, new: Option<&Json>) -> Result<(), Fault> {
    let kept = policy_names(new);
    for name in policy_names(old).into_iter().filter(|name| !kept.contains(name)) {
        call_to_remove(cx, &api::DELETE_ROLE_POLICY, &json!({"RoleName": role, "PolicyName": name}))?;
    }
    let kept = texts(new, "ManagedPolicyArns");
    for arn in texts(old, "ManagedPolicyArns").into_iter().filter(|arn| !kept.contains(arn)) {
        call_to_remove(cx, &api::DETACH_ROLE_POLICY, &json!({"RoleName": role, "PolicyArn": arn}))?;
    }
    Ok(())
}

fn update_tags(cx: &mut Cx<'_>, role: &str, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    if !request.changed("Tags") {
        return Ok(());
    }
    let kept = tag_keys(Some(request.properties));
    let gone: Vec<_> = tag_keys(request.previous).into_iter().filter(|key| !kept.contains(key)).collect();
    if !gone.is_empty() {
        call(cx, &api::UNTAG_ROLE, &json!({"RoleName": role, "TagKeys": gone}))?;
    }
    if let Some(tags) = request.properties.get("Tags").filter(|_| !kept.is_empty()) {
        call(cx, &api::TAG_ROLE, &json!({"RoleName": role, "Tags": tags}))?;
    }
    Ok(())
}

fn policy_names(properties: Option<&Json>) -> Vec<&str> {
    members(properties, "Policies", "PolicyName")
}

fn tag_keys(properties: Option<&Json>) -> Vec<&str> {
    members(properties, "Tags", "Key")
}

/// One text member of each item of a list property.
fn members<'p>(properties: Option<&'p Json>, property: &str, member: &str) -> Vec<&'p str> {
    let list = properties.and_then(|properties| properties.get(property)).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|item| item.get(member)?.as_str()).collect()
}
