//! The triggered task with its task definition.

use std::ops::Deref;

use neargate_constructs::ec2::{SecurityGroup, Vpc};
use neargate_constructs::ecs::{
    Cluster, ContainerDefinitionProps, FargateTaskDefinition, FargateTaskDefinitionProps, LogDriver,
};
use neargate_constructs::events::Rule;
use neargate_constructs::events_targets::{ContainerOverride, EcsTask};
use neargate_constructs::iam::Role;
use neargate_constructs::{Diagnostic, Scope, Value};

use super::base::{TaskTarget, TriggeredTaskBase, TriggeredTaskBaseProps};
use super::codes;

const MEMORY_DEFAULT_MIB: i64 = 512;
const CPU_DEFAULT: i64 = 256;

/// A task definition that exists already.
#[derive(Clone, Debug)]
pub struct TriggeredFargateTaskDefinitionOptions {
    /// The task definition.
    pub task_definition: FargateTaskDefinition,
}

/// What the task definition is made of.
#[derive(Clone, Debug, Default)]
pub struct TriggeredFargateTaskImageOptions {
    /// The container: image, command, environment and all else. CPU and memory below count for it too, where it has none itself.
    pub container: ContainerDefinitionProps,
    /// CPU units of the task: 1024 are a vCPU. Default: 256.
    pub cpu: Option<Value<i64>>,
    /// Memory of the task in MiB. Default: 512.
    pub memory_limit_mib: Option<Value<i64>>,
    /// Where output goes. Default: to CloudWatch Logs, into a new log group, with the construct's id as prefix.
    pub log_driver: Option<LogDriver>,
}

/// Properties of a [`TriggeredFargateTask`].
#[derive(Clone, Debug, Default)]
pub struct TriggeredFargateTaskProps {
    /// The rule whose events start the task; required.
    pub rule: Option<Rule>,
    /// The cluster that the task runs in. Default: one per VPC and stack, shared by all triggered tasks.
    pub cluster: Option<Cluster>,
    /// The network of the default cluster; of no effect where `cluster` is given. Default: a new one.
    pub vpc: Option<Vpc>,
    /// How many tasks an event starts, at least 1. Default: 1.
    pub desired_task_count: Option<i64>,
    /// What the task definition is made of; not together with the next one.
    pub triggered_fargate_task_image_options: Option<TriggeredFargateTaskImageOptions>,
    /// A task definition that exists already; not together with the one before.
    pub triggered_fargate_task_definition_options: Option<TriggeredFargateTaskDefinitionOptions>,
    /// The role that the container has. Default: a new one.
    pub task_role: Option<Role>,
    /// The container's name; required with image options. An override names the container by it.
    pub container_name: Option<String>,
    /// The security groups of the tasks. Default: a new one that lets everything out and nothing in.
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// What is different about the container when an event starts it: commands and environment, with fields of the event in them.
    pub container_overrides: Vec<ContainerOverride>,
}

/// A Fargate task that runs whenever an event matches.
///
/// Makes a task definition (unless one is given), makes it a target of the rule, and gives EventBridge the role that it takes. One
/// task can serve many commands: [`neargate_constructs::events::EventField`] in `container_overrides` hands over what the event says.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ec2, ecs, events, events_targets as targets};
/// use neargate_patterns::triggered_fargate_task::{TriggeredFargateTask, TriggeredFargateTaskImageOptions, TriggeredFargateTaskProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps { max_azs: Some(2), ..Default::default() });
/// let task = TriggeredFargateTask::new(&stack, "Manage", TriggeredFargateTaskProps {
///     vpc: Some(vpc),
///     container_name: Some("management".into()),
///     rule: Some(events::Rule::new(&stack, "Trigger", events::RuleProps {
///         event_pattern: Some(events::EventPattern { source: vec!["com.corp.manage".into()], ..Default::default() }),
///         ..Default::default()
///     })),
///     triggered_fargate_task_image_options: Some(TriggeredFargateTaskImageOptions {
///         container: ecs::ContainerDefinitionProps {
///             image: Some(ecs::ContainerImage::from_registry("corp/app:1.0")),
///             command: Some(vec!["sh".into(), "-c".into(), "manage $COMMAND".into()]),
///             ..Default::default()
///         },
///         ..Default::default()
///     }),
///     container_overrides: vec![targets::ContainerOverride {
///         container_name: "management".into(),
///         environment: vec![targets::TaskEnvironmentVariable::new("COMMAND", events::EventField::from_path("$.detail.command"))],
///         ..Default::default()
///     }],
///     ..Default::default()
/// });
/// assert_eq!(task.cluster().id(), "EcsDefaultClusterVpc");
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct TriggeredFargateTask {
    base: TriggeredTaskBase,
    task_definition: FargateTaskDefinition,
    event_target: EcsTask,
}

