//! A task definition and the rule that starts it on a schedule.

use std::collections::BTreeMap;
use std::ops::Deref;

use neargate_constructs::ec2::{SecurityGroup, SubnetSelection, SubnetType, Vpc};
use neargate_constructs::ecs::{
    Cluster, ContainerDefinitionProps, ContainerImage, FargatePlatformVersion, FargateTaskDefinition,
    FargateTaskDefinitionAttributes, FargateTaskDefinitionProps, LogDriver, Secret,
};
use neargate_constructs::events::{Rule, RuleProps, Schedule};
use neargate_constructs::events_targets::{EcsTask, EcsTaskProps};
use neargate_constructs::{Diagnostic, Duration, Scope, Value};

use super::codes;
use crate::default_cluster::default_cluster;

/// What the default cluster's id begins with; the VPC's id follows.
const DEFAULT_CLUSTER_ID: &str = "EcsDefaultClusterMnL3mNNYN";
const CONTAINER_NAME: &str = "ScheduledContainer";
const MEMORY_DEFAULT_MIB: i64 = 512;
const CPU_DEFAULT: i64 = 256;

/// A task definition that exists already.
#[derive(Clone, Debug)]
pub struct ScheduledFargateTaskDefinitionOptions {
    /// The task definition.
    pub task_definition: FargateTaskDefinition,
}

/// What the task definition is made of.
#[derive(Clone, Debug, Default)]
pub struct ScheduledFargateTaskImageOptions {
    /// The image; required.
    pub image: Option<ContainerImage>,
    /// The container's name. Default: `ScheduledContainer`.
    pub container_name: Option<String>,
    /// The command. Default: the image's.
    pub command: Option<Vec<Value<String>>>,
    /// Environment variables.
    pub environment: BTreeMap<String, Value<String>>,
    /// Environment variables with secret values.
    pub secrets: BTreeMap<String, Secret>,
    /// Where output goes. Default: to CloudWatch Logs, into a new log group, with the construct's id as prefix.
    pub log_driver: Option<LogDriver>,
    /// CPU units of the task: 1024 are a vCPU. Default: 256.
    pub cpu: Option<Value<i64>>,
    /// Memory of the task in MiB. Default: 512.
    pub memory_limit_mib: Option<Value<i64>>,
    /// Disk space in GiB, 21 to 200. Default: 20.
    pub ephemeral_storage_gib: Option<i64>,
}

/// Properties of a [`ScheduledFargateTask`].
#[derive(Clone, Debug, Default)]
pub struct ScheduledFargateTaskProps {
    /// When the task is started; required.
    pub schedule: Option<Schedule>,
    /// Whether the rule works. Default: yes.
    pub enabled: Option<bool>,
    /// The rule's name. Default: CloudFormation's choice.
    pub rule_name: Option<String>,
    /// The cluster that the task runs in. Default: one per VPC and stack, shared by all scheduled tasks.
    pub cluster: Option<Cluster>,
    /// The network of the default cluster; of no effect where `cluster` is given. Default: a new one.
    pub vpc: Option<Vpc>,
    /// How many tasks are started each time, at least 1. Default: 1.
    pub desired_task_count: Option<i64>,
    /// The subnets the tasks are in. Default: private ones with a way out.
    pub subnet_selection: Option<SubnetSelection>,
    /// The security groups of the tasks. Default: a new one that lets everything out and nothing in.
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// Default: the newest.
    pub platform_version: Option<FargatePlatformVersion>,
    /// Whether tasks take over the task definition's tags. Default: no.
    pub propagate_task_definition_tags: bool,
    /// Tags of the tasks. Default: none.
    pub tags: BTreeMap<String, String>,
    /// What the task definition is made of; not together with the next one.
    pub scheduled_fargate_task_image_options: Option<ScheduledFargateTaskImageOptions>,
    /// A task definition that exists already; not together with the one before.
    pub scheduled_fargate_task_definition_options: Option<ScheduledFargateTaskDefinitionOptions>,
}

/// A Fargate task that runs on a schedule.
///
/// Makes a task definition (unless one is given), a rule with the schedule, and the role that EventBridge takes. There is no service:
/// each time the rule fires, the task runs once and ends.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs, events};
/// use neargate_patterns::fargate_tasks::{ScheduledFargateTask, ScheduledFargateTaskImageOptions, ScheduledFargateTaskProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let nightly = events::CronOptions { minute: Some("0".into()), hour: Some("4".into()), ..Default::default() };
/// let report = ScheduledFargateTask::new(&stack, "Report", ScheduledFargateTaskProps {
///     schedule: Some(events::Schedule::cron(nightly)),
///     scheduled_fargate_task_image_options: Some(ScheduledFargateTaskImageOptions {
///         image: Some(ecs::ContainerImage::from_registry("busybox:1.37")),
///         command: Some(vec!["date".into()]),
///         ..Default::default()
///     }),
///     ..Default::default()
/// });
/// assert_eq!(report.event_rule().id(), "ScheduledEventRule");
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct ScheduledFargateTask {
    scope: Scope,
    cluster: Cluster,
    desired_task_count: i64,
    event_rule: Rule,
    task_definition: FargateTaskDefinition,
    task: EcsTask,
}

