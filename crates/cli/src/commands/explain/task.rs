//! `neargate explain task`: from the event, schedule or request over rule and target to each container's end.

use clap::Args;
use neargate_api::ecs;
use neargate_base::Timestamp;
use serde_json::{Value as Json, json};

use crate::commands::EngineArgs;
use crate::endpoint::control::Link;
use crate::outcome::{Exit, Outcome};
use crate::screen::{Paint, Screen};
use crate::tasks::{self, short};

/// Arguments of `explain task`.
#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// The task: the beginning of its id, or its ARN
    task: String,
}

/// Explains the task.
pub(super) fn run(args: &TaskArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let task = tasks::find(&endpoint, &args.task)?;
    let links = endpoint.causes(short(task.task_arn.as_deref()))?;
    if screen.is_json() {
        let causes = links.iter().map(|it| json!({ "kind": it.kind, "id": it.id, "name": it.name, "time": it.time }));
        let mut document = tasks::to_json(&task);
        if let Some(members) = document.as_object_mut() {
            members.insert("causes".to_owned(), causes.collect());
            members.insert("cluster".to_owned(), task.cluster_arn.clone().into());
            members.insert("launch_type".to_owned(), task.launch_type.clone().into());
            members.insert("times".to_owned(), times(&task));
            members.insert("containers".to_owned(), containers(&task));
            members.insert("overrides".to_owned(), overrides(&task));
        }
        screen.json(&document);
        return Ok(Exit::Done);
    }
    let mut lines: Vec<Line> = links.iter().map(cause).collect();
    lines.extend(life(&task));
    let last = lines.len() - 1;
    let width = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    let mut day = String::new();
    for (at, line) in lines.iter().enumerate() {
        let time = line.time.map(|it| it.to_string()).unwrap_or_default();
        let (date, clock) = time.split_once('T').unwrap_or_default();
        if !date.is_empty() && date != day {
            screen.data(&screen.data_paint(Paint::Dim, date));
            date.clone_into(&mut day);
        }
        let clock = screen.data_paint(Paint::Dim, &format!("{:<12}", clock.trim_end_matches('Z')));
        let what = format!("{:<width$}", line.what);
        let paint = if at == last && tasks::is_stopped(&task) { ending_paint(&task) } else { Paint::Cyan };
        screen.data(format!("  {clock}  {}  {}", screen.data_paint(paint, &what), line.text).trim_end());
    }
    Ok(Exit::Done)
}

/// A line on the screen.
struct Line {
    time: Option<Timestamp>,
    what: String,
    text: String,
}

impl Line {
    fn new(time: Option<Timestamp>, what: &str, text: impl Into<String>) -> Self {
        Self { time, what: what.to_owned(), text: text.into() }
    }
}

/// A link before the task; its name begins with its kind, which has a column of its own.
fn cause(link: &Link) -> Line {
    let name = link.name.strip_prefix(&link.kind).map_or(link.name.as_str(), str::trim_start);
    let text = match (link.kind.as_str(), name.split_once(" as `arn:")) {
        ("event", _) => format!("{name}, id {}", link.id),
        // The role's name will do for people.
        ("target", Some((target, role))) => format!("{target}, as role `{}`", short(Some(role)).trim_end_matches('`')),
        _ => name.to_owned(),
    };
    Line::new(link.time.as_deref().and_then(|time| time.parse().ok()), &link.kind, text)
}

