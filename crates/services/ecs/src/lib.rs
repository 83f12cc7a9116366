//! Amazon ECS on Fargate: clusters, task definitions, tasks.
//!
//! A task is a record that [`lifecycle`] moves on: `RunTask` gives it a network interface and log streams and orders it to run;
//! what the driver reports decides, through the pure [`decide`], what comes next. Whoever runs the containers sees [`order`] alone.
//!
//! Invariant: knows no container runtime; a task order carries everything there is to know about a task.

mod access;
mod attributes;
mod capacity;
mod check;
mod decide;
mod errors;
mod lacks;
mod lifecycle;
mod ops;
pub mod order;
mod resources;
mod retention;
mod secrets;
mod sizes;
mod spool_key;
mod state;

use std::collections::BTreeMap;

use neargate_api::ecs as api;
use neargate_base::Scope;
use neargate_kernel::{OperationEntry, Service, Store};

pub use secrets::{SecretEnvironment, fetch as fetch_secrets};
pub use spool_key::open as open_spool_key;

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::CreateCluster>(),
            OperationEntry::of::<ops::DeleteCluster>(),
            OperationEntry::of::<ops::DescribeClusters>(),
            OperationEntry::of::<ops::ListClusters>(),
            OperationEntry::of::<ops::UpdateCluster>(),
            OperationEntry::of::<ops::UpdateClusterSettings>(),
            OperationEntry::of::<ops::PutClusterCapacityProviders>(),
            OperationEntry::of::<ops::DescribeCapacityProviders>(),
            OperationEntry::of::<ops::RegisterTaskDefinition>(),
            OperationEntry::of::<ops::DeregisterTaskDefinition>(),
            OperationEntry::of::<ops::DescribeTaskDefinition>(),
            OperationEntry::of::<ops::ListTaskDefinitions>(),
            OperationEntry::of::<ops::ListTaskDefinitionFamilies>(),
            OperationEntry::of::<ops::RunTask>(),
            OperationEntry::of::<ops::StopTask>(),
            OperationEntry::of::<ops::DescribeTasks>(),
            OperationEntry::of::<ops::ListTasks>(),
            OperationEntry::of::<ops::TagResource>(),
            OperationEntry::of::<ops::UntagResource>(),
            OperationEntry::of::<ops::ListTagsForResource>(),
        ],
        resources: vec![
            &resources::ClusterType,
            &resources::CapacityProviderAssociationsType,
            &resources::TaskDefinitionType,
        ],
        jobs: vec![(retention::SWEEP, retention::sweep)],
        reports: vec![(order::DRIVER, lifecycle::report)],
        records: |store| {
            store.register::<state::Cluster>();
            store.register::<state::Family>();
            store.register::<state::Definition>();
            store.register::<state::Task>();
            store.register::<retention::Sweep>();
            store.register::<state::RunToken>();
        },
    }
}

/// How far the output of a task's containers has been logged, by container: where a driver goes on after a restart.
pub fn logged_output(store: &Store, scope: &Scope, task: &str) -> BTreeMap<String, u64> {
    let containers = store.get::<state::Task>(scope, task).map(|task| task.containers.as_slice()).unwrap_or_default();
    containers.iter().map(|container| (container.name().to_owned(), container.offset)).collect()
}

/// Whether everything of a task has ended and the rest of it is ordered to be removed: it must not be started again, whatever
/// order to run it still stands.
pub fn is_over(store: &Store, scope: &Scope, task: &str) -> bool {
    store.get::<state::Task>(scope, task).is_none_or(|task| task.remove_effect.is_some() || task.is("STOPPED"))
}

/// Whether a container of a task is known to have been started.
pub fn has_started(store: &Store, scope: &Scope, task: &str) -> bool {
    let containers = store.get::<state::Task>(scope, task).map(|task| task.containers.as_slice()).unwrap_or_default();
    containers.iter().any(|container| container.phase == state::Phase::Running || container.pid > 0)
}

/// The ids of all tasks that have not stopped: what may be left of others belongs to nobody.
pub fn living_tasks(store: &Store) -> Vec<String> {
    let tasks = store.all::<state::Task>().filter(|(_, _, task)| !task.is("STOPPED"));
    tasks.map(|(_, id, _)| id.to_owned()).collect()
}

/// Every task that has not been told to stop: its scope, cluster and id.
pub fn stoppable(store: &Store) -> Vec<(Scope, String, String)> {
    let tasks = store.all::<state::Task>().filter(|(_, _, task)| task.is_wanted());
    tasks.map(|(scope, id, task)| (scope, task.cluster.clone(), id.to_owned())).collect()
}

/// Living tasks with the processes of their containers on this machine, for the control endpoint.
pub fn processes(store: &Store) -> serde_json::Value {
    let living = store.all::<state::Task>().filter(|(_, _, task)| !task.is("STOPPED"));
    let view = |task: &state::Task| {
        let containers = task
            .containers
            .iter()
            .map(|it| serde_json::json!({ "name": it.name(), "pid": it.pid, "status": it.view.last_status }));
        serde_json::json!({ "task": task.arn(), "status": task.view.last_status, "containers": containers.collect::<Vec<_>>() })
    };
    living.map(|(_, _, task)| view(task)).collect()
}
