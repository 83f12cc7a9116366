//! What cannot be done: a stack turns back, or stops where it can do nothing more.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};

use super::{become_status, finish, held, step};
use crate::state::{Goal, OnFailure, Resource, Stack};

/// A resource failed: cancels what is under way and, when nothing is any more, turns the stack back. Answers whether it did.
pub(super) fn turn_back(cx: &mut Cx<'_>, stack: &Stack, resources: BTreeMap<String, Resource>) -> bool {
    let mut is_over = true;
    for resource in resources.into_values() {
        is_over &= step::cancel(cx, stack, resource);
    }
    if is_over {
        let failed = held(cx, stack);
        let with = |status: &str| names(&failed, |it| it.turn == stack.turn && it.status == status);
        let verbs = [("create", with("CREATE_FAILED")), ("update", with("UPDATE_FAILED"))];
        let say = |(verb, names): &(&str, String)| format!("The following resource(s) failed to {verb}: [{names}]. ");
        let why = verbs.iter().filter(|(_, names)| !names.is_empty()).map(say).collect();
        go_back(cx, stack, why);
    }
    is_over
}

/// The logical ids of some resources, as AWS lists them.
pub(super) fn names(resources: &BTreeMap<String, Resource>, which: impl Fn(&Resource) -> bool) -> String {
    let found: Vec<_> = resources.values().filter(|it| which(it)).map(|it| it.logical_id.as_str()).collect();
    found.join(", ")
}

/// Leaves the way forward; `why` ends in a space.
fn go_back(cx: &mut Cx<'_>, stack: &Stack, why: String) {
    match (stack.goal, stack.on_failure) {
        (Goal::Update, OnFailure::DoNothing) => become_status(cx, stack, Goal::None, "UPDATE_FAILED", Some(why)),
        (Goal::Update, _) => {
            become_status(cx, stack, Goal::RollBackUpdate, "UPDATE_ROLLBACK_IN_PROGRESS", Some(why));
        }
        (_, OnFailure::DoNothing) => become_status(cx, stack, Goal::None, "CREATE_FAILED", Some(why)),
        (_, OnFailure::Delete) => {
            let why = Some(format!("{why}Delete requested by user."));
            become_status(cx, stack, Goal::Discard, "DELETE_IN_PROGRESS", why);
        }
        (_, OnFailure::RollBack) => {
            let why = Some(format!("{why}Rollback requested by user."));
            become_status(cx, stack, Goal::RollBack, "ROLLBACK_IN_PROGRESS", why);
        }
    }
}

/// The stack itself cannot go on: its role cannot be assumed any more, an export is missing, an output is wrong.
pub(super) fn give_up(cx: &mut Cx<'_>, stack: &Stack, fault: &Fault) {
    let why = fault.message.clone();
    let stop = |cx: &mut Cx<'_>, status: &str| become_status(cx, stack, Goal::None, status, Some(why.clone()));
    match stack.goal {
        Goal::Create if stack.on_failure == OnFailure::DoNothing => stop(cx, "CREATE_FAILED"),
        Goal::Update if stack.on_failure == OnFailure::DoNothing => stop(cx, "UPDATE_FAILED"),
        Goal::Create => go_back(cx, stack, format!("{why} ")),
        Goal::Update => go_back(cx, stack, why),
        Goal::RollBack => stop(cx, "ROLLBACK_FAILED"),
        Goal::Discard | Goal::Delete => stop(cx, "DELETE_FAILED"),
        Goal::RollBackUpdate => stop(cx, "UPDATE_ROLLBACK_FAILED"),
        Goal::CleanUp => {
            finish::note_left_over(cx, stack);
            let resources = held(cx, stack);
            finish::cleaned_up(cx, stack, resources);
        }
        Goal::None => {}
    }
}