/// What became of the task.
fn life(task: &ecs::Task) -> Vec<Line> {
    let size = format!(
        "{}, {} CPU units, {} MiB",
        task.capacity_provider_name.as_deref().or(task.launch_type.as_deref()).unwrap_or("FARGATE"),
        task.cpu.as_deref().unwrap_or("?"),
        task.memory.as_deref().unwrap_or("?"),
    );
    let mut lines = vec![
        Line::new(task.created_at, "task", short(task.task_arn.as_deref())),
        Line::new(None, "definition", format!("`{}`", short(task.task_definition_arn.as_deref()))),
        Line::new(None, "cluster", format!("`{}`", short(task.cluster_arn.as_deref()))),
        Line::new(None, "runs on", size),
    ];
    lines.extend(given(task).into_iter().map(|text| Line::new(None, "given", text)));
    if task.pull_stopped_at.is_some() {
        lines.push(Line::new(task.pull_stopped_at, "pulled", "the images"));
    }
    if task.started_at.is_some() {
        lines.push(Line::new(task.started_at, "running", String::new()));
    }
    for container in task.containers.iter().flatten() {
        let image = container.image.as_deref().unwrap_or_default();
        let mut parts = vec![format!("`{}` from `{image}`", container.name.as_deref().unwrap_or_default())];
        match container.exit_code {
            Some(code) => parts.push(format!("exit code {code}")),
            None => parts.push(container.last_status.clone().unwrap_or_default().to_lowercase()),
        }
        parts.extend(container.reason.clone().filter(|reason| Some(reason) != task.stopped_reason.as_ref()));
        lines.push(Line::new(None, "container", parts.join(", ")));
    }
    if let Some(code) = &task.stop_code {
        let reason = task.stopped_reason.as_deref().unwrap_or_default();
        let is_over = tasks::is_stopped(task);
        let time = if is_over { task.stopped_at } else { task.stopping_at };
        lines.push(Line::new(time, if is_over { "stopped" } else { "stopping" }, format!("{code}: {reason}")));
    }
    lines
}

/// What the task was given over its definition, a line a container: what a target's input came to, or what `RunTask` said.
fn given(task: &ecs::Task) -> Vec<String> {
    let Some(all) = &task.overrides else { return vec![] };
    let line = |it: &ecs::ContainerOverride| {
        let command = it.command.as_ref().filter(|words| !words.is_empty());
        let command =
            command.map(|words| format!("command {}", words.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(" ")));
        let variable = |it: &ecs::KeyValuePair| {
            format!("{}={}", it.name.as_deref().unwrap_or_default(), quoted(it.value.as_deref().unwrap_or_default()))
        };
        let environment = it.environment.iter().flatten().map(variable);
        let number = |name: &str, value: Option<i32>| value.map(|value| format!("{name} {value}"));
        let sizes =
            [number("cpu", it.cpu), number("memory", it.memory), number("memory reservation", it.memory_reservation)];
        let parts: Vec<String> = command.into_iter().chain(environment).chain(sizes.into_iter().flatten()).collect();
        (!parts.is_empty()).then(|| format!("`{}`: {}", it.name.as_deref().unwrap_or_default(), parts.join(", ")))
    };
    let own = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let roles = [
        own("cpu", &all.cpu),
        own("memory", &all.memory),
        own("task role", &all.task_role_arn),
        own("execution role", &all.execution_role_arn),
    ];
    let containers = all.container_overrides.iter().flatten().filter_map(line);
    containers.chain(roles.into_iter().flatten()).collect()
}

/// A word as a shell would have it, where it is not one as it stands.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.escape_debug().to_string().replace("\\'", "'\\''")),
    }
}

fn overrides(task: &ecs::Task) -> Json {
    let container = |it: &ecs::ContainerOverride| {
        let environment = it.environment.iter().flatten().filter_map(|it| Some((it.name.clone()?, json!(it.value))));
        json!({
            "name": it.name, "command": it.command, "environment": environment.collect::<serde_json::Map<_, _>>(),
            "cpu": it.cpu, "memory": it.memory, "memory_reservation": it.memory_reservation,
        })
    };
    let all = task.overrides.clone().unwrap_or_default();
    json!({
        "containers": all.container_overrides.iter().flatten().map(container).collect::<Vec<_>>(),
        "cpu": all.cpu, "memory": all.memory, "task_role": all.task_role_arn, "execution_role": all.execution_role_arn,
    })
}

fn ending_paint(task: &ecs::Task) -> Paint {
    if tasks::exit_code(task) == Some(0) { Paint::Green } else { Paint::Red }
}

fn times(task: &ecs::Task) -> Json {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    json!({
        "created": text(task.created_at), "pull_started": text(task.pull_started_at),
        "pull_stopped": text(task.pull_stopped_at), "started": text(task.started_at),
        "stopping": text(task.stopping_at), "stopped": text(task.stopped_at),
    })
}

fn containers(task: &ecs::Task) -> Json {
    let container = |it: &ecs::Container| {
        let is_out_of_memory = it.reason.as_deref().is_some_and(|reason| reason.starts_with("OutOfMemoryError"));
        json!({
            "name": it.name, "image": it.image, "status": it.last_status, "exit_code": it.exit_code,
            "reason": it.reason, "out_of_memory": is_out_of_memory,
        })
    };
    task.containers.iter().flatten().map(container).collect()
}
