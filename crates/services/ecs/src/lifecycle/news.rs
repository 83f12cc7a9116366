//! What the driver reports, turned into what the task is.

use neargate_kernel::{Cx, Effect, Fault, Lines, Notice, NoticeKind, Report};
use serde::Deserialize;

use super::{advance, end, gone, logs};
use crate::order::{News, task_of};
use crate::state::{Phase, Task};

/// Takes a driver's news about an order.
pub(crate) fn report(cx: &mut Cx<'_>, effect: &Effect, report: &Report) -> Result<(), Fault> {
    let id = task_of(effect).ok_or_else(|| Fault::internal("an order without a task"))?;
    let news = News::deserialize(&report.news).map_err(|error| Fault::internal(format!("unreadable news: {error}")))?;
    if cx.get::<Task>(id).is_none() {
        return Ok(());
    }
    if let News::Output { container, next_offset } = news {
        let none = Lines::default();
        let lines = report.payload.as_deref().and_then(|payload| payload.downcast_ref()).unwrap_or(&none);
        output(cx, id, &container, lines, next_offset);
        // What a container says moves no task on.
        return Ok(());
    }
    take(cx, id, news)?;
    advance(cx, id)
}

fn take(cx: &mut Cx<'_>, id: &str, news: News) -> Result<(), Fault> {
    let now = cx.time();
    match news {
        News::PullStarted => {
            cx.update::<Task, _>(id, |task| *task.view.pull_started_at.get_or_insert(now));
        }
        News::PullStopped { digests } => {
            cx.update::<Task, _>(id, |task| {
                task.view.pull_stopped_at.get_or_insert(now);
                for (name, digest) in digests {
                    if let Some(it) = task.container_mut(&name) {
                        it.view.image_digest = Some(digest);
                    }
                }
            });
        }
        News::CannotMake { container, reason, hint } => {
            fail_container(cx, id, &container, &reason, None);
            none_started(cx, id);
            warn(cx, id, &reason, Some(hint));
            end(cx, id, "TaskFailedToStart", &reason)?;
        }
        News::Started { container, pid } => started(cx, id, &container, pid),
        News::CannotStart { container, reason, exit_code, hint } => {
            fail_container(cx, id, &container, &reason, exit_code);
            if cx.get::<Task>(id).is_some_and(Task::is_wanted) {
                warn(cx, id, &format!("container `{container}`: {reason}"), hint);
                end(cx, id, "TaskFailedToStart", &reason)?;
            }
        }
        // As on AWS: no exit code and no reason, for nothing of it failed.
        News::NeverStarted { container, .. } if !cx.get::<Task>(id).is_some_and(Task::is_wanted) => {
            cx.update::<Task, _>(id, |task| {
                if let Some(it) = task.container_mut(&container).filter(|it| !it.has_ended()) {
                    it.phase = Phase::Ended { exit_code: None };
                    it.view.last_status = Some("STOPPED".to_owned());
                }
            });
        }
        News::NeverStarted { container, reason } => {
            fail_container(cx, id, &container, &reason, None);
            warn(cx, id, &format!("container `{container}`: {reason}"), None);
            end(cx, id, "TaskFailedToStart", &reason)?;
        }
        News::Exited { container, exit_code, oom_killed } => exited(cx, id, &container, exit_code, oom_killed),
        News::Remark { text } => cx.not_simulated(id, text),
        News::Lost { reason } => {
            cx.update::<Task, _>(id, |task| {
                for container in task.containers.iter_mut().filter(|container| !container.has_ended()) {
                    container.phase = Phase::Ended { exit_code: None };
                    container.view.last_status = Some("STOPPED".to_owned());
                    container.view.reason = Some(reason.clone());
                }
            });
            warn(cx, id, &reason, None);
            end(cx, id, "TaskFailedToStart", &reason)?;
        }
        News::CannotProvision { reason, hint } => {
            none_started(cx, id);
            warn(cx, id, &reason, hint);
            end(cx, id, "TaskFailedToStart", &reason)?;
        }
        News::Gone => gone(cx, id)?,
        News::Output { .. } | News::Done => {}
    }
    Ok(())
}

fn started(cx: &mut Cx<'_>, id: &str, container: &str, pid: u32) {
    let runtime = format!("{id}-{:010}", pid);
    cx.update::<Task, _>(id, |task| {
        if let Some(it) = task.container_mut(container).filter(|it| !it.has_ended()) {
            it.phase = Phase::Running;
            it.pid = pid;
            it.view.last_status = Some("RUNNING".to_owned());
            it.view.runtime_id = Some(runtime);
        }
    });
}

fn fail_container(cx: &mut Cx<'_>, id: &str, container: &str, reason: &str, exit_code: Option<i32>) {
    cx.update::<Task, _>(id, |task| {
        if let Some(it) = task.container_mut(container).filter(|it| !it.has_ended()) {
            it.phase = Phase::Ended { exit_code };
            it.view.last_status = Some("STOPPED".to_owned());
            it.view.reason = Some(reason.to_owned());
            it.view.exit_code = exit_code;
        }
    });
}

/// What has not ended by now never will: nothing of the task was started.
pub(super) fn none_started(cx: &mut Cx<'_>, id: &str) {
    cx.update::<Task, _>(id, |task| {
        for container in task.containers.iter_mut().filter(|container| !container.has_ended()) {
            container.phase = Phase::Ended { exit_code: None };
        }
    });
}

fn exited(cx: &mut Cx<'_>, id: &str, container: &str, exit_code: i32, oom_killed: bool) {
    cx.update::<Task, _>(id, |task| {
        // The first end is the true one: after a restart it may come again.
        if let Some(it) = task.container_mut(container).filter(|it| !it.has_ended()) {
            it.phase = Phase::Ended { exit_code: Some(exit_code) };
            it.view.last_status = Some("STOPPED".to_owned());
            it.view.exit_code = Some(exit_code);
            if oom_killed {
                it.view.reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
            }
        }
    });
}

/// Logs what has not been logged yet: after a restart the driver begins where it can be sure.
fn output(cx: &mut Cx<'_>, id: &str, container: &str, lines: &Lines, next_offset: u64) {
    let Some(task) = cx.share::<Task>(id) else { return };
    let Some(it) = task.containers.iter().find(|it| it.name() == container) else { return };
    if next_offset <= it.offset {
        return;
    }
    if let Some(route) = &it.log {
        logs::put_lines(cx, &task, route, lines);
    }
    cx.update::<Task, _>(id, |task| task.container_mut(container).map(|it| it.offset = next_offset));
}

fn warn(cx: &mut Cx<'_>, id: &str, text: &str, hint: Option<String>) {
    let subject = cx.get::<Task>(id).map(|task| task.arn().to_owned()).unwrap_or_default();
    cx.notice(Notice { kind: NoticeKind::Failed, subject, text: text.to_owned(), hint });
}
