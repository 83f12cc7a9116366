//! A whole scheduled task: everything that it needs is given or made.

use std::collections::BTreeMap;
use std::ops::Deref;

use neargate_constructs::ec2::{Peer, Port, SecurityGroup, SecurityGroupProps, SubnetSelection, Vpc, VpcProps};
use neargate_constructs::ecs::{
    self, AwsLogDriverProps, Cluster, ClusterProps, ContainerImage, FargatePlatformVersion, FargateTaskDefinition,
    LogDriver,
};
use neargate_constructs::iam::{Grantable, Role};
use neargate_constructs::kms::{Key, KeyProps};
use neargate_constructs::logs::{LogGroup, LogGroupProps, RetentionDays};
use neargate_constructs::secretsmanager::Secret;
use neargate_constructs::{Diagnostic, RemovalPolicy, Scope, Value, unique_id};

use super::codes;
use super::cron::{CronScheduleConstruct, CronScheduleConstructProps};
use super::scheduled::{ScheduledFargateTask, ScheduledFargateTaskImageOptions, ScheduledFargateTaskProps};

const EXAMPLE_IMAGE: &str = "amazonlinux:2";
const EXAMPLE_COMMAND: [&str; 3] = ["sh", "-c", "echo Hello; sleep 30"];
const EXAMPLE_ENVIRONMENT: [(&str, &str); 2] = [("ENVIRONMENT", "prod"), ("LOG_LEVEL", "info")];

/// Traffic that may come in.
#[derive(Clone, Debug)]
pub struct InboundRule {
    /// From whom.
    pub peer: Peer,
    /// To which port.
    pub port: Port,
    /// Description. Default: `from <peer>:<port>`.
    pub description: Option<String>,
}

/// Properties of a [`FargateTasksConstruct`].
#[derive(Clone, Debug, Default)]
pub struct FargateTasksConstructProps {
    /// The network. Default: the cluster's; where no cluster is given, a new one in two zones.
    pub vpc: Option<Vpc>,
    /// The cluster that the task runs in. Default: a new one.
    pub cluster: Option<Cluster>,
    /// The key that encrypts the log group. Default: a new one.
    pub encryption_key: Option<Key>,
    /// The new key's alias. An account has an alias once in a region. Default: one made of the stack's name and the construct's path.
    pub key_alias: Option<String>,
    /// Description of the new key. Default: `Key for Fargate tasks`.
    pub key_description: Option<String>,
    /// Whether the new key's material is replaced every year. Default: yes.
    pub enable_key_rotation: Option<bool>,
    /// What happens to the new key when it leaves the stack. Default: it stays, for what it encrypted is lost without it.
    pub key_removal_policy: Option<RemovalPolicy>,
    /// How long log events are kept. Default: a week.
    pub log_retention_days: Option<RetentionDays>,
    /// What happens to the log group when it leaves the stack. Default: it is deleted.
    pub log_removal_policy: Option<RemovalPolicy>,
    /// What the names of log streams begin with. Default: `MyTask`.
    pub log_stream_prefix: Option<String>,
    /// The complete ARN of the secret that the task needs. Exactly one of this and the next two is required.
    pub secret_arn: Option<Value<String>>,
    /// The secret's name.
    pub secret_name: Option<String>,
    /// The secret; for one of this app, or one with a customer key, which reading it needs too.
    pub secret: Option<Secret>,
    /// The field of the secret's JSON. Default: the whole secret.
    pub secret_key: Option<String>,
    /// The environment variable that holds the secret. Default: `API_KEY`.
    pub secret_variable: Option<String>,
    /// When the task is started. Fields that are left out are those of [`CronScheduleConstruct`]: minute `0`, every hour, every day.
    /// Default: every six hours.
    pub schedule: Option<CronScheduleConstructProps>,
    /// Whether the rule works. Default: yes.
    pub enabled: Option<bool>,
    /// Default: the newest.
    pub platform_version: Option<FargatePlatformVersion>,
    /// How many tasks are started each time, at least 1. Default: 1.
    pub desired_task_count: Option<i64>,
    /// The security group of the task. Default: a new one that lets everything out, and in what the next one says.
    pub security_group: Option<SecurityGroup>,
    /// What the new security group lets in. Default: nothing.
    pub inbound_rules: Vec<InboundRule>,
    /// The subnets the task is in. Default: private ones with a way out.
    pub subnet_selection: Option<SubnetSelection>,
    /// The image. Default: `amazonlinux:2`, which says hello, with two environment variables as an example.
    pub image: Option<ContainerImage>,
    /// The container's name. Default: `MyContainer`.
    pub container_name: Option<String>,
    /// The command. Default: the image's; the example's where no image is given.
    pub command: Option<Vec<Value<String>>>,
    /// Environment variables. Default: none; the example's where no image is given.
    pub environment: Option<BTreeMap<String, Value<String>>>,
    /// CPU units of the task: 1024 are a vCPU. Default: 256.
    pub cpu: Option<Value<i64>>,
    /// Memory of the task in MiB. Default: 512.
    pub memory_limit_mib: Option<Value<i64>>,
}

