//! What Fargate cannot run.

use super::{check_range, client, is_awsvpc, is_ecr_image, name};
use crate::api::{ContainerDefinition, RegisterTaskDefinitionInput, Volume};
use crate::errors::EcsError;
use crate::sizes;

/// The least CPU of a Windows task.
const WINDOWS_CPU_UNITS_MIN: u32 = 1024;

pub(super) fn check(input: &RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    if !is_awsvpc(input) {
        return client("Fargate only supports network mode ‘awsvpc’.");
    }
    let (units, mib) = check_size(input)?;
    if input.ephemeral_storage.as_ref().is_some_and(|it| !(21..=200).contains(&it.size_in_gi_b)) {
        return client("Ephemeral storage size must be between 21 and 200 GiB.");
    }
    let refused = [
        ("ipcMode", input.ipc_mode.is_some()),
        ("pidMode host", input.pid_mode.as_deref() == Some("host")),
        ("constraints", input.placement_constraints.as_ref().is_some_and(|it| !it.is_empty())),
        ("proxyConfiguration", input.proxy_configuration.is_some()),
    ];
    if let Some((what, _)) = refused.into_iter().find(|(_, is_set)| *is_set) {
        return unsupported(what);
    }
    input.volumes.iter().flatten().try_for_each(check_volume)?;
    let containers = &input.container_definitions;
    for container in containers {
        check_execution_role(input, container)?;
        check_container(container, mib)?;
    }
    let asked: i64 = containers.iter().map(|it| i64::from(it.cpu.unwrap_or(0))).sum();
    if asked > i64::from(units) {
        return client("The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value.");
    }
    Ok(())
}

fn unsupported<T>(what: &str) -> Result<T, EcsError> {
    client(format!("Fargate compatible task definitions do not support {what}"))
}

/// The task's CPU units and MiB.
fn check_size(input: &RegisterTaskDefinitionInput) -> Result<(u32, u32), EcsError> {
    let Some(cpu) = input.cpu.clone() else {
        return client("Fargate requires that 'cpu' be defined at the task level.");
    };
    let Some(memory) = input.memory.clone() else {
        return client("Fargate requires that 'memory' be defined at the task level.");
    };
    let (units, mib) = (sizes::parse_cpu(&cpu).unwrap_or(0), sizes::parse_memory(&memory).unwrap_or(0));
    if !sizes::is_size(units, mib) {
        return Err(EcsError::UnknownSize { cpu, memory, hint: sizes::nearest(units, mib) });
    }
    let platform = input.runtime_platform.as_ref();
    let is_windows = platform
        .and_then(|it| it.operating_system_family.as_deref())
        .is_some_and(|family| family.starts_with("WINDOWS"));
    if is_windows && units < WINDOWS_CPU_UNITS_MIN {
        let hint = format!("Windows needs cpu {WINDOWS_CPU_UNITS_MIN} or more");
        return Err(EcsError::UnknownSize { cpu, memory, hint });
    }
    if is_windows && platform.and_then(|it| it.cpu_architecture.as_deref()) == Some("ARM64") {
        return client("Fargate does not support cpuArchitecture ARM64 for Windows.");
    }
    Ok((units, mib))
}

fn check_volume(volume: &Volume) -> Result<(), EcsError> {
    if volume.host.as_ref().is_some_and(|host| host.source_path.as_ref().is_some_and(|it| !it.is_empty())) {
        return unsupported("sourcePath");
    }
    if volume.docker_volume_configuration.is_some() {
        return unsupported("dockerVolumeConfiguration");
    }
    if volume.fsx_windows_file_server_volume_configuration.is_some() {
        return unsupported("fsxWindowsFileServerVolumeConfiguration");
    }
    Ok(())
}

fn check_container(container: &ContainerDefinition, mib: u32) -> Result<(), EcsError> {
    let linux = container.linux_parameters.clone().unwrap_or_default();
    let added = linux.capabilities.unwrap_or_default().add.unwrap_or_default();
    if container.privileged == Some(true) {
        return client("Fargate requires that the 'privileged' setting be 'false'.");
    }
    if let Some(capability) = added.iter().find(|it| *it != "SYS_PTRACE") {
        return client(format!("{capability} is not allowed on Fargate."));
    }
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|it| !it.is_empty());
    let refused = [
        ("dockerSecurityOptions", has(&container.docker_security_options)),
        ("devices", linux.devices.is_some_and(|it| !it.is_empty())),
        ("sharedMemorySize", linux.shared_memory_size.is_some()),
        ("maxSwap", linux.max_swap.is_some()),
        ("swappiness", linux.swappiness.is_some()),
        ("GPU", container.resource_requirements.as_ref().is_some_and(|it| !it.is_empty())),
        ("credentialSpecs", has(&container.credential_specs)),
    ];
    if let Some((what, _)) = refused.into_iter().find(|(_, is_set)| *is_set) {
        return unsupported(what);
    }
    let driver = container.log_configuration.as_ref().map_or("awslogs", |it| it.log_driver.as_str());
    if !["awslogs", "splunk", "awsfirelens"].contains(&driver) {
        return unsupported(&format!("log driver {driver}"));
    }
    check_log_options(container)?;
    check_range(container, "startTimeout", container.start_timeout, 2, 120)?;
    check_range(container, "stopTimeout", container.stop_timeout, 2, 120)?;
    let exceeds = |asked: Option<i32>| asked.is_some_and(|asked| i64::from(asked) > i64::from(mib));
    for (what, asked) in [("memory", container.memory), ("memoryReservation", container.memory_reservation)] {
        if exceeds(asked) {
            return client(format!(
                "The '{what}' setting for container '{}' is greater than for the task.",
                name(container)
            ));
        }
    }
    Ok(())
}

fn check_log_options(container: &ContainerDefinition) -> Result<(), EcsError> {
    let option = |name: &str| container.log_configuration.as_ref()?.options.as_ref()?.get(name);
    let is_awslogs = container.log_configuration.as_ref().is_some_and(|it| it.log_driver == "awslogs");
    if is_awslogs && option("awslogs-stream-prefix").is_none_or(String::is_empty) {
        return client(
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
        );
    }
    let router = container.firelens_configuration.as_ref().and_then(|it| it.options.as_ref());
    if router.and_then(|options| options.get("config-file-type")).is_some_and(|kind| kind == "s3") {
        return client("Fargate only supports the FireLens config-file-type 'file'.");
    }
    Ok(())
}

fn check_execution_role(input: &RegisterTaskDefinitionInput, container: &ContainerDefinition) -> Result<(), EcsError> {
    let needs =
        |what: &str| client(format!("Fargate requires task definition to have execution role ARN to support {what}."));
    if input.execution_role_arn.is_some() {
        return Ok(());
    }
    match &container.log_configuration {
        Some(configuration) if configuration.log_driver == "awslogs" => return needs("log driver awslogs"),
        _ => {}
    }
    if container.image.as_deref().is_some_and(is_ecr_image) {
        return needs("ECR images");
    }
    if container.repository_credentials.is_some() {
        return needs("private registry authentication");
    }
    Ok(())
}
