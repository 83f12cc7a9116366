//! What containers write while an engine runs in the foreground, as its tasks come and go.
//!
//! Invariant: a bounded number of tasks is followed at a time, and each look at one reads a bounded part of its log: a
//! container that prints without end holds up neither the others nor what the engine says.

use std::collections::BTreeMap;

use neargate_base::Arn;
use neargate_ecs::api as ecs;

use crate::endpoint::control::Notice;
use crate::endpoint::{CallError, Endpoint};
use crate::screen::{Paint, Screen};
use crate::tasks::{self, Stream, Tail, short, short_id};

/// Tasks that are followed at a time.
const TASKS_MAX: usize = 64;

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
}

impl Output {
    /// Follows the task that a notice is about, if it is about one that is new.
    pub(crate) fn hear(&mut self, screen: &Screen, endpoint: &Endpoint, notice: &Notice) -> Result<(), CallError> {
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
        self.tasks.insert(notice.subject.clone(), Followed { endpoint, task, streams });
        Ok(())
    }

    /// Shows what has come since the last look, and lets go of tasks that are over.
    pub(crate) fn look(&mut self, screen: &Screen) -> Result<(), CallError> {
        let mut over = vec![];
        for (arn, followed) in &self.tasks {
            let cluster = followed.task.cluster_arn.as_deref().unwrap_or_default();
            let now = tasks::describe(&followed.endpoint, cluster, std::slice::from_ref(arn))?.into_iter().next();
            let is_over = now.as_ref().is_none_or(tasks::is_stopped);
            // Read after the task was described: once it has stopped, its log is complete.
            let mut is_read = true;
            for stream in &followed.streams {
                let lines = self.tail.read(&followed.endpoint, stream)?;
                is_read &= lines.is_all;
                let label = self.label(stream, arn);
                lines.lines.iter().for_each(|(_, line)| screen.container_line(&label, line));
            }
            if is_over && is_read {
                over.push(arn.clone());
            }
        }
        for arn in over {
            if let Some(followed) = self.tasks.remove(&arn) {
                self.tail.forget(&followed.streams);
            }
        }
        Ok(())
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