/// A task that runs on a schedule, with a secret in its environment, its output encrypted with a key of its own.
///
/// Makes network, cluster, key, log group, security group, task definition, roles and rule, each unless it is given. The container's
/// role may read the secret and decrypt with the key; what else it may do is granted to the construct itself.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs, iam};
/// use neargate_patterns::fargate_tasks::{CronScheduleConstructProps, FargateTasksConstruct, FargateTasksConstructProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let report = FargateTasksConstruct::new(&stack, "Report", FargateTasksConstructProps {
///     secret_name: Some("app/creds".into()),
///     secret_key: Some("apiKey".into()),
///     image: Some(ecs::ContainerImage::from_registry("corp/report:1.0")),
///     schedule: Some(CronScheduleConstructProps { minute: Some("30".into()), hour: Some("4".into()), ..Default::default() }),
///     ..Default::default()
/// });
/// iam::grant(&report, &["s3:PutObject"], vec!["arn:aws:s3:::reports/*".into()]);
/// assert_eq!(report.schedule().schedule().expression_string(), "cron(30 4 * * ? *)");
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct FargateTasksConstruct {
    scope: Scope,
    vpc: Option<Vpc>,
    encryption_key: Key,
    log_group: LogGroup,
    secret: Secret,
    schedule: CronScheduleConstruct,
    security_group: SecurityGroup,
    scheduled_task: ScheduledFargateTask,
}

impl FargateTasksConstruct {
    /// Declares the task and what it needs.
    pub fn new(scope: &Scope, id: &str, props: FargateTasksConstructProps) -> Self {
        let scope = scope.child(id);
        report_unused(&scope, &props);
        let vpc = network(&scope, &props);
        let cluster = props.cluster.clone().unwrap_or_else(|| {
            Cluster::new(&scope, "FargateCluster", ClusterProps { vpc: vpc.clone(), ..ClusterProps::default() })
        });
        let encryption_key = encryption_key(&scope, &props);
        let log_group = LogGroup::new(
            &scope,
            "FargateLogGroup",
            LogGroupProps {
                retention: Some(props.log_retention_days.unwrap_or(RetentionDays::OneWeek)),
                encryption_key: Some(encryption_key.clone()),
                removal_policy: Some(props.log_removal_policy.unwrap_or(RemovalPolicy::Destroy)),
                ..LogGroupProps::default()
            },
        );
        let secret = secret(&scope, &props);
        let every_six_hours = CronScheduleConstructProps { hour: Some("*/6".to_owned()), ..Default::default() };
        let schedule =
            CronScheduleConstruct::new(&scope, "TaskSchedule", props.schedule.clone().unwrap_or(every_six_hours));
        let security_group = security_group(&scope, vpc.as_ref(), &props);
        let image = image_options(&props, &log_group, &secret);
        let scheduled_task = ScheduledFargateTask::new(
            &scope,
            "ScheduledFargateTask",
            ScheduledFargateTaskProps {
                schedule: Some(schedule.schedule().clone()),
                enabled: props.enabled,
                cluster: Some(cluster),
                desired_task_count: props.desired_task_count,
                subnet_selection: props.subnet_selection,
                security_groups: Some(vec![security_group.clone()]),
                platform_version: Some(props.platform_version.unwrap_or(FargatePlatformVersion::Latest)),
                scheduled_fargate_task_image_options: Some(image),
                ..ScheduledFargateTaskProps::default()
            },
        );
        secret.grant_read(scheduled_task.task_definition());
        encryption_key.grant_decrypt(scheduled_task.task_definition());
        let tasks = Self { scope, vpc, encryption_key, log_group, secret, schedule, security_group, scheduled_task };
        tasks.register("neargate.FargateTasksConstruct", &tasks);
        tasks
    }

