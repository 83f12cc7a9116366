//! `AWS::IAM::ManagedPolicy`.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html>.
//!
//! Invariant: a change of the document is a new version; when there are five already, the oldest that is not in force goes.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, to_json};
use serde_json::{Value as Json, json};

use super::{call, call_to_remove, refuse_users_and_groups, texts};
use crate::api;

const NAME_CHARACTERS_MAX: usize = 128;
const VERSIONS_MAX: usize = 5;

pub(super) struct ManagedPolicy;

impl ResourceType for ManagedPolicy {
    fn shape(&self) -> &'static ResourceShape {
        &resources::IAM_MANAGED_POLICY
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
    refuse_users_and_groups(request.properties)?;
    let name = match request.text("ManagedPolicyName") {
        Some(name) => name.to_owned(),
        None => request.generated_name(cx, NAME_CHARACTERS_MAX),
    };
    let property = |property: &str| request.properties.get(property).cloned().unwrap_or_default();
    let (path, document, description) = (property("Path"), property("PolicyDocument"), property("Description"));
    let input = json!({"PolicyName": name, "Path": path, "PolicyDocument": document, "Description": description});
    let made = call(cx, &api::CREATE_POLICY, &input)?;
    let arn = made.at(&["Policy", "Arn"]).and_then(Value::as_str).unwrap_or_default().to_owned();
    attach(cx, &arn, texts(Some(request.properties), "Roles").into_iter())?;
    state(cx, &arn)
}

fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    refuse_users_and_groups(request.properties)?;
    let arn = request.physical_id();
    if request.changed("PolicyDocument") {
        let mut versions = versions(cx, arn)?;
        if versions.len() + 1 >= VERSIONS_MAX
            && let Some(oldest) = versions.pop()
        {
            call(cx, &api::DELETE_POLICY_VERSION, &json!({"PolicyArn": arn, "VersionId": oldest}))?;
        }
        let document = request.properties.get("PolicyDocument").cloned().unwrap_or_default();
        let input = json!({"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": true});
        call(cx, &api::CREATE_POLICY_VERSION, &input)?;
    }
    let (old, new) = (texts(request.previous, "Roles"), texts(Some(request.properties), "Roles"));
    detach(cx, arn, old.iter().copied().filter(|role| !new.contains(role)))?;
    attach(cx, arn, new.iter().copied().filter(|role| !old.contains(role)))?;
    state(cx, arn)
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let arn = request.physical_id();
    if !arn.is_empty() {
        detach(cx, arn, texts(Some(request.properties), "Roles").into_iter())?;
        for version in versions(cx, arn).unwrap_or_default() {
            call_to_remove(cx, &api::DELETE_POLICY_VERSION, &json!({"PolicyArn": arn, "VersionId": version}))?;
        }
        call_to_remove(cx, &api::DELETE_POLICY, &json!({"PolicyArn": arn}))?;
    }
    Ok(Progress::Done(ResourceState::default()))
}

fn attach<'p>(cx: &mut Cx<'_>, arn: &str, roles: impl Iterator<Item = &'p str>) -> Result<(), Fault> {
    for role in roles {
        call(cx, &api::ATTACH_ROLE_POLICY, &json!({"RoleName": role, "PolicyArn": arn}))?;
    }
    Ok(())
}

fn detach<'p>(cx: &mut Cx<'_>, arn: &str, roles: impl Iterator<Item = &'p str>) -> Result<(), Fault> {
    for role in roles {
        call_to_remove(cx, &api::DETACH_ROLE_POLICY, &json!({"RoleName": role, "PolicyArn": arn}))?;
    }
    Ok(())
}

/// The ids of the versions that are not in force, newest first.
fn versions(cx: &mut Cx<'_>, arn: &str) -> Result<Vec<String>, Fault> {
    let listed = call(cx, &api::LIST_POLICY_VERSIONS, &json!({"PolicyArn": arn}))?;
    let versions = listed.get("Versions").and_then(Value::as_list).unwrap_or_default();
    let others =
        versions.iter().filter(|version| version.get("IsDefaultVersion").and_then(Value::as_bool) == Some(false));
    Ok(others.filter_map(|version| version.get("VersionId")?.as_str()).map(str::to_owned).collect())
}

/// The attributes as `GetPolicy` answers them.
fn state(cx: &mut Cx<'_>, arn: &str) -> Result<Progress, Fault> {
    let answer = call(cx, &api::GET_POLICY, &json!({"PolicyArn": arn}))?;
    let member = |name: &str| match answer.at(&["Policy", name]) {
        Some(Value::Timestamp(time)) => json!(time.to_iso_seconds()),
        Some(value) => to_json(value),
        None => Json::Null,
    };
    let mut state = ResourceState::new(arn).with("PolicyArn", arn);
    for attribute in ["AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "PolicyId", "UpdateDate"] {
        state = state.with(attribute, member(attribute));
    }
    Ok(Progress::Done(state.with("PermissionsBoundaryUsageCount", member("PermissionsBoundaryUsageCount"))))
}
