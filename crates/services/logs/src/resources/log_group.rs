//! `AWS::Logs::LogGroup`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api;
use crate::state::{LogGroup, group_arn};

/// `AWS::Logs::LogGroup`: `Ref` is the name, `Arn` ends in `:*`.
pub(crate) struct LogGroupType;

/// Properties that Neargate takes down and does nothing with.
const RECORDED: [&str; 4] =
    ["BearerTokenAuthenticationEnabled", "DataProtectionPolicy", "FieldIndexPolicies", "ResourcePolicyDocument"];

impl ResourceType for LogGroupType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::LOGS_LOG_GROUP
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => update(cx, request),
            Action::Delete => delete(cx, request),
        }
    }

    fn not_simulated(&self, properties: &Json) -> Option<String> {
        let names: Vec<_> = RECORDED.into_iter().filter(|name| properties.get(name).is_some()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.text("LogGroupName").map(str::to_owned).unwrap_or_else(|| request.generated_name(cx, 512));
    let (input, retention) = input(request.properties, &name)?;
    cx.call("logs", "CreateLogGroup", input)?;
    set_retention(cx, &name, retention)?;
    Ok(done(cx, &name))
}

/// The key, retention, tags and deletion protection change in place.
fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id().to_owned();
    let (input, retention) = input(request.properties, &name)?;
    let wanted = api::CreateLogGroupInput::from_value(input).map_err(|error| Fault::validation(error.to_string()))?;
    if request.changed("KmsKeyId") {
        match &wanted.kms_key_id {
            Some(key) => cx.call_json("logs", "AssociateKmsKey", json!({ "logGroupName": name, "kmsKeyId": key }))?,
            None => cx.call_json("logs", "DisassociateKmsKey", json!({ "logGroupName": name }))?,
        };
    }
    if request.changed("RetentionInDays") {
        set_retention(cx, &name, retention)?;
    }
    let held = cx.get::<LogGroup>(&name).map(|group| group.tags.clone()).unwrap_or_default();
    let tags = wanted.tags.unwrap_or_default();
    let arn = group_arn(cx, &name);
    let gone: Vec<_> = held.keys().filter(|key| !tags.contains_key(*key)).collect();
    if !gone.is_empty() {
        cx.call_json("logs", "UntagResource", json!({ "resourceArn": arn, "tagKeys": gone }))?;
    }
    if !tags.is_empty() && tags != held {
        cx.call_json("logs", "TagResource", json!({ "resourceArn": arn, "tags": tags }))?;
    }
    let class = wanted.log_group_class.as_deref().unwrap_or("STANDARD");
    if cx.get::<LogGroup>(&name).is_some_and(|group| group.class != class) {
        return Err(Fault::validation("Updates are not supported for property LogGroupClass"));
    }
    if request.changed("DeletionProtectionEnabled") {
        let protection = wanted.deletion_protection_enabled.unwrap_or(false);
        let input = json!({ "logGroupIdentifier": name, "deletionProtectionEnabled": protection });
        cx.call_json("logs", "PutLogGroupDeletionProtection", input)?;
    }
    Ok(done(cx, &name))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id();
    if !name.is_empty() {
        match cx.call("logs", "DeleteLogGroup", Value::Structure(vec![("logGroupName", Value::from(name))])) {
            Err(fault) if fault.code != "ResourceNotFoundException" => return Err(fault),
            _ => {}
        }
    }
    Ok(Progress::Done(ResourceState::new(name)))
}

/// The properties as the input of `CreateLogGroup`, and the retention, which has an operation of its own.
fn input(properties: &Json, name: &str) -> Result<(Value, Json), Fault> {
    let mut properties: Map<String, Json> = properties.as_object().cloned().unwrap_or_default();
    properties.insert("LogGroupName".to_owned(), json!(name));
    let retention = properties.shift_remove("RetentionInDays").unwrap_or(Json::Null);
    properties.retain(|property, _| !RECORDED.contains(&property.as_str()));
    if properties.get("Tags").and_then(Json::as_array).is_some_and(Vec::is_empty) {
        properties.shift_remove("Tags");
    }
    let input = from_properties(api::CreateLogGroupInput::shape(), &Json::Object(properties));
    Ok((input.map_err(|error| Fault::validation(error.to_string()))?, retention))
}

fn set_retention(cx: &mut Cx<'_>, name: &str, days: Json) -> Result<(), Fault> {
    if days.is_null() {
        if cx.get::<LogGroup>(name).is_some_and(|group| group.retention_days.is_none()) {
            return Ok(());
        }
        return cx.call_json("logs", "DeleteRetentionPolicy", json!({ "logGroupName": name })).map(drop);
    }
    let properties = json!({ "LogGroupName": name, "RetentionInDays": days });
    let input = from_properties(api::PutRetentionPolicyInput::shape(), &properties);
    cx.call("logs", "PutRetentionPolicy", input.map_err(|error| Fault::validation(error.to_string()))?).map(drop)
}

fn done(cx: &Cx<'_>, name: &str) -> Progress {
    Progress::Done(ResourceState::new(name).with("Arn", format!("{}:*", group_arn(cx, name))))
}
