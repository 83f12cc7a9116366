//! Container definitions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, ecs::task_definition as l1};

use super::container_parts::{HealthCheck, LinuxParameters, MountPoint, PortMapping, Ulimit, VolumeFrom};
use super::container_props::ContainerDefinitionProps;
use super::definition::{
    Bound, ContainerDefinition, ContainerDependency, ContainerState, FargateTaskDefinition, Parts,
};
use super::secret::Secret;
use crate::logs::LogGroup;
use crate::{Duration, Scope, codes};

const NAME_LENGTH_MAX: usize = 255;

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
        let container = Self(Rc::new(ContainerState {
            scope,
            name,
            task: task.downgrade(),
            parts: RefCell::new(parts),
            bound: RefCell::default(),
        }));
        container.register("neargate.ecs.ContainerDefinition", &container);
        if let Some(image) = image {
            let role = || task.obtain_execution_role();
            let image = image.bind(&container, &role);
            let logging = logging.map(|driver| driver.bind(&container, &role()));
            *container.0.bound.borrow_mut() = Some(Bound { image, logging });
        } else {
            let hint = "set `image`, such as `ContainerImage::from_registry(\"name:tag\")`";
            container.report(Diagnostic::error(codes::MISSING_PROPERTY, "the container has no `image`").hint(hint));
        }
        secrets.values().for_each(|secret| secret.grant_read(&task.obtain_execution_role()));
        mappings.into_iter().for_each(|mapping| container.add_port_mapping(mapping));
        container
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
