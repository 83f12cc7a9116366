//! Container definitions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use neargate_base::Diagnostic;
use neargate_l1::{Value, ecs::task_definition as l1};

use super::container_parts::{
    ContainerDependency, HealthCheck, LinuxParameters, MountPoint, PortMapping, Ulimit, VolumeFrom,
};
use super::image::{BoundImage, ContainerImage};
use super::log_driver::LogDriver;
use super::secret::Secret;
use super::task_definition::{FargateTaskDefinition, State as TaskState};
use crate::logs::LogGroup;
use crate::{Duration, Scope, codes, construct};

const NAME_LENGTH_MAX: usize = 255;

/// A container of a task definition; made by [`FargateTaskDefinition::add_container`].
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let task = ecs::FargateTaskDefinition::new(&stack, "Task", ecs::FargateTaskDefinitionProps::default());
/// let image = || Some(ecs::ContainerImage::from_registry("busybox:1.37"));
/// let prepare = task.add_container("prepare", ecs::ContainerDefinitionProps {
///     image: image(),
///     essential: Some(false),
///     ..Default::default()
/// });
/// let work = task.add_container("work", ecs::ContainerDefinitionProps { image: image(), ..Default::default() });
/// work.add_environment("REGION", stack.region());
/// work.add_container_dependency(ecs::ContainerDependency {
///     container: prepare,
///     condition: ecs::ContainerDependencyCondition::Success,
/// });
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct ContainerDefinition(Rc<State>);

construct!(ContainerDefinition);

pub(super) struct State {
    scope: Scope,
    name: String,
    task: Weak<TaskState>,
    parts: RefCell<Parts>,
    bound: RefCell<Option<Bound>>,
}

/// What the container's construction leaves for its definition.
struct Bound {
    image: BoundImage,
    logging: Option<(l1::LogConfiguration, Option<LogGroup>)>,
}

struct Parts {
    props: ContainerDefinitionProps,
    dependencies: Vec<ContainerDependency>,
    mount_points: Vec<MountPoint>,
    volumes_from: Vec<VolumeFrom>,
}

/// Properties of a [`ContainerDefinition`].
#[derive(Clone, Debug, Default)]
pub struct ContainerDefinitionProps {
    /// The image; required.
    pub image: Option<ContainerImage>,
    /// The name. Default: the id.
    pub container_name: Option<String>,
    /// The command: the image's `CMD` is replaced. Default: the image's.
    pub command: Option<Vec<Value<String>>>,
    /// The entry point: the image's `ENTRYPOINT` is replaced. Default: the image's.
    pub entry_point: Option<Vec<Value<String>>>,
    /// CPU units set aside: 1024 are a vCPU. Default: a share of the task's.
    pub cpu: Option<Value<i64>>,
    /// The memory at which the container is killed, at least 6 MiB. Default: the task's.
    pub memory_limit_mib: Option<Value<i64>>,
    /// The memory set aside, at most the limit. Default: none.
    pub memory_reservation_mib: Option<Value<i64>>,
    /// Environment variables.
    pub environment: BTreeMap<String, Value<String>>,
    /// Environment variables with secret values.
    pub secrets: BTreeMap<String, Secret>,
    /// Whether the task stops when this container does. Default: yes.
    pub essential: Option<bool>,
    /// Whether the container is well. Default: nobody asks.
    pub health_check: Option<HealthCheck>,
    /// Whether standard input stays open. Default: no.
    pub interactive: Option<bool>,
    /// Whether there is a terminal. Default: no.
    pub pseudo_terminal: Option<bool>,
    /// Linux options. Default: none.
    pub linux_parameters: Option<LinuxParameters>,
    /// Where output goes. Default: nowhere.
    pub logging: Option<LogDriver>,
    /// Ports that the container listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the image's files cannot be changed. Default: they can.
    pub readonly_root_filesystem: Option<bool>,
    /// How long other containers wait for this one, up to 120 seconds. Default: 180 seconds.
    pub start_timeout: Option<Duration>,
    /// How long it may take to stop before it is killed, up to 120 seconds. Default: 30 seconds.
    pub stop_timeout: Option<Duration>,
    /// Limits on what its processes may use.
    pub ulimits: Vec<Ulimit>,
    /// `user`, `user:group`, or ids. Default: the image's.
    pub user: Option<String>,
    /// The directory that the command runs in. Default: the image's.
    pub working_directory: Option<String>,
    /// Labels that the container runtime shows.
    pub docker_labels: BTreeMap<String, String>,
    /// Kernel parameters of the container, by name.
    pub system_controls: BTreeMap<String, String>,
    /// Whether the image's tag is resolved to a digest once for all tasks of a deployment. Default: yes.
    pub version_consistency: Option<bool>,
    /// Whether the container is started again when it ends. Default: no, but yes where one of the next two is given.
    pub enable_restart_policy: Option<bool>,
    /// Exit codes after which it is not started again, at most 50.
    pub restart_ignored_exit_codes: Option<Vec<i64>>,
    /// How long it must have run to be started again, 60 to 1800 seconds. Default: 300 seconds.
    pub restart_attempt_period: Option<Duration>,
}

