//! `AWS::Lambda::Function`, recorded.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>.
//!
//! Invariant: whatever a type does, it does through operations as the stack's principal, although the function never runs.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::scalar::base64_encode;
use neargate_shape::{OperationShape, ResourceShape, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api;
use crate::functions::NOT_RUN;
use crate::state::arn;

const NAME_CHARACTERS_MAX: usize = 64;

/// Properties that the operations take as they are.
const AS_THEY_ARE: &[&str] = &[
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "ImageConfig",
    "Layers",
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

pub(crate) struct Function;

impl ResourceType for Function {
    fn shape(&self) -> &'static ResourceShape {
        &resources::LAMBDA_FUNCTION
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => update(cx, request),
            Action::Delete => {
                let input = json!({"FunctionName": request.physical_id()});
                match call(cx, &api::DELETE_FUNCTION, input) {
                    Err(fault) if fault.code != "ResourceNotFoundException" && !request.physical_id().is_empty() => {
                        Err(fault)
                    }
                    _ => Ok(Progress::Done(ResourceState::default())),
                }
            }
        }
    }

    fn not_simulated(&self, _properties: &Json) -> Option<String> {
        Some(NOT_RUN.to_owned())
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = match request.text("FunctionName") {
        Some(name) => name.to_owned(),
        None => request.generated_name(cx, NAME_CHARACTERS_MAX),
    };
    let mut input = configuration(request, |_| true);
    input.insert("FunctionName".to_owned(), json!(name));
    input.insert("Code".to_owned(), Json::Object(code(request)));
    let others = ["Architectures", "PackageType", "Tags"];
    let others = others.into_iter().filter_map(|it| Some((it.to_owned(), request.properties.get(it)?.clone())));
    input.extend(others);
    call(cx, &api::CREATE_FUNCTION, Json::Object(input))?;
    reserve(cx, &name, request)?;
    Ok(done(cx, &name, request))
}

fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id().to_owned();
    if request.changed("Code") || request.changed("Architectures") {
        let mut input = code(request);
        input.insert("FunctionName".to_owned(), json!(name));
        input.extend(request.properties.get("Architectures").map(|it| ("Architectures".to_owned(), it.clone())));
        call(cx, &api::UPDATE_FUNCTION_CODE, Json::Object(input))?;
    }
    let mut input = configuration(request, |property| request.changed(property));
    for (property, default) in defaults(&name) {
        if request.changed(property) && request.properties.get(property).is_none() {
            input.insert(property.to_owned(), default);
        }
    }
    if !input.is_empty() {
        input.insert("FunctionName".to_owned(), json!(name));
        call(cx, &api::UPDATE_FUNCTION_CONFIGURATION, Json::Object(input))?;
    }
    if request.changed("ReservedConcurrentExecutions") {
        reserve(cx, &name, request)?;
    }
    if request.changed("Tags") {
        let (gone, wanted) = request.changed_tags("Tags");
        let resource = arn(&cx.scope, &name);
        if !gone.is_empty() {
            call(cx, &api::UNTAG_RESOURCE, json!({"Resource": resource, "TagKeys": gone}))?;
        }
        if !wanted.is_empty() {
            call(cx, &api::TAG_RESOURCE, json!({"Resource": resource, "Tags": wanted}))?;
        }
    }
    Ok(done(cx, &name, request))
}

/// What a property that is gone from the template goes back to.
fn defaults(name: &str) -> Vec<(&'static str, Json)> {
    vec![
        ("DeadLetterConfig", json!({"TargetArn": ""})),
        ("Description", json!("")),
        ("Environment", json!({"Variables": {}})),
        ("EphemeralStorage", json!({"Size": 512})),
        ("FileSystemConfigs", json!([])),
        ("ImageConfig", json!({})),
        ("Layers", json!([])),
        ("LoggingConfig", json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")})),
        ("MemorySize", json!(128)),
        ("SnapStart", json!({"ApplyOn": "None"})),
        ("Timeout", json!(3)),
        ("TracingConfig", json!({"Mode": "PassThrough"})),
        ("VpcConfig", json!({"SubnetIds": [], "SecurityGroupIds": []})),
    ]
}

/// The configuration as the operations name it, of the properties that are wanted.
fn configuration(request: &ResourceRequest<'_>, is_wanted: impl Fn(&str) -> bool) -> Map<String, Json> {
    let named = |property: &str| if property == "KmsKeyArn" { "KMSKeyArn".to_owned() } else { property.to_owned() };
    let apart = ["Architectures", "PackageType", "TenancyConfig"];
    let is_configuration =
        |property: &str| (AS_THEY_ARE.contains(&property) || property == "KmsKeyArn") && !apart.contains(&property);
    let properties = request.properties.as_object().into_iter().flatten();
    let wanted = properties.filter(|(property, _)| is_configuration(property) && is_wanted(property));
    wanted.map(|(property, value)| (named(property), value.clone())).collect()
}

/// Where the code lies, as the operations name it. Code in the template is text; the operations take an archive.
fn code(request: &ResourceRequest<'_>) -> Map<String, Json> {
    let mut code = request.properties.get("Code").and_then(Json::as_object).cloned().unwrap_or_default();
    if let Some(text) = code.get("ZipFile").and_then(Json::as_str).map(str::to_owned) {
        code.insert("ZipFile".to_owned(), json!(base64_encode(text.as_bytes())));
    }
    code
}

fn reserve(cx: &mut Cx<'_>, name: &str, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    match request.properties.get("ReservedConcurrentExecutions") {
        Some(reserved) => {
            let input = json!({"FunctionName": name, "ReservedConcurrentExecutions": reserved});
            call(cx, &api::PUT_FUNCTION_CONCURRENCY, input)
        }
        None if request.previous.is_some() => {
            call(cx, &api::DELETE_FUNCTION_CONCURRENCY, json!({"FunctionName": name}))
        }
        None => Ok(()),
    }
}

fn call(cx: &mut Cx<'_>, operation: &OperationShape, input: Json) -> Result<(), Fault> {
    let input = from_properties((operation.input)(), &input).map_err(|error| Fault::validation(error.to_string()))?;
    cx.call("lambda", operation.name, input).map(drop)
}

fn done(cx: &Cx<'_>, name: &str, request: &ResourceRequest<'_>) -> Progress {
    let snap_start = request.properties.get("SnapStart");
    let apply_on = snap_start.and_then(|snap_start| snap_start.get("ApplyOn")?.as_str()).unwrap_or("None");
    let state = ResourceState::new(name)
        .with("Arn", arn(&cx.scope, name))
        .with("SnapStartResponse", json!({"ApplyOn": apply_on, "OptimizationStatus": "Off"}))
        .with("SnapStartResponse.ApplyOn", apply_on)
        .with("SnapStartResponse.OptimizationStatus", "Off");
    Progress::Done(state)
}
