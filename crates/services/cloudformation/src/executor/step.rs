//! One step of one resource: create, change, delete, or take up what said it would go on.
//!
//! The events are those of AWS, in AWS's order: a creation is announced, announced again when it has a physical id, and
//! concluded; a change that turns out to need a new resource is announced as that at once.
//!
//! Invariant: a step takes place wholly or leaves no trace; a handler that panics has failed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use neargate_kernel::{
    Action, Cx, Due, Fault, Notice, NoticeKind, Progress, Registry, ResourceRequest, ResourceState, ResourceType,
    adapted,
};
use serde_json::{Value as Json, json};

use super::{RESUME, keep, put};
use crate::errors::CloudFormationError;
use crate::secrets::{hidden_values, masked_fault, reveal};
use crate::state::{Goal, Replaced, Resource, Stack, Step, log};

/// Makes a resource, new or in the place of one that cannot be changed.
pub(super) fn create(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, replaces: bool) {
    resource.state = None;
    resource.made_in = stack.turn;
    if replaces {
        let reason = "Requested update requires the creation of a new physical resource; hence creating one.";
        // The one that is to be replaced is shown.
        log_replaced(cx, stack, &resource, "UPDATE_IN_PROGRESS", Some(reason));
    } else {
        keep(cx, stack, resource.clone(), "CREATE_IN_PROGRESS", None);
    }
    if let Some(handler) = handler(cx.registry, &resource.type_name) {
        let subject = || format!("{} {}", resource.logical_id, resource.type_name);
        if let Some(text) = handler.not_simulated(&resource.made_of.properties) {
            cx.not_simulated(subject(), text);
        }
        for path in adapted(handler, &resource.made_of.properties).1 {
            cx.not_simulated(subject(), format!("`{path}` is recorded; not acted on"));
        }
    }
    take(cx, stack, resource, Step { replaces, ..begun(Action::Create) });
}

/// Changes a resource in place, or replaces it where that cannot be done.
pub(super) fn change(cx: &mut Cx<'_>, stack: &Stack, resource: Resource, previous: Json) {
    let step = Step { previous: Some(previous), ..begun(Action::Update) };
    let outcome = one_step(cx, stack, &resource, &step);
    if !matches!(outcome, Ok(Progress::Replace)) {
        keep(cx, stack, resource.clone(), "UPDATE_IN_PROGRESS", None);
    }
    conclude(cx, stack, resource, step, outcome);
}

/// Deletes a resource.
pub(super) fn delete(cx: &mut Cx<'_>, stack: &Stack, resource: Resource) {
    keep(cx, stack, resource.clone(), "DELETE_IN_PROGRESS", None);
    take(cx, stack, resource, begun(Action::Delete));
}

/// Deletes the last of those that a resource took the place of.
pub(super) fn delete_replaced(cx: &mut Cx<'_>, stack: &Stack, resource: Resource) {
    log_replaced(cx, stack, &resource, "DELETE_IN_PROGRESS", None);
    take(cx, stack, resource, Step { of_replaced: true, ..begun(Action::Delete) });
}

/// Takes up a step that said it would go on.
pub(super) fn resume(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    if let Some(step) = resource.step.take() {
        take(cx, stack, resource, step);
    }
}

/// Ends a step that cannot be taken up.
pub(super) fn abandon(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, fault: Fault) {
    if let Some(step) = resource.step.take() {
        conclude(cx, stack, resource, step, Err(fault));
    }
}

/// Ends a creation or a change that is under way because its stack turns back. A creation of which nothing is known yet goes
/// on, so that the way back finds what it makes. Answers whether the step is over.
pub(super) fn cancel(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) -> bool {
    let (verb, word) = match &resource.step {
        None => return true,
        Some(Step { action: Action::Create, replaces: false, .. }) if resource.state.is_some() => {
            ("CREATE", "creation")
        }
        Some(Step { action: Action::Create, replaces: true, .. }) if resource.state.is_some() => ("UPDATE", "update"),
        Some(Step { action: Action::Update, .. }) => ("UPDATE", "update"),
        Some(_) => return false,
    };
    if let Some(job) = resource.step.take().and_then(|step| step.job) {
        cx.cancel(&job);
    }
    keep(cx, stack, resource, &format!("{verb}_FAILED"), Some(format!("Resource {word} cancelled")));
    true
}

fn begun(action: Action) -> Step {
    Step { action, previous: None, replaces: false, of_replaced: false, callback: None, job: None }
}

fn take(cx: &mut Cx<'_>, stack: &Stack, resource: Resource, step: Step) {
    let outcome = one_step(cx, stack, &resource, &step);
    conclude(cx, stack, resource, step, outcome);
}

