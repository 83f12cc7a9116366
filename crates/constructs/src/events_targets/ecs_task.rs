//! Tasks on Amazon ECS as targets of rules.
//!
//! Nothing of the event reaches a task by itself. What the target passes are overrides, as `{"containerOverrides": […]}`, and event
//! fields in them carry what the event says into the containers' environment and commands.

use std::collections::BTreeMap;

use neargate_base::Diagnostic;
use neargate_l1::{Json, Value, events::rule as l1};

use crate::ec2::{SecurityGroup, SecurityGroupProps, SubnetSelection, SubnetType, Subnets};
use crate::ecs::{Cluster, FargatePlatformVersion, FargateTaskDefinition};
use crate::events::{Rule, RuleTarget, RuleTargetConfig, RuleTargetInput};
use crate::iam::{PolicyStatement, Principal, Role, RoleProps};
use crate::{Duration, codes};

/// An environment variable of a container that a rule starts.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskEnvironmentVariable {
    /// The name.
    pub name: Value<String>,
    /// The value; [`crate::events::EventField`] puts in what the event says.
    pub value: Value<String>,
}

impl TaskEnvironmentVariable {
    /// A variable.
    pub fn new(name: &str, value: impl Into<Value<String>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// What is different about a container when a rule starts it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerOverride {
    /// The container's name; required.
    pub container_name: String,
    /// Instead of its command. Default: its own.
    pub command: Option<Vec<Value<String>>>,
    /// On top of its environment.
    pub environment: Vec<TaskEnvironmentVariable>,
    /// Instead of the CPU units set aside. Default: its own.
    pub cpu: Option<Value<i64>>,
    /// Instead of the memory at which it is killed, in MiB. Default: its own.
    pub memory_limit_mib: Option<Value<i64>>,
    /// Instead of the memory set aside, in MiB. Default: its own.
    pub memory_reservation_mib: Option<Value<i64>>,
}

/// Properties of an [`EcsTask`].
#[derive(Clone, Debug, Default)]
pub struct EcsTaskProps {
    /// How many tasks are started. Default: 1.
    pub task_count: Option<i64>,
    /// What is different about the containers. Default: nothing.
    pub container_overrides: Vec<ContainerOverride>,
    /// The subnets the tasks are in. Default: private ones with a way out.
    pub subnet_selection: Option<SubnetSelection>,
    /// The security groups of the tasks. Default: a new one that lets everything out and nothing in.
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// The role that EventBridge assumes. Default: a new one, shared by all targets with the same task definition.
    pub role: Option<Role>,
    /// Whether tasks get public addresses; public subnets only. Default: yes in public subnets.
    pub assign_public_ip: Option<bool>,
    /// Default: the newest.
    pub platform_version: Option<FargatePlatformVersion>,
    /// Whether `aws ecs execute-command` works on the tasks. Default: no.
    pub enable_execute_command: Option<bool>,
    /// Whether tasks take over the task definition's tags. Default: no.
    pub propagate_task_definition_tags: bool,
    /// Tags of the tasks. Default: none.
    pub tags: BTreeMap<String, String>,
    /// Instead of the task's CPU units. Default: the task definition's.
    pub cpu: Option<i64>,
    /// Instead of the task's memory in MiB. Default: the task definition's.
    pub memory_mib: Option<i64>,
    /// Instead of the task's disk space in GiB, 20 to 200. Default: the task definition's.
    pub ephemeral_storage_gib: Option<i64>,
    /// Instead of the role that the containers have. Default: the task definition's.
    pub task_role: Option<Role>,
    /// Instead of the role that pulls images and writes logs. Default: the task definition's.
    pub execution_role: Option<Role>,
    /// The ARN of a queue for events that could not be delivered; its policy must let EventBridge send. Default: they are lost.
    pub dead_letter_queue_arn: Option<Value<String>>,
    /// For how long delivery is tried, 1 minute to 24 hours. Default: 24 hours.
    pub max_event_age: Option<Duration>,
    /// How often delivery is tried again, 0 to 185. Default: 185.
    pub retry_attempts: Option<i64>,
}

/// A task on AWS Fargate that a rule starts.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs, events, events_targets::{EcsTask, EcsTaskProps}};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let cluster = ecs::Cluster::new(&stack, "Cluster", ecs::ClusterProps::default());
/// let task = ecs::FargateTaskDefinition::new(&stack, "Task", ecs::FargateTaskDefinitionProps::default());
/// task.add_container("app", ecs::ContainerDefinitionProps {
///     image: Some(ecs::ContainerImage::from_registry("busybox:1.37")),
///     ..Default::default()
/// });
/// let nightly = events::CronOptions { minute: Some("0".into()), hour: Some("4".into()), ..Default::default() };
/// let rule = events::Rule::new(&stack, "Nightly", events::RuleProps {
///     schedule: Some(events::Schedule::cron(nightly)),
///     ..Default::default()
/// });
/// rule.add_target(&EcsTask::new(&cluster, &task, EcsTaskProps::default()));
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct EcsTask {
    cluster: Cluster,
    task_definition: FargateTaskDefinition,
    role: Role,
    security_groups: Vec<SecurityGroup>,
    props: EcsTaskProps,
}

impl EcsTask {
    /// A target that starts this task definition in this cluster. The role gets what starting it takes.
    pub fn new(cluster: &Cluster, task_definition: &FargateTaskDefinition, props: EcsTaskProps) -> Self {
        let role = props.role.clone().unwrap_or_else(|| events_role(task_definition));
        for statement in statements(cluster, task_definition, &props) {
            role.add_to_policy(statement);
        }
        let security_groups =
            props.security_groups.clone().unwrap_or_else(|| vec![default_security_group(cluster, task_definition)]);
        Self { cluster: cluster.clone(), task_definition: task_definition.clone(), role, security_groups, props }
    }

