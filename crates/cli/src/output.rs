//! What containers write while an engine runs in the foreground, as its tasks come and go.
//!
//! Invariant: a bounded number of tasks is followed at a time, and each look at one reads a bounded part of its log: a
//! container that prints without end holds up neither the others nor what the engine says.

use std::collections::BTreeMap;

use neargate_api::ecs;
use neargate_base::Arn;

use crate::endpoint::control::Notice;
use crate::endpoint::{CallError, Endpoint};
use crate::screen::{Paint, Screen};
use crate::tasks::{self, Stream, Tail, short, short_id};

/// Tasks that are followed at a time.
const TASKS_MAX: usize = 64;
/// Looks in a row that may fail before a task is let go of: its cluster is gone, say.
const FAILURES_MAX: u32 = 20;

/// The tasks that are followed.
#[derive(Debug, Default)]
pub(crate) struct Output {
    tasks: BTreeMap<String, Followed>,
    tail: Tail,
    has_said_more: bool,
}

#[derive(Debug)]
struct Followed {
    endpoint: Endpoint,
    task: ecs::Task,
    streams: Vec<Stream>,
    /// Looks in a row that failed.
    failures: u32,
}

impl Output {
    /// Follows the task that a notice is about, if it is about one that is new. One that cannot be asked for is not shown.
    pub(crate) fn hear(&mut self, screen: &Screen, endpoint: &Endpoint, notice: &Notice) {
        let _ = self.follow(screen, endpoint, notice);
    }

    fn follow(&mut self, screen: &Screen, endpoint: &Endpoint, notice: &Notice) -> Result<(), CallError> {
        let Ok(arn) = notice.subject.parse::<Arn>() else { return Ok(()) };
        let is_new =
            arn.service == "ecs" && arn.resource.starts_with("task/") && !self.tasks.contains_key(&notice.subject);
        let Some(cluster) = arn.resource.split('/').nth(1).filter(|_| is_new) else { return Ok(()) };
        if self.tasks.len() >= TASKS_MAX {
            if !std::mem::replace(&mut self.has_said_more, true) {
                let text = format!("{TASKS_MAX} tasks at a time are; `neargate task logs ID` has the others' lines");
                screen.step_in(Paint::Yellow, "not shown", &text);
            }
            return Ok(());
        }
        let endpoint = endpoint.in_environment(Some(&arn.account), Some(&arn.region));
        let found = tasks::describe(&endpoint, cluster, std::slice::from_ref(&notice.subject))?.into_iter().next();
        // One that had ended when it was first heard of is over; its lines were shown.
        let Some(task) = found.filter(|task| !tasks::is_stopped(task) || task.started_at.is_some()) else {
            return Ok(());
        };
        let streams = tasks::streams(&endpoint, &task)?;
        self.tasks.insert(notice.subject.clone(), Followed { endpoint, task, streams, failures: 0 });
        Ok(())
    }

    /// Shows what has come since the last look, and lets go of tasks that are over.
    pub(crate) fn look(&mut self, screen: &Screen) {
        let mut over = vec![];
        for arn in self.tasks.keys().cloned().collect::<Vec<_>>() {
            let is_over = self.look_at(screen, &arn);
            let Some(followed) = self.tasks.get_mut(&arn) else { continue };
            followed.failures = if is_over.is_err() { followed.failures + 1 } else { 0 };
            if is_over.unwrap_or(followed.failures >= FAILURES_MAX) {
                over.push(arn);
            }
        }
        for arn in over {
            if let Some(followed) = self.tasks.remove(&arn) {
                self.tail.forget(&followed.streams);
            }
        }
    }

    /// Shows what has come of one task; answers whether that was all.
    fn look_at(&mut self, screen: &Screen, arn: &str) -> Result<bool, CallError> {
        let Some(followed) = self.tasks.get(arn) else { return Ok(true) };
        let cluster = followed.task.cluster_arn.as_deref().unwrap_or_default();
        let now = tasks::describe(&followed.endpoint, cluster, &[arn.to_owned()])?.into_iter().next();
        let is_over = now.as_ref().is_none_or(tasks::is_stopped);
        // Read after the task was described: once it has stopped, its log is complete.
        let mut is_read = true;
        for stream in &followed.streams {
            let lines = self.tail.read(&followed.endpoint, stream)?;
            is_read &= lines.is_all;
            let label = self.label(stream, arn);
            lines.lines.iter().for_each(|(_, line)| screen.container_line(&label, line));
        }
        Ok(is_over && is_read)
    }

    /// The container, and the task where others have a container of that name.
    fn label(&self, stream: &Stream, arn: &str) -> String {
        let has = |it: &Followed| it.streams.iter().any(|other| other.container == stream.container);
        let others = self.tasks.iter().filter(|(other, it)| *other != arn && has(it)).count();
        match others {
            0 => stream.container.clone(),
            _ => format!("{} [{}]", stream.container, short_id(short(Some(arn)))),
        }
    }
}
