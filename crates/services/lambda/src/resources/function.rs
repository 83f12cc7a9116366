//! `AWS::Lambda::Function`, recorded.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>.
//!
//! Invariant: whoever makes a function must be allowed what AWS would ask for, although it never runs.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ShapeError, Wire, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api::{FunctionCodeLocation, FunctionConfiguration, ResolvedS3Object};
use crate::errors::LambdaError;
use crate::state::{FunctionRecord, arn};

const NAME_CHARACTERS_MAX: usize = 64;
const NOT_RUN: &str = "recorded; not run";

/// Properties that the configuration takes as they are.
const AS_THEY_ARE: &[&str] = &[
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "KmsKeyArn",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
];
/// Properties that are turned into something else, or are left out of what the API answers.
const OTHERS: &[&str] = &[
    "CapacityProviderConfig",
    "Code",
    "CodeSigningConfigArn",
    "DurableConfig",
    "FunctionName",
    "FunctionScalingConfig",
    "ImageConfig",
    "Layers",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "RuntimeManagementConfig",
    "Tags",
    "TenancyConfig",
];

pub(crate) struct Function;

impl ResourceType for Function {
    fn type_name(&self) -> &'static str {
        "AWS::Lambda::Function"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let name = match request.text("FunctionName") {
                    Some(name) => name.to_owned(),
                    None => request.generated_name(cx, NAME_CHARACTERS_MAX),
                };
                if cx.get::<FunctionRecord>(&name).is_some() {
                    return Err(LambdaError::Exists(name).into());
                }
                put(cx, &["lambda:CreateFunction"], &name, request)
            }
            Action::Update if request.changed("FunctionName") || request.changed("PackageType") => {
                Ok(Progress::Replace)
            }
            Action::Update => {
                let actions = ["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"];
                put(cx, &actions, request.physical_id(), request)
            }
            Action::Delete => {
                let name = request.physical_id();
                if cx.get::<FunctionRecord>(name).is_some() {
                    cx.authorize(&Access::new("lambda:DeleteFunction", arn(&cx.scope, name)))?;
                    cx.delete::<FunctionRecord>(name);
                }
                Ok(Progress::Done(ResourceState::default()))
            }
        }
    }

    fn not_simulated(&self, _properties: &Json) -> Option<String> {
        Some(NOT_RUN.to_owned())
    }
}

fn put(cx: &mut Cx<'_>, actions: &[&str], name: &str, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let known = |property: &str| AS_THEY_ARE.contains(&property) || OTHERS.contains(&property);
    let properties = request.properties.as_object().cloned().unwrap_or_default();
    if let Some(unknown) = properties.keys().find(|property| !known(property)) {
        return Err(Fault::validation(format!("Encountered unsupported property {unknown}")));
    }
    let code = properties.get("Code").filter(|code| code.is_object());
    let (Some(code), Some(role)) = (code, request.text("Role")) else {
        return Err(Fault::validation("properties `Code` and `Role` are required"));
    };
    let function_arn = arn(&cx.scope, name);
    for action in actions {
        cx.authorize(&Access::new(action, &function_arn))?;
    }
    cx.authorize(&Access::new("iam:PassRole", role).with("iam:PassedToService", "lambda.amazonaws.com"))?;
    let assumed = cx.registry.ports.authorizer.may_assume(cx.store(), role, "lambda.amazonaws.com");
    assumed.map_err(LambdaError::RoleNotAssumable)?;
    let record = record(cx, name, &properties, code).map_err(|error| Fault::validation(error.to_string()))?;
    cx.put(name, record);
    let apply_on =
        properties.get("SnapStart").and_then(|snap_start| snap_start.get("ApplyOn")?.as_str()).unwrap_or("None");
    let snap_start = json!({"ApplyOn": apply_on, "OptimizationStatus": "Off"});
    let state = ResourceState::new(name)
        .with("Arn", function_arn)
        .with("SnapStartResponse", snap_start)
        .with("SnapStartResponse.ApplyOn", apply_on)
        .with("SnapStartResponse.OptimizationStatus", "Off");
    Ok(Progress::Done(state))
}

fn record(
    cx: &mut Cx<'_>,
    name: &str,
    properties: &Map<String, Json>,
    code: &Json,
) -> Result<FunctionRecord, ShapeError> {
    let is_image = code.get("ImageUri").is_some();
    let mut answer = json!({
        "FunctionName": name,
        "FunctionArn": arn(&cx.scope, name),
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")},
        "MemorySize": 128,
        "PackageType": if is_image { "Image" } else { "Zip" },
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "LastModified": cx.time().to_string().replace('Z', "+0000"),
        "LastUpdateStatus": "Successful",
        "RevisionId": cx.rng.uuid(),
        "State": "Active",
        "StateReason": NOT_RUN,
        "Version": "$LATEST",
    });
    if let Some(answer) = answer.as_object_mut() {
        let given = properties.iter().filter(|(property, _)| AS_THEY_ARE.contains(&property.as_str()));
        answer.extend(given.map(|(property, value)| (property.clone(), value.clone())));
        if let Some(layers) = properties.get("Layers").and_then(Json::as_array) {
            answer.insert("Layers".to_owned(), layers.iter().map(|layer| json!({"Arn": layer})).collect());
        }
        if let Some(image) = properties.get("ImageConfig") {
            answer.insert("ImageConfigResponse".to_owned(), json!({"ImageConfig": image}));
        }
    }
    let configuration = FunctionConfiguration::from_value(from_properties(FunctionConfiguration::shape(), &answer)?)?;
    let tags =
        properties.get("Tags").map(|tags| from_properties(<BTreeMap<String, String>>::shape(), tags)).transpose()?;
    let reserved = properties.get("ReservedConcurrentExecutions");
    let reserved = reserved.map(|reserved| from_properties(i32::shape(), reserved)).transpose()?;
    Ok(FunctionRecord {
        configuration,
        code: location(code),
        tags: tags.map(BTreeMap::from_value).transpose()?.unwrap_or_default(),
        reserved_concurrent_executions: reserved.map(i32::from_value).transpose()?,
    })
}

/// Where the code lies. AWS gives an address to download it from; there is none here.
fn location(code: &Json) -> FunctionCodeLocation {
    let text = |member: &str| code.get(member).and_then(Json::as_str).map(str::to_owned);
    let object = text("S3Bucket").map(|bucket| ResolvedS3Object {
        s3_bucket: Some(bucket),
        s3_key: text("S3Key"),
        s3_object_version: text("S3ObjectVersion"),
    });
    let image_uri = text("ImageUri");
    let repository_type = if image_uri.is_some() { "ECR" } else { "S3" };
    FunctionCodeLocation {
        repository_type: Some(repository_type.to_owned()),
        image_uri,
        resolved_s3_object: object,
        ..FunctionCodeLocation::default()
    }
}
