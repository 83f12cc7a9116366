//! `RunTask`: one or more tasks of a task definition, now.

use neargate_kernel::{Accesses, Cx, Fault, Notice, NoticeKind, Operation};
use neargate_shape::{OperationShape, Wire};

use crate::access::{new_tags, on_new, on_resource, pass_role, with_tags};
use crate::api;
use crate::capacity::{check_strategy, place};
use crate::errors::EcsError;
use crate::lacks;
use crate::lifecycle::{become_status, dependencies, launch, log_route};
use crate::sizes;
use crate::spool_key;
use crate::state::{
    Cluster, Container, Definition, Phase, RunToken, TOKEN_MS, Task, cluster, cluster_arn, cluster_name, definition,
    task_id,
};

/// Characters of a call's container overrides.
const OVERRIDES_CHARS_MAX: usize = 8192;

/// Tasks of one call.
const COUNT_MAX: i32 = 10;

/// `RunTask` starts tasks; the answer comes while they are `PROVISIONING`.
pub(crate) struct RunTask;

impl Operation for RunTask {
    const SHAPE: &'static OperationShape = &api::RUN_TASK;
    type Input = api::RunTaskInput;
    type Output = api::RunTaskOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let cluster = cluster_name(input.cluster.as_deref());
        let cluster_arn = cluster_arn(cx, &cluster);
        let found = definition(cx, &input.task_definition).ok();
        let view = found.as_ref().map(|found| &found.view);
        let arn = view.and_then(|view| view.task_definition_arn.clone());
        let arn = arn.unwrap_or_else(|| cx.scope.arn("ecs", &format!("task-definition/{}", input.task_definition)));
        let run = on_resource(cx, "ecs:RunTask", &arn)
            .with("ecs:cluster", cluster_arn.clone())
            .with("ecs:enable-execute-command", (input.enable_execute_command == Some(true)).to_string())
            .with(
                "ecs:enable-ebs-volumes",
                input.volume_configurations.as_ref().is_some_and(|it| !it.is_empty()).to_string(),
            );
        let providers = input.capacity_provider_strategy.iter().flatten().map(|item| item.capacity_provider.clone());
        let providers: Vec<_> = providers.collect();
        let run = match providers.is_empty() {
            true => run.complete("ecs:capacity-provider"),
            false => run.with_all("ecs:capacity-provider", providers),
        };
        let mut accesses = Accesses::new(with_tags(run, input.tags.as_deref()));
        let overrides = input.overrides.as_ref();
        let roles = [
            overrides.and_then(|it| it.task_role_arn.as_ref()).or(view.and_then(|view| view.task_role_arn.as_ref())),
            overrides
                .and_then(|it| it.execution_role_arn.as_ref())
                .or(view.and_then(|view| view.execution_role_arn.as_ref())),
        ];
        accesses.extend(roles.into_iter().flatten().map(pass_role));
        if input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
            let tasks = cx.scope.arn("ecs", &format!("task/{cluster}/*"));
            let tag = on_new("ecs:TagResource", tasks).with("ecs:CreateAction", "RunTask");
            accesses.push(with_tags(tag.with("ecs:cluster", cluster_arn), input.tags.as_deref()));
        }
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if let Some(tasks) = started_before(cx, &input)? {
            return Ok(api::RunTaskOutput { tasks: Some(tasks), failures: Some(vec![]) });
        }
        let cluster = cluster(cx, input.cluster.as_deref())?;
        let definition = active_definition(cx, &input.task_definition)?;
        let count = input.count.unwrap_or(1);
        if !(1..=COUNT_MAX).contains(&count) {
            return Err(EcsError::InvalidParameter(format!("Count must be between 1 and {COUNT_MAX}.")).into());
        }
        let providers = providers(&input, &cluster, usize::try_from(count).unwrap_or(1))?;
        let network = check(&input, &definition)?;
        refuse_what_is_missing(cx, &definition)?;
        let mut tasks = vec![];
        let before = cx.cause.clone();
        if before.is_none() {
            let (request, caller) = (cx.request_id.clone(), cx.principal.arn());
            cx.because(&request, "request", &format!("ecs:RunTask by `{caller}`"));
        }
        for provider in providers {
            let task = new_task(cx, &input, provider, &cluster, &definition)?;
            let id = task.id().to_owned();
            tasks.push(task.to_api());
            let link = cx.cause.clone();
            cx.because(&id, "task", &format!("task {id}"));
            let text = format!("task {id} of `{}` starts", definition.view.family.as_deref().unwrap_or_default());
            cx.notice(Notice { kind: NoticeKind::Progress, subject: task.arn().to_owned(), text, hint: None });
            cx.put(&id, task);
            cx.keep_causes();
            become_status(cx, &id, "PROVISIONING")?;
            launch(cx, &id, &definition, &network)?;
            cx.cause = link;
        }
        cx.cause = before;
        if let Some(token) = input.client_token.clone() {
            let ids = tasks.iter().filter_map(|task| Some(task_id(task.task_arn.as_deref()?).to_owned()));
            let (tasks, at) = (ids.collect(), cx.time());
            cx.put(&token, RunToken { input: as_json(&input), tasks, at });
        }
        Ok(api::RunTaskOutput { tasks: Some(tasks), failures: Some(vec![]) })
    }
}

