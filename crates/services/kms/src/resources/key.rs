//! `AWS::KMS::Key`: `Ref` is the key's id. Deleting it begins its waiting period.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Wire, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api;
use crate::state::KeyRecord;

/// Properties that have operations of their own.
const APART: &[&str] = &["EnableKeyRotation", "Enabled", "PendingWindowInDays", "RotationPeriodInDays"];

pub(crate) struct Key;

impl ResourceType for Key {
    fn shape(&self) -> &'static ResourceShape {
        &resources::KMS_KEY
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("MultiRegion", None)]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update if changes_kind(request) => Ok(Progress::Replace),
            Action::Update => update(cx, request),
            Action::Delete => delete(cx, request),
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let made = cx.call("kms", "CreateKey", input(request.properties)?)?;
    let id = made.at(&["KeyMetadata", "KeyId"]).and_then(neargate_shape::Value::as_str).unwrap_or_default().to_owned();
    set_rotation(cx, &id, request)?;
    if !flag(request.properties, "Enabled", true) {
        cx.call_json("kms", "DisableKey", json!({"KeyId": id}))?;
    }
    Ok(done(cx, &id))
}

fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let id = request.physical_id().to_owned();
    let wanted = api::CreateKeyInput::from_value(input(request.properties)?)
        .map_err(|error| Fault::validation(error.to_string()))?;
    // A key that is to be disabled is disabled last: nothing else can be changed then.
    let enabled = flag(request.properties, "Enabled", true);
    if request.changed("Enabled") && enabled {
        cx.call_json("kms", "EnableKey", json!({"KeyId": id}))?;
    }
    if request.changed("Description") {
        let description = wanted.description.unwrap_or_default();
        cx.call_json("kms", "UpdateKeyDescription", json!({"KeyId": id, "Description": description}))?;
    }
    if request.changed("KeyPolicy") {
        let policy = wanted.policy.unwrap_or_else(|| crate::policy::default(cx));
        let bypass = wanted.bypass_policy_lockout_safety_check.unwrap_or(false);
        let input = json!({"KeyId": id, "Policy": policy, "BypassPolicyLockoutSafetyCheck": bypass});
        cx.call_json("kms", "PutKeyPolicy", input)?;
    }
    if request.changed("Tags") {
        let held = cx.get::<KeyRecord>(&id).map(|key| key.tags.clone()).unwrap_or_default();
        let tags = wanted.tags.unwrap_or_default();
        let gone = held.iter().filter(|held| !tags.iter().any(|tag| tag.tag_key == held.tag_key));
        let gone: Vec<_> = gone.map(|tag| tag.tag_key.clone()).collect();
        if !gone.is_empty() {
            cx.call_json("kms", "UntagResource", json!({"KeyId": id, "TagKeys": gone}))?;
        }
        if !tags.is_empty() {
            let tags: Vec<_> =
                tags.iter().map(|tag| json!({"TagKey": tag.tag_key, "TagValue": tag.tag_value})).collect();
            cx.call_json("kms", "TagResource", json!({"KeyId": id, "Tags": tags}))?;
        }
    }
    if request.changed("EnableKeyRotation") || request.changed("RotationPeriodInDays") {
        set_rotation(cx, &id, request)?;
    }
    if request.changed("Enabled") && !enabled {
        cx.call_json("kms", "DisableKey", json!({"KeyId": id}))?;
    }
    Ok(done(cx, &id))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let id = request.physical_id();
    let mut input = json!({"KeyId": id});
    if let (Some(days), Some(input)) = (request.properties.get("PendingWindowInDays"), input.as_object_mut()) {
        input.insert("PendingWindowInDays".to_owned(), number(days));
    }
    match cx.call_json("kms", "ScheduleKeyDeletion", input) {
        Err(fault) if !matches!(fault.code, "NotFoundException" | "KMSInvalidStateException") && !id.is_empty() => {
            Err(fault)
        }
        _ => Ok(Progress::Done(ResourceState::default())),
    }
}

/// The properties as `CreateKey` takes them.
fn input(properties: &Json) -> Result<neargate_shape::Value, Fault> {
    let mut properties: Map<String, Json> = properties.as_object().cloned().unwrap_or_default();
    properties.retain(|name, _| !APART.contains(&name.as_str()));
    if let Some(policy) = properties.shift_remove("KeyPolicy") {
        properties.insert("Policy".to_owned(), policy);
    }
    if let Some(tags) = properties.get_mut("Tags").and_then(Json::as_array_mut) {
        for tag in tags.iter_mut() {
            let part = |name: &str| tag.get(name).cloned().unwrap_or_default();
            *tag = json!({"TagKey": part("Key"), "TagValue": part("Value")});
        }
    }
    from_properties(api::CreateKeyInput::shape(), &Json::Object(properties))
        .map_err(|error| Fault::validation(error.to_string()))
}

fn set_rotation(cx: &mut Cx<'_>, id: &str, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    if flag(request.properties, "EnableKeyRotation", false) {
        let mut input = json!({"KeyId": id});
        if let (Some(days), Some(input)) = (request.properties.get("RotationPeriodInDays"), input.as_object_mut()) {
            input.insert("RotationPeriodInDays".to_owned(), number(days));
        }
        return cx.call_json("kms", "EnableKeyRotation", input).map(drop);
    }
    if cx.get::<KeyRecord>(id).is_some_and(|key| key.rotation.is_some()) {
        cx.call_json("kms", "DisableKeyRotation", json!({"KeyId": id}))?;
    }
    Ok(())
}

fn changes_kind(request: &ResourceRequest<'_>) -> bool {
    ["KeySpec", "KeyUsage", "MultiRegion", "Origin"].iter().any(|property| request.changed(property))
}

fn flag(properties: &Json, name: &str, default: bool) -> bool {
    match properties.get(name) {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => default,
    }
}

/// Templates may write numbers as text.
fn number(value: &Json) -> Json {
    value.as_str().and_then(|text| text.parse::<i32>().ok()).map_or_else(|| value.clone(), Json::from)
}

fn done(cx: &Cx<'_>, id: &str) -> Progress {
    let arn = cx.scope.arn("kms", &format!("key/{id}"));
    Progress::Done(ResourceState::new(id).with("Arn", arn).with("KeyId", id))
}
