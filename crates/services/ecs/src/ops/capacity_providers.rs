//! Capacity providers of clusters.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::clusters::view;
use super::{items_max, pages};
use crate::access::{on_cluster, on_new};
use crate::api;
use crate::capacity::{PROVIDERS, check_providers, check_strategy, provider_name};
use crate::errors::EcsError;
use crate::state::{Cluster, Task, cluster};

/// `PutClusterCapacityProviders` gives a cluster its providers and its default strategy, in place of those it had.
pub(crate) struct PutClusterCapacityProviders;

impl Operation for PutClusterCapacityProviders {
    const SHAPE: &'static OperationShape = &api::PUT_CLUSTER_CAPACITY_PROVIDERS;
    type Input = api::PutClusterCapacityProvidersInput;
    type Output = api::PutClusterCapacityProvidersOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = on_cluster(cx, "ecs:PutClusterCapacityProviders", Some(&input.cluster));
        match input.capacity_providers.is_empty() {
            true => access.complete("ecs:capacity-provider").into(),
            false => access.with_all("ecs:capacity-provider", input.capacity_providers.clone()).into(),
        }
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let found = cluster(cx, Some(&input.cluster))?;
        let capacity_providers = check_providers(&input.capacity_providers)?;
        let default_strategy = check_strategy(&input.default_capacity_provider_strategy, &capacity_providers)?;
        let is_used = |task: &Task| {
            let provider = task.view.capacity_provider_name.as_ref();
            task.cluster == found.name
                && !task.is("STOPPED")
                && provider.is_some_and(|it| !capacity_providers.contains(it))
        };
        if cx.scan::<Task>("").any(|(_, task)| is_used(task)) {
            return Err(EcsError::ProviderInUse.into());
        }
        let changed = Cluster { capacity_providers, default_strategy, ..found };
        let cluster = view(cx, &changed, false);
        cx.put(&changed.name.clone(), changed);
        Ok(api::PutClusterCapacityProvidersOutput { cluster: Some(cluster) })
    }
}

/// `DescribeCapacityProviders` describes those named, or all.
pub(crate) struct DescribeCapacityProviders;

impl Operation for DescribeCapacityProviders {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_CAPACITY_PROVIDERS;
    type Input = api::DescribeCapacityProvidersInput;
    type Output = api::DescribeCapacityProvidersOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = |it: &String| on_new("ecs:DescribeCapacityProviders", arn(cx, &provider_name(it)));
        let named = input.capacity_providers.iter().flatten();
        Accesses::each(named.map(access), || on_new("ecs:DescribeCapacityProviders", "*"))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let named: Vec<_> = input.capacity_providers.iter().flatten().map(|it| provider_name(it)).collect();
        let all: Vec<String> = PROVIDERS.map(str::to_owned).into();
        let (found, missing): (Vec<_>, Vec<_>) =
            if named.is_empty() { (all, vec![]) } else { named.into_iter().partition(|it| all.contains(it)) };
        let pages = pages(cx, "DescribeCapacityProviders", &input.capacity_providers, input.next_token.as_deref())?;
        let (found, next_token) = pages.listed(found, String::clone, items_max(input.max_results));
        let failure =
            |name: String| api::Failure { arn: Some(arn(cx, &name)), reason: Some("MISSING".to_owned()), detail: None };
        let provider = |name: String| api::CapacityProvider {
            capacity_provider_arn: Some(arn(cx, &name)),
            status: Some("ACTIVE".to_owned()),
            r#type: Some(name.clone()),
            tags: Some(vec![]),
            name: Some(name),
            ..api::CapacityProvider::default()
        };
        Ok(api::DescribeCapacityProvidersOutput {
            capacity_providers: Some(found.into_iter().map(provider).collect()),
            failures: Some(missing.into_iter().map(failure).collect()),
            next_token,
        })
    }
}

fn arn(cx: &Cx<'_>, name: &str) -> String {
    cx.scope.arn("ecs", &format!("capacity-provider/{name}"))
}