    /// The network, where it is known.
    pub fn vpc(&self) -> Option<&Vpc> {
        self.vpc.as_ref()
    }

    /// The cluster that the task runs in.
    pub fn cluster(&self) -> &Cluster {
        self.scheduled_task.cluster()
    }

    /// The key that encrypts the log group.
    pub fn encryption_key(&self) -> &Key {
        &self.encryption_key
    }

    /// The log group that the task's output goes to.
    pub fn log_group(&self) -> &LogGroup {
        &self.log_group
    }

    /// The secret that the task has in its environment.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// When the task is started.
    pub fn schedule(&self) -> &CronScheduleConstruct {
        &self.schedule
    }

    /// The security group of the task.
    pub fn security_group(&self) -> &SecurityGroup {
        &self.security_group
    }

    /// The task definition, the rule and how it starts the task.
    pub fn scheduled_task(&self) -> &ScheduledFargateTask {
        &self.scheduled_task
    }

    /// What is started.
    pub fn task_definition(&self) -> &FargateTaskDefinition {
        self.scheduled_task.task_definition()
    }
}

impl Deref for FargateTasksConstruct {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl Grantable for FargateTasksConstruct {
    /// Grants to the task go to the role that its container has.
    fn grant_role(&self) -> Role {
        self.task_definition().grant_role()
    }
}

/// The network that is given, or the given cluster's: a security group of another would fit no task there.
fn network(scope: &Scope, props: &FargateTasksConstructProps) -> Option<Vpc> {
    let of_cluster = props.cluster.as_ref().and_then(Cluster::vpc);
    if let (Some(vpc), Some(other)) = (&props.vpc, of_cluster) {
        let (ours, theirs) = (vpc.vpc_id(), other.vpc_id());
        // Where only one of the two ids is known, they may still be the same network.
        let comparable = ours.known().is_some() == theirs.known().is_some();
        if comparable && ours != theirs {
            let message = format!("`vpc` is `{}`, but the cluster is in `{}`", vpc.path(), other.path());
            scope
                .report(Diagnostic::error(codes::NETWORKS, message).hint("leave `vpc` out: the cluster knows its own"));
        }
    }
    match (&props.vpc, &props.cluster) {
        (Some(vpc), _) => Some(vpc.clone()),
        (None, Some(cluster)) => cluster.vpc().cloned(),
        (None, None) => Some(Vpc::new(scope, "FargateVpc", VpcProps { max_azs: Some(2), ..VpcProps::default() })),
    }
}

fn encryption_key(scope: &Scope, props: &FargateTasksConstructProps) -> Key {
    props.encryption_key.clone().unwrap_or_else(|| {
        let key = KeyProps {
            alias: Some(props.key_alias.clone().unwrap_or_else(|| default_alias(scope))),
            description: Some(props.key_description.clone().unwrap_or_else(|| "Key for Fargate tasks".to_owned())),
            enable_key_rotation: Some(props.enable_key_rotation.unwrap_or(true)),
            removal_policy: props.key_removal_policy,
            ..KeyProps::default()
        };
        Key::new(scope, "FargateKey", key)
    })
}

/// An account has a stack name once in a region, and a stack a path: so nobody else has this alias.
fn default_alias(scope: &Scope) -> String {
    let stack = scope.stack();
    let path = scope.path();
    let below = path.strip_prefix(&stack.path()).unwrap_or(&path);
    let ids: Vec<&str> = below.split('/').filter(|id| !id.is_empty()).collect();
    format!("alias/{}", unique_id(&[&[stack.name().as_str()], ids.as_slice()].concat()))
}

fn secret(scope: &Scope, props: &FargateTasksConstructProps) -> Secret {
    const ID: &str = "MySecret";
    let named = [props.secret_arn.is_some(), props.secret_name.is_some(), props.secret.is_some()];
    let count = named.iter().filter(|named| **named).count();
    if count != 1 {
        let message = format!("{count} of `secret_arn`, `secret_name` and `secret` are given: expected one");
        let hint = "say which secret the task finds in its environment: its complete ARN, its name, or the construct";
        scope.report(Diagnostic::error(codes::SECRET_SOURCE, message).hint(hint));
    }
    match (&props.secret, &props.secret_arn, &props.secret_name) {
        (Some(secret), _, _) => secret.clone(),
        (None, Some(arn), _) => Secret::from_secret_complete_arn(scope, ID, arn.clone()),
        (None, None, name) => Secret::from_secret_name(scope, ID, name.as_deref().unwrap_or("missing")),
    }
}

fn security_group(scope: &Scope, vpc: Option<&Vpc>, props: &FargateTasksConstructProps) -> SecurityGroup {
    props.security_group.clone().unwrap_or_else(|| {
        let group = SecurityGroupProps {
            vpc: vpc.cloned(),
            description: Some("Scheduled task".to_owned()),
            allow_all_outbound: Some(true),
            ..SecurityGroupProps::default()
        };
        let group = SecurityGroup::new(scope, "TaskSG", group);
        for InboundRule { peer, port, description } in &props.inbound_rules {
            group.add_ingress_rule(peer, port, description.as_deref());
        }
        group
    })
}

fn image_options(
    props: &FargateTasksConstructProps,
    log_group: &LogGroup,
    secret: &Secret,
) -> ScheduledFargateTaskImageOptions {
    // The example is of one piece: with an image of one's own, nothing of it is left.
    let example = props.image.is_none();
    let command = props.command.clone().or_else(|| example.then(|| EXAMPLE_COMMAND.map(Value::from).to_vec()));
    let environment = props.environment.clone().unwrap_or_else(|| {
        let variables = EXAMPLE_ENVIRONMENT.into_iter().filter(|_| example);
        variables.map(|(name, value)| (name.to_owned(), value.into())).collect()
    });
    let variable = props.secret_variable.clone().unwrap_or_else(|| "API_KEY".to_owned());
    let log_driver = LogDriver::AwsLogs(AwsLogDriverProps {
        stream_prefix: props.log_stream_prefix.clone().unwrap_or_else(|| "MyTask".to_owned()),
        log_group: Some(log_group.clone()),
        ..AwsLogDriverProps::default()
    });
    ScheduledFargateTaskImageOptions {
        image: Some(props.image.clone().unwrap_or_else(|| ContainerImage::from_registry(EXAMPLE_IMAGE))),
        container_name: Some(props.container_name.clone().unwrap_or_else(|| "MyContainer".to_owned())),
        command,
        environment,
        secrets: [(variable, ecs::Secret::from_secrets_manager(secret, props.secret_key.as_deref()))].into(),
        log_driver: Some(log_driver),
        cpu: props.cpu.clone(),
        memory_limit_mib: props.memory_limit_mib.clone(),
        ephemeral_storage_gib: None,
    }
}

/// What describes a part that is to be made, where that part is given.
fn report_unused(scope: &Scope, props: &FargateTasksConstructProps) {
    let of_key = [
        ("key_alias", props.key_alias.is_some()),
        ("key_description", props.key_description.is_some()),
        ("enable_key_rotation", props.enable_key_rotation.is_some()),
        ("key_removal_policy", props.key_removal_policy.is_some()),
    ];
    let of_group = [("inbound_rules", !props.inbound_rules.is_empty())];
    let given = [
        ("encryption_key", props.encryption_key.is_some(), of_key.as_slice()),
        ("security_group", props.security_group.is_some(), of_group.as_slice()),
    ];
    for (part, _, described_by) in given.into_iter().filter(|(_, given, _)| *given) {
        for (name, _) in described_by.iter().filter(|(_, given)| *given) {
            let message = format!("`{name}` changes nothing: it describes a new one, and `{part}` is given");
            scope.report(Diagnostic::warning(codes::UNUSED, message).hint(format!("leave out `{name}` or `{part}`")));
        }
    }
}
