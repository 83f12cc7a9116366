//! `neargate task`.

use std::time::Duration;

use clap::{Args, Subcommand};
use neargate_api::ecs;
use neargate_base::{Diagnostic, Timestamp};
use serde_json::{Value as Json, json};

use super::EngineArgs;
use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::tasks::{self, Tail, short, short_id};

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks
    Ls(ListArgs),
    /// Write what a task's containers have written
    Logs(LogsArgs),
    /// Stop a task
    Stop(StopArgs),
}

/// Arguments of `task ls`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// Stopped tasks too
    #[arg(long)]
    all: bool,
}

/// Arguments of `task logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// The task: the beginning of its id, or its ARN
    task: String,
    /// Go on until the task has stopped
    #[arg(short, long)]
    follow: bool,
}

/// Arguments of `task stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// The task: the beginning of its id, or its ARN
    task: String,
    /// Why, for the task's `stoppedReason`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Runs a subcommand.
pub(super) fn run(command: &TaskCommand, screen: &Screen) -> Outcome {
    match command {
        TaskCommand::Ls(args) => list(args, screen),
        TaskCommand::Logs(args) => logs(args, screen),
        TaskCommand::Stop(args) => stop(args, screen),
    }
}

fn list(args: &ListArgs, screen: &Screen) -> Outcome {
    let tasks = tasks::list(&args.engine.endpoint()?, args.all)?;
    if screen.is_json() {
        screen.json(&Json::Array(tasks.iter().map(tasks::to_json).collect()));
        return Ok(Exit::Done);
    }
    if tasks.is_empty() {
        let text =
            if args.all { "no task has been started" } else { "no task runs; `--all` lists those that have stopped" };
        screen.step_in(Paint::Yellow, "nothing", text);
        return Ok(Exit::Done);
    }
    let row = |task: &ecs::Task| {
        let ending = if tasks::is_stopped(task) { tasks::ending(task) } else { String::new() };
        vec![
            short_id(short(task.task_arn.as_deref())),
            task.created_at.map(Timestamp::to_iso_seconds).unwrap_or_default(),
            task.last_status.clone().unwrap_or_default(),
            short(task.task_definition_arn.as_deref()).to_owned(),
            ending,
        ]
    };
    screen.table(&["TASK", "CREATED", "STATUS", "DEFINITION", "ENDING"], &tasks.iter().map(row).collect::<Vec<_>>());
    Ok(Exit::Done)
}

fn logs(args: &LogsArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let mut task = tasks::find(&endpoint, &args.task)?;
    let streams = tasks::streams(&endpoint, &task)?;
    if streams.is_empty() {
        let message = format!("no container of task `{}` logs to CloudWatch Logs", args.task);
        return Err(Failure::failed(
            Diagnostic::error(codes::NOT_FOUND, message).hint("give the container an `awslogs` log configuration"),
        ));
    }
    let mut tail = Tail::default();
    loop {
        let was_stopped = tasks::is_stopped(&task);
        let mut is_read = true;
        for stream in &streams {
            let read = tail.read(&endpoint, stream)?;
            is_read &= read.is_all;
            for (at_ms, line) in read.lines {
                if screen.is_json() {
                    screen.data(
                        &json!({ "container": stream.container, "timestamp": at_ms, "message": line }).to_string(),
                    );
                } else {
                    screen.container_line(&stream.container, &line);
                }
            }
        }
        if !is_read {
            continue;
        }
        if !args.follow || was_stopped {
            return Ok(Exit::Done);
        }
        std::thread::sleep(PAUSE);
        let (cluster, arn) = (task.cluster_arn.clone().unwrap_or_default(), task.task_arn.clone().unwrap_or_default());
        task = tasks::describe(&endpoint, &cluster, &[arn])?.into_iter().next().unwrap_or(task);
    }
}

fn stop(args: &StopArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let task = tasks::find(&endpoint, &args.task)?;
    if tasks::is_stopped(&task) {
        screen.step_in(Paint::Yellow, "stopped", &format!("{}  already", short(task.task_arn.as_deref())));
    } else {
        let input = ecs::StopTaskInput {
            cluster: task.cluster_arn.clone(),
            task: task.task_arn.clone().unwrap_or_default(),
            reason: args.reason.clone(),
        };
        let _: ecs::StopTaskOutput = endpoint.call(&ecs::SERVICE, &ecs::STOP_TASK, input)?;
        screen.step("stopping", short(task.task_arn.as_deref()));
    }
    if screen.is_json() {
        screen.json(&json!({ "task": task.task_arn }));
    }
    Ok(Exit::Done)
}
