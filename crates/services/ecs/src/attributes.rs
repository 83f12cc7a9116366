//! What a container instance would have to offer to run a task definition: `requiresAttributes`.
//!
//! Follows what Amazon ECS answers for task definitions of these kinds; its list is nowhere written down.
//!
//! Invariant: sorted and without repetition, so that the same definition gives the same list.

use std::collections::BTreeSet;

use crate::api::{Attribute, ContainerDefinition, RegisterTaskDefinitionInput};
use crate::check::is_ecr_image;

const CAPABILITY: &str = "com.amazonaws.ecs.capability";

/// The attributes, by name.
pub(crate) fn required(input: &RegisterTaskDefinitionInput) -> Vec<Attribute> {
    let mut names = BTreeSet::new();
    let has_execution_role = input.execution_role_arn.is_some();
    let mut add = |name: &str| {
        names.insert(name.to_owned());
    };
    if has_execution_role {
        add("com.amazonaws.ecs.capability.docker-remote-api.1.18");
    }
    if input.task_role_arn.is_some() {
        add("com.amazonaws.ecs.capability.task-iam-role");
        add("com.amazonaws.ecs.capability.docker-remote-api.1.18");
    }
    if input.network_mode.as_deref() == Some("awsvpc") {
        add("ecs.capability.task-eni");
    }
    if input.ephemeral_storage.is_some() {
        add("ecs.capability.extensible-ephemeral-storage");
    }
    for container in &input.container_definitions {
        of_container(container, has_execution_role, &mut add);
    }
    let attribute = |name: String| Attribute { name, ..Attribute::default() };
    names.into_iter().map(attribute).collect()
}

fn of_container(container: &ContainerDefinition, has_execution_role: bool, add: &mut dyn FnMut(&str)) {
    let mut docker = |version: &str| add(&format!("{CAPABILITY}.docker-remote-api.1.{version}"));
    let log = container.log_configuration.as_ref();
    let has_option = |name: &str| log.and_then(|it| it.options.as_ref()).is_some_and(|it| it.contains_key(name));
    if container.health_check.is_some() || has_option("awslogs-create-group") {
        docker("29");
    }
    if has_option("mode") || has_option("max-buffer-size") {
        docker("28");
    }
    if container.memory_reservation.is_some() {
        docker("21");
    }
    if container.health_check.is_some() {
        add("ecs.capability.container-health-check");
    }
    if container.image.as_deref().is_some_and(is_ecr_image) {
        add("com.amazonaws.ecs.capability.ecr-auth");
        if has_execution_role {
            add("ecs.capability.execution-role-ecr-pull");
        }
    }
    if let Some(log) = log {
        add(&format!("{CAPABILITY}.logging-driver.{}", log.log_driver));
        if log.log_driver == "awslogs" {
            add(&format!("{CAPABILITY}.docker-remote-api.1.19"));
            if has_execution_role {
                add("ecs.capability.execution-role-awslogs");
            }
        }
    }
    for secret in container.secrets.iter().flatten() {
        let service = if secret.value_from.contains(":secretsmanager:") { "asm" } else { "ssm" };
        add(&format!("ecs.capability.secrets.{service}.environment-variables"));
    }
}
