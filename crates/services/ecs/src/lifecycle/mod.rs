//! A task's life: launched by `RunTask`, moved on by the driver's news, ended by a container, a user or a failure.
//!
//! ```text
//! PROVISIONING ─▶ PENDING ─▶ RUNNING ─▶ DEACTIVATING ─▶ STOPPING ─▶ DEPROVISIONING ─▶ STOPPED
//!   interface     images,     containers    an essential container ended,     nothing    interface
//!                 log streams  run           StopTask, a failure               runs       given back
//! ```
//!
//! Invariant: every change of `lastStatus` or `desiredStatus` raises `version` and publishes `ECS Task State Change`.

mod launch;
mod logs;
mod news;

use neargate_base::Timestamp;
use neargate_kernel::{Cx, Event, Fault, Notice, NoticeKind};
use neargate_shape::{Value, Wire};

pub(crate) use launch::{dependencies, launch, log_route};
pub(crate) use news::report;

use crate::api;
use crate::decide::{Step, decide};
use crate::order::{DRIVER, Order};
use crate::retention::wait_for_sweep;
use crate::state::Task;

/// Takes every step that is due for a task.
pub(crate) fn advance(cx: &mut Cx<'_>, id: &str) -> Result<(), Fault> {
    loop {
        let Some(task) = cx.get::<Task>(id) else { return Ok(()) };
        if task.is("STOPPED") {
            return Ok(());
        }
        let steps = decide(task);
        if steps.is_empty() {
            return Ok(());
        }
        for step in steps {
            take(cx, id, step)?;
        }
    }
}

fn take(cx: &mut Cx<'_>, id: &str, step: Step) -> Result<(), Fault> {
    let task = id.to_owned();
    match step {
        Step::BecomeRunning => {
            let now = cx.time();
            cx.update::<Task, _>(id, |task| {
                task.view.started_at = Some(now);
                task.view.connectivity = Some("CONNECTED".to_owned());
                task.view.connectivity_at.get_or_insert(now);
            });
            become_status(cx, id, "RUNNING")
        }
        Step::Start(container) => {
            cx.update::<Task, _>(id, |task| task.container_mut(&container).map(|it| it.start_ordered = true));
            cx.emit(DRIVER, order(&Order::Start { task, container })?);
            Ok(())
        }
        Step::EndTask { code, reason } => end(cx, id, code, &reason),
        Step::Stop(containers) => {
            cx.update::<Task, _>(id, |task| {
                for name in &containers {
                    if let Some(it) = task.container_mut(name) {
                        it.stop_ordered = true;
                    }
                }
            });
            cx.emit(DRIVER, order(&Order::Stop { task, containers })?);
            Ok(())
        }
        Step::Remove => remove(cx, id),
    }
}

/// Decides that a task is to end; the first reason given stays.
pub(crate) fn end(cx: &mut Cx<'_>, id: &str, code: &str, reason: &str) -> Result<(), Fault> {
    let now = cx.time();
    let ended = cx.update::<Task, _>(id, |task| {
        let is_first = task.is_wanted();
        if is_first {
            task.view.desired_status = Some("STOPPED".to_owned());
            task.view.stop_code = Some(code.to_owned());
            task.view.stopped_reason = Some(reason.to_owned());
            task.view.stopping_at = Some(now);
            if code == "EssentialContainerExited" {
                task.view.execution_stopped_at = Some(now);
            }
        }
        is_first
    });
    if ended != Some(true) {
        return Ok(());
    }
    if cx.get::<Task>(id).is_some_and(|task| task.is("RUNNING")) {
        become_status(cx, id, "DEACTIVATING")?;
        become_status(cx, id, "STOPPING")?;
    }
    Ok(())
}

/// Everything has ended: what is left on the machine is to go, or, where nothing ever was, the task is over.
fn remove(cx: &mut Cx<'_>, id: &str) -> Result<(), Fault> {
    let now = cx.time();
    cx.update::<Task, _>(id, |task| {
        task.view.execution_stopped_at.get_or_insert(now);
        for container in &mut task.containers {
            container.view.last_status = Some("STOPPED".to_owned());
        }
    });
    become_status(cx, id, "DEPROVISIONING")?;
    if cx.get::<Task>(id).is_some_and(|task| task.run_effect.is_none()) {
        return gone(cx, id);
    }
    let effect = cx.emit(DRIVER, order(&Order::Remove { task: id.to_owned() })?);
    cx.update::<Task, _>(id, |task| task.remove_effect = Some(effect));
    Ok(())
}

/// Nothing is left of the task: it gives its interface back and is over.
fn gone(cx: &mut Cx<'_>, id: &str) -> Result<(), Fault> {
    let now = cx.time();
    let interface = cx.update::<Task, _>(id, |task| {
        task.view.stopped_at = Some(now);
        for attachment in task.view.attachments.iter_mut().flatten() {
            attachment.status = Some("DELETED".to_owned());
        }
        task.interface.take()
    });
    if let Some(interface) = interface.flatten() {
        cx.registry.ports.networks.detach(cx, &interface.id);
    }
    become_status(cx, id, "STOPPED")?;
    wait_for_sweep(cx);
    tell(cx, id);
    Ok(())
}

/// Says how a task ended.
fn tell(cx: &mut Cx<'_>, id: &str) {
    let Some(task) = cx.get::<Task>(id) else { return };
    let failed = task.view.stop_code.as_deref() == Some("TaskFailedToStart");
    let kind = if failed { NoticeKind::Failed } else { NoticeKind::Progress };
    let reason = task.view.stopped_reason.clone().unwrap_or_default();
    let codes: Vec<_> = task
        .containers
        .iter()
        .filter_map(|container| Some(format!("`{}` exit code {}", container.name(), container.view.exit_code?)))
        .collect();
    let codes = if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
    let (subject, text) = (task.arn().to_owned(), format!("task {} stopped: {reason}{codes}", task.id()));
    cx.notice(Notice { kind, subject, text, hint: None });
}

/// Changes `lastStatus` and tells the bus.
pub(crate) fn become_status(cx: &mut Cx<'_>, id: &str, status: &str) -> Result<(), Fault> {
    let now = cx.time();
    let task = cx.update::<Task, _>(id, |task| {
        task.view.last_status = Some(status.to_owned());
        task.view.version = Some(task.view.version.unwrap_or(0) + 1);
        task.to_api()
    });
    let Some(task) = task else { return Ok(()) };
    let detail = event_detail(task, now);
    let resources = detail.get("taskArn").and_then(|arn| arn.as_str()).map(str::to_owned).into_iter().collect();
    cx.publish(Event { source: "aws.ecs", detail_type: "ECS Task State Change", resources, detail })
}

/// A task as `ECS Task State Change` carries it: like `DescribeTasks`, with times as text.
fn event_detail(mut task: api::Task, now: Timestamp) -> serde_json::Value {
    task.tags = None;
    let mut detail = neargate_shape::to_json(&times_as_text(task.into_value()));
    if let Some(members) = detail.as_object_mut() {
        members.insert("updatedAt".to_owned(), now.to_string().into());
    }
    detail
}

fn times_as_text(value: Value) -> Value {
    match value {
        Value::Timestamp(time) => Value::String(time.to_string()),
        Value::List(items) => Value::List(items.into_iter().map(times_as_text).collect()),
        Value::Structure(members) => {
            Value::Structure(members.into_iter().map(|(name, value)| (name, times_as_text(value))).collect())
        }
        other => other,
    }
}

/// An order in the form in which it is kept.
pub(crate) fn order(order: &Order) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(order).map_err(|error| Fault::internal(error.to_string()))
}
