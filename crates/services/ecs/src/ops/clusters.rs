//! Clusters: on Fargate a name to put tasks under.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::access::{new_tags, on_cluster, on_new, with_tags};
use crate::api;
use crate::capacity::{check_providers, check_strategy};
use crate::errors::EcsError;
use crate::state::{Cluster, Task, cluster, cluster_arn, cluster_name};

/// `CreateCluster` makes a cluster; one that is there already is answered as it is.
pub(crate) struct CreateCluster;

impl Operation for CreateCluster {
    const SHAPE: &'static OperationShape = &api::CREATE_CLUSTER;
    type Input = api::CreateClusterInput;
    type Output = api::CreateClusterOutput;

    fn access(_: &Cx<'_>, input: &Self::Input) -> Accesses {
        let mut access = with_tags(on_new("ecs:CreateCluster", "*"), input.tags.as_deref());
        if let Some(providers) = input.capacity_providers.clone().filter(|providers| !providers.is_empty()) {
            access = access.with_all("ecs:capacity-provider", providers);
        }
        let storage = input.configuration.as_ref().and_then(|it| it.managed_storage_configuration.as_ref());
        let key = storage.and_then(|storage| storage.fargate_ephemeral_storage_kms_key_id.as_deref());
        access.complete("ecs:capacity-provider").with_option("ecs:fargate-ephemeral-storage-kms-key", key).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = cluster_name(input.cluster_name.as_deref());
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.len() > 255 || !name.chars().all(fits) {
            return Err(EcsError::InvalidParameter("Invalid cluster name.".to_owned()).into());
        }
        let capacity_providers = check_providers(input.capacity_providers.as_deref().unwrap_or_default())?;
        let strategy = input.default_capacity_provider_strategy.as_deref().unwrap_or_default();
        let default_strategy = check_strategy(strategy, &capacity_providers)?;
        check_settings(input.settings.as_deref())?;
        if let Some(there) = cx.get::<Cluster>(&name).filter(|cluster| cluster.active) {
            let is_same = input.settings.as_ref().is_none_or(|it| *it == there.settings)
                && input.capacity_providers.as_ref().is_none_or(|_| capacity_providers == there.capacity_providers)
                && (strategy.is_empty() || default_strategy == there.default_strategy)
                && (input.configuration.is_none() || input.configuration == there.configuration);
            if !is_same {
                let text =
                    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
                return Err(EcsError::InvalidParameter(text.to_owned()).into());
            }
            return Ok(api::CreateClusterOutput { cluster: Some(view(cx, there, true)) });
        }
        let made = Cluster {
            name: name.clone(),
            active: true,
            tags: new_tags(input.tags)?,
            settings: input.settings.unwrap_or_else(default_settings),
            capacity_providers,
            default_strategy,
            configuration: input.configuration,
        };
        let cluster = view(cx, &made, true);
        cx.put(&name, made);
        Ok(api::CreateClusterOutput { cluster: Some(cluster) })
    }
}

fn default_settings() -> Vec<api::ClusterSetting> {
    vec![api::ClusterSetting { name: Some("containerInsights".to_owned()), value: Some("disabled".to_owned()) }]
}

/// `containerInsights` is the one setting there is.
fn check_settings(settings: Option<&[api::ClusterSetting]>) -> Result<(), EcsError> {
    for setting in settings.unwrap_or_default() {
        let (name, value) = (setting.name.as_deref().unwrap_or_default(), setting.value.as_deref().unwrap_or_default());
        if name != "containerInsights" {
            return Err(EcsError::InvalidParameter(format!("Invalid cluster setting name: {name}")));
        }
        if !["enabled", "disabled", "enhanced"].contains(&value) {
            let text = format!("Invalid setting 'value': {value}. containerInsights is enabled, disabled or enhanced.");
            return Err(EcsError::InvalidParameter(text));
        }
    }
    Ok(())
}

/// `UpdateCluster` changes settings and configuration.
pub(crate) struct UpdateCluster;

impl Operation for UpdateCluster {
    const SHAPE: &'static OperationShape = &api::UPDATE_CLUSTER;
    type Input = api::UpdateClusterInput;
    type Output = api::UpdateClusterOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let storage = input.configuration.as_ref().and_then(|it| it.managed_storage_configuration.as_ref());
        let key = storage.and_then(|storage| storage.fargate_ephemeral_storage_kms_key_id.as_deref());
        on_cluster(cx, "ecs:UpdateCluster", Some(&input.cluster))
            .with_option("ecs:fargate-ephemeral-storage-kms-key", key)
            .into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.service_connect_defaults.is_some() {
            cx.not_simulated("ecs:UpdateCluster serviceConnectDefaults", "accepted; there is no Service Connect");
        }
        let cluster = change(cx, &input.cluster, input.settings, input.configuration)?;
        Ok(api::UpdateClusterOutput { cluster: Some(cluster) })
    }
}

/// `UpdateClusterSettings` changes settings.
pub(crate) struct UpdateClusterSettings;

impl Operation for UpdateClusterSettings {
    const SHAPE: &'static OperationShape = &api::UPDATE_CLUSTER_SETTINGS;
    type Input = api::UpdateClusterSettingsInput;
    type Output = api::UpdateClusterSettingsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_cluster(cx, "ecs:UpdateClusterSettings", Some(&input.cluster)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let cluster = change(cx, &input.cluster, Some(input.settings), None)?;
        Ok(api::UpdateClusterSettingsOutput { cluster: Some(cluster) })
    }
}