impl ScheduledFargateTask {
    /// Declares a scheduled task.
    pub fn new(scope: &Scope, id: &str, props: ScheduledFargateTaskProps) -> Self {
        let scope = scope.child(id);
        let cluster =
            props.cluster.clone().unwrap_or_else(|| default_cluster(&scope, DEFAULT_CLUSTER_ID, props.vpc.as_ref()));
        let desired_task_count = props.desired_task_count.unwrap_or(1);
        if desired_task_count < 1 {
            scope.report(
                Diagnostic::error(codes::DESIRED_TASK_COUNT, "You must specify a desiredTaskCount greater than 0")
                    .detail(format!("got `{desired_task_count}`"))
                    .hint("set `desired_task_count` to at least 1, or leave it out for 1"),
            );
        }
        let event_rule = Rule::new(
            &scope,
            "ScheduledEventRule",
            RuleProps {
                schedule: Some(schedule(&scope, props.schedule.clone())),
                rule_name: props.rule_name.clone(),
                enabled: props.enabled,
                ..RuleProps::default()
            },
        );
        let task_definition = task_definition(&scope, &props);
        let target = EcsTaskProps {
            task_count: Some(desired_task_count.max(1)),
            subnet_selection: Some(props.subnet_selection.unwrap_or_else(|| SubnetType::PrivateWithEgress.into())),
            security_groups: props.security_groups,
            platform_version: props.platform_version,
            propagate_task_definition_tags: props.propagate_task_definition_tags,
            tags: props.tags,
            ..EcsTaskProps::default()
        };
        let task = EcsTask::new(&cluster, &task_definition, target);
        event_rule.add_target(&task);
        let scheduled = Self { scope, cluster, desired_task_count, event_rule, task_definition, task };
        scheduled.register("neargate.ScheduledFargateTask", &scheduled);
        scheduled
    }

    /// The cluster that the task runs in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How many tasks are started each time.
    pub fn desired_task_count(&self) -> i64 {
        self.desired_task_count
    }

    /// The rule with the schedule.
    pub fn event_rule(&self) -> &Rule {
        &self.event_rule
    }

    /// What is started.
    pub fn task_definition(&self) -> &FargateTaskDefinition {
        &self.task_definition
    }

    /// How the rule starts it.
    pub fn task(&self) -> &EcsTask {
        &self.task
    }
}

impl Deref for ScheduledFargateTask {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

fn schedule(scope: &Scope, given: Option<Schedule>) -> Schedule {
    given.unwrap_or_else(|| {
        scope.report(
            Diagnostic::error(codes::MISSING, "the scheduled task has no `schedule`")
                .hint("say when it is started, such as `Schedule::rate(Duration::hours(1))`"),
        );
        // Stands in for the missing one, so that everything else can still be looked at.
        Schedule::rate(Duration::days(1))
    })
}

fn task_definition(scope: &Scope, props: &ScheduledFargateTaskProps) -> FargateTaskDefinition {
    let error = |message: &str| {
        let hint = "set one of `scheduled_fargate_task_image_options` and `scheduled_fargate_task_definition_options`";
        scope.report(Diagnostic::error(codes::TASK_SOURCE, message.to_owned()).hint(hint));
    };
    match (&props.scheduled_fargate_task_definition_options, &props.scheduled_fargate_task_image_options) {
        (Some(definition), None) => definition.task_definition.clone(),
        (None, Some(image)) => from_image(scope, image),
        (Some(definition), Some(_)) => {
            error(
                "You must specify either a scheduledFargateTaskDefinitionOptions or scheduledFargateTaskOptions, not both.",
            );
            definition.task_definition.clone()
        }
        (None, None) => {
            error("You must specify one of: taskDefinition or image");
            let attributes = FargateTaskDefinitionAttributes::default();
            FargateTaskDefinition::from_attributes(scope, "ScheduledTaskDef", attributes)
        }
    }
}

fn from_image(scope: &Scope, options: &ScheduledFargateTaskImageOptions) -> FargateTaskDefinition {
    let definition = FargateTaskDefinitionProps {
        memory_limit_mib: Some(options.memory_limit_mib.clone().unwrap_or(Value::Literal(MEMORY_DEFAULT_MIB))),
        cpu: Some(options.cpu.clone().unwrap_or(Value::Literal(CPU_DEFAULT))),
        ephemeral_storage_gib: options.ephemeral_storage_gib,
        ..FargateTaskDefinitionProps::default()
    };
    let definition = FargateTaskDefinition::new(scope, "ScheduledTaskDef", definition);
    let container = ContainerDefinitionProps {
        image: options.image.clone(),
        command: options.command.clone(),
        environment: options.environment.clone(),
        secrets: options.secrets.clone(),
        logging: Some(options.log_driver.clone().unwrap_or_else(|| LogDriver::aws_logs(&scope.id()))),
        ..ContainerDefinitionProps::default()
    };
    definition.add_container(options.container_name.as_deref().unwrap_or(CONTAINER_NAME), container);
    definition
}
