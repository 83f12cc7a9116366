//! Task definitions for Fargate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use neargate_base::Diagnostic;
use neargate_l1::{Value, ecs as l1};

use super::container_props::ContainerDefinitionProps;
use super::definition::{ContainerDefinition, FargateTaskDefinition, TaskState};
use super::platform::{OperatingSystemFamily, RuntimePlatform};
use super::size::{is_fargate_size, nearest_fargate_sizes};
use super::volume::Volume;
use crate::iam::{Grantable, PolicyStatement, Principal, Role, RoleProps};
use crate::{CfnResource, Scope, codes};

const CONTAINERS_MAX: usize = 10;

/// Properties of a [`FargateTaskDefinition`].
#[derive(Clone, Debug, Default)]
pub struct FargateTaskDefinitionProps {
    /// CPU units: 1024 are a vCPU. Default: 256. [`super::FargateSize`] checks pairs while compiling.
    pub cpu: Option<Value<i64>>,
    /// Memory in MiB. Default: 512.
    pub memory_limit_mib: Option<Value<i64>>,
    /// Disk space in GiB, 21 to 200. Default: 20.
    pub ephemeral_storage_gib: Option<i64>,
    /// The role that pulls images, writes logs and reads secrets. Default: a new one, as soon as it is needed.
    pub execution_role: Option<Role>,
    /// The role that the containers have. Default: a new one.
    pub task_role: Option<Role>,
    /// The name that revisions share. Default: the path.
    pub family: Option<String>,
    /// Whether containers see each other's processes. Default: no.
    pub share_process_namespace: bool,
    /// What it needs to run on. Default: Linux on x86.
    pub runtime_platform: Option<RuntimePlatform>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Whether AWS Fault Injection Service may disturb it. Default: no.
    pub enable_fault_injection: Option<bool>,
}

/// What is known of a task definition that exists.
#[derive(Clone, Debug, Default)]
pub struct FargateTaskDefinitionAttributes {
    /// The ARN; without a revision it means every revision. Required.
    pub task_definition_arn: Value<String>,
    /// The role that its containers have; needed to let something run it.
    pub task_role: Option<Role>,
    /// The role that pulls images and writes logs; needed to let something run it.
    pub execution_role: Option<Role>,
}

impl FargateTaskDefinition {
    /// Declares a task definition.
    pub fn new(scope: &Scope, id: &str, props: FargateTaskDefinitionProps) -> Self {
        let scope = scope.child(id);
        let cpu = props.cpu.clone().unwrap_or(Value::Literal(256));
        let memory = props.memory_limit_mib.clone().unwrap_or(Value::Literal(512));
        check(&scope, &props, &cpu, &memory);
        let task_role = props.task_role.clone().unwrap_or_else(|| {
            let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
            Role::new(&scope, "TaskRole", RoleProps { assumed_by, ..RoleProps::default() })
        });
        let known_cpu = cpu.literal().copied();
        // The resource is made first, to have its ARN; its properties are asked for much later, when the cell is filled.
        let cell: Rc<RefCell<Weak<TaskState>>> = Rc::default();
        let shared = Rc::clone(&cell);
        let volumes = props.volumes.clone();
        let execution_role = props.execution_role.clone();
        let resource = CfnResource::lazy(&scope, "Resource", move || match shared.borrow().upgrade() {
            Some(state) => Box::new(render(&state, &props, &cpu, &memory)),
            None => Box::new(l1::TaskDefinition::default()),
        });
        let task = Self(Rc::new(TaskState {
            scope,
            arn: resource.reference(),
            task_role: Some(task_role),
            execution_role: RefCell::new(execution_role),
            imported: false,
            cpu: known_cpu,
            containers: RefCell::default(),
            volumes: RefCell::new(volumes),
        }));
        *cell.borrow_mut() = Rc::downgrade(&task.0);
        task.register("neargate.ecs.FargateTaskDefinition", &task);
        let state = Rc::downgrade(&task.0);
        task.add_validation(move |found| {
            if let Some(state) = state.upgrade() {
                validate(&state, found);
            }
        });
        task
    }