fn change(
    cx: &mut Cx<'_>,
    reference: &str,
    settings: Option<Vec<api::ClusterSetting>>,
    configuration: Option<api::ClusterConfiguration>,
) -> Result<api::Cluster, EcsError> {
    let mut found = cluster(cx, Some(reference))?;
    check_settings(settings.as_deref())?;
    found.settings = settings.unwrap_or(found.settings);
    found.configuration = configuration.or(found.configuration);
    let cluster = view(cx, &found, true);
    cx.put(&found.name.clone(), found);
    Ok(cluster)
}

/// The most clusters that one call describes.
const CLUSTERS_MAX: usize = 100;

/// `DescribeClusters` describes the clusters named, or `default`.
pub(crate) struct DescribeClusters;

impl Operation for DescribeClusters {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_CLUSTERS;
    const READS: bool = true;
    type Input = api::DescribeClustersInput;
    type Output = api::DescribeClustersOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = |name| on_cluster(cx, "ecs:DescribeClusters", name);
        // More than there may be are refused whole.
        let named = input.clusters.iter().flatten().take(CLUSTERS_MAX);
        Accesses::each(named.map(|name| access(Some(name.as_str()))), || access(None))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.clusters.as_ref().is_some_and(|names| names.len() > CLUSTERS_MAX) {
            return Err(EcsError::InvalidParameter(format!("Clusters cannot be greater than {CLUSTERS_MAX}.")).into());
        }
        let wanted = input.clusters.filter(|names| !names.is_empty()).unwrap_or_else(|| vec!["default".to_owned()]);
        let with_tags = input.include.iter().flatten().any(|field| field == "TAGS");
        let (mut clusters, mut failures) = (vec![], vec![]);
        for reference in wanted {
            let name = cluster_name(Some(&reference));
            match cx.get::<Cluster>(&name) {
                Some(cluster) => clusters.push(view(cx, cluster, with_tags)),
                None => failures.push(api::Failure {
                    arn: Some(cluster_arn(cx, &name)),
                    reason: Some("MISSING".to_owned()),
                    detail: None,
                }),
            }
        }
        Ok(api::DescribeClustersOutput { clusters: Some(clusters), failures: Some(failures) })
    }
}

/// `ListClusters` lists the ARNs of active clusters.
pub(crate) struct ListClusters;

impl Operation for ListClusters {
    const SHAPE: &'static OperationShape = &api::LIST_CLUSTERS;
    const READS: bool = true;
    type Input = api::ListClustersInput;
    type Output = api::ListClustersOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("ecs:ListClusters", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let active = cx.scan::<Cluster>("").filter(|(_, cluster)| cluster.active);
        let pages = pages(cx, "ListClusters", (), input.next_token.as_deref())?;
        let arns = active.map(|(name, _)| cluster_arn(cx, name));
        let (arns, next_token) = pages.sorted(arns, String::as_str, items_max(input.max_results));
        Ok(api::ListClustersOutput { cluster_arns: Some(arns), next_token })
    }
}

/// `DeleteCluster` makes a cluster inactive; tasks in it must have stopped.
pub(crate) struct DeleteCluster;

impl Operation for DeleteCluster {
    const SHAPE: &'static OperationShape = &api::DELETE_CLUSTER;
    type Input = api::DeleteClusterInput;
    type Output = api::DeleteClusterOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_cluster(cx, "ecs:DeleteCluster", Some(&input.cluster)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut found = cluster(cx, Some(&input.cluster))?;
        if cx.scan::<Task>("").any(|(_, task)| task.cluster == found.name && !task.is("STOPPED")) {
            return Err(EcsError::ClusterContainsTasks.into());
        }
        found.active = false;
        let cluster = view(cx, &found, false);
        cx.put(&found.name.clone(), found);
        Ok(api::DeleteClusterOutput { cluster: Some(cluster) })
    }
}

/// A cluster as the API shows it.
pub(super) fn view(cx: &Cx<'_>, cluster: &Cluster, with_tags: bool) -> api::Cluster {
    let count = |is: fn(&Task) -> bool| {
        let tasks = cx.scan::<Task>("").filter(|(_, task)| task.cluster == cluster.name && is(task)).count();
        i32::try_from(tasks).unwrap_or(i32::MAX)
    };
    api::Cluster {
        cluster_arn: Some(cluster_arn(cx, &cluster.name)),
        cluster_name: Some(cluster.name.clone()),
        configuration: cluster.configuration.clone(),
        status: Some(if cluster.active { "ACTIVE" } else { "INACTIVE" }.to_owned()),
        registered_container_instances_count: Some(0),
        running_tasks_count: Some(count(|task| task.is("RUNNING"))),
        pending_tasks_count: Some(count(|task| task.is("PENDING") || task.is("PROVISIONING"))),
        active_services_count: Some(0),
        statistics: Some(vec![]),
        tags: Some(if with_tags { cluster.tags.clone() } else { vec![] }),
        settings: Some(cluster.settings.clone()),
        capacity_providers: Some(cluster.capacity_providers.clone()),
        default_capacity_provider_strategy: Some(cluster.default_strategy.clone()),
        ..api::Cluster::default()
    }
}
