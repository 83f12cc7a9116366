//! Backward: deletes what was made, puts back what was changed, cleans up after updates.

use std::collections::BTreeMap;

use neargate_kernel::{Action, Cx, Fault};

use super::run::take;
use super::{become_status, failed, held, keep, template};
use crate::state::{Goal, Resource, Stack, resource_key};
use crate::world::{Answer, evaluate};

/// Deletes the next resource that nothing left needs; the stack is over when none is left.
pub(super) fn delete_next(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    let resources = held(cx, stack);
    if resources.values().any(Resource::is_under_way) {
        return Ok(false);
    }
    let stuck: Vec<_> = resources.values().filter(|it| it.status == "DELETE_FAILED").map(|it| it.logical_id.as_str()).collect();
    if !stuck.is_empty() {
        let reason = Some(format!("The following resource(s) failed to delete: [{}].", stuck.join(", ")));
        let status = if stack.goal == Goal::Delete { "DELETE_FAILED" } else { "ROLLBACK_FAILED" };
        become_status(cx, stack, Goal::None, status, reason);
        return Ok(false);
    }
    match next_to_delete(&resources) {
        Some(resource) => {
            let keeps = stack.retained.contains(&resource.logical_id) || (resource.retained && stack.goal == Goal::Delete);
            delete(cx, stack, resource.clone(), keeps);
            Ok(true)
        }
        None => {
            let (goal, status) =
                if stack.goal == Goal::Delete { (Goal::None, "DELETE_COMPLETE") } else { (Goal::None, "ROLLBACK_COMPLETE") };
            become_status(cx, stack, goal, status, None);
            Ok(false)
        }
    }
}

/// The last in order of logical id among those that no other needs: the order is the same on every run.
fn next_to_delete(resources: &BTreeMap<String, Resource>) -> Option<&Resource> {
    let there = || resources.values().filter(|it| it.is_there());
    there().rfind(|it| !there().any(|other| other.needs.contains(&it.logical_id)))
}

fn delete(cx: &mut Cx<'_>, stack: &Stack, resource: Resource, keeps: bool) {
    if keeps {
        return keep(cx, stack, resource, "DELETE_SKIPPED", None);
    }
    keep(cx, stack, resource.clone(), "DELETE_IN_PROGRESS", None);
    take(cx, stack, resource, Action::Delete, None);
}

/// Puts back the next resource that a failed update made or changed.
pub(super) fn put_back_next(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    let resources = held(cx, stack);
    if resources.values().any(Resource::is_under_way) {
        return Ok(false);
    }
    let Some(resource) = resources.values().find(|it| it.before.is_some()).cloned() else {
        if let Some(before) = stack.before.clone() {
            cx.update::<Stack, _>(&stack.key, |stack| stack.source = before);
        }
        become_status(cx, stack, Goal::CleanUp, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None);
        return Ok(true);
    };
    put_back(cx, stack, resource);
    Ok(true)
}

fn put_back(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    let Some(before) = resource.before.take() else { return };
    let key = resource_key(&stack.key, &resource.logical_id);
    let made = resource.state.clone();
    let Some(old) = before.state.clone() else {
        // It was not there: what was made of it goes in the clean-up.
        resource.replaced.extend(made);
        resource.state = None;
        "DELETE_COMPLETE".clone_into(&mut resource.status);
        cx.put(&key, resource);
        return;
    };
    let changed = std::mem::replace(&mut resource.properties, before.properties);
    resource.needs = before.needs;
    resource.retained = before.retained;
    let was_replaced = made.as_ref().is_none_or(|made| made.physical_id != old.physical_id);
    if was_replaced {
        resource.replaced.retain(|state| state.physical_id != old.physical_id);
        resource.replaced.extend(made);
        resource.state = Some(old);
        return keep(cx, stack, resource, "UPDATE_COMPLETE", None);
    }
    resource.state = Some(old);
    if changed == resource.properties {
        "UPDATE_COMPLETE".clone_into(&mut resource.status);
        cx.put(&key, resource);
        return;
    }
    keep(cx, stack, resource.clone(), "UPDATE_IN_PROGRESS", None);
    take(cx, stack, resource, Action::Update, Some(&changed));
}

/// Deletes the next thing that an update has left over: replaced ones, and resources that the template has no more.
pub(super) fn clean_up_next(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    let resources = held(cx, stack);
    if resources.values().any(Resource::is_under_way) {
        return Ok(false);
    }
    if let Some(resource) = resources.values().find(|it| !it.replaced.is_empty()) {
        delete_replaced(cx, stack, resource.clone());
        return Ok(true);
    }
    let template = template(&stack.source.template)?;
    let wanted: Vec<String> = evaluate(cx, stack, &template, &resources, |evaluator, _| {
        Ok(Answer::Is(evaluator.graph().ids().iter().map(|id| (*id).to_owned()).collect()))
    })?;
    let there: BTreeMap<String, Resource> = resources.clone();
    let gone = |it: &&Resource| it.is_there() && !it.has_failed() && !wanted.contains(&it.logical_id);
    let free = |it: &&Resource| !there.values().filter(|other| gone(other)).any(|other| other.needs.contains(&it.logical_id));
    if let Some(resource) = there.values().filter(gone).rfind(free) {
        let keeps = resource.retained;
        delete(cx, stack, resource.clone(), keeps);
        return Ok(true);
    }
    for mut resource in resources.into_values().filter(|it| it.before.is_some()) {
        resource.before = None;
        cx.put(&resource_key(&stack.key, &resource.logical_id.clone()), resource);
    }
    let failed = failed(&held(cx, stack)).join(", ");
    let reason = (!failed.is_empty()).then(|| format!("The following resource(s) were not cleaned up: [{failed}]."));
    let rolled_back = stack.status.starts_with("UPDATE_ROLLBACK");
    cx.update::<Stack, _>(&stack.key, |stack| stack.before = None);
    let status = if rolled_back { "UPDATE_ROLLBACK_COMPLETE" } else { "UPDATE_COMPLETE" };
    become_status(cx, stack, Goal::None, status, reason);
    Ok(false)
}

/// Deletes one that was replaced. One that cannot be deleted is left: the stack has what its template says.
fn delete_replaced(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    let Some(old) = resource.replaced.pop() else { return };
    let current = resource.clone();
    if !resource.retained {
        resource.state = Some(old);
        let mut ghost = resource.clone();
        ghost.replaced = vec![];
        take(cx, stack, ghost, Action::Delete, None);
    }
    let restored = Resource { replaced: resource.replaced, ..current };
    cx.put(&resource_key(&stack.key, &restored.logical_id.clone()), restored);
}
