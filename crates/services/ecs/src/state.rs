//! What ECS keeps: clusters, task definitions, tasks.

use neargate_base::{Arn, Timestamp};
use neargate_kernel::{Cx, EffectId, Interface, Principal, Record};
use serde::{Deserialize, Serialize};

use crate::api;
use crate::errors::EcsError;

/// A cluster, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) tags: Vec<api::Tag>,
    pub(crate) settings: Vec<api::ClusterSetting>,
    pub(crate) capacity_providers: Vec<String>,
    pub(crate) default_strategy: Vec<api::CapacityProviderStrategyItem>,
    pub(crate) configuration: Option<api::ClusterConfiguration>,
}

impl Record for Cluster {
    const TABLE: &'static str = "ecs.cluster";
    const IS_PUBLISHED: bool = true;
}

/// How many revisions a family has had.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Family {
    pub(crate) revisions: i32,
}

impl Record for Family {
    const TABLE: &'static str = "ecs.family";
}

/// A task definition, by `family:00000001`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) view: api::TaskDefinition,
    pub(crate) tags: Vec<api::Tag>,
}

impl Record for Definition {
    const TABLE: &'static str = "ecs.task-definition";
}

/// A task, by id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// As `DescribeTasks` shows it, but for its containers.
    pub(crate) view: api::Task,
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The network interface, until it is given back.
    pub(crate) interface: Option<Interface>,
    /// Who pulls images and writes logs.
    pub(crate) execution_role: Option<String>,
    /// The containers.
    pub(crate) containers: Vec<Container>,
    /// The key of the containers' output on disk, sealed, in base64.
    pub(crate) spool_key: String,
    /// The order to run it, once given.
    pub(crate) run_effect: Option<EffectId>,
    /// The order to remove it, once given.
    pub(crate) remove_effect: Option<EffectId>,
}

impl Record for Task {
    const TABLE: &'static str = "ecs.task";
    const IS_PUBLISHED: bool = true;
}

/// How long a client's token is remembered.
pub(crate) const TOKEN_MS: i64 = 86_400_000;

/// What a client's token has started, by token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunToken {
    /// The whole request, in JSON.
    pub(crate) input: String,
    /// The ids of the tasks.
    pub(crate) tasks: Vec<String>,
    pub(crate) at: Timestamp,
}

impl Record for RunToken {
    const TABLE: &'static str = "ecs.run-token";
}

/// A container of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Container {
    /// As `DescribeTasks` shows it.
    pub(crate) view: api::Container,
    pub(crate) essential: bool,
    pub(crate) phase: Phase,
    /// Containers it waits for, with the condition.
    pub(crate) depends_on: Vec<(String, Condition)>,
    /// Whether an order to start it has been given.
    pub(crate) start_ordered: bool,
    /// Whether an order to stop it has been given.
    pub(crate) stop_ordered: bool,
    /// Where its output goes.
    pub(crate) log: Option<LogRoute>,
    /// How far its output has been logged.
    pub(crate) offset: u64,
    /// Its process on this machine, for `kill -9` drills and adoption.
    pub(crate) pid: u32,
}

/// How far a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Waiting,
    Running,
    Ended { exit_code: Option<i32> },
}

/// What one container waits for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Condition {
    Start,
    Complete,
    Success,
}

/// A log stream of CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRoute {
    pub(crate) group: String,
    pub(crate) stream: String,
    /// The region that the task definition names for it.
    #[serde(default)]
    pub(crate) region: Option<String>,
    pub(crate) create_group: bool,
}

/// `default`, a name or an ARN, as a name.
pub(crate) fn cluster_name(reference: Option<&str>) -> String {
    let reference = reference.filter(|text| !text.is_empty()).unwrap_or("default");
    reference.parse::<Arn>().map_or_else(|_| reference.to_owned(), |arn| arn.resource_name().to_owned())
}

/// The active cluster that a request means.
pub(crate) fn cluster(cx: &Cx<'_>, reference: Option<&str>) -> Result<Cluster, EcsError> {
    let found = cx.get::<Cluster>(&cluster_name(reference)).filter(|cluster| cluster.active);
    found.cloned().ok_or(EcsError::ClusterNotFound)
}

/// A cluster's ARN.
pub(crate) fn cluster_arn(cx: &Cx<'_>, name: &str) -> String {
    cx.scope.arn("ecs", &format!("cluster/{name}"))
}

/// The key of a task definition.
pub(crate) fn definition_key(family: &str, revision: i32) -> String {
    format!("{family}:{revision:08}")
}

/// The task definition that `family`, `family:revision` or an ARN means: without a revision the latest active one.
pub(crate) fn definition(cx: &Cx<'_>, reference: &str) -> Result<Definition, EcsError> {
    let name = reference.parse::<Arn>().map_or_else(|_| reference.to_owned(), |arn| arn.resource_name().to_owned());
    let found = match name.rsplit_once(':').map(|(family, revision)| (family, revision.parse())) {
        Some((family, Ok(revision))) => cx.get::<Definition>(&definition_key(family, revision)).cloned(),
        _ => {
            let revisions = cx.scan::<Definition>(&format!("{name}:")).map(|(_, definition)| definition);
            revisions.filter(|definition| definition.view.status.as_deref() == Some("ACTIVE")).last().cloned()
        }
    };
    found.ok_or(EcsError::TaskDefinitionNotFound)
}

/// The id that a task's id or ARN means.
pub(crate) fn task_id(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

impl Task {
    /// As `DescribeTasks` shows it.
    pub(crate) fn to_api(&self) -> api::Task {
        let containers = self.containers.iter().map(|container| container.view.clone()).collect();
        api::Task { containers: Some(containers), ..self.view.clone() }
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        task_id(self.arn())
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> &str {
        self.view.task_arn.as_deref().unwrap_or_default()
    }

    /// Whether it is to be running.
    pub(crate) fn is_wanted(&self) -> bool {
        self.view.desired_status.as_deref() == Some("RUNNING")
    }

    /// Whether its last status is this one.
    pub(crate) fn is(&self, status: &str) -> bool {
        self.view.last_status.as_deref() == Some(status)
    }

    /// Who pulls images, fetches secrets and writes logs. `Err` says why ECS may not be it.
    pub(crate) fn assume_execution_role(&self, cx: &Cx<'_>) -> Result<Principal, String> {
        let role = self.execution_role.as_deref().ok_or("the task definition has no execution role")?;
        let task = self.view.task_arn.as_deref().unwrap_or_default();
        let mut principal = cx.assume_for_service(role, "ecs-tasks.amazonaws.com", task)?;
        if let Principal::Role { session_name, .. } = &mut principal {
            self.id().clone_into(session_name);
        }
        Ok(principal)
    }

    /// A container by name.
    pub(crate) fn container_mut(&mut self, name: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.view.name.as_deref() == Some(name))
    }
}

impl Container {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.view.name.as_deref().unwrap_or_default()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }
}
