//! Backward: deletes what was made, puts back what was changed, cleans up after updates.

use std::collections::BTreeMap;

use neargate_kernel::Cx;

use super::removal::{self, Next};
use super::{become_status, finish, held, keep, put, step, turn};
use crate::state::{Deletion, Goal, Replaced, Resource, Stack};

/// Deletes the next resource of a stack that goes; the stack is over when none is left.
pub(super) fn delete_next(cx: &mut Cx<'_>, stack: &Stack) -> bool {
    for resource in held(cx, stack).into_values() {
        if resource.is_under_way() {
            step::cancel(cx, stack, resource);
        } else if resource.state.is_none() && resource.status == "CREATE_FAILED" {
            // Nothing was made of it.
            keep(cx, stack, resource, "DELETE_COMPLETE", None);
        }
    }
    let resources = held(cx, stack);
    match removal::next(&resources, stack.turn, &Resource::is_there) {
        Next::Delete { resource, of_replaced } => {
            delete(cx, stack, *resource, of_replaced);
            true
        }
        Next::Wait => false,
        // A creation of which nothing is known yet will have made something when it is done.
        Next::Over if resources.values().any(Resource::is_under_way) => false,
        Next::Stuck => {
            let failed = turn::names(&resources, |it| it.status == "DELETE_FAILED" && it.turn == stack.turn);
            let reason = Some(format!("The following resource(s) failed to delete: [{failed}]. "));
            let status = if stack.goal == Goal::RollBack { "ROLLBACK_FAILED" } else { "DELETE_FAILED" };
            become_status(cx, stack, Goal::None, status, reason);
            false
        }
        Next::Over => {
            let status = if stack.goal == Goal::RollBack { "ROLLBACK_COMPLETE" } else { "DELETE_COMPLETE" };
            become_status(cx, stack, Goal::None, status, None);
            false
        }
    }
}

fn delete(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, of_replaced: bool) {
    match of_replaced {
        true if resource.replaced.last().is_some_and(|it| it.stays) => {
            step::log_replaced(cx, stack, &resource, "DELETE_SKIPPED", None);
            resource.replaced.pop();
            put(cx, stack, resource);
        }
        true => step::delete_replaced(cx, stack, resource),
        false if stays(stack, &resource) => keep(cx, stack, resource, "DELETE_SKIPPED", None),
        false => step::delete(cx, stack, resource),
    }
}

fn stays(stack: &Stack, resource: &Resource) -> bool {
    let is_undone = resource.made_in == stack.turn && matches!(stack.goal, Goal::RollBack | Goal::Discard);
    let by_policy = match resource.made_of.deletion {
        Deletion::Delete => false,
        Deletion::Retain => !(is_undone && stack.retains_except_on_create),
        Deletion::RetainExceptOnCreate => !is_undone,
    };
    by_policy || stack.retained.contains(&resource.logical_id)
}

/// Puts back the next resource that a failed update made or changed.
pub(super) fn put_back_next(cx: &mut Cx<'_>, stack: &Stack) -> bool {
    // What the update had under way is ended; what is put back has no `before` any more and goes on.
    for resource in held(cx, stack).into_values().filter(|it| it.before.is_some() && it.is_under_way()) {
        step::cancel(cx, stack, resource);
    }
    let resources = held(cx, stack);
    let under_way = resources.values().any(Resource::is_under_way);
    let failed = turn::names(&resources, |it| it.before.is_none() && it.has_failed_in(stack.turn));
    if !failed.is_empty() {
        if !under_way {
            let reason = Some(format!("The following resource(s) failed to update: [{failed}]. "));
            become_status(cx, stack, Goal::None, "UPDATE_ROLLBACK_FAILED", reason);
        }
        return false;
    }
    if let Some(resource) = next_to_put_back(&resources) {
        put_back(cx, stack, resource.clone());
        return true;
    }
    if under_way {
        return false;
    }
    cx.update::<Stack, _>(&stack.key, |stack| {
        if let Some(before) = stack.before.take() {
            stack.source = before;
        }
    });
    become_status(cx, stack, Goal::CleanUp, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None);
    true
}

/// One whose needs are as they were, `None` while those are being put back or when all is. Notes of several updates can need
/// each other in a circle; then any order is as good.
fn next_to_put_back(resources: &BTreeMap<String, Resource>) -> Option<&Resource> {
    let waits = |it: &&Resource| it.before.is_some() && !it.is_under_way();
    let is_back = |id: &String| resources.get(id).is_none_or(|it| it.before.is_none() && !it.is_under_way());
    let is_ready = |it: &&Resource| it.before.as_ref().is_some_and(|before| before.made_of.needs.iter().all(is_back));
    let is_idle = !resources.values().any(Resource::is_under_way);
    resources.values().filter(waits).find(is_ready).or_else(|| resources.values().find(waits).filter(|_| is_idle))
}

fn put_back(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    let Some(before) = resource.before.take() else { return };
    let made = resource.state.take();
    let Some(old) = before.state else {
        // It was not there: what was made of it goes in the clean-up.
        let stays = resource.made_of.deletion == Deletion::Retain && !stack.retains_except_on_create;
        let is_nothing = made.is_none();
        resource.replaced.extend(made.map(|state| Replaced { state, made_of: resource.made_of.clone(), stays }));
        if is_nothing {
            return keep(cx, stack, resource, "DELETE_COMPLETE", None);
        }
        "DELETE_COMPLETE".clone_into(&mut resource.status);
        return put(cx, stack, resource);
    };
    let changed = std::mem::replace(&mut resource.made_of, before.made_of);
    resource.made_in = before.made_in;
    let kept = resource.replaced.len();
    resource.replaced.retain(|it| it.state.physical_id != old.physical_id);
    if resource.replaced.len() < kept {
        // A new one took its place, or was about to.
        let made = made.filter(|made| made.physical_id != old.physical_id);
        resource.replaced.extend(made.map(|state| Replaced { state, made_of: changed, stays: false }));
        resource.state = Some(old);
        keep(cx, stack, resource.clone(), "UPDATE_IN_PROGRESS", None);
        return keep(cx, stack, resource, "UPDATE_COMPLETE", None);
    }
    resource.state = Some(old);
    if changed.properties == resource.made_of.properties {
        if !resource.status.ends_with("_COMPLETE") {
            "UPDATE_COMPLETE".clone_into(&mut resource.status);
        }
        return put(cx, stack, resource);
    }
    step::change(cx, stack, resource, changed.properties);
}

/// Deletes the next thing that an update has left over: replaced ones, and resources that the template has no more.
pub(super) fn clean_up_next(cx: &mut Cx<'_>, stack: &Stack) -> bool {
    let resources = held(cx, stack);
    let is_rolled_back = stack.status.starts_with("UPDATE_ROLLBACK");
    // An update that came through has dealt with everything that its template has.
    let is_gone =
        |it: &Resource| !is_rolled_back && it.is_there() && (it.turn != stack.turn || it.status.starts_with("DELETE_"));
    match removal::next(&resources, stack.turn, &is_gone) {
        Next::Delete { resource, of_replaced } => {
            delete(cx, stack, *resource, of_replaced);
            true
        }
        Next::Wait => false,
        Next::Stuck => {
            finish::note_left_over(cx, stack);
            finish::cleaned_up(cx, stack, resources);
            false
        }
        Next::Over => {
            finish::cleaned_up(cx, stack, resources);
            false
        }
    }
}
