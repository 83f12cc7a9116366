//! `RegisterTaskDefinition`: a revision as AWS describes it.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{new_tags, on_new, pass_role, with_tags};
use crate::check::check;
use crate::state::{Definition, Family, definition_key};
use crate::{api, attributes, lacks, sizes};

/// `RegisterTaskDefinition` adds a revision to a family.
pub(crate) struct RegisterTaskDefinition;

impl Operation for RegisterTaskDefinition {
    const SHAPE: &'static OperationShape = &api::REGISTER_TASK_DEFINITION;
    type Input = api::RegisterTaskDefinitionInput;
    type Output = api::RegisterTaskDefinitionOutput;

    fn access(_: &Cx<'_>, input: &Self::Input) -> Accesses {
        let roles = [&input.task_role_arn, &input.execution_role_arn].into_iter().flatten();
        let is_privileged = input.container_definitions.iter().any(|it| it.privileged == Some(true));
        let mut register = with_tags(on_new("ecs:RegisterTaskDefinition", "*"), input.tags.as_deref())
            .with_option("ecs:task-cpu", input.cpu.as_deref())
            .with_option("ecs:task-memory", input.memory.as_deref())
            .with("ecs:privileged", is_privileged.to_string())
            .complete("ecs:compute-compatibility");
        if let Some(wanted) = input.requires_compatibilities.clone().filter(|wanted| !wanted.is_empty()) {
            register = register.with_all("ecs:compute-compatibility", wanted);
        }
        Accesses::new(register).and(roles.map(pass_role))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let is_fargate = check(&input)?;
        let revision = cx.get::<Family>(&input.family).map_or(0, |family| family.revisions) + 1;
        cx.put(&input.family, Family { revisions: revision });
        let key = definition_key(&input.family, revision);
        let tags = new_tags(input.tags.clone())?;
        let view = view(cx, input, revision, is_fargate);
        lacks::tell(cx, &view);
        cx.put(&key, Definition { view: view.clone(), tags: tags.clone() });
        Ok(api::RegisterTaskDefinitionOutput { task_definition: Some(view), tags: Some(tags) })
    }
}

fn view(cx: &Cx<'_>, input: api::RegisterTaskDefinitionInput, revision: i32, is_fargate: bool) -> api::TaskDefinition {
    let is_awsvpc = input.network_mode.as_deref() == Some("awsvpc");
    let compatibilities = match (is_fargate, is_awsvpc) {
        (true, _) => vec!["EC2", "FARGATE"],
        (false, true) => vec!["EC2"],
        (false, false) => vec!["EXTERNAL", "EC2"],
    };
    let requires_attributes = attributes::required(&input);
    let is_bridge = matches!(input.network_mode.as_deref(), None | Some("bridge"));
    let containers = input.container_definitions.into_iter().map(|it| with_defaults(it, is_bridge)).collect();
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
        volumes: Some(input.volumes.unwrap_or_default().into_iter().map(volume_with_defaults).collect()),
        status: Some("ACTIVE".to_owned()),
        requires_attributes: Some(requires_attributes),
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

fn volume_with_defaults(mut volume: api::Volume) -> api::Volume {
    match &mut volume.efs_volume_configuration {
        Some(efs) => {
            efs.root_directory.get_or_insert_with(|| "/".to_owned());
        }
        None if volume.docker_volume_configuration.is_none() && volume.configured_at_launch != Some(true) => {
            volume.host.get_or_insert_default();
        }
        None => {}
    }
    volume
}

fn with_defaults(mut container: api::ContainerDefinition, is_bridge: bool) -> api::ContainerDefinition {
    container.cpu.get_or_insert(0);
    container.essential.get_or_insert(true);
    container.environment.get_or_insert_default();
    container.mount_points.get_or_insert_default();
    container.volumes_from.get_or_insert_default();
    container.system_controls.get_or_insert_default();
    if let Some(check) = &mut container.health_check {
        check.interval.get_or_insert(30);
        check.timeout.get_or_insert(5);
        check.retries.get_or_insert(3);
    }
    if let Some(capabilities) = container.linux_parameters.as_mut().and_then(|it| it.capabilities.as_mut()) {
        capabilities.add.get_or_insert_default();
        capabilities.drop.get_or_insert_default();
    }
    for mapping in container.port_mappings.get_or_insert_default() {
        // On a bridge the host's port is chosen when the task starts.
        mapping.host_port = mapping.host_port.or(if is_bridge { Some(0) } else { mapping.container_port });
        mapping.protocol.get_or_insert_with(|| "tcp".to_owned());
    }
    container
}
