//! Tasks and what their containers write, as a client sees them.

use std::collections::BTreeMap;

use neargate_api::ecs;
use neargate_api::logs;
use neargate_base::{Arn, Diagnostic};
use serde_json::{Value as Json, json};

use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};

/// Tasks that one `DescribeTasks` takes.
const TASKS_PER_CALL_MAX: usize = 100;
/// Pages of a log that one look at it reads: nobody waits for a container that prints without end.
const PAGES_PER_LOOK_MAX: usize = 8;
/// Characters of a task's id that tell it from others.
const ID_SHOWN: usize = 8;

/// All tasks of a region: those that run, and with `stopped` those that did.
pub(crate) fn list(endpoint: &Endpoint, stopped: bool) -> Result<Vec<ecs::Task>, CallError> {
    let mut found = vec![];
    for cluster in clusters(endpoint)? {
        let states: &[&str] = if stopped { &["RUNNING", "STOPPED"] } else { &["RUNNING"] };
        let mut arns = vec![];
        for state in states {
            arns.extend(task_arns(endpoint, &cluster, state)?);
        }
        arns.sort();
        arns.dedup();
        for chunk in arns.chunks(TASKS_PER_CALL_MAX) {
            found.extend(describe(endpoint, &cluster, chunk)?);
        }
    }
    found.sort_by_key(|task| (task.created_at, task.task_arn.clone()));
    Ok(found)
}

/// These tasks of a cluster.
pub(crate) fn describe(endpoint: &Endpoint, cluster: &str, tasks: &[String]) -> Result<Vec<ecs::Task>, CallError> {
    let input = ecs::DescribeTasksInput {
        cluster: Some(cluster.to_owned()),
        tasks: tasks.to_vec(),
        ..ecs::DescribeTasksInput::default()
    };
    let answer: ecs::DescribeTasksOutput = endpoint.call(&ecs::SERVICE, &ecs::DESCRIBE_TASKS, input)?;
    Ok(answer.tasks.unwrap_or_default())
}

