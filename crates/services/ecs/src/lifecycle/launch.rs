//! From a task definition and overrides to a task that is ordered to run.

use neargate_kernel::{Cx, Fault, InterfaceRequest, Notice, NoticeKind};

use super::news::none_started;
use super::{advance, become_status, end, logs, order};
use crate::api;
use crate::order::{ContainerOrder, DRIVER, Order, TaskOrder};
use crate::sizes;
use crate::state::{Condition, Definition, LogRoute, Task};

/// Gives a task its interface and log streams, and orders it to run. What fails ends the task, not the call.
pub(crate) fn launch(
    cx: &mut Cx<'_>,
    id: &str,
    definition: &Definition,
    network: &api::AwsVpcConfiguration,
) -> Result<(), Fault> {
    let arn = cx.get::<Task>(id).map(|task| task.arn().to_owned()).unwrap_or_default();
    let request = InterfaceRequest {
        subnets: &network.subnets,
        security_groups: network.security_groups.as_deref().unwrap_or_default(),
        description: &arn,
        public_ip: network.assign_public_ip.as_deref() == Some("ENABLED"),
    };
    let interface = match cx.registry.ports.networks.attach(cx, &request) {
        Err(fault) if fault.code == "InsufficientFreeAddressesInSubnet" => {
            return fail(cx, id, &fault.message);
        }
        interface => interface?,
    };
    if !request.security_groups.is_empty() {
        cx.not_simulated("ecs:RunTask awsvpcConfiguration.securityGroups", "recorded; no packet is filtered yet");
    }
    let attachment = attachment(cx, &interface);
    cx.update::<Task, _>(id, |task| {
        task.view.availability_zone = Some(interface.availability_zone.clone());
        for container in &mut task.containers {
            container.view.network_interfaces = Some(vec![api::NetworkInterface {
                attachment_id: attachment.id.clone(),
                private_ipv4_address: Some(interface.private_ip.clone()),
                ipv6_address: None,
            }]);
        }
        task.view.attachments = Some(vec![attachment]);
        task.interface = Some(interface);
    });
    become_status(cx, id, "PENDING")?;
    if let Err(failure) = logs::open_streams(cx, id) {
        let text = failure.reason.clone();
        cx.notice(Notice { kind: NoticeKind::Failed, subject: arn, text, hint: Some(failure.hint) });
        return fail(cx, id, &failure.reason);
    }
    let Some(task) = cx.get::<Task>(id) else { return Ok(()) };
    let run = Order::Run(Box::new(task_order(task, definition)));
    let effect = cx.emit(DRIVER, order(&run)?);
    cx.update::<Task, _>(id, |task| task.run_effect = Some(effect));
    Ok(())
}

/// Nothing of the task was started, nor ever will be.
fn fail(cx: &mut Cx<'_>, id: &str, reason: &str) -> Result<(), Fault> {
    none_started(cx, id);
    end(cx, id, "TaskFailedToStart", reason)?;
    advance(cx, id)
}

fn attachment(cx: &mut Cx<'_>, interface: &neargate_kernel::Interface) -> api::Attachment {
    let details = [
        ("subnetId", &interface.subnet_id),
        ("networkInterfaceId", &interface.id),
        ("macAddress", &interface.mac),
        ("privateDnsName", &interface.private_dns_name),
        ("privateIPv4Address", &interface.private_ip),
    ];
    let pair =
        |(name, value): (&str, &String)| api::KeyValuePair { name: Some(name.to_owned()), value: Some(value.clone()) };
    api::Attachment {
        id: Some(cx.rng.uuid()),
        r#type: Some("ElasticNetworkInterface".to_owned()),
        status: Some("ATTACHED".to_owned()),
        details: Some(details.into_iter().map(pair).collect()),
    }
}

fn task_order(task: &Task, definition: &Definition) -> TaskOrder {
    let containers = definition.view.container_definitions.as_deref().unwrap_or_default();
    let platform = definition.view.runtime_platform.as_ref();
    TaskOrder {
        task: task.id().to_owned(),
        cpu_units: task.view.cpu.as_deref().and_then(sizes::parse_cpu).unwrap_or_default(),
        memory_mib: task.view.memory.as_deref().and_then(sizes::parse_memory).unwrap_or_default(),
        ephemeral_gib: task.view.ephemeral_storage.as_ref().map_or(20, |storage| positive(Some(storage.size_in_gi_b))),
        is_architecture_given: platform.is_some_and(|it| it.cpu_architecture.is_some()),
        architecture: platform.and_then(|it| it.cpu_architecture.clone()).unwrap_or_else(|| "X86_64".to_owned()),
        interface: task.interface.clone().unwrap_or_default(),
        containers: containers.iter().map(|container| container_order(task, container)).collect(),
    }
}

