//! Task definitions and their containers, as they hold each other: a task definition holds its containers, and a container knows
//! its task definition.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use neargate_l1::{Value, ecs::task_definition as l1};

use super::container_parts::{MountPoint, VolumeFrom};
use super::container_props::ContainerDefinitionProps;
use super::image::BoundImage;
use super::volume::Volume;
use crate::iam::Role;
use crate::logs::LogGroup;
use crate::{Scope, construct};

/// A task definition: containers that run together on AWS Fargate.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let task = ecs::FargateTaskDefinition::new(&stack, "Task", ecs::FargateTaskDefinitionProps {
///     cpu: Some(512.into()),
///     memory_limit_mib: Some(1024.into()),
///     ..Default::default()
/// });
/// task.add_container("app", ecs::ContainerDefinitionProps {
///     image: Some(ecs::ContainerImage::from_registry("busybox:1.37")),
///     logging: Some(ecs::LogDriver::aws_logs("app")),
///     ..Default::default()
/// });
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct FargateTaskDefinition(pub(super) Rc<TaskState>);

construct!(FargateTaskDefinition);

pub(super) struct TaskState {
    pub(super) scope: Scope,
    pub(super) arn: Value<String>,
    pub(super) task_role: Option<Role>,
    pub(super) execution_role: RefCell<Option<Role>>,
    pub(super) imported: bool,
    /// Known task CPU, for the sum of what containers set aside.
    pub(super) cpu: Option<i64>,
    pub(super) containers: RefCell<Vec<ContainerDefinition>>,
    pub(super) volumes: RefCell<Vec<Volume>>,
}

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
pub struct ContainerDefinition(pub(super) Rc<ContainerState>);

construct!(ContainerDefinition);

pub(super) struct ContainerState {
    pub(super) scope: Scope,
    pub(super) name: String,
    pub(super) task: Weak<TaskState>,
    pub(super) parts: RefCell<Parts>,
    pub(super) bound: RefCell<Option<Bound>>,
}

/// What the container's construction leaves for its definition.
pub(super) struct Bound {
    pub(super) image: BoundImage,
    pub(super) logging: Option<(l1::LogConfiguration, Option<LogGroup>)>,
}

pub(super) struct Parts {
    pub(super) props: ContainerDefinitionProps,
    pub(super) dependencies: Vec<ContainerDependency>,
    pub(super) mount_points: Vec<MountPoint>,
    pub(super) volumes_from: Vec<VolumeFrom>,
}

impl FargateTaskDefinition {
    pub(super) fn downgrade(&self) -> Weak<TaskState> {
        Rc::downgrade(&self.0)
    }

    /// The tree holds every construct, so a container's task definition is always there.
    fn upgrade(state: &Weak<TaskState>) -> Self {
        let empty = || {
            let scope = Scope::root();
            let (arn, volumes) = (Value::default(), RefCell::default());
            let (execution_role, containers) = (RefCell::default(), RefCell::default());
            Rc::new(TaskState {
                scope,
                arn,
                task_role: None,
                execution_role,
                imported: true,
                cpu: None,
                containers,
                volumes,
            })
        };
        Self(state.upgrade().unwrap_or_else(empty))
    }
}

impl ContainerDefinition {
    /// The name.
    pub fn container_name(&self) -> &str {
        &self.0.name
    }

    /// The task definition that it belongs to.
    pub fn task_definition(&self) -> FargateTaskDefinition {
        FargateTaskDefinition::upgrade(&self.0.task)
    }
}

/// Another container of the task that must come first.
#[derive(Clone, Debug)]
pub struct ContainerDependency {
    /// The other container.
    pub container: ContainerDefinition,
    /// What it must have done. Default: passed its health check.
    pub condition: ContainerDependencyCondition,
}

impl ContainerDependency {
    pub(super) fn render(&self) -> l1::ContainerDependency {
        let condition = match self.condition {
            ContainerDependencyCondition::Start => "START",
            ContainerDependencyCondition::Complete => "COMPLETE",
            ContainerDependencyCondition::Success => "SUCCESS",
            ContainerDependencyCondition::Healthy => "HEALTHY",
        };
        l1::ContainerDependency {
            condition: Some(condition.into()),
            container_name: Some(self.container.container_name().into()),
        }
    }
}

/// What a container waits for in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContainerDependencyCondition {
    /// That it has started.
    Start,
    /// That it has ended.
    Complete,
    /// That it has ended with code 0.
    Success,
    /// That its health check has passed.
    #[default]
    Healthy,
}
