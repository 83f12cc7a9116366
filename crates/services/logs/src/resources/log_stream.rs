//! `AWS::Logs::LogStream`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};
use serde_json::json;

use crate::api;

/// `AWS::Logs::LogStream`: `Ref` is the stream's name. Both properties make another stream when they change.
pub(crate) struct LogStreamType;

impl ResourceType for LogStreamType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::LOGS_LOG_STREAM
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => Ok(Progress::Done(ResourceState::new(request.physical_id()))),
            Action::Delete => delete(cx, request),
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.text("LogStreamName").map(str::to_owned).unwrap_or_else(|| request.generated_name(cx, 512));
    let mut properties = request.properties.clone();
    if let Some(members) = properties.as_object_mut() {
        members.insert("LogStreamName".to_owned(), json!(name));
    }
    let input = from_properties(api::CreateLogStreamInput::shape(), &properties);
    cx.call("logs", "CreateLogStream", input.map_err(|error| Fault::validation(error.to_string()))?)?;
    Ok(Progress::Done(ResourceState::new(name)))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let (group, stream) = (request.text("LogGroupName").unwrap_or_default(), request.physical_id());
    if !stream.is_empty() {
        let input = vec![("logGroupName", Value::from(group)), ("logStreamName", Value::from(stream))];
        match cx.call("logs", "DeleteLogStream", Value::Structure(input)) {
            Err(fault) if fault.code != "ResourceNotFoundException" => return Err(fault),
            _ => {}
        }
    }
    Ok(Progress::Done(ResourceState::new(stream)))
}
