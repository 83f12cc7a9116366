//! `AWS::SSM::Parameter`.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{OperationShape, ResourceShape, Value, from_properties};
use serde_json::{Map, Value as Json, json};

use crate::api;
use crate::errors::SsmError;
use crate::secure::SECURE_STRING;

pub(crate) struct Parameter;

impl ResourceType for Parameter {
    fn shape(&self) -> &'static ResourceShape {
        &resources::SSM_PARAMETER
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let name = match request.text("Name") {
                    Some(name) => name.to_owned(),
                    None => format!("CFN-{}-{}", request.logical_id, cx.rng.upper_alphanumeric(12)),
                };
                let input = input(request, &name, request.properties.get("Tags"))?;
                call(cx, &api::PUT_PARAMETER, &Json::Object(input))?;
                Ok(Progress::Done(state(cx, request, &name)))
            }
            Action::Update => {
                let name = request.physical_id();
                let mut input = input(request, name, None)?;
                input.insert("Overwrite".to_owned(), json!(true));
                call(cx, &api::PUT_PARAMETER, &Json::Object(input))?;
                update_tags(cx, name, request)?;
                Ok(Progress::Done(state(cx, request, name)))
            }
            Action::Delete => match call(cx, &api::DELETE_PARAMETER, &json!({"Name": request.physical_id()})) {
                Err(fault) if fault.code != "ParameterNotFound" && !request.physical_id().is_empty() => Err(fault),
                _ => Ok(Progress::Done(ResourceState::default())),
            },
        }
    }
}

/// The properties as `PutParameter` takes them.
fn input(request: &ResourceRequest<'_>, name: &str, tags: Option<&Json>) -> Result<Map<String, Json>, Fault> {
    let mut input = request.properties.as_object().cloned().unwrap_or_default();
    if request.text("Type") == Some(SECURE_STRING) {
        return Err(SsmError::SecureStringInStack.into());
    }
    input.insert("Name".to_owned(), json!(name));
    input.remove("Tags");
    input.extend(tags.map(|tags| ("Tags".to_owned(), tags.clone())));
    Ok(input)
}

fn call(cx: &mut Cx<'_>, operation: &OperationShape, input: &Json) -> Result<Value, Fault> {
    let input = from_properties((operation.input)(), input).map_err(|error| Fault::validation(error.to_string()))?;
    cx.call("ssm", operation.name, input)
}

fn state(cx: &Cx<'_>, request: &ResourceRequest<'_>, name: &str) -> ResourceState {
    let text = |property: &str| request.properties.get(property).cloned().unwrap_or_default();
    let arn = crate::name::arn(&cx.scope, name);
    ResourceState::new(name).with("Arn", arn).with("Type", text("Type")).with("Value", text("Value"))
}

fn update_tags(cx: &mut Cx<'_>, name: &str, request: &ResourceRequest<'_>) -> Result<(), Fault> {
    if !request.changed("Tags") {
        return Ok(());
    }
    let empty = Map::new();
    let tags = |properties: Option<&Json>| {
        properties
            .and_then(|properties| properties.get("Tags"))
            .and_then(Json::as_object)
            .cloned()
            .unwrap_or_else(|| empty.clone())
    };
    let (old, new) = (tags(request.previous), tags(Some(request.properties)));
    let gone: Vec<_> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    if !gone.is_empty() {
        let input = json!({"ResourceType": "Parameter", "ResourceId": name, "TagKeys": gone});
        call(cx, &api::REMOVE_TAGS_FROM_RESOURCE, &input)?;
    }
    if !new.is_empty() {
        let input = json!({"ResourceType": "Parameter", "ResourceId": name, "Tags": new});
        call(cx, &api::ADD_TAGS_TO_RESOURCE, &input)?;
    }
    Ok(())
}