    /// Takes in a task definition that exists.
    pub fn from_attributes(scope: &Scope, id: &str, attributes: FargateTaskDefinitionAttributes) -> Self {
        let task = Self(Rc::new(TaskState {
            scope: scope.child(id),
            arn: attributes.task_definition_arn,
            task_role: attributes.task_role,
            execution_role: RefCell::new(attributes.execution_role),
            imported: true,
            cpu: None,
            containers: RefCell::default(),
            volumes: RefCell::default(),
        }));
        task.register("neargate.ecs.FargateTaskDefinition", &task);
        task
    }

    /// Adds a container.
    pub fn add_container(&self, id: &str, props: ContainerDefinitionProps) -> ContainerDefinition {
        if self.0.imported {
            self.error(
                codes::TASK_DEFINITION,
                format!("container `{id}` cannot be added to a task definition that was only taken in"),
            );
        }
        let container = ContainerDefinition::new(self, id, props);
        let mut containers = self.0.containers.borrow_mut();
        containers.push(container.clone());
        let sum: i64 = containers.iter().filter_map(ContainerDefinition::cpu).sum();
        if let Some(cpu) = self.0.cpu.filter(|cpu| *cpu < sum) {
            container.report(
                Diagnostic::error(
                    codes::TASK_DEFINITION,
                    format!("the containers set {sum} CPU units aside, but the task has {cpu}"),
                )
                .hint("raise the task's `cpu`, or lower the containers'"),
            );
        }
        container
    }

    /// Adds a volume that containers can mount.
    pub fn add_volume(&self, volume: Volume) {
        self.0.volumes.borrow_mut().push(volume);
    }

    /// The ARN with revision.
    pub fn task_definition_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The role that the containers have; none where a task definition was taken in without one.
    pub fn task_role(&self) -> Option<&Role> {
        self.0.task_role.as_ref()
    }

    /// The role that pulls images, writes logs and reads secrets, if there is one so far.
    pub fn execution_role(&self) -> Option<Role> {
        self.0.execution_role.borrow().clone()
    }

    /// The role that pulls images, writes logs and reads secrets.
    pub fn obtain_execution_role(&self) -> Role {
        if let Some(role) = self.execution_role() {
            return role;
        }
        let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
        let role = Role::new(self, "ExecutionRole", RoleProps { assumed_by, ..RoleProps::default() });
        *self.0.execution_role.borrow_mut() = Some(role.clone());
        role
    }

    /// Adds a statement to the role that the containers have.
    pub fn add_to_task_role_policy(&self, statement: PolicyStatement) {
        if let Some(role) = self.task_role() {
            role.add_to_policy(statement);
        }
    }

    /// Adds a statement to the role that pulls images, writes logs and reads secrets.
    pub fn add_to_execution_role_policy(&self, statement: PolicyStatement) {
        self.obtain_execution_role().add_to_policy(statement);
    }

    /// The containers.
    pub fn containers(&self) -> Vec<ContainerDefinition> {
        self.0.containers.borrow().clone()
    }

    /// The first essential container.
    pub fn default_container(&self) -> Option<ContainerDefinition> {
        self.containers().into_iter().find(ContainerDefinition::is_essential)
    }

    /// The container of this name.
    pub fn find_container(&self, name: &str) -> Option<ContainerDefinition> {
        self.containers().into_iter().find(|container| container.container_name() == name)
    }

    /// Whether it only was taken in.
    pub fn is_imported(&self) -> bool {
        self.0.imported
    }
}

impl Grantable for FargateTaskDefinition {
    /// Grants to a task definition go to the role that its containers have.
    fn grant_role(&self) -> Role {
        self.task_role().cloned().unwrap_or_else(|| self.obtain_execution_role())
    }
}

