//! `AWS::ECS::Cluster`.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{Value, Wire};
use serde_json::json;

use super::input;
use crate::api;
use crate::state::cluster_arn;

/// `AWS::ECS::Cluster`: `Ref` is the name, `Arn` an attribute.
pub(crate) struct ClusterType;

impl ResourceType for ClusterType {
    fn type_name(&self) -> &'static str {
        "AWS::ECS::Cluster"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update if request.changed("ClusterName") => Ok(Progress::Replace),
            Action::Update => update(cx, request),
            Action::Delete => delete(cx, request),
        }
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let mut properties = request.properties.clone();
    if let Some(members) = properties.as_object_mut()
        && !members.contains_key("ClusterName")
    {
        members.insert("ClusterName".to_owned(), json!(request.generated_name(cx, 255)));
    }
    let output = cx.call("ecs", "CreateCluster", input::<api::CreateClusterInput>(&properties)?)?;
    let name = output.at(&["cluster", "clusterName"]).and_then(Value::as_str).unwrap_or_default();
    Ok(done(cx, name))
}

/// Tags and settings change in place.
fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let wanted = api::CreateClusterInput::from_value(input::<api::CreateClusterInput>(request.properties)?)
        .map_err(|error| Fault::validation(error.to_string()))?;
    let name = request.physical_id().to_owned();
    cx.update::<crate::state::Cluster, _>(&name, |cluster| {
        cluster.tags = wanted.tags.unwrap_or_default();
        cluster.settings = wanted.settings.unwrap_or_else(|| cluster.settings.clone());
        cluster.capacity_providers = wanted.capacity_providers.unwrap_or_default();
        cluster.default_strategy = wanted.default_capacity_provider_strategy.unwrap_or_default();
        cluster.configuration = wanted.configuration;
    });
    Ok(done(cx, &name))
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let input = Value::Structure(vec![("cluster", Value::from(request.physical_id()))]);
    match cx.call("ecs", "DeleteCluster", input) {
        // Tasks that were told to stop need their time.
        Err(fault) if fault.code == "ClusterContainsTasksException" && !request.physical_id().is_empty() => {
            stop_tasks(cx, request.physical_id())?;
            let state = Some(ResourceState::new(request.physical_id()));
            Ok(Progress::InProgress { callback: json!({}), delay_ms: 100, state })
        }
        Err(fault) if fault.code != "ClusterNotFoundException" => Err(fault),
        _ => Ok(Progress::Done(ResourceState::new(request.physical_id()))),
    }
}

/// A cluster that goes takes its standalone tasks along.
fn stop_tasks(cx: &mut Cx<'_>, cluster: &str) -> Result<(), Fault> {
    let tasks: Vec<_> = cx
        .scan::<crate::state::Task>("")
        .filter(|(_, task)| task.cluster == cluster && task.is_wanted())
        .map(|(id, _)| id.to_owned())
        .collect();
    for task in tasks {
        let input = vec![
            ("cluster", Value::from(cluster)),
            ("task", Value::from(task)),
            ("reason", Value::from("Cluster deleted")),
        ];
        cx.call("ecs", "StopTask", Value::Structure(input))?;
    }
    Ok(())
}

fn done(cx: &Cx<'_>, name: &str) -> Progress {
    Progress::Done(ResourceState::new(name).with("Arn", cluster_arn(cx, name)))
}
