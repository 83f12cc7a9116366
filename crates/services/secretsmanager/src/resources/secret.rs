//! `AWS::SecretsManager::Secret`: `Ref` is the ARN. As on AWS it is deleted without a recovery window.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api::{CreateSecretInput, GetRandomPasswordInput, Tag};
use crate::{password, state};

const SERVICE: &str = "secretsmanager";

pub(crate) struct Secret;

impl ResourceType for Secret {
    fn shape(&self) -> &'static ResourceShape {
        &resources::SECRETSMANAGER_SECRET
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("Type", None)]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => update(cx, request),
            Action::Delete => {
                let input = json!({"SecretId": request.physical_id(), "ForceDeleteWithoutRecovery": true});
                if !request.physical_id().is_empty() {
                    cx.call_json(SERVICE, "DeleteSecret", input)?;
                }
                Ok(Progress::Done(ResourceState::default()))
            }
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let mut input = input(request.properties)?;
    input.name = match request.text("Name") {
        Some(name) => name.to_owned(),
        None => format!("{}-{}", request.logical_id, cx.rng.upper_alphanumeric(12)),
    };
    if let Some(value) = generated(cx, request.properties)? {
        input.secret_string = Some(value);
    }
    let made = cx.call(SERVICE, "CreateSecret", input.into_value())?;
    Ok(done(made.get("ARN").and_then(Value::as_str).unwrap_or_default()))
}

fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let arn = request.physical_id();
    let input = input(request.properties)?;
    let value = match request.changed("GenerateSecretString") {
        true => generated(cx, request.properties)?,
        false => None,
    };
    let value = value.or(input.secret_string.filter(|_| request.changed("SecretString")));
    let mut change = Map::from_iter([("SecretId".to_owned(), json!(arn))]);
    change.extend(value.map(|value| ("SecretString".to_owned(), json!(value))));
    if request.changed("Description") {
        change.insert("Description".to_owned(), json!(input.description.unwrap_or_default()));
    }
    if request.changed("KmsKeyId") {
        change.insert("KmsKeyId".to_owned(), json!(input.kms_key_id.unwrap_or_default()));
    }
    if change.len() > 1 {
        cx.call_json(SERVICE, "UpdateSecret", Json::Object(change))?;
    }
    update_tags(cx, arn, &input.tags.unwrap_or_default())?;
    Ok(done(arn))
}

fn update_tags(cx: &mut Cx<'_>, arn: &str, tags: &[Tag]) -> Result<(), Fault> {
    let held = state::own(cx, arn)?.tags;
    let gone = held.iter().filter(|held| !tags.iter().any(|tag| tag.key == held.key));
    let gone: Vec<_> = gone.filter_map(|tag| tag.key.clone()).collect();
    if !gone.is_empty() {
        cx.call_json(SERVICE, "UntagResource", json!({"SecretId": arn, "TagKeys": gone}))?;
    }
    if !tags.is_empty() && tags != held {
        let tags: Vec<_> = tags.iter().map(|tag| json!({"Key": tag.key, "Value": tag.value})).collect();
        cx.call_json(SERVICE, "TagResource", json!({"SecretId": arn, "Tags": tags}))?;
    }
    Ok(())
}

/// The properties as `CreateSecret` takes them, but for the name and what is generated.
fn input(properties: &Json) -> Result<CreateSecretInput, Fault> {
    let mut properties: Map<String, Json> = properties.as_object().cloned().unwrap_or_default();
    properties.shift_remove("GenerateSecretString");
    if let Some(replicas) = properties.shift_remove("ReplicaRegions") {
        properties.insert("AddReplicaRegions".to_owned(), replicas);
    }
    properties.entry("Name").or_insert_with(|| json!(""));
    let invalid = |error: neargate_shape::ShapeError| Fault::validation(error.to_string());
    let value = from_properties(CreateSecretInput::shape(), &Json::Object(properties)).map_err(invalid)?;
    CreateSecretInput::from_value(value).map_err(invalid)
}

/// The value that `GenerateSecretString` asks for: a password, alone or in a template's object.
fn generated(cx: &mut Cx<'_>, properties: &Json) -> Result<Option<String>, Fault> {
    let Some(wanted) = properties.get("GenerateSecretString") else { return Ok(None) };
    if properties.get("SecretString").is_some() {
        return Err(Fault::validation("You can't specify both SecretString and GenerateSecretString."));
    }
    let mut wanted = wanted.as_object().cloned().unwrap_or_default();
    let (key, template) = (wanted.shift_remove("GenerateStringKey"), wanted.shift_remove("SecretStringTemplate"));
    let invalid = |error: neargate_shape::ShapeError| Fault::validation(error.to_string());
    let input = from_properties(GetRandomPasswordInput::shape(), &Json::Object(wanted)).map_err(invalid)?;
    let password = password::make(cx, &GetRandomPasswordInput::from_value(input).map_err(invalid)?)?;
    match (key.as_ref().and_then(Json::as_str), template.as_ref().and_then(Json::as_str)) {
        (None, None) => Ok(Some(password.to_string())),
        (Some(key), Some(template)) => {
            let mut object = serde_json::from_str::<Map<String, Json>>(template).map_err(|error| {
                Fault::validation("The SecretStringTemplate must be a JSON object.").with_hint(error.to_string())
            })?;
            object.insert(key.to_owned(), json!(password.as_str()));
            Ok(Some(Json::Object(object).to_string()))
        }
        _ => Err(Fault::validation("You must specify both SecretStringTemplate and GenerateStringKey, or neither.")),
    }
}

fn done(arn: &str) -> Progress {
    Progress::Done(ResourceState::new(arn).with("Id", arn))
}
