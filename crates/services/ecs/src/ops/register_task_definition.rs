//! `RegisterTaskDefinition`: what Fargate can run, and what it refuses.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>.

use std::collections::BTreeSet;

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::api;
use crate::errors::EcsError;
use crate::sizes;
use crate::state::{Definition, Family, definition_key};

/// Containers in one task.
const CONTAINERS_MAX: usize = 10;

/// `RegisterTaskDefinition` adds a revision to a family.
pub(crate) struct RegisterTaskDefinition;

impl Operation for RegisterTaskDefinition {
    const SHAPE: &'static OperationShape = &api::REGISTER_TASK_DEFINITION;
    type Input = api::RegisterTaskDefinitionInput;
    type Output = api::RegisterTaskDefinitionOutput;

    fn access(_: &Cx<'_>, input: &Self::Input) -> Accesses {
        let roles = [&input.task_role_arn, &input.execution_role_arn].into_iter().flatten();
        let pass =
            |role: &String| Access::new("iam:PassRole", role).with("iam:PassedToService", "ecs-tasks.amazonaws.com");
        Accesses::new(Access::new("ecs:RegisterTaskDefinition", "*")).and(roles.map(pass))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_family(&input.family)?;
        check_containers(&input)?;
        let wants_fargate = input.requires_compatibilities.iter().flatten().any(|it| it == "FARGATE");
        if wants_fargate {
            check_fargate(&input)?;
        }
        let is_fargate = wants_fargate || check_fargate(&input).is_ok();
        let revision = cx.get::<Family>(&input.family).map_or(0, |family| family.revisions) + 1;
        cx.put(&input.family, Family { revisions: revision });
        let key = definition_key(&input.family, revision);
        let tags = input.tags.clone().unwrap_or_default();
        let view = view(cx, input, revision, is_fargate);
        cx.put(&key, Definition { view: view.clone(), tags: tags.clone() });
        Ok(api::RegisterTaskDefinitionOutput { task_definition: Some(view), tags: Some(tags) })
    }
}

fn view(cx: &Cx<'_>, input: api::RegisterTaskDefinitionInput, revision: i32, is_fargate: bool) -> api::TaskDefinition {
    let compatibilities = if is_fargate { vec!["EC2", "FARGATE"] } else { vec!["EC2"] };
    let containers = input.container_definitions.into_iter().map(with_defaults).collect();
    // The size in the form AWS stores it: units and MiB.
    let plain = |text: Option<String>, parse: fn(&str) -> Option<u32>| {
        text.map(|text| parse(&text).map_or(text, |number| number.to_string()))
    };
    api::TaskDefinition {
        task_definition_arn: Some(cx.scope.arn("ecs", &format!("task-definition/{}:{revision}", input.family))),
        container_definitions: Some(containers),
        family: Some(input.family),
        task_role_arn: input.task_role_arn,
        execution_role_arn: input.execution_role_arn,
        network_mode: input.network_mode,
        revision: Some(revision),
        volumes: Some(input.volumes.unwrap_or_default()),
        status: Some("ACTIVE".to_owned()),
        placement_constraints: Some(input.placement_constraints.unwrap_or_default()),
        compatibilities: Some(compatibilities.into_iter().map(str::to_owned).collect()),
        runtime_platform: input.runtime_platform,
        requires_compatibilities: input.requires_compatibilities,
        cpu: plain(input.cpu, sizes::parse_cpu),
        memory: plain(input.memory, sizes::parse_memory),
        pid_mode: input.pid_mode,
        ipc_mode: input.ipc_mode,
        proxy_configuration: input.proxy_configuration,
        registered_at: Some(cx.time()),
        registered_by: Some(cx.principal.arn()),
        ephemeral_storage: input.ephemeral_storage,
        enable_fault_injection: input.enable_fault_injection,
        ..api::TaskDefinition::default()
    }
}

fn with_defaults(mut container: api::ContainerDefinition) -> api::ContainerDefinition {
    container.cpu.get_or_insert(0);
    container.essential.get_or_insert(true);
    container.environment.get_or_insert_default();
    container.mount_points.get_or_insert_default();
    container.volumes_from.get_or_insert_default();
    for mapping in container.port_mappings.get_or_insert_default() {
        mapping.host_port = mapping.host_port.or(mapping.container_port);
        mapping.protocol.get_or_insert_with(|| "tcp".to_owned());
    }
    container
}

fn check_family(family: &str) -> Result<(), EcsError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=255).contains(&family.len()) && family.chars().all(fits) {
        return Ok(());
    }
    Err(EcsError::Client("Family should not be longer than 255 characters and can only contain letters, numbers, hyphens and underscores.".to_owned()))
}