/// The tasks that the same request has started under the same token within a day.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html>
fn started_before(cx: &Cx<'_>, input: &api::RunTaskInput) -> Result<Option<Vec<api::Task>>, EcsError> {
    let known = input.client_token.as_deref().and_then(|token| cx.get::<RunToken>(token));
    let Some(known) = known.filter(|known| cx.time() < known.at.plus_ms(TOKEN_MS)) else { return Ok(None) };
    let tasks = known.tasks.iter().filter_map(|id| cx.get::<Task>(id));
    if known.input != as_json(input) {
        return Err(EcsError::Conflict(tasks.map(|task| task.arn().to_owned()).collect()));
    }
    Ok(Some(tasks.map(Task::to_api).collect()))
}

fn as_json(input: &api::RunTaskInput) -> String {
    neargate_shape::to_json(&input.clone().into_value()).to_string()
}

fn active_definition(cx: &Cx<'_>, reference: &str) -> Result<Definition, EcsError> {
    let found = definition(cx, reference).map_err(|_| EcsError::Client("TaskDefinition not found.".to_owned()))?;
    if found.view.status.as_deref() == Some("ACTIVE") {
        return Ok(found);
    }
    Err(EcsError::Client("TaskDefinition is inactive".to_owned()))
}

/// For each task the capacity provider that it goes to; none for tasks of the launch type FARGATE.
fn providers(input: &api::RunTaskInput, cluster: &Cluster, count: usize) -> Result<Vec<Option<String>>, EcsError> {
    let given = input.capacity_provider_strategy.as_deref().filter(|items| !items.is_empty());
    match (input.launch_type.as_deref(), given) {
        (Some(_), Some(_)) => {
            let text = "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.";
            Err(EcsError::InvalidParameter(text.to_owned()))
        }
        (Some("FARGATE"), None) => Ok(vec![None; count]),
        (None, None) if !cluster.default_strategy.is_empty() => {
            Ok(place(&cluster.default_strategy, count)?.into_iter().map(Some).collect())
        }
        (_, None) => Err(EcsError::InvalidParameter("No Container Instances were found in your cluster.".to_owned())),
        (None, Some(items)) => {
            let items = check_strategy(items, &cluster.capacity_providers)?;
            Ok(place(&items, count)?.into_iter().map(Some).collect())
        }
    }
}

/// What the request must have for Fargate; answers its network.
fn check(input: &api::RunTaskInput, definition: &Definition) -> Result<api::AwsVpcConfiguration, EcsError> {
    let compatibilities = definition.view.compatibilities.as_deref().unwrap_or_default();
    if !compatibilities.iter().any(|it| it == "FARGATE") {
        return Err(EcsError::InvalidParameter("Task definition does not support launch_type FARGATE.".to_owned()));
    }
    let network =
        input.network_configuration.as_ref().and_then(|it| it.awsvpc_configuration.clone()).ok_or_else(|| {
            let text = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
            EcsError::InvalidParameter(text.to_owned())
        })?;
    if network.subnets.is_empty() {
        return Err(EcsError::InvalidParameter("subnets can not be empty.".to_owned()));
    }
    check_platform_version(input, definition)?;
    check_overrides_length(input)?;
    let task_role = input.overrides.as_ref().and_then(|it| it.task_role_arn.as_ref());
    if input.enable_execute_command == Some(true) && task_role.or(definition.view.task_role_arn.as_ref()).is_none() {
        let text = "The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role in your \
                    task definition and try again.";
        return Err(EcsError::InvalidParameter(text.to_owned()));
    }
    check_overrides(input, definition)?;
    Ok(network)
}