fn conclude(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, step: Step, outcome: Result<Progress, Fault>) {
    let verb = match step.action {
        Action::Delete => "DELETE",
        Action::Create if !step.replaces => "CREATE",
        _ => "UPDATE",
    };
    match outcome {
        Ok(Progress::Replace) => {
            leave(&mut resource);
            create(cx, stack, resource, true);
        }
        Ok(Progress::InProgress { callback, delay_ms, state }) => {
            if let Some(state) = state.filter(|_| step.action != Action::Delete) {
                become_state(cx, stack, &mut resource, &step, state);
            }
            let payload = json!({ "stack": stack.key, "resource": resource.logical_id });
            let job = cx.schedule(Due::Process(cx.now.process.plus_ms(delay_ms)), RESUME, payload);
            resource.turn = stack.turn;
            if !step.of_replaced {
                resource.status = format!("{verb}_IN_PROGRESS");
            }
            resource.step = Some(Step { callback: Some(callback), job: Some(job), ..step });
            put(cx, stack, resource);
        }
        Ok(Progress::Done(_)) if step.of_replaced => {
            log_replaced(cx, stack, &resource, "DELETE_COMPLETE", None);
            resource.replaced.pop();
            put(cx, stack, resource);
        }
        Ok(Progress::Done(state)) => {
            if step.action != Action::Delete {
                become_state(cx, stack, &mut resource, &step, state);
            }
            keep(cx, stack, resource, &format!("{verb}_COMPLETE"), None);
        }
        Err(fault) => {
            say(cx, stack, &resource, &fault);
            let reason = handler_message(cx, &resource.type_name, &fault);
            if step.of_replaced {
                cannot_delete_replaced(cx, stack, resource, reason);
            } else {
                keep(cx, stack, resource, &format!("{verb}_FAILED"), Some(reason));
            }
        }
    }
}

/// What a creation or a change has led to. A new physical id is announced; the one before it waits to be deleted.
fn become_state(cx: &mut Cx<'_>, stack: &Stack, resource: &mut Resource, step: &Step, state: ResourceState) {
    match &resource.state {
        Some(held) if held.physical_id != state.physical_id => leave(resource),
        _ => {}
    }
    let is_new = step.action == Action::Create && resource.state.is_none();
    resource.state = Some(state);
    if is_new {
        let status = if step.replaces { "UPDATE_IN_PROGRESS" } else { "CREATE_IN_PROGRESS" };
        keep(cx, stack, resource.clone(), status, Some("Resource creation Initiated".to_owned()));
    }
}

/// Sets the present state aside, as it was made before this operation.
fn leave(resource: &mut Resource) {
    let Some(state) = resource.state.take() else { return };
    let was =
        resource.before.as_ref().filter(|it| it.state.as_ref().is_some_and(|it| it.physical_id == state.physical_id));
    let made_of = was.map_or_else(|| resource.made_of.clone(), |was| was.made_of.clone());
    resource.replaced.push(Replaced { state, made_of, stays: resource.made_of.stays_when_replaced });
}

/// In a clean-up AWS lets go of what it cannot delete; a deletion of the whole stack keeps it, to try again.
fn cannot_delete_replaced(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, reason: String) {
    log_replaced(cx, stack, &resource, "DELETE_FAILED", Some(&reason));
    if stack.goal == Goal::CleanUp {
        resource.replaced.pop();
        super::finish::note_left_over(cx, stack);
    } else {
        "DELETE_FAILED".clone_into(&mut resource.status);
        resource.reason = Some(reason);
        resource.turn = stack.turn;
    }
    put(cx, stack, resource);
}

pub(super) fn log_replaced(cx: &mut Cx<'_>, stack: &Stack, resource: &Resource, status: &str, reason: Option<&str>) {
    let Some(replaced) = resource.replaced.last().cloned() else { return };
    let shown = Resource { state: Some(replaced.state), made_of: replaced.made_of, ..resource.clone() };
    log(cx, stack, Some(&shown), status, reason);
}

/// The type that serves a resource: a `Custom::` one that no service knows by name is a custom resource.
pub(crate) fn handler(registry: &Registry, type_name: &str) -> Option<&'static dyn ResourceType> {
    let custom = || type_name.starts_with("Custom::").then(|| registry.resource("AWS::CloudFormation::CustomResource"));
    registry.resource(type_name).or_else(|| custom().flatten())
}