impl ContainerDefinition {
    pub(super) fn new(task: &FargateTaskDefinition, id: &str, mut props: ContainerDefinitionProps) -> Self {
        let scope = task.child(id);
        let name = props.container_name.clone().unwrap_or_else(|| scope.id());
        check(&scope, &props);
        check_name(&scope, &name);
        let image = props.image.clone();
        let secrets = props.secrets.clone();
        let mappings = std::mem::take(&mut props.port_mappings);
        let logging = props.logging.clone();
        let parts = Parts { props, dependencies: vec![], mount_points: vec![], volumes_from: vec![] };
        let container = Self(Rc::new(State {
            scope,
            name,
            task: task.downgrade(),
            parts: RefCell::new(parts),
            bound: RefCell::default(),
        }));
        container.register("neargate.ecs.ContainerDefinition", &container);
        if let Some(image) = image {
            let image = image.bind(&container);
            let logging = logging.map(|driver| driver.bind(&container));
            *container.0.bound.borrow_mut() = Some(Bound { image, logging });
        } else {
            let hint = "set `image`, such as `ContainerImage::from_registry(\"name:tag\")`";
            container.report(Diagnostic::error(codes::MISSING_PROPERTY, "the container has no `image`").hint(hint));
        }
        secrets.values().for_each(|secret| secret.grant_read(&task.obtain_execution_role()));
        mappings.into_iter().for_each(|mapping| container.add_port_mapping(mapping));
        container
    }

    /// The name.
    pub fn container_name(&self) -> &str {
        &self.0.name
    }

    /// The task definition that it belongs to.
    pub fn task_definition(&self) -> FargateTaskDefinition {
        FargateTaskDefinition::upgrade(&self.0.task)
    }

    /// The log group that its output goes to, where it goes to CloudWatch Logs.
    pub fn log_group(&self) -> Option<LogGroup> {
        self.0.bound.borrow().as_ref()?.logging.as_ref()?.1.clone()
    }

    /// Whether the task stops when this container does.
    pub fn is_essential(&self) -> bool {
        self.0.parts.borrow().props.essential != Some(false)
    }

    /// CPU units set aside, where the number is known.
    pub(super) fn cpu(&self) -> Option<i64> {
        self.0.parts.borrow().props.cpu.as_ref().and_then(|cpu| cpu.literal().copied())
    }

    /// Sets an environment variable.
    pub fn add_environment(&self, name: &str, value: impl Into<Value<String>>) {
        self.0.parts.borrow_mut().props.environment.insert(name.to_owned(), value.into());
    }

    /// Sets an environment variable to a secret value.
    pub fn add_secret(&self, name: &str, secret: Secret) {
        secret.grant_read(&self.task_definition().obtain_execution_role());
        self.0.parts.borrow_mut().props.secrets.insert(name.to_owned(), secret);
    }

