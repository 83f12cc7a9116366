//! `AWS::ECS::Cluster`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value};
use serde_json::{Map, Value as Json, json};

use super::{call_with, input, retag};
use crate::api;
use crate::state::{Cluster, cluster_arn};

/// `AWS::ECS::Cluster`: `Ref` is the name, `Arn` an attribute.
pub(crate) struct ClusterType;

impl ResourceType for ClusterType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::ECS_CLUSTER
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => create(cx, request),
            Action::Update => update(cx, request),
            Action::Delete => delete(cx, request),
        }
    }
}

/// Where a cluster of the name is there already, `CreateCluster` answers it; a stack must not take it for its own.
fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let mut properties = properties(request.properties);
    let name = match request.text("ClusterName") {
        Some(name) => name.to_owned(),
        None => request.generated_name(cx, 255),
    };
    properties.insert("ClusterName".to_owned(), json!(name));
    let is_taken = cx.get::<Cluster>(&name).is_some_and(|cluster| cluster.active);
    let output = cx.call("ecs", "CreateCluster", input::<api::CreateClusterInput>(&Json::Object(properties))?)?;
    if is_taken {
        return Err(request.already_exists(&name));
    }
    let name = output.at(&["cluster", "clusterName"]).and_then(Value::as_str).unwrap_or_default();
    Ok(done(cx, name))
}

/// The properties as `CreateCluster` names them.
fn properties(given: &Json) -> Map<String, Json> {
    let mut properties = given.as_object().cloned().unwrap_or_default();
    if let Some(settings) = properties.shift_remove("ClusterSettings") {
        properties.insert("Settings".to_owned(), settings);
    }
    properties
}

/// Everything but the name changes in place; what is not in the template any more goes back to what it is without it.
fn update(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let name = request.physical_id().to_owned();
    let property = |property: &str| request.properties.get(property).cloned();
    let mut change = Map::new();
    if request.changed("ClusterSettings") {
        let off = || json!([{ "Name": "containerInsights", "Value": "disabled" }]);
        change.insert("Settings".to_owned(), property("ClusterSettings").unwrap_or_else(off));
    }
    if request.changed("Configuration") {
        change.insert("Configuration".to_owned(), property("Configuration").unwrap_or_else(|| json!({})));
    }
    if request.changed("ServiceConnectDefaults") {
        let none = || json!({ "Namespace": "" });
        change.insert("ServiceConnectDefaults".to_owned(), property("ServiceConnectDefaults").unwrap_or_else(none));
    }
    if !change.is_empty() {
        change.insert("Cluster".to_owned(), json!(name));
        cx.call("ecs", "UpdateCluster", input::<api::UpdateClusterInput>(&Json::Object(change))?)?;
    }
    if request.changed("CapacityProviders") || request.changed("DefaultCapacityProviderStrategy") {
        let properties = json!({
            "Cluster": name,
            "CapacityProviders": property("CapacityProviders").unwrap_or_else(|| json!([])),
            "DefaultCapacityProviderStrategy": property("DefaultCapacityProviderStrategy").unwrap_or_else(|| json!([])),
        });
        call_with(cx, "PutClusterCapacityProviders", &properties)?;
    }
    retag(cx, request, &cluster_arn(cx, &name))?;
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
