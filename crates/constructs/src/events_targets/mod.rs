//! What rules can start.

mod ecs_task;

pub use ecs_task::{ContainerOverride, EcsTask, EcsTaskProps, TaskEnvironmentVariable};
