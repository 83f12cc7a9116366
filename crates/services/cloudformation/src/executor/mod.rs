//! Moves stacks on, one step of one resource per job.
//!
//! ```text
//! Create ──▶ None            Update ──▶ CleanUp ──▶ None          Delete ──▶ None
//!    └─▶ RollBack ──▶ None      └─▶ RollBackUpdate ──▶ CleanUp
//! ```
//!
//! Invariant: at most one `step` job of a stack waits; a resource that is under way has a `resume` job of its own.

mod finish;
mod run;
mod unwind;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use neargate_kernel::{Cx, Due, Fault, Job};
use neargate_template::Template;
use serde_json::json;

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
    let principal = principal(cx, &stack)?;
    cx.as_principal(principal, |cx| {
        let went_on = match stack.goal {
            Goal::Create | Goal::Update => run::forward(cx, &stack)?,
            Goal::RollBack | Goal::Delete => unwind::delete_next(cx, &stack)?,
            Goal::RollBackUpdate => unwind::put_back_next(cx, &stack)?,
            Goal::CleanUp => unwind::clean_up_next(cx, &stack)?,
            Goal::None => false,
        };
        if went_on {
            schedule(cx, &stack.key);
        }
        Ok(())
    })
}

/// Takes up a resource's step where it left off, then lets the stack go on.
pub(crate) fn resume(cx: &mut Cx<'_>, job: &Job) -> Result<(), Fault> {
    let Some(stack) = stack_of(cx, job) else { return Ok(()) };
    let logical_id = job.payload.get("resource").and_then(|it| it.as_str()).unwrap_or_default();
    let Some(resource) = cx.get::<Resource>(&resource_key(&stack.key, logical_id)).cloned() else { return Ok(()) };
    let principal = principal(cx, &stack)?;
    cx.as_principal(principal, |cx| run::resume(cx, &stack, resource))?;
    schedule(cx, &stack.key);
    Ok(())
}

fn stack_of(cx: &Cx<'_>, job: &Job) -> Option<Stack> {
    cx.get::<Stack>(job.payload.get("stack")?.as_str()?).cloned()
}

/// Who takes the stack's steps.
fn principal(cx: &Cx<'_>, stack: &Stack) -> Result<neargate_kernel::Principal, Fault> {
    match &stack.role_arn {
        None => Ok(stack.principal.clone()),
        Some(role) => {
            let authorizer = cx.registry.ports.authorizer;
            let assumed = authorizer.may_assume(cx.store(), role, "cloudformation.amazonaws.com");
            assumed.map_err(|text| CloudFormationError::Validation(text).into())
        }
    }
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
            let template = Rc::new(template.ok_or_else(|| Fault::internal("the stack's template cannot be read any more"))?);
            *last = Some((text.to_owned(), Rc::clone(&template)));
            Ok(template)
        }
    })
}

/// Changes a stack's status and says so in its history.
fn become_status(cx: &mut Cx<'_>, stack: &Stack, goal: Goal, status: &str, reason: Option<String>) {
    let now = cx.time();
    let changed = cx.update::<Stack, _>(&stack.key, |stack| {
        stack.goal = goal;
        status.clone_into(&mut stack.status);
        stack.reason.clone_from(&reason);
        if status == "DELETE_COMPLETE" {
            stack.deleted_at = Some(now);
        } else if status.starts_with("UPDATE") {
            stack.updated_at = Some(now);
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
    resource.changed_at = cx.time();
    log(cx, stack, Some(&resource), status, resource.reason.as_deref());
    cx.put(&resource_key(&stack.key, &resource.logical_id), resource);
}

/// The resources whose last step failed, as AWS lists them.
fn failed(resources: &BTreeMap<String, Resource>) -> Vec<&str> {
    resources.values().filter(|it| it.has_failed()).map(|it| it.logical_id.as_str()).collect()
}

/// The stack's resources.
fn held(cx: &Cx<'_>, stack: &Stack) -> BTreeMap<String, Resource> {
    resources(cx, &stack.key)
}