fn clusters(endpoint: &Endpoint) -> Result<Vec<String>, CallError> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = ecs::ListClustersInput { next_token, max_results: None };
        let page: ecs::ListClustersOutput = endpoint.call(&ecs::SERVICE, &ecs::LIST_CLUSTERS, input)?;
        all.extend(page.cluster_arns.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

fn task_arns(endpoint: &Endpoint, cluster: &str, state: &str) -> Result<Vec<String>, CallError> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = ecs::ListTasksInput {
            cluster: Some(cluster.to_owned()),
            desired_status: Some(state.to_owned()),
            next_token,
            ..ecs::ListTasksInput::default()
        };
        let page: ecs::ListTasksOutput = endpoint.call(&ecs::SERVICE, &ecs::LIST_TASKS, input)?;
        all.extend(page.task_arns.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

/// What follows the last slash of an ARN.
pub(crate) fn short(arn: Option<&str>) -> &str {
    arn.and_then(|arn| arn.rsplit('/').next()).unwrap_or_default()
}

/// Whether it is the id of a task, as ECS makes them.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// As much of a task's id as people are shown.
pub(crate) fn short_id(id: &str) -> String {
    id.chars().take(ID_SHOWN).collect()
}

/// Whether the task is over.
pub(crate) fn is_stopped(task: &ecs::Task) -> bool {
    task.last_status.as_deref() == Some("STOPPED")
}

/// The first exit code that is no success, or 0 where every container that ended has one; `None` where the task did not get so far.
pub(crate) fn exit_code(task: &ecs::Task) -> Option<i32> {
    if task.stop_code.as_deref() == Some("TaskFailedToStart") {
        return None;
    }
    let codes: Vec<i32> = task.containers.iter().flatten().filter_map(|container| container.exit_code).collect();
    codes.iter().copied().find(|code| *code != 0).or_else(|| codes.first().copied())
}

/// What a task comes to as an exit of ours: its container's code; 127 or 126 where a container's program was not found or
/// may not be run; 125 where no container ran for another reason.
pub(crate) fn exit(task: &ecs::Task) -> Exit {
    let is_start = |container: &&ecs::Container| {
        container.reason.as_deref().is_some_and(|it| it.starts_with("CannotStartContainerError"))
    };
    match task.containers.iter().flatten().find(is_start) {
        Some(container) => match container.exit_code {
            Some(code @ (126 | 127)) => Exit::of_container(code),
            _ => Exit::Tool,
        },
        None => exit_code(task).map_or(Exit::Tool, Exit::of_container),
    }
}

/// A task's end, for people.
pub(crate) fn ending(task: &ecs::Task) -> String {
    let reason = task.stopped_reason.clone().unwrap_or_default();
    let containers = task.containers.iter().flatten().filter_map(|container| {
        let name = container.name.as_deref()?;
        let code = container.exit_code.map(|code| format!("exit code {code}"));
        let own = container.reason.clone().filter(|own| *own != reason);
        let parts: Vec<String> = code.into_iter().chain(own).collect();
        (!parts.is_empty()).then(|| format!("{name}: {}", parts.join(", ")))
    });
    let containers: Vec<String> = containers.collect();
    if containers.is_empty() { reason } else { format!("{reason} ({})", containers.join("; ")) }
}

/// A task as data.
pub(crate) fn to_json(task: &ecs::Task) -> Json {
    let containers = task.containers.iter().flatten().map(|container| {
        json!({
            "name": container.name, "status": container.last_status,
            "exit_code": container.exit_code, "reason": container.reason,
        })
    });
    let time = |time: Option<neargate_base::Timestamp>| time.map(|time| time.to_string());
    json!({
        "task": task.task_arn, "definition": short(task.task_definition_arn.as_deref()), "status": task.last_status,
        "created_at": time(task.created_at), "started_at": time(task.started_at), "stopped_at": time(task.stopped_at),
        "started_by": task.started_by, "stop_code": task.stop_code, "stopped_reason": task.stopped_reason,
        "containers": containers.collect::<Vec<_>>(),
    })
}

/// The one task that is meant.
pub(crate) fn find(endpoint: &Endpoint, wanted: &str) -> Outcome<ecs::Task> {
    let mut found = meant(endpoint, wanted)?;
    match (found.pop(), found.is_empty()) {
        (Some(task), true) => Ok(task),
        (Some(_), false) => {
            let message = format!("{} tasks begin with `{wanted}`, one is expected", found.len() + 1);
            Err(Failure::usage(
                Diagnostic::error(codes::NOT_FOUND, message).hint("give more of the id: `neargate task ls --all`"),
            ))
        }
        (None, _) => {
            let message = format!("there is no task `{wanted}`");
            Err(Failure::usage(
                Diagnostic::error(codes::NOT_FOUND, message).hint("see which there are with `neargate task ls --all`"),
            ))
        }
    }
}

/// The tasks that may be meant. Only the beginning of an id needs the list of all of them.
fn meant(endpoint: &Endpoint, wanted: &str) -> Result<Vec<ecs::Task>, CallError> {
    // `task/CLUSTER/ID`
    let of_arn = |arn: Arn| arn.resource.strip_prefix("task/")?.split_once('/').map(|(cluster, _)| cluster.to_owned());
    let clusters = match wanted.parse::<Arn>().ok().and_then(of_arn) {
        Some(cluster) => vec![cluster],
        None if is_id(wanted) => clusters(endpoint)?,
        None => {
            let mut all = list(endpoint, true)?;
            all.retain(|task| short(task.task_arn.as_deref()).starts_with(wanted));
            return Ok(all);
        }
    };
    let mut found = vec![];
    for cluster in clusters {
        match describe(endpoint, &cluster, &[wanted.to_owned()]) {
            // One that has gone has no tasks.
            Err(error) if error.is("ClusterNotFoundException") => {}
            tasks => found.extend(tasks?),
        }
    }
    // An ARN may be one of another account or region.
    found.retain(|task| is_id(wanted) || task.task_arn.as_deref() == Some(wanted));
    Ok(found)
}

/// Where a container's output is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The container.
    pub(crate) container: String,
    pub(crate) group: String,
    pub(crate) stream: String,
    /// The region that the task definition names for it.
    pub(crate) region: Option<String>,
}

/// The log streams of a task's containers; those without the awslogs driver have none.
pub(crate) fn streams(endpoint: &Endpoint, task: &ecs::Task) -> Result<Vec<Stream>, CallError> {
    observed(endpoint, task).map(|(streams, _)| streams)
}

/// The log streams of a task's containers, and the names of those that have none in CloudWatch Logs.
pub(crate) fn observed(endpoint: &Endpoint, task: &ecs::Task) -> Result<(Vec<Stream>, Vec<String>), CallError> {
    let definition = task.task_definition_arn.clone().unwrap_or_default();
    let input = ecs::DescribeTaskDefinitionInput { task_definition: definition, include: None };
    let answer: ecs::DescribeTaskDefinitionOutput =
        endpoint.call(&ecs::SERVICE, &ecs::DESCRIBE_TASK_DEFINITION, input)?;
    let containers = answer.task_definition.and_then(|it| it.container_definitions).into_iter().flatten();
    let id = short(task.task_arn.as_deref());
    let all: Vec<ecs::ContainerDefinition> = containers.collect();
    let stream = |container: ecs::ContainerDefinition| {
        let name = container.name?;
        let options = container.log_configuration.filter(|it| it.log_driver == "awslogs")?.options?;
        let stream = match options.get("awslogs-stream-prefix") {
            Some(prefix) => format!("{prefix}/{name}/{id}"),
            None => id.to_owned(),
        };
        let (group, region) = (options.get("awslogs-group")?.clone(), options.get("awslogs-region").cloned());
        Some(Stream { container: name, group, region, stream })
    };
    let streams: Vec<Stream> = all.iter().cloned().filter_map(stream).collect();
    let names = all.into_iter().filter_map(|container| container.name);
    let silent = names.filter(|name| !streams.iter().any(|stream| stream.container == *name)).collect();
    Ok((streams, silent))
}

/// How far each log stream has been read.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    tokens: BTreeMap<(String, String), String>,
}