impl TriggeredFargateTask {
    /// Declares a triggered task.
    pub fn new(scope: &Scope, id: &str, props: TriggeredFargateTaskProps) -> Self {
        let base_props = TriggeredTaskBaseProps {
            rule: props.rule.clone(),
            cluster: props.cluster.clone(),
            vpc: props.vpc.clone(),
            desired_task_count: props.desired_task_count,
        };
        let base = TriggeredTaskBase::new(scope, id, base_props);
        let task_definition = task_definition(&base, &props);
        let event_target = base.add_task_definition_to_event_target(TaskTarget {
            task_definition: task_definition.clone(),
            security_groups: props.security_groups,
            container_overrides: props.container_overrides,
        });
        let task = Self { base, task_definition, event_target };
        task.register("neargate.TriggeredFargateTask", &task);
        task
    }

    /// What is started.
    pub fn task_definition(&self) -> &FargateTaskDefinition {
        &self.task_definition
    }

    /// How the rule starts it.
    pub fn event_target(&self) -> &EcsTask {
        &self.event_target
    }

    /// What all triggered tasks share.
    pub fn base(&self) -> &TriggeredTaskBase {
        &self.base
    }
}

impl Deref for TriggeredFargateTask {
    type Target = TriggeredTaskBase;

    fn deref(&self) -> &TriggeredTaskBase {
        &self.base
    }
}

fn task_definition(base: &TriggeredTaskBase, props: &TriggeredFargateTaskProps) -> FargateTaskDefinition {
    let error = |message: &str| {
        let hint = "set one of `triggered_fargate_task_image_options` and `triggered_fargate_task_definition_options`";
        base.report(Diagnostic::error(codes::TASK_SOURCE, message.to_owned()).hint(hint));
    };
    match (&props.triggered_fargate_task_definition_options, &props.triggered_fargate_task_image_options) {
        (Some(definition), None) => definition.task_definition.clone(),
        (None, Some(image)) => from_image(base, props, image),
        (Some(definition), Some(_)) => {
            error(
                "You must specify either a triggeredFargateTaskDefinitionOptions or triggeredFargateTaskOptions, not both.",
            );
            definition.task_definition.clone()
        }
        (None, None) => {
            error("You must specify one of: taskDefinition or image");
            // Stands in for the missing one, so that everything else can still be looked at.
            let attributes = neargate_constructs::ecs::FargateTaskDefinitionAttributes::default();
            FargateTaskDefinition::from_attributes(base, "TriggeredTaskDef", attributes)
        }
    }
}

fn from_image(
    base: &TriggeredTaskBase,
    props: &TriggeredFargateTaskProps,
    options: &TriggeredFargateTaskImageOptions,
) -> FargateTaskDefinition {
    let definition = FargateTaskDefinitionProps {
        task_role: props.task_role.clone(),
        memory_limit_mib: Some(options.memory_limit_mib.clone().unwrap_or(Value::Literal(MEMORY_DEFAULT_MIB))),
        cpu: Some(options.cpu.clone().unwrap_or(Value::Literal(CPU_DEFAULT))),
        ..FargateTaskDefinitionProps::default()
    };
    let definition = FargateTaskDefinition::new(base, "TriggeredTaskDef", definition);
    let mut container = options.container.clone();
    container.cpu = container.cpu.or_else(|| options.cpu.clone());
    container.memory_limit_mib = container.memory_limit_mib.or_else(|| options.memory_limit_mib.clone());
    let driver = options.log_driver.clone().or(container.logging);
    container.logging = Some(driver.unwrap_or_else(|| base.create_aws_log_driver(&base.id())));
    let name = props.container_name.clone().unwrap_or_else(|| {
        base.report(
            Diagnostic::error(codes::MISSING, "the triggered task has no `container_name`")
                .hint("name the container: overrides find it by its name"),
        );
        "MissingName".to_owned()
    });
    definition.add_container(&name, container);
    definition
}
