//! What a task needs next: pure, so that it can be tried on every history.

use crate::state::{Condition, Container, Phase, Task};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Every container has started: the task is running.
    BecomeRunning,
    /// Order a container to start.
    Start(String),
    /// The task is to end.
    EndTask { code: &'static str, reason: String },
    /// Order containers to stop.
    Stop(Vec<String>),
    /// Nothing runs any more: order the rest to be removed.
    Remove,
}

/// The steps that are due, in order. Taking them all leaves none due until there is news.
pub(crate) fn decide(task: &Task) -> Vec<Step> {
    if !task.is_wanted() {
        return end(task);
    }
    if let Some(ending) = ending(task) {
        return vec![ending];
    }
    let mut steps: Vec<_> = task
        .containers
        .iter()
        .filter(|container| container.phase == Phase::Waiting && !container.start_ordered && is_free(task, container))
        .map(|container| Step::Start(container.name().to_owned()))
        .collect();
    let all_started = task.containers.iter().all(|container| container.phase != Phase::Waiting);
    if all_started && (task.is("PENDING") || task.is("ACTIVATING")) {
        steps.push(Step::BecomeRunning);
    }
    steps
}

/// Why the task must end, if it must.
fn ending(task: &Task) -> Option<Step> {
    let code = "EssentialContainerExited";
    if task.containers.iter().any(|container| container.essential && container.has_ended()) {
        return Some(Step::EndTask { code, reason: "Essential container in task exited".to_owned() });
    }
    if task.containers.iter().all(Container::has_ended) {
        return Some(Step::EndTask { code, reason: "All containers in task exited".to_owned() });
    }
    let stuck =
        task.containers.iter().find(|container| container.phase == Phase::Waiting && is_stuck(task, container))?;
    let reason = format!("ResourceInitializationError: dependency of container {} can never be met", stuck.name());
    Some(Step::EndTask { code: "TaskFailedToStart", reason })
}

fn end(task: &Task) -> Vec<Step> {
    let is_over = |container: &Container| container.has_ended() || !container.start_ordered;
    if task.containers.iter().all(is_over) {
        return if task.remove_effect.is_none() { vec![Step::Remove] } else { vec![] };
    }
    let to_stop: Vec<_> = task
        .containers
        .iter()
        .filter(|container| !is_over(container) && !container.stop_ordered && !is_needed(task, container))
        .map(|container| container.name().to_owned())
        .collect();
    if to_stop.is_empty() { vec![] } else { vec![Step::Stop(to_stop)] }
}

/// Whether everything a container waits for has come about.
fn is_free(task: &Task, container: &Container) -> bool {
    container.depends_on.iter().all(|(name, condition)| {
        task.containers.iter().filter(|other| other.name() == name).all(|other| match (condition, other.phase) {
            (Condition::Start, phase) => phase != Phase::Waiting,
            (Condition::Complete, phase) => matches!(phase, Phase::Ended { .. }),
            (Condition::Success, phase) => phase == Phase::Ended { exit_code: Some(0) },
        })
    })
}

/// Whether something a container waits for cannot come about any more.
fn is_stuck(task: &Task, container: &Container) -> bool {
    container.depends_on.iter().any(|(name, condition)| {
        *condition == Condition::Success
            && task.containers.iter().any(|other| {
                other.name() == name && other.has_ended() && other.phase != Phase::Ended { exit_code: Some(0) }
            })
    })
}

/// Whether a container that still runs depends on this one: dependencies stop in reverse order.
fn is_needed(task: &Task, container: &Container) -> bool {
    task.containers
        .iter()
        .any(|other| other.phase == Phase::Running && other.depends_on.iter().any(|(name, _)| name == container.name()))
}