/// What a stream has had: time in milliseconds and line, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<(i64, String)>,
    /// Whether there was no more.
    pub(crate) is_all: bool,
}

impl Tail {
    /// What a stream has had since the last look, or a first part of it. A stream that is not there yet has nothing.
    pub(crate) fn read(&mut self, endpoint: &Endpoint, stream: &Stream) -> Result<Lines, CallError> {
        let endpoint = endpoint.in_environment(None, stream.region.as_deref());
        let key = (stream.group.clone(), stream.stream.clone());
        let mut lines = vec![];
        for _ in 0..PAGES_PER_LOOK_MAX {
            let token = self.tokens.get(&key).cloned();
            let input = logs::GetLogEventsInput {
                log_group_name: Some(stream.group.clone()),
                log_stream_name: stream.stream.clone(),
                next_token: token.clone(),
                start_from_head: Some(true),
                ..logs::GetLogEventsInput::default()
            };
            let page: Result<logs::GetLogEventsOutput, CallError> =
                endpoint.call(&logs::SERVICE, &logs::GET_LOG_EVENTS, input);
            let page = match page {
                Err(error) if error.is("ResourceNotFoundException") => return Ok(Lines { lines, is_all: true }),
                page => page?,
            };
            let events = page.events.unwrap_or_default();
            let is_empty = events.is_empty();
            lines.extend(
                events.into_iter().map(|it| (it.timestamp.unwrap_or_default(), it.message.unwrap_or_default())),
            );
            // The end of a stream answers with the token it was asked with.
            let is_end = page.next_forward_token == token;
            if let Some(next) = page.next_forward_token {
                self.tokens.insert(key.clone(), next);
            }
            if is_end || is_empty {
                return Ok(Lines { lines, is_all: true });
            }
        }
        Ok(Lines { lines, is_all: false })
    }

    /// Streams that will not be read again.
    pub(crate) fn forget(&mut self, streams: &[Stream]) {
        for stream in streams {
            self.tokens.remove(&(stream.group.clone(), stream.stream.clone()));
        }
    }
}
