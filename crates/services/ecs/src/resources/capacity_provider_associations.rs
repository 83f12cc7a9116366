//! `AWS::ECS::ClusterCapacityProviderAssociations`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Map, Value as Json, json};

use crate::state::{Cluster, cluster_name};

/// `AWS::ECS::ClusterCapacityProviderAssociations`: `Ref` is the cluster's name.
pub(crate) struct CapacityProviderAssociationsType;

/// Looks at a provider that tasks still use before the delete gives up.
const LOOKS_MAX: u64 = 50;

/// Between two looks.
const LOOK_MS: i64 = 200;

impl ResourceType for CapacityProviderAssociationsType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::ECS_CLUSTER_CAPACITY_PROVIDER_ASSOCIATIONS
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let cluster = request.text("Cluster").unwrap_or_default();
        match action {
            Action::Create | Action::Update => {
                let has_providers = |cluster: &Cluster| cluster.active && !cluster.capacity_providers.is_empty();
                let is_taken = action == Action::Create
                    && cx.get::<Cluster>(&cluster_name(Some(cluster))).is_some_and(has_providers);
                cx.call_json("ecs", "PutClusterCapacityProviders", wanted(request.properties, cluster))?;
                if is_taken {
                    return Err(request.already_exists(cluster));
                }
                Ok(Progress::Done(ResourceState::new(cluster)))
            }
            Action::Delete => delete(cx, request),
        }
    }
}

/// The properties as the operation's input; what is unknown is handed on and refused there.
fn wanted(properties: &Json, cluster: &str) -> Json {
    let strategy = properties.get("DefaultCapacityProviderStrategy").and_then(Json::as_array);
    let strategy: Vec<Json> = strategy.into_iter().flatten().map(lower_case).collect();
    let providers = properties.get("CapacityProviders").cloned().unwrap_or_else(|| json!([]));
    json!({ "cluster": cluster, "capacityProviders": providers, "defaultCapacityProviderStrategy": strategy })
}

fn lower_case(item: &Json) -> Json {
    let names = [("CapacityProvider", "capacityProvider"), ("Base", "base"), ("Weight", "weight")];
    let known =
        |name: &str| names.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| *ours).to_owned();
    let members = item.as_object().into_iter().flatten();
    Json::Object(members.map(|(name, value)| (known(name), number(value))).collect::<Map<_, _>>())
}

/// Templates write numbers as texts too.
fn number(value: &Json) -> Json {
    value.as_str().and_then(|text| text.parse::<i64>().ok()).map_or_else(|| value.clone(), Json::from)
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let cluster = request.physical_id();
    let done = Ok(Progress::Done(ResourceState::new(cluster)));
    if cluster.is_empty() {
        return done;
    }
    let nothing = json!({ "cluster": cluster, "capacityProviders": [], "defaultCapacityProviderStrategy": [] });
    let looks = request.callback.and_then(Json::as_u64).unwrap_or(0);
    match cx.call_json("ecs", "PutClusterCapacityProviders", nothing) {
        Err(fault) if fault.code == "ClusterNotFoundException" => done,
        // Tasks that were told to stop need their time.
        Err(fault) if fault.code == "ResourceInUseException" && looks < LOOKS_MAX => {
            let state = Some(ResourceState::new(cluster));
            Ok(Progress::InProgress { callback: json!(looks + 1), delay_ms: LOOK_MS, state })
        }
        Err(fault) => Err(fault),
        Ok(_) => done,
    }
}