/// All overrides of containers together, in JSON.
fn check_overrides_length(input: &api::RunTaskInput) -> Result<(), EcsError> {
    let overrides = input.overrides.as_ref().and_then(|it| it.container_overrides.clone()).unwrap_or_default();
    let json: Vec<_> = overrides.into_iter().map(|it| neargate_shape::to_json(&it.into_value())).collect();
    if serde_json::Value::from(json).to_string().chars().count() > OVERRIDES_CHARS_MAX {
        let text = format!("Container Overrides length must be at most {OVERRIDES_CHARS_MAX}");
        return Err(EcsError::InvalidParameter(text));
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-linux-fargate.html>
fn check_platform_version(input: &api::RunTaskInput, definition: &Definition) -> Result<(), EcsError> {
    let is_large = definition.view.cpu.as_deref().and_then(sizes::parse_cpu).is_some_and(|units| units > 4096);
    match input.platform_version.as_deref() {
        None | Some("LATEST" | "1.4.0") => Ok(()),
        Some("1.3.0") if is_large => Err(EcsError::PlatformIncompatible),
        Some("1.3.0") => Ok(()),
        Some(_) => Err(EcsError::PlatformUnknown),
    }
}

fn check_overrides(input: &api::RunTaskInput, definition: &Definition) -> Result<(), EcsError> {
    let Some(overrides) = &input.overrides else { return Ok(()) };
    let containers = definition.view.container_definitions.as_deref().unwrap_or_default();
    for it in overrides.container_overrides.iter().flatten() {
        let Some(name) = &it.name else {
            return Err(EcsError::InvalidParameter("Override name can not be null or empty.".to_owned()));
        };
        if !containers.iter().any(|container| container.name.as_ref() == Some(name)) {
            let text = format!("Override for container named {name} is not a container in the TaskDefinition.");
            return Err(EcsError::InvalidParameter(text));
        }
        let secrets = containers.iter().filter(|container| container.name.as_ref() == Some(name));
        let mut secrets = secrets.flat_map(|container| container.secrets.iter().flatten());
        let is_set = |secret: &&api::Secret| {
            it.environment.iter().flatten().any(|pair| pair.name.as_deref() == Some(&secret.name))
        };
        if let Some(secret) = secrets.find(is_set) {
            return Err(EcsError::SecretName(secret.name.clone()));
        }
    }
    let cpu = overrides.cpu.as_ref().or(definition.view.cpu.as_ref()).cloned().unwrap_or_default();
    let memory = overrides.memory.as_ref().or(definition.view.memory.as_ref()).cloned().unwrap_or_default();
    let (units, mib) = (sizes::parse_cpu(&cpu).unwrap_or(0), sizes::parse_memory(&memory).unwrap_or(0));
    if !sizes::is_size(units, mib) {
        return Err(EcsError::UnknownSize { cpu, memory, hint: sizes::nearest(units, mib) });
    }
    Ok(())
}

/// What a task definition may say that Neargate does not do: refused where the task would be another without it, else said.
fn refuse_what_is_missing(cx: &mut Cx<'_>, definition: &Definition) -> Result<(), Fault> {
    let containers = definition.view.container_definitions.clone().unwrap_or_default();
    let family = definition.view.family.clone().unwrap_or_default();
    if let Some(lack) = lacks::of_definition(&definition.view).into_iter().next() {
        let text = format!("Neargate does not implement `{}` of task definition `{family}`: {}", lack.path, lack.text);
        return Err(Fault::sender("NotImplemented", text).with_status(501));
    }
    for container in &containers {
        let name = container.name.as_deref().unwrap_or_default();
        let waits_for_health = container.depends_on.iter().flatten().any(|it| it.condition == "HEALTHY");
        if container.health_check.is_some() || waits_for_health {
            cx.not_simulated(format!("{family}/{name} healthCheck"), "recorded; not run, and HEALTHY counts as START");
        }
    }
    if definition.view.task_role_arn.is_some() {
        cx.not_simulated(
            format!("{family} taskRoleArn"),
            "passed and checked; the container gets no credentials of it yet",
        );
    }
    Ok(())
}

fn new_task(
    cx: &mut Cx<'_>,
    input: &api::RunTaskInput,
    provider: Option<String>,
    cluster: &Cluster,
    definition: &Definition,
) -> Result<Task, Fault> {
    let id = cx.rng.hex(32);
    let spool_key = spool_key::make(cx, &id)?;
    let arn = cx.scope.arn("ecs", &format!("task/{}/{id}", cluster.name));
    let overrides = input.overrides.clone().unwrap_or_default();
    let view = &definition.view;
    let containers =
        view.container_definitions.iter().flatten().map(|it| new_container(cx, it, &arn, &id, cluster)).collect();
    let family = view.family.clone().unwrap_or_default();
    let mut tags = new_tags(input.tags.clone())?;
    if input.propagate_tags.as_deref() == Some("TASK_DEFINITION") {
        tags.extend(
            definition
                .tags
                .iter()
                .filter(|tag| !tags.iter().any(|own| own.key == tag.key))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    let storage = overrides.ephemeral_storage.clone().or_else(|| view.ephemeral_storage.clone());
    Ok(Task {
        view: api::Task {
            cluster_arn: Some(cluster_arn(cx, &cluster.name)),
            task_arn: Some(arn),
            task_definition_arn: view.task_definition_arn.clone(),
            attributes: Some(vec![api::Attribute {
                name: "ecs.cpu-architecture".to_owned(),
                value: Some(architecture(view).to_owned()),
                ..api::Attribute::default()
            }]),
            cpu: overrides.cpu.clone().or_else(|| view.cpu.clone()),
            memory: overrides.memory.clone().or_else(|| view.memory.clone()),
            created_at: Some(cx.time()),
            desired_status: Some("RUNNING".to_owned()),
            last_status: Some("PROVISIONING".to_owned()),
            enable_execute_command: Some(input.enable_execute_command.unwrap_or(false)),
            group: Some(input.group.clone().unwrap_or_else(|| format!("family:{family}"))),
            health_status: Some("UNKNOWN".to_owned()),
            launch_type: Some("FARGATE".to_owned()),
            capacity_provider_name: provider,
            overrides: Some(api::TaskOverride {
                container_overrides: Some(overrides.container_overrides.clone().unwrap_or_default()),
                inference_accelerator_overrides: Some(vec![]),
                ..overrides.clone()
            }),
            platform_version: Some(platform_version(input.platform_version.as_deref())),
            platform_family: Some("Linux".to_owned()),
            started_by: input.started_by.clone(),
            tags: Some(tags),
            version: Some(0),
            ephemeral_storage: Some(storage.unwrap_or(api::EphemeralStorage { size_in_gi_b: 20 })),
            ..api::Task::default()
        },
        cluster: cluster.name.clone(),
        interface: None,
        execution_role: overrides.execution_role_arn.or_else(|| view.execution_role_arn.clone()),
        containers,
        spool_key,
        run_effect: None,
        remove_effect: None,
    })
}

fn new_container(
    cx: &mut Cx<'_>,
    it: &api::ContainerDefinition,
    task_arn: &str,
    task_id: &str,
    cluster: &Cluster,
) -> Container {
    let arn = cx.scope.arn("ecs", &format!("container/{}/{task_id}/{}", cluster.name, cx.rng.uuid()));
    Container {
        view: api::Container {
            container_arn: Some(arn),
            task_arn: Some(task_arn.to_owned()),
            name: it.name.clone(),
            image: it.image.clone(),
            last_status: Some("PENDING".to_owned()),
            network_interfaces: Some(vec![]),
            health_status: Some("UNKNOWN".to_owned()),
            cpu: Some(it.cpu.unwrap_or(0).to_string()),
            memory: it.memory.map(|memory| memory.to_string()),
            memory_reservation: it.memory_reservation.map(|memory| memory.to_string()),
            ..api::Container::default()
        },
        essential: it.essential.unwrap_or(true),
        phase: Phase::Waiting,
        start_ordered: it.depends_on.as_ref().is_none_or(Vec::is_empty),
        stop_ordered: false,
        depends_on: dependencies(it),
        log: log_route(it, task_id),
        offset: 0,
        pid: 0,
    }
}

fn architecture(view: &api::TaskDefinition) -> &'static str {
    let asked = view.runtime_platform.as_ref().and_then(|it| it.cpu_architecture.as_deref());
    if asked == Some("ARM64") { "arm64" } else { "x86_64" }
}

/// `LATEST` is 1.4.0 for Linux.
fn platform_version(asked: Option<&str>) -> String {
    asked.filter(|version| *version != "LATEST").unwrap_or("1.4.0").to_owned()
}