fn check_containers(input: &api::RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let client = |text: String| Err(EcsError::Client(text));
    let containers = &input.container_definitions;
    if containers.is_empty() {
        return client("Container list cannot be empty.".to_owned());
    }
    if containers.len() > CONTAINERS_MAX {
        return client(format!("A task definition can have at most {CONTAINERS_MAX} containers."));
    }
    let mut names = BTreeSet::new();
    for container in containers {
        let name = container.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            return client("Container.name should not be null or empty.".to_owned());
        }
        if container.image.as_deref().unwrap_or_default().is_empty() {
            return client("Container.image should not be null or empty.".to_owned());
        }
        if !names.insert(name) {
            return client(format!("Container names must be unique within a task definition: {name}"));
        }
        if container.memory.is_some_and(|memory| memory < 6) {
            return client(format!("Invalid setting for container '{name}'. Container memory must be at least 6 MB."));
        }
    }
    check_secrets(input)?;
    if containers.iter().all(|container| container.essential == Some(false)) {
        return client("A task definition must have at least one essential container.".to_owned());
    }
    for container in containers {
        let missing = container.depends_on.iter().flatten().find(|it| !names.contains(it.container_name.as_str()));
        if let Some(missing) = missing {
            let name = container.name.as_deref().unwrap_or_default();
            return client(format!(
                "Container {name} depends on {}, which is not in the task definition.",
                missing.container_name
            ));
        }
    }
    Ok(())
}

/// Secrets are fetched as the execution role, and each is the only variable of its name.
fn check_secrets(input: &api::RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    for container in &input.container_definitions {
        let mut names: BTreeSet<&str> =
            container.environment.iter().flatten().filter_map(|pair| pair.name.as_deref()).collect();
        for secret in container.secrets.iter().flatten() {
            if input.execution_role_arn.is_none() {
                let text =
                    "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.";
                return Err(EcsError::Client(text.to_owned()));
            }
            if !names.insert(&secret.name) {
                return Err(EcsError::SecretName(secret.name.clone()));
            }
        }
    }
    Ok(())
}

fn check_fargate(input: &api::RegisterTaskDefinitionInput) -> Result<(), EcsError> {
    let client = |text: &str| Err(EcsError::Client(text.to_owned()));
    if input.network_mode.as_deref() != Some("awsvpc") {
        return client("Fargate only supports network mode ‘awsvpc’.");
    }
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
    if input.ephemeral_storage.as_ref().is_some_and(|it| !(21..=200).contains(&it.size_in_gi_b)) {
        return client("Ephemeral storage size must be between 21 and 200 GiB.");
    }
    if input.ipc_mode.is_some() {
        return client("Fargate compatible task definitions do not support ipcMode.");
    }
    if input.pid_mode.as_deref() == Some("host") {
        return client("Fargate compatible task definitions do not support pidMode host.");
    }
    if input.placement_constraints.as_ref().is_some_and(|it| !it.is_empty()) {
        return client("Fargate compatible task definitions do not support placement constraints.");
    }
    for container in &input.container_definitions {
        check_fargate_container(input, container, units, mib)?;
    }
    Ok(())
}

fn check_fargate_container(
    input: &api::RegisterTaskDefinitionInput,
    container: &api::ContainerDefinition,
    units: u32,
    mib: u32,
) -> Result<(), EcsError> {
    let linux = container.linux_parameters.clone().unwrap_or_default();
    let capabilities = linux.capabilities.unwrap_or_default().add.unwrap_or_default();
    let refused = [
        ("privileged", container.privileged == Some(true)),
        ("links", container.links.as_ref().is_some_and(|it| !it.is_empty())),
        ("disableNetworking", container.disable_networking.is_some()),
        ("dnsServers", container.dns_servers.as_ref().is_some_and(|it| !it.is_empty())),
        ("dnsSearchDomains", container.dns_search_domains.as_ref().is_some_and(|it| !it.is_empty())),
        ("extraHosts", container.extra_hosts.as_ref().is_some_and(|it| !it.is_empty())),
        ("dockerSecurityOptions", container.docker_security_options.as_ref().is_some_and(|it| !it.is_empty())),
        ("devices", linux.devices.is_some_and(|it| !it.is_empty())),
        ("sharedMemorySize", linux.shared_memory_size.is_some()),
        ("maxSwap", linux.max_swap.is_some()),
        ("swappiness", linux.swappiness.is_some()),
        ("capabilities.add", capabilities.iter().any(|it| it != "SYS_PTRACE")),
        ("GPU", container.resource_requirements.as_ref().is_some_and(|it| !it.is_empty())),
    ];
    if let Some((what, _)) = refused.into_iter().find(|(_, is_set)| *is_set) {
        return Err(EcsError::Client(format!("Fargate compatible task definitions do not support {what}")));
    }
    let driver = container.log_configuration.as_ref().map(|it| it.log_driver.as_str());
    if driver == Some("awslogs") && input.execution_role_arn.is_none() {
        let text = "Fargate requires task definition to have execution role ARN to support log driver awslogs.";
        return Err(EcsError::Client(text.to_owned()));
    }
    if driver.is_some_and(|driver| !["awslogs", "splunk", "awsfirelens"].contains(&driver)) {
        let text =
            format!("Fargate compatible task definitions do not support log driver {}", driver.unwrap_or_default());
        return Err(EcsError::Client(text));
    }
    let name = container.name.as_deref().unwrap_or_default();
    let exceeds = |asked: Option<i32>, has: u32| asked.is_some_and(|asked| i64::from(asked) > i64::from(has));
    if exceeds(container.memory, mib) || exceeds(container.memory_reservation, mib) {
        let text =
            format!("Invalid setting for container '{name}'. 'memory' must not exceed the task's memory of {mib} MiB.");
        return Err(EcsError::Client(text));
    }
    if exceeds(container.cpu, units) {
        let text =
            format!("Invalid setting for container '{name}'. 'cpu' must not exceed the task's cpu of {units} units.");
        return Err(EcsError::Client(text));
    }
    Ok(())
}
