//! What all triggered tasks share.

use std::ops::Deref;

use neargate_constructs::ec2::{SecurityGroup, Vpc};
use neargate_constructs::ecs::{Cluster, FargateTaskDefinition, LogDriver};
use neargate_constructs::events::{EventPattern, Rule, RuleProps};
use neargate_constructs::events_targets::{ContainerOverride, EcsTask, EcsTaskProps};
use neargate_constructs::{Diagnostic, Scope, Tags};

use super::codes;
use crate::default_cluster::default_cluster;

/// What the default cluster's id begins with; the VPC's id follows.
const DEFAULT_CLUSTER_ID: &str = "EcsDefaultCluster";
const MODULE: &str = "triggered-task";

/// Properties of a [`TriggeredTaskBase`].
#[derive(Clone, Debug, Default)]
pub struct TriggeredTaskBaseProps {
    /// The rule whose events start the task; required.
    pub rule: Option<Rule>,
    /// The cluster that the task runs in. Default: one per VPC and stack, shared by all triggered tasks.
    pub cluster: Option<Cluster>,
    /// The network of the default cluster; of no effect where `cluster` is given. Default: a new one.
    pub vpc: Option<Vpc>,
    /// How many tasks an event starts, at least 1. Default: 1.
    pub desired_task_count: Option<i64>,
}

/// What is started, and how: the properties of [`TriggeredTaskBase::add_task_definition_to_event_target`].
#[derive(Clone, Debug)]
pub struct TaskTarget {
    /// What is started.
    pub task_definition: FargateTaskDefinition,
    /// The security groups of the tasks. Default: a new one that lets everything out and nothing in.
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// What is different about the containers when an event starts them. Default: nothing.
    pub container_overrides: Vec<ContainerOverride>,
}

/// The base of triggered tasks: finds or makes the cluster, and makes tasks the targets of the rule.
///
/// Everything below is tagged `Module`. A kind of triggered task is a struct with a base in it; here is one that brings its own
/// schedule:
///
/// ```
/// use neargate_constructs::{App, Scope, Stack, StackProps, ec2, ecs, events};
/// use neargate_patterns::triggered_fargate_task::{TaskTarget, TriggeredTaskBase, TriggeredTaskBaseProps};
///
/// struct ScheduledTask {
///     base: TriggeredTaskBase,
/// }
///
/// impl ScheduledTask {
///     fn new(scope: &Scope, id: &str, vpc: ec2::Vpc, schedule: events::Schedule, image: &str) -> Self {
///         let base = TriggeredTaskBase::with_rule(scope, id, |scope| TriggeredTaskBaseProps {
///             rule: Some(events::Rule::new(scope, "Schedule", events::RuleProps {
///                 schedule: Some(schedule),
///                 ..Default::default()
///             })),
///             vpc: Some(vpc),
///             ..Default::default()
///         });
///         let task = ecs::FargateTaskDefinition::new(&base, "TaskDef", ecs::FargateTaskDefinitionProps::default());
///         task.add_container("job", ecs::ContainerDefinitionProps {
///             image: Some(ecs::ContainerImage::from_registry(image)),
///             logging: Some(base.create_aws_log_driver(&base.id())),
///             ..Default::default()
///         });
///         base.add_task_definition_to_event_target(TaskTarget {
///             task_definition: task,
///             security_groups: None,
///             container_overrides: vec![],
///         });
///         Self { base }
///     }
/// }
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps::default());
/// let nightly = events::CronOptions { minute: Some("0".into()), hour: Some("4".into()), ..Default::default() };
/// let job = ScheduledTask::new(&stack, "Report", vpc, events::Schedule::cron(nightly), "busybox:1.37");
/// assert_eq!(job.base.desired_task_count(), 1);
/// let template = &app.assemble().unwrap().stacks[0].template;
/// let id = neargate_constructs::unique_id(&["Report", "Schedule", "Resource"]);
/// assert_eq!(template["Resources"][id]["Properties"]["ScheduleExpression"], "cron(0 4 * * ? *)");
/// ```
#[derive(Clone, Debug)]
pub struct TriggeredTaskBase {
    scope: Scope,
    cluster: Cluster,
    desired_task_count: i64,
    event_rule: Rule,
}

impl TriggeredTaskBase {
    /// A base for a rule that exists.
    pub fn new(scope: &Scope, id: &str, props: TriggeredTaskBaseProps) -> Self {
        Self::with_rule(scope, id, |_| props)
    }

    /// A base whose properties are made inside of it: for kinds that make their own rule.
    pub fn with_rule(scope: &Scope, id: &str, props: impl FnOnce(&Scope) -> TriggeredTaskBaseProps) -> Self {
        let scope = scope.child(id);
        let props = props(&scope);
        let cluster = props.cluster.unwrap_or_else(|| Self::default_cluster(&scope, props.vpc.as_ref()));
        let desired_task_count = props.desired_task_count.unwrap_or(1);
        if desired_task_count < 1 {
            scope.report(
                Diagnostic::error(codes::DESIRED_TASK_COUNT, "You must specify a desiredTaskCount greater than 0")
                    .detail(format!("got `{desired_task_count}`"))
                    .hint("set `desired_task_count` to at least 1, or leave it out for 1"),
            );
        }
        let event_rule = props.rule.unwrap_or_else(|| {
            scope.report(
                Diagnostic::error(codes::MISSING, "the triggered task has no `rule`").hint("say which events start it"),
            );
            let event_pattern = Some(EventPattern { source: vec!["neargate.none".into()], ..EventPattern::default() });
            Rule::new(&scope, "MissingRule", RuleProps { event_pattern, ..RuleProps::default() })
        });
        Tags::of(&scope).add("Module", MODULE);
        let base = Self { scope, cluster, desired_task_count, event_rule };
        base.register("neargate.TriggeredTaskBase", &base);
        base
    }

    /// The cluster that the tasks run in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How many tasks an event starts.
    pub fn desired_task_count(&self) -> i64 {
        self.desired_task_count
    }

    /// The rule whose events start the tasks.
    pub fn event_rule(&self) -> &Rule {
        &self.event_rule
    }

    /// Makes a task a target of the rule.
    pub fn add_task_definition_to_event_target(&self, target: TaskTarget) -> EcsTask {
        let target_props = EcsTaskProps {
            task_count: Some(self.desired_task_count.max(1)),
            container_overrides: target.container_overrides,
            security_groups: target.security_groups,
            ..EcsTaskProps::default()
        };
        let task = EcsTask::new(&self.cluster, &target.task_definition, target_props);
        self.event_rule.add_target(&task);
        task
    }

    /// The stack's default cluster for a VPC: made once, then shared.
    ///
    /// Two VPCs may have the same id in different scopes; each still gets a cluster of its own.
    pub fn default_cluster(scope: &Scope, vpc: Option<&Vpc>) -> Cluster {
        default_cluster(scope, DEFAULT_CLUSTER_ID, vpc)
    }

    /// A log driver to CloudWatch Logs; stream names begin with the prefix.
    pub fn create_aws_log_driver(&self, prefix: &str) -> LogDriver {
        LogDriver::aws_logs(prefix)
    }
}

impl Deref for TriggeredTaskBase {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}
