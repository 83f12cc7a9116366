//! `AWS::ECS::TaskDefinition`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Lack, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value};
use serde_json::json;

use super::{input, retag};
use crate::{api, lacks};

/// `AWS::ECS::TaskDefinition`: `Ref` is the revision's ARN. Any change but of tags makes a new revision.
pub(crate) struct TaskDefinitionType;

impl ResourceType for TaskDefinitionType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::ECS_TASK_DEFINITION
    }

    fn lacks(&self, properties: &serde_json::Value) -> Vec<Lack> {
        lacks::of_template(properties)
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("ProxyConfiguration/ProxyConfigurationProperties", Some("Properties"))]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => {
                retag(cx, request, request.physical_id())?;
                Ok(Progress::Done(request.current.cloned().unwrap_or_default()))
            }
            Action::Delete => delete(cx, request),
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let mut properties = request.properties.clone();
    if let Some(members) = properties.as_object_mut()
        && !members.contains_key("Family")
    {
        members.insert("Family".to_owned(), json!(request.generated_name(cx, 255)));
    }
    let output = cx.call("ecs", "RegisterTaskDefinition", input::<api::RegisterTaskDefinitionInput>(&properties)?)?;
    let arn = output.at(&["taskDefinition", "taskDefinitionArn"]).and_then(Value::as_str).unwrap_or_default();
    Ok(Progress::Done(ResourceState::new(arn).with("TaskDefinitionArn", arn)))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let input = Value::Structure(vec![("taskDefinition", Value::from(request.physical_id()))]);
    match cx.call("ecs", "DeregisterTaskDefinition", input) {
        Err(fault) if fault.code != "ClientException" => Err(fault),
        _ => Ok(Progress::Done(ResourceState::new(request.physical_id()))),
    }
}