    /// The cluster that the tasks run in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What is started.
    pub fn task_definition(&self) -> &FargateTaskDefinition {
        &self.task_definition
    }

    /// The role that EventBridge assumes.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The security groups of the tasks.
    pub fn security_groups(&self) -> &[SecurityGroup] {
        &self.security_groups
    }

    fn network(&self, rule: &Rule) -> l1::NetworkConfiguration {
        let selection = self.props.subnet_selection.clone().unwrap_or_else(|| SubnetType::PrivateWithEgress.into());
        let public = selection.subnets == Some(Subnets::Type(SubnetType::Public));
        if self.props.assign_public_ip == Some(true) && !public {
            let message = "assignPublicIp should be set to true only for PUBLIC subnets";
            rule.report(
                Diagnostic::error(codes::TARGET, message)
                    .hint("set `subnet_selection` to `Some(SubnetType::Public.into())`"),
            );
        }
        let subnets = match self.cluster.vpc() {
            Some(vpc) => vpc.select_subnets_for(rule, &selection).subnet_ids(),
            None => {
                let message = format!("the VPC of cluster `{}` is not known", self.cluster.path());
                rule.report(
                    Diagnostic::error(codes::TARGET, message)
                        .hint("take the cluster in with `Cluster::from_cluster_attributes`"),
                );
                vec![]
            }
        };
        let groups: Vec<Value<String>> = self.security_groups.iter().map(SecurityGroup::security_group_id).collect();
        let configuration = l1::AwsVpcConfiguration {
            assign_public_ip: Some(
                if self.props.assign_public_ip.unwrap_or(public) { "ENABLED" } else { "DISABLED" }.into(),
            ),
            security_groups: Some(groups.into()),
            subnets: Some(subnets.into()),
        };
        l1::NetworkConfiguration { aws_vpc_configuration: Some(configuration.into()) }
    }

    /// The overrides that the task is started with; `{}` where there are none.
    fn input(&self) -> Json {
        let props = &self.props;
        let overrides: Vec<Json> = props.container_overrides.iter().map(render_override).collect();
        let storage = props.ephemeral_storage_gib.map(|size| Json::map([("sizeInGiB", Json::from(size))]));
        let arn = |role: &Option<Role>| role.as_ref().map(|role| Json::from(role.role_arn()));
        Json::map([
            ("containerOverrides", if overrides.is_empty() { Json::Null } else { Json::List(overrides) }),
            ("cpu", props.cpu.map_or(Json::Null, |cpu| Json::from(cpu.to_string()))),
            ("ephemeralStorage", storage.unwrap_or(Json::Null)),
            ("executionRoleArn", arn(&props.execution_role).unwrap_or(Json::Null)),
            ("memory", props.memory_mib.map_or(Json::Null, |memory| Json::from(memory.to_string()))),
            ("taskRoleArn", arn(&props.task_role).unwrap_or(Json::Null)),
        ])
    }

    fn check(&self, rule: &Rule) {
        let error = |message: String| rule.error(codes::TARGET, message);
        let within = |name: &str, value: Option<i64>, least: i64, most: i64| {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                error(format!("`{name}` is {value}: expected {least} to {most}"));
            }
        };
        if let Some(count) = self.props.task_count.filter(|count| *count < 1) {
            error(format!("`task_count` is {count}: expected at least 1"));
        }
        within("ephemeral_storage_gib", self.props.ephemeral_storage_gib, 20, 200);
        within("max_event_age in seconds", self.props.max_event_age.map(Duration::to_seconds), 60, 86_400);
        within("retry_attempts", self.props.retry_attempts, 0, 185);
        if self.task_definition.is_imported() {
            return;
        }
        for container in &self.props.container_overrides {
            let name = &container.container_name;
            if self.task_definition.find_container(name).is_none() {
                let containers = self.task_definition.containers();
                let names: Vec<String> =
                    containers.iter().map(|container| format!("`{}`", container.container_name())).collect();
                error(format!("the overrides name a container `{name}`, but the task has {}", names.join(", ")));
            }
        }
    }
}