    /// Adds a port that the container listens on.
    pub fn add_port_mapping(&self, mapping: PortMapping) {
        let error = |message: String| self.error(codes::CONTAINER, message);
        if mapping.app_protocol.is_some() && mapping.name.is_none() {
            error(format!("port {} has an `app_protocol`, but no `name`", mapping.container_port));
        }
        if mapping.name.as_deref() == Some("") {
            error(format!("port {} has an empty name", mapping.container_port));
        }
        self.0.parts.borrow_mut().props.port_mappings.push(mapping);
    }

    /// Mounts a volume of the task.
    pub fn add_mount_point(&self, mount_point: MountPoint) {
        self.0.parts.borrow_mut().mount_points.push(mount_point);
    }

    /// Mounts what another container mounts.
    pub fn add_volume_from(&self, volume_from: VolumeFrom) {
        self.0.parts.borrow_mut().volumes_from.push(volume_from);
    }

    /// Makes this container wait for another.
    pub fn add_container_dependency(&self, dependency: ContainerDependency) {
        self.0.parts.borrow_mut().dependencies.push(dependency);
    }

    /// The names of the volumes that it mounts.
    pub(super) fn mounted_volumes(&self) -> Vec<String> {
        self.0.parts.borrow().mount_points.iter().map(|mount| mount.source_volume.clone()).collect()
    }

    pub(super) fn render(&self) -> l1::ContainerDefinition {
        let parts = self.0.parts.borrow();
        let props = &parts.props;
        let bound = self.0.bound.borrow();
        let image = bound.as_ref().map(|bound| &bound.image);
        let credentials = image.and_then(|image| image.credentials_secret_arn.clone());
        l1::ContainerDefinition {
            command: props.command.clone().map(Value::Literal),
            cpu: props.cpu.clone(),
            depends_on: list(parts.dependencies.iter().map(ContainerDependency::render)),
            docker_labels: map(&props.docker_labels),
            entry_point: props.entry_point.clone().map(Value::Literal),
            environment: list(props.environment.iter().map(|(name, value)| l1::KeyValuePair {
                name: Some(name.as_str().into()),
                value: Some(value.clone()),
            })),
            essential: Some(self.is_essential().into()),
            health_check: props.health_check.as_ref().map(|check| check.render().into()),
            image: image.map(|image| image.name.clone()),
            interactive: props.interactive.map(Value::Literal),
            linux_parameters: props.linux_parameters.as_ref().map(|parameters| parameters.render().into()),
            log_configuration: bound.as_ref().and_then(|bound| Some(bound.logging.as_ref()?.0.clone().into())),
            memory: props.memory_limit_mib.clone(),
            memory_reservation: props.memory_reservation_mib.clone(),
            mount_points: list(parts.mount_points.iter().map(MountPoint::render)),
            name: Some(self.container_name().into()),
            port_mappings: list(props.port_mappings.iter().map(PortMapping::render)),
            pseudo_terminal: props.pseudo_terminal.map(Value::Literal),
            readonly_root_filesystem: props.readonly_root_filesystem.map(Value::Literal),
            repository_credentials: credentials
                .map(|arn| l1::RepositoryCredentials { credentials_parameter: Some(arn) }.into()),
            restart_policy: restart_policy(props),
            secrets: list(props.secrets.iter().map(|(name, secret)| l1::Secret {
                name: Some(name.as_str().into()),
                value_from: Some(secret.value_from.clone()),
            })),
            start_timeout: props.start_timeout.map(|timeout| timeout.to_seconds().into()),
            stop_timeout: props.stop_timeout.map(|timeout| timeout.to_seconds().into()),
            system_controls: list(props.system_controls.iter().map(|(name, value)| l1::SystemControl {
                namespace: Some(name.as_str().into()),
                value: Some(value.as_str().into()),
            })),
            ulimits: list(props.ulimits.iter().map(Ulimit::render)),
            user: props.user.as_deref().map(Value::from),
            version_consistency: props
                .version_consistency
                .map(|on| Value::from(if on { "enabled" } else { "disabled" })),
            volumes_from: list(parts.volumes_from.iter().map(VolumeFrom::render)),
            working_directory: props.working_directory.as_deref().map(Value::from),
            ..Default::default()
        }
    }
}