fn render(
    state: &TaskState,
    props: &FargateTaskDefinitionProps,
    cpu: &Value<i64>,
    memory: &Value<i64>,
) -> l1::TaskDefinition {
    let text = |number: &Value<i64>| match number {
        Value::Literal(number) => Value::from(number.to_string()),
        Value::Token(token) => Value::Token(token.clone()),
    };
    let containers: Vec<Value<l1::task_definition::ContainerDefinition>> =
        state.containers.borrow().iter().map(|container| container.render().into()).collect();
    let volumes: Vec<Value<l1::task_definition::Volume>> =
        state.volumes.borrow().iter().map(|volume| volume.render().into()).collect();
    let storage = props.ephemeral_storage_gib.map(|size| {
        let storage = l1::task_definition::EphemeralStorage { size_in_gib: Some(size.into()) };
        storage.into()
    });
    l1::TaskDefinition {
        container_definitions: (!containers.is_empty()).then(|| containers.into()),
        cpu: Some(text(cpu)),
        enable_fault_injection: props.enable_fault_injection.map(Value::Literal),
        ephemeral_storage: storage,
        execution_role_arn: state.execution_role.borrow().as_ref().map(Role::role_arn),
        family: Some(props.family.clone().unwrap_or_else(|| state.scope.unique_id()).into()),
        memory: Some(text(memory)),
        network_mode: Some("awsvpc".into()),
        pid_mode: props.share_process_namespace.then(|| "task".into()),
        requires_compatibilities: Some(vec!["FARGATE".into()].into()),
        runtime_platform: props.runtime_platform.map(|platform| platform.render().into()),
        task_role_arn: state.task_role.as_ref().map(Role::role_arn),
        volumes: (!volumes.is_empty()).then(|| volumes.into()),
        ..Default::default()
    }
}

fn check(scope: &Scope, props: &FargateTaskDefinitionProps, cpu: &Value<i64>, memory: &Value<i64>) {
    if let (Some(cpu), Some(memory)) = (cpu.literal().copied(), memory.literal().copied())
        && !is_fargate_size(cpu, memory)
    {
        let message = format!("no Fargate configuration exists for {cpu} CPU units with {memory} MiB of memory");
        let near = nearest_fargate_sizes(cpu, memory);
        let near: Vec<String> =
            near.iter().map(|size| format!("{} with {}", size.cpu, size.memory_limit_mib)).collect();
        scope.report(
            Diagnostic::error(codes::CPU_AND_MEMORY, message).hint(format!("the nearest are {}", near.join(" and "))),
        );
    }
    if let Some(size) = props.ephemeral_storage_gib.filter(|size| !(21..=200).contains(size)) {
        let message = format!("`ephemeral_storage_gib` is {size}: expected 21 to 200");
        scope.report(
            Diagnostic::error(codes::TASK_DEFINITION, message).hint("leave it out for the 20 GiB that every task has"),
        );
    }
    let windows = props
        .runtime_platform
        .and_then(|platform| platform.operating_system_family)
        .is_some_and(|family| family != OperatingSystemFamily::Linux);
    if windows && props.share_process_namespace {
        scope.error(codes::TASK_DEFINITION, "`share_process_namespace` is not for Windows containers");
    }
}

/// What only shows when all containers are there.
fn validate(state: &TaskState, found: &mut Vec<Diagnostic>) {
    let error = |message: String| Diagnostic::error(codes::TASK_DEFINITION, message);
    let containers = state.containers.borrow();
    if containers.is_empty() {
        found.push(error("the task definition has no containers".to_owned()).hint("add one with `add_container`"));
    } else if !containers.iter().any(ContainerDefinition::is_essential) {
        found.push(
            error("no container is essential".to_owned())
                .hint("the task ends with its essential containers: leave `essential` out for one"),
        );
    }
    if containers.len() > CONTAINERS_MAX {
        found.push(error(format!(
            "the task definition has {} containers: expected at most {CONTAINERS_MAX}",
            containers.len()
        )));
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers.iter() {
        *names.entry(container.container_name()).or_default() += 1;
    }
    for (name, count) in names.iter().filter(|(_, count)| **count > 1) {
        found.push(error(format!("{count} containers are named `{name}`")));
    }
    let volumes = state.volumes.borrow();
    for container in containers.iter() {
        for mounted in container.mounted_volumes() {
            if !volumes.iter().any(|volume| volume.name == mounted) {
                let message = format!(
                    "`{}` mounts the volume `{mounted}`, which the task definition has not",
                    container.container_name()
                );
                found.push(error(message).hint("add it with `add_volume`"));
            }
        }
    }
}