impl RuleTarget for EcsTask {
    fn bind(&self, rule: &Rule, _id: &str) -> RuleTargetConfig {
        self.check(rule);
        let props = &self.props;
        let tags: Vec<Value<l1::Tag>> = props
            .tags
            .iter()
            .map(|(key, value)| l1::Tag { key: Some(key.as_str().into()), value: Some(value.as_str().into()) }.into())
            .collect();
        let parameters = l1::EcsParameters {
            enable_execute_command: props.enable_execute_command.map(Value::Literal),
            launch_type: Some("FARGATE".into()),
            network_configuration: Some(self.network(rule).into()),
            platform_version: props.platform_version.map(|version| version.as_str().into()),
            propagate_tags: props.propagate_task_definition_tags.then(|| "TASK_DEFINITION".into()),
            tag_list: (!tags.is_empty()).then(|| tags.into()),
            task_count: Some(props.task_count.unwrap_or(1).into()),
            task_definition_arn: Some(self.task_definition.task_definition_arn()),
            ..Default::default()
        };
        let dead_letters =
            props.dead_letter_queue_arn.clone().map(|arn| l1::DeadLetterConfig { arn: Some(arn) }.into());
        let retry = (props.max_event_age.is_some() || props.retry_attempts.is_some()).then(|| {
            let policy = l1::RetryPolicy {
                maximum_event_age_in_seconds: props.max_event_age.map(|age| age.to_seconds().into()),
                maximum_retry_attempts: props.retry_attempts.map(Value::Literal),
            };
            policy.into()
        });
        RuleTargetConfig {
            target: l1::Target {
                arn: Some(self.cluster.cluster_arn()),
                dead_letter_config: dead_letters,
                ecs_parameters: Some(parameters.into()),
                retry_policy: retry,
                ..Default::default()
            },
            role: Some(self.role.clone()),
            input: Some(RuleTargetInput::Object(self.input())),
            stack: Some(self.task_definition.stack()),
        }
    }
}

fn render_override(container: &ContainerOverride) -> Json {
    let number = |value: &Option<Value<i64>>| value.clone().map_or(Json::Null, Json::from);
    let command = container.command.clone().map(|words| Json::list(words.into_iter().map(Json::from)));
    let environment = container.environment.iter().map(|variable| {
        Json::map([("name", Json::from(variable.name.clone())), ("value", Json::from(variable.value.clone()))])
    });
    let environment = Json::list(environment);
    Json::map([
        ("name", Json::from(container.container_name.as_str())),
        ("command", command.unwrap_or(Json::Null)),
        ("environment", if container.environment.is_empty() { Json::Null } else { environment }),
        ("cpu", number(&container.cpu)),
        ("memory", number(&container.memory_limit_mib)),
        ("memoryReservation", number(&container.memory_reservation_mib)),
    ])
}

/// One role per task definition, however many rules start it.
fn events_role(task_definition: &FargateTaskDefinition) -> Role {
    const ID: &str = "EventsRole";
    task_definition.try_find_child(ID).and_then(|scope| scope.construct::<Role>()).unwrap_or_else(|| {
        let assumed_by = Some(Principal::service("events.amazonaws.com"));
        Role::new(task_definition, ID, RoleProps { assumed_by, ..RoleProps::default() })
    })
}

fn default_security_group(cluster: &Cluster, task_definition: &FargateTaskDefinition) -> SecurityGroup {
    const ID: &str = "SecurityGroup";
    task_definition.try_find_child(ID).and_then(|scope| scope.construct::<SecurityGroup>()).unwrap_or_else(|| {
        SecurityGroup::new(
            task_definition,
            ID,
            SecurityGroupProps { vpc: cluster.vpc().cloned(), ..SecurityGroupProps::default() },
        )
    })
}

/// What starting the task takes: to run it in this cluster, to tag it, and to hand its roles over.
fn statements(
    cluster: &Cluster,
    task_definition: &FargateTaskDefinition,
    props: &EcsTaskProps,
) -> Vec<PolicyStatement> {
    let arn = task_definition.task_definition_arn();
    let without_revision =
        arn.known().is_some_and(|arn| arn.rsplit(':').next().is_none_or(|last| last.parse::<u64>().is_err()));
    let arn = if without_revision { format!("{arn}:*").into() } else { arn };
    let statement = |action: &str, resource: Value<String>| PolicyStatement {
        actions: vec![action.to_owned()],
        resources: vec![resource],
        ..PolicyStatement::default()
    };
    let mut run = statement("ecs:RunTask", arn);
    let in_cluster = [("ecs:cluster".to_owned(), Json::from(cluster.cluster_arn()))];
    run.conditions.insert("ArnEquals".to_owned(), in_cluster.into_iter().collect());
    let stack = cluster.stack();
    let tasks = format!("arn:{}:ecs:{}:*:task/{}/*", stack.partition(), stack.region(), cluster.cluster_name());
    let mut all = vec![run, statement("ecs:TagResource", tasks.into())];
    let roles = [
        task_definition.execution_role(),
        task_definition.task_role().cloned(),
        props.execution_role.clone(),
        props.task_role.clone(),
    ];
    all.extend(roles.into_iter().flatten().map(|role| statement("iam:PassRole", role.role_arn())));
    all
}