fn list<T>(items: impl Iterator<Item = T>) -> Option<Value<Vec<Value<T>>>> {
    let items: Vec<Value<T>> = items.map(Value::Literal).collect();
    (!items.is_empty()).then(|| items.into())
}

fn map(entries: &BTreeMap<String, String>) -> Option<Value<BTreeMap<String, Value<String>>>> {
    let entries: BTreeMap<_, _> =
        entries.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    (!entries.is_empty()).then(|| entries.into())
}

fn restart_policy(props: &ContainerDefinitionProps) -> Option<Value<l1::RestartPolicy>> {
    let period = props.restart_attempt_period;
    if props.enable_restart_policy.is_none() && props.restart_ignored_exit_codes.is_none() && period.is_none() {
        return None;
    }
    let codes = props.restart_ignored_exit_codes.as_ref();
    let policy = l1::RestartPolicy {
        enabled: Some(props.enable_restart_policy.unwrap_or(true).into()),
        ignored_exit_codes: codes.map(|codes| codes.iter().copied().map(Value::Literal).collect::<Vec<_>>().into()),
        restart_attempt_period: period.map(|period| period.to_seconds().into()),
    };
    Some(policy.into())
}

/// A name that holds a value of deployment is checked there.
fn check_name(scope: &Scope, name: &str) {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_known = Value::from(name).known().is_some();
    if is_known && (name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(legal)) {
        let message = format!("`{name}` is no name of a container");
        let hint = "take up to 255 letters, digits, `_` and `-`";
        scope.report(Diagnostic::error(codes::CONTAINER, message).hint(hint));
    }
}

/// What Amazon ECS would refuse on Fargate.
fn check(scope: &Scope, props: &ContainerDefinitionProps) {
    let mut problems: Vec<String> = props.health_check.iter().flat_map(HealthCheck::problems).collect();
    problems.extend(props.linux_parameters.iter().flat_map(LinuxParameters::problems));
    let known = |value: &Option<Value<i64>>| value.as_ref().and_then(|value| value.literal().copied());
    let (limit, reserved) = (known(&props.memory_limit_mib), known(&props.memory_reservation_mib));
    if let (Some(limit), Some(reserved)) = (limit, reserved)
        && limit < reserved
    {
        problems
            .push(format!("`memory_limit_mib` is {limit}, less than `memory_reservation_mib`, which is {reserved}"));
    }
    if let Some(memory) = limit.or(reserved).filter(|memory| *memory < 6) {
        problems.push(format!("the container has {memory} MiB of memory: expected at least 6"));
    }
    for (name, timeout) in [("start_timeout", props.start_timeout), ("stop_timeout", props.stop_timeout)] {
        let seconds = timeout.map_or(2, Duration::to_seconds);
        if !(2..=120).contains(&seconds) {
            problems.push(format!("`{name}` is {seconds} seconds: Fargate allows 2 to 120"));
        }
    }
    if props.enable_restart_policy == Some(false)
        && (props.restart_ignored_exit_codes.is_some() || props.restart_attempt_period.is_some())
    {
        problems.push("a restart policy is described, but `enable_restart_policy` is off".to_owned());
    }
    let codes_count = props.restart_ignored_exit_codes.as_ref().map_or(0, Vec::len);
    if codes_count > 50 {
        problems.push(format!("`restart_ignored_exit_codes` has {codes_count} codes: expected at most 50"));
    }
    if let Some(seconds) = props.restart_attempt_period.map(Duration::to_seconds)
        && !(60..=1800).contains(&seconds)
    {
        problems.push(format!("`restart_attempt_period` is {seconds} seconds: expected 60 to 1800"));
    }
    if let Some(both) = props.environment.keys().find(|name| props.secrets.contains_key(*name)) {
        problems.push(format!("`{both}` is in `environment` and in `secrets`: expected in one of the two"));
    }
    let variables = props.environment.keys().chain(props.secrets.keys());
    for name in variables.filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
        problems.push(format!("`{name}` is no name of an environment variable: expected one such as `API_KEY`"));
    }
    problems.extend(props.secrets.values().filter_map(|secret| secret.problem.clone()));
    problems.into_iter().for_each(|problem| scope.error(codes::CONTAINER, problem));
}
