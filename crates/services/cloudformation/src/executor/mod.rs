//! Moves stacks on, one step of one resource per job.
//!
//! ```text
//! Create ──▶ None                   Update ──▶ CleanUp ──▶ None        Delete ──▶ None
//!    ├─▶ RollBack ──▶ None             └─▶ RollBackUpdate ──▶ CleanUp
//!    └─▶ Discard ──▶ None
//! ```
//! [`forward`] makes and changes, [`unwind`] deletes and puts back, [`removal`] says what may be deleted next, [`step`] takes
//! one step of one resource, [`finish`] ends an operation well and [`turn`] badly.
//!
//! Invariant: a stack that is under way has a `step` job waiting, or a resource with a `resume` job: it never hangs. What
//! cannot be done fails the stack, in [`turn`].

mod finish;
mod forward;
mod removal;
mod step;
mod turn;
mod unwind;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use neargate_kernel::{Cx, Due, Fault, Job, Principal};
use neargate_template::Template;
use serde_json::json;

pub(crate) use step::handler;

use crate::errors::CloudFormationError;
use crate::state::{Goal, Resource, Stack, log, resource_key, resources};

/// The job that takes a stack's next step.
pub(crate) const STEP: &str = "cloudformation.step";
/// The job that takes up a resource's step again.
pub(crate) const RESUME: &str = "cloudformation.resume";

/// Lets a stack take its next step right after this command.
pub(crate) fn schedule(cx: &mut Cx<'_>, stack: &str) {
    cx.schedule(Due::Process(cx.now.process), STEP, json!({ "stack": stack }));
}

/// Takes a stack's next step.
pub(crate) fn step(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let Some(stack) = stack_of(cx, job) else { return Ok(()) };
    let went_on = principal(cx, &stack.principal, stack.role_arn.as_deref(), &stack.arn)
        .and_then(|principal| cx.attempt(|cx| cx.as_principal(principal, |cx| next_step(cx, &stack))));
    match went_on {
        Ok(false) => {}
        Ok(true) => schedule(cx, &stack.key),
        Err(fault) => {
            turn::give_up(cx, &stack, &fault);
            schedule(cx, &stack.key);
        }
    }
    Ok(())
}

/// Answers whether there may be another step right away.
fn next_step(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    match stack.goal {
        Goal::Create | Goal::Update => forward::forward(cx, stack),
        Goal::RollBack | Goal::Discard | Goal::Delete => Ok(unwind::delete_next(cx, stack)),
        Goal::RollBackUpdate => Ok(unwind::put_back_next(cx, stack)),
        Goal::CleanUp => Ok(unwind::clean_up_next(cx, stack)),
        Goal::None => Ok(false),
    }
}

/// Takes up a resource's step where it left off; when that was its last, the stack goes on.
pub(crate) fn resume(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let Some(stack) = stack_of(cx, job) else { return Ok(()) };
    let logical_id = job.payload.get("resource").and_then(|it| it.as_str()).unwrap_or_default();
    let key = resource_key(&stack.key, logical_id);
    let Some(resource) = cx.get::<Resource>(&key).cloned() else { return Ok(()) };
    match principal(cx, &stack.principal, stack.role_arn.as_deref(), &stack.arn) {
        Ok(principal) => cx.as_principal(principal, |cx| step::resume(cx, &stack, resource)),
        Err(fault) => step::abandon(cx, &stack, resource, fault),
    }
    if cx.get::<Resource>(&key).is_none_or(|resource| !resource.is_under_way()) {
        schedule(cx, &stack.key);
    }
    Ok(())
}

fn stack_of(cx: &Cx<'_>, job: &Job) -> Option<Stack> {
    cx.get::<Stack>(job.payload.get("stack")?.as_str()?).cloned()
}

/// Who takes a stack's steps: who asked for them, or the stack's role.
pub(crate) fn principal(cx: &Cx<'_>, caller: &Principal, role: Option<&str>, stack: &str) -> Result<Principal, Fault> {
    let Some(role) = role else { return Ok(caller.clone()) };
    let assumed = cx.assume_for_service(role, "cloudformation.amazonaws.com", stack);
    assumed.map_err(|because| {
        let text = format!("Role {role} is invalid or cannot be assumed");
        Fault::from(CloudFormationError::Validation(text)).with_hint(because)
    })
}

thread_local! {
    static LAST: RefCell<Option<(String, Rc<Template>)>> = const { RefCell::new(None) };
}

/// A template that was read before it was kept. The last one is remembered: a stack is read once per step.
pub(crate) fn template(text: &str) -> Result<Rc<Template>, Fault> {
    LAST.with_borrow_mut(|last| match last {
        Some((held, template)) if held == text => Ok(Rc::clone(template)),
        _ => {
            let (template, _) = Template::read(text, "template");
            let unreadable = || Fault::internal("the stack's template cannot be read any more");
            let template = Rc::new(template.ok_or_else(unreadable)?);
            *last = Some((text.to_owned(), Rc::clone(&template)));
            Ok(template)
        }
    })
}

/// Changes a stack's goal and status and says so in its history.
fn become_status(cx: &mut Cx<'_>, stack: &Stack, goal: Goal, status: &str, reason: Option<String>) {
    let now = cx.time();
    let changed = cx.update::<Stack, _>(&stack.key, |stack| {
        stack.goal = goal;
        status.clone_into(&mut stack.status);
        stack.reason.clone_from(&reason);
        if status == "DELETE_COMPLETE" {
            stack.deleted_at = Some(now);
        }
        stack.clone()
    });
    if let Some(stack) = changed {
        log(cx, &stack, None, status, reason.as_deref());
    }
}

/// Keeps a resource with a new status and says so in the stack's history.
fn keep(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, status: &str, reason: Option<String>) {
    status.clone_into(&mut resource.status);
    resource.reason = reason;
    resource.turn = stack.turn;
    resource.changed_at = cx.time();
    log(cx, stack, Some(&resource), status, resource.reason.as_deref());
    put(cx, stack, resource);
}

/// Keeps a resource without a word.
fn put(cx: &mut Cx<'_>, stack: &Stack, resource: Resource) {
    cx.put(&resource_key(&stack.key, &resource.logical_id), resource);
}

/// The stack's resources.
fn held(cx: &Cx<'_>, stack: &Stack) -> BTreeMap<String, Resource> {
    resources(cx, &stack.key)
}