fn container_order(task: &Task, definition: &api::ContainerDefinition) -> ContainerOrder {
    let name = definition.name.clone().unwrap_or_default();
    let overrides = task.view.overrides.as_ref().and_then(|it| it.container_overrides.as_ref());
    let all = overrides.into_iter().flatten().filter(|it| it.name == definition.name);
    let linux = definition.linux_parameters.clone().unwrap_or_default();
    let capabilities = linux.capabilities.unwrap_or_default();
    let mut order = ContainerOrder {
        image: definition.image.clone().unwrap_or_default(),
        entry_point: definition.entry_point.clone(),
        command: definition.command.clone(),
        environment: pairs(definition.environment.as_deref()),
        user: definition.user.clone(),
        working_directory: definition.working_directory.clone(),
        cpu_units: positive(definition.cpu),
        memory_mib: positive(definition.memory),
        memory_reservation_mib: positive(definition.memory_reservation),
        stop_timeout_s: definition.stop_timeout.map_or(30, |it| positive(Some(it))),
        readonly_root: definition.readonly_root_filesystem.unwrap_or(false),
        init: linux.init_process_enabled.unwrap_or(false),
        ulimits: definition.ulimits.iter().flatten().map(ulimit).collect(),
        capabilities_add: capabilities.add.unwrap_or_default(),
        capabilities_drop: capabilities.drop.unwrap_or_default(),
        tmpfs: linux.tmpfs.unwrap_or_default().into_iter().map(tmpfs).collect(),
        system_controls: definition.system_controls.iter().flatten().filter_map(system_control).collect(),
        start_on_launch: definition.depends_on.as_ref().is_none_or(Vec::is_empty),
        name,
    };
    for it in all {
        order.command = it.command.clone().or(order.command);
        order.environment.extend(pairs(it.environment.as_deref()));
        order.cpu_units = it.cpu.map_or(order.cpu_units, |cpu| positive(Some(cpu)));
        order.memory_mib = it.memory.map_or(order.memory_mib, |memory| positive(Some(memory)));
        order.memory_reservation_mib =
            it.memory_reservation.map_or(order.memory_reservation_mib, |memory| positive(Some(memory)));
    }
    order
}

fn positive(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

fn pairs(pairs: Option<&[api::KeyValuePair]>) -> Vec<(String, String)> {
    let named = pairs.unwrap_or_default().iter();
    named.filter_map(|pair| Some((pair.name.clone()?, pair.value.clone().unwrap_or_default()))).collect()
}

fn ulimit(limit: &api::Ulimit) -> (String, u64, u64) {
    // AWS gives -1 for unlimited.
    let bound = |number: i32| u64::try_from(number).unwrap_or(u64::MAX);
    (limit.name.clone(), bound(limit.soft_limit), bound(limit.hard_limit))
}

fn tmpfs(tmpfs: api::Tmpfs) -> (String, u32, Vec<String>) {
    (tmpfs.container_path, positive(Some(tmpfs.size)), tmpfs.mount_options.unwrap_or_default())
}

fn system_control(control: &api::SystemControl) -> Option<(String, String)> {
    Some((control.namespace.clone()?, control.value.clone()?))
}

/// What a container waits for. `HEALTHY` needs health checks, which are not run: it counts as `START`, and that is said.
pub(crate) fn dependencies(definition: &api::ContainerDefinition) -> Vec<(String, Condition)> {
    let dependencies = definition.depends_on.iter().flatten();
    dependencies
        .map(|dependency| {
            let condition = match dependency.condition.as_str() {
                "COMPLETE" => Condition::Complete,
                "SUCCESS" => Condition::Success,
                _ => Condition::Start,
            };
            (dependency.container_name.clone(), condition)
        })
        .collect()
}

/// The log stream of a container: `prefix/container/task-id`.
pub(crate) fn log_route(definition: &api::ContainerDefinition, task_id: &str) -> Option<LogRoute> {
    let configuration = definition.log_configuration.as_ref().filter(|it| it.log_driver == "awslogs")?;
    let option = |name: &str| configuration.options.as_ref()?.get(name).cloned();
    let name = definition.name.as_deref().unwrap_or_default();
    let stream = match option("awslogs-stream-prefix") {
        Some(prefix) => format!("{prefix}/{name}/{task_id}"),
        None => task_id.to_owned(),
    };
    Some(LogRoute {
        group: option("awslogs-group")?,
        stream,
        region: option("awslogs-region"),
        create_group: option("awslogs-create-group").as_deref() == Some("true"),
    })
}