fn one_step(cx: &mut Cx<'_>, stack: &Stack, resource: &Resource, step: &Step) -> Result<Progress, Fault> {
    let missing = || CloudFormationError::Validation(format!("Unrecognized resource types: [{}]", resource.type_name));
    let handler = handler(cx.registry, &resource.type_name).ok_or_else(missing)?;
    let replaced = resource.replaced.last().filter(|_| step.of_replaced);
    let scope = cx.scope.clone();
    let made_of = replaced.map_or(&resource.made_of, |it| &it.made_of);
    let current = replaced.map(|it| &it.state).or(resource.state.as_ref());
    let base = ResourceRequest {
        scope: &scope,
        stack_name: &stack.name,
        stack_id: &stack.arn,
        logical_id: &resource.logical_id,
        type_name: &resource.type_name,
        properties: &made_of.properties,
        previous: None,
        current,
        callback: step.callback.as_ref(),
    };
    let (principal, cause) = (cx.principal.clone(), cx.cause.clone());
    let mut hidden = hidden_values(stack);
    let outcome = cx.attempt(|cx| {
        let mut work = |cx: &mut Cx<'_>| {
            // What is deleted is known by its id: a secret that is gone must not keep it.
            let reveals = step.action != Action::Delete;
            let (properties, secrets) = match reveals {
                true => reveal(cx, &resource.type_name, &made_of.properties)?,
                false => (made_of.properties.clone(), vec![]),
            };
            let previous = step.previous.as_ref().map(|it| match reveal(cx, &resource.type_name, it) {
                Ok((previous, _)) => previous,
                Err(_) => revealed_as_now(it, &made_of.properties, &properties),
            });
            hidden.extend(secrets);
            let request = ResourceRequest { properties: &properties, previous: previous.as_ref(), ..base.clone() };
            let outcome = catch_unwind(AssertUnwindSafe(|| request.take(cx, handler, step.action)));
            outcome.unwrap_or_else(|_| {
                cx.scope = scope.clone();
                cx.principal = principal.clone();
                cx.cause = cause.clone();
                Err(Fault::internal("the resource's handler panicked; nothing was changed"))
            })
        };
        match stack.role_arn {
            // With a role of its own the stack calls; without, CloudFormation does so for its caller.
            Some(_) => work(cx),
            None => cx.via("cloudformation", work),
        }
    });
    outcome.map_err(|fault| masked_fault(fault, &hidden))
}

/// Properties of which something cannot be revealed any more, a secret that is gone: what the template says as before is as it
/// is now, so that it is no change.
fn revealed_as_now(before: &Json, after: &Json, revealed: &Json) -> Json {
    let Some(members) = before.as_object() else { return before.clone() };
    let member = |(name, value): (&String, &Json)| {
        let is_same = after.get(name) == Some(value);
        (name.clone(), revealed.get(name).filter(|_| is_same).unwrap_or(value).clone())
    };
    Json::Object(members.iter().map(member).collect())
}

pub(super) fn say(cx: &mut Cx<'_>, stack: &Stack, resource: &Resource, fault: &Fault) {
    let subject = format!("{}/{}", stack.name, resource.logical_id);
    let text = format!("{} `{}`: {fault}", resource.type_name, resource.logical_id);
    cx.notice(Notice { kind: NoticeKind::Failed, subject, text, hint: fault.hint.clone() });
}

/// A service's fault as CloudFormation shows it.
fn handler_message(cx: &mut Cx<'_>, type_name: &str, fault: &Fault) -> String {
    let service = type_name.split("::").nth(1).unwrap_or(type_name);
    let code = match fault.code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => "AccessDenied",
        code if code.contains("NotFound") => "NotFound",
        "ResourceExistsException" | "InvalidGroup.Duplicate" | "InvalidPermission.Duplicate" => "AlreadyExists",
        "Resource.AlreadyAssociated" | "ResourceConflictException" => "AlreadyExists",
        code if code.contains("AlreadyExists") => "AlreadyExists",
        "InternalFailure" => "InternalFailure",
        _ => "InvalidRequest",
    };
    let (request, token) = (cx.request_id.clone(), cx.rng.uuid());
    format!(
        "Resource handler returned message: \"{} (Service: {service}, Status Code: {}, Request ID: {request})\" \
         (RequestToken: {token}, HandlerErrorCode: {code})",
        fault.message, fault.status
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::revealed_as_now;

    #[test]
    fn what_the_template_says_as_before_is_no_change_though_it_cannot_be_revealed() {
        let reference = "{{resolve:secretsmanager:s}}";
        let (before, after) = (json!({"Name": reference, "Other": "{{resolve:ssm:gone}}"}), json!({"Name": reference}));
        let told = revealed_as_now(&before, &after, &json!({"Name": "n"}));
        assert_eq!(told, json!({"Name": "n", "Other": "{{resolve:ssm:gone}}"}));
    }
}
