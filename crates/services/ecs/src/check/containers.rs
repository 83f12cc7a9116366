//! What every container must be, whatever runs it.

use std::collections::BTreeSet;

use super::{check_range, client, is_awsvpc, name};
use crate::api::{ContainerDefinition, RegisterTaskDefinitionInput};
use crate::errors::EcsError;

/// Containers in one task.
const CONTAINERS_MAX: usize = 10;

/// The least memory that a container can be given.
const MEMORY_MIB_MIN: i32 = 6;

/// Exit codes that a restart policy can name.
const IGNORED_EXIT_CODES_MAX: usize = 50;

pub(super) fn check(input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let containers = &input.container_definitions;
    if containers.is_empty() {
        return client("Container list cannot be empty.");
    }
    if containers.len() > CONTAINERS_MAX {
        return client(format!("A task definition can have at most {CONTAINERS_MAX} containers."));
    }
    let mut names = BTreeSet::new();
    for container in containers {
        let name = name(container);
        if name.is_empty() {
            return client("Container.name should not be null or empty.");
        }
        if container.image.as_deref().unwrap_or_default().is_empty() {
            return client("Container.image should not be null or empty.");
        }
        if !names.insert(name) {
            return client(format!("Container names must be unique within a task definition: {name}"));
        }
        check_range(container, "cpu", container.cpu, 0, i32::MAX)?;
        check_memory(container, input.memory.is_some())?;
        check_secret_names(container)?;
        check_times(container)?;
        check_ports(container, input)?;
        check_files(container)?;
    }
    if containers.iter().all(|container| container.essential == Some(false)) {
        return client("A task definition must have at least one essential container.");
    }
    if input.inference_accelerators.as_ref().is_some_and(|it| !it.is_empty()) {
        return client("Unsupported field 'inferenceAccelerators'.");
    }
    Ok(())
}

fn check_memory(container: &ContainerDefinition, has_task_memory: bool) -> Result<(), EcsError> {
    let refused = |what: &str| client(format!("Invalid setting for container '{}'. {what}", name(container)));
    match (container.memory, container.memory_reservation) {
        (None, None) if !has_task_memory => {
            refused("At least one of 'memory' or 'memoryReservation' must be specified.")
        }
        (Some(memory), _) if memory < MEMORY_MIB_MIN => refused("Container memory must be at least 6 MB."),
        (Some(memory), Some(reserved)) if memory < reserved => {
            refused("'memory' must be greater than or equal to 'memoryReservation'.")
        }
        _ => Ok(()),
    }
}

/// Each secret is the only variable of its name.
fn check_secret_names(container: &ContainerDefinition) -> Result<(), EcsError> {
    let mut names: BTreeSet<&str> =
        container.environment.iter().flatten().filter_map(|pair| pair.name.as_deref()).collect();
    match container.secrets.iter().flatten().find(|secret| !names.insert(&secret.name)) {
        Some(secret) => Err(EcsError::SecretName(secret.name.clone())),
        None => Ok(()),
    }
}

/// Health checks, timeouts and restarts.
fn check_times(container: &ContainerDefinition) -> Result<(), EcsError> {
    if let Some(check) = &container.health_check {
        if check.command.is_empty() {
            return client(format!(
                "Invalid setting for container '{}'. Health check command should not be null or empty.",
                name(container)
            ));
        }
        check_range(container, "Health check interval", check.interval, 5, 300)?;
        check_range(container, "Health check timeout", check.timeout, 2, 60)?;
        check_range(container, "Health check retries", check.retries, 1, 10)?;
        check_range(container, "Health check startPeriod", check.start_period, 0, 300)?;
    }
    if let Some(policy) = &container.restart_policy {
        check_range(container, "restartAttemptPeriod", policy.restart_attempt_period, 60, 1800)?;
        let codes = policy.ignored_exit_codes.as_ref().map_or(0, Vec::len);
        if codes > IGNORED_EXIT_CODES_MAX {
            return client(format!(
                "Invalid setting for container '{}'. A restart policy can have at most {IGNORED_EXIT_CODES_MAX} ignored exit \
                 codes.",
                name(container)
            ));
        }
    }
    Ok(())
}

fn check_ports(container: &ContainerDefinition, input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let mode = input.network_mode.as_deref().unwrap_or_default();
    for mapping in container.port_mappings.iter().flatten() {
        if mapping.container_port_range.is_some() && (mapping.container_port.is_some() || mapping.host_port.is_some()) {
            return client("cannot specify both single port and port range");
        }
        let differs = mapping.host_port.is_some() && mapping.host_port != mapping.container_port;
        if differs && (is_awsvpc(input) || mode == "host") {
            return client(format!(
                "When networkMode={mode}, the host ports and container ports in port mappings must match."
            ));
        }
        check_range(container, "containerPort", mapping.container_port, 0, 65_535)?;
    }
    if !is_awsvpc(input) {
        return Ok(());
    }
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|it| !it.is_empty());
    let refused = [
        ("Links are", has(&container.links)),
        ("Disable Networking is", container.disable_networking == Some(true)),
        ("DNS servers are", has(&container.dns_servers)),
        ("DNS search domains are", has(&container.dns_search_domains)),
        ("Extra hosts are", container.extra_hosts.as_ref().is_some_and(|it| !it.is_empty())),
        ("Hostname is", container.hostname.as_ref().is_some_and(|it| !it.is_empty())),
    ];
    match refused.into_iter().find(|(_, is_set)| *is_set) {
        Some((what, _)) => client(format!("{what} not supported on container when networkMode=awsvpc.")),
        None => Ok(()),
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html>
fn check_files(container: &ContainerDefinition) -> Result<(), EcsError> {
    let files = container.environment_files.iter().flatten();
    match files.into_iter().find(|file| !file.value.ends_with(".env")) {
        Some(file) => client(format!(
            "Invalid setting for container '{}'. Environment files must have the file extension .env: {}",
            name(container),
            file.value
        )),
        None => Ok(()),
    }
}
