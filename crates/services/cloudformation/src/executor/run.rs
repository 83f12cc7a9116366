//! Forward: makes and changes resources in the order of their needs.

use std::collections::BTreeMap;

use neargate_kernel::{Action, Cx, Due, Fault, Notice, NoticeKind, Progress, ResourceRequest};
use neargate_template::Template;
use serde_json::{Value as Json, json};

use super::{RESUME, become_status, failed, finish, held, keep, template};
use crate::errors::CloudFormationError;
use crate::state::{Before, Goal, OnFailure, Resource, Stack, resource_key};
use crate::world::{Answer, evaluate, whole};

/// Takes the next step of a creation or an update; answers whether there may be another right away.
pub(super) fn forward(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    let resources = held(cx, stack);
    let under_way = resources.values().any(Resource::is_under_way);
    if !failed(&resources).is_empty() {
        // What is under way is let finish first, so that the way back finds it.
        if !under_way {
            turn_back(cx, stack, &resources);
        }
        return Ok(!under_way);
    }
    let template = template(&stack.source.template)?;
    match next(cx, stack, &template, &resources)? {
        Some((logical_id, needs)) => {
            act(cx, stack, &template, &resources, &logical_id, needs)?;
            Ok(true)
        }
        None if under_way => Ok(false),
        None => {
            finish::complete(cx, stack, &template, &resources)?;
            Ok(true)
        }
    }
}

/// The first resource in creation order that waits and whose needs are there, with its needs.
fn next(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<Option<(String, Vec<String>)>, Fault> {
    let is_update = stack.goal == Goal::Update;
    let is_done = |id: &str| resources.get(id).is_some_and(|it| if is_update { is_settled(it) } else { it.status == "CREATE_COMPLETE" });
    evaluate(cx, stack, template, resources, |evaluator, _| {
        let graph = evaluator.graph();
        let waits = |id: &&str| !is_done(id) && !resources.get(*id).is_some_and(Resource::is_under_way);
        let ready = |id: &&str| graph.needs(id).all(|(need, _)| is_done(need));
        let found = graph.creation_order().into_iter().find(|id| waits(id) && ready(id));
        Ok(Answer::Is(found.map(|id| (id.to_owned(), graph.needs(id).map(|(need, _)| need.to_owned()).collect()))))
    })
}

/// Whether an update has dealt with a resource: it has a state from before, and is not under way.
fn is_settled(resource: &Resource) -> bool {
    resource.before.is_some() && resource.status.ends_with("_COMPLETE")
}

/// Makes or changes one resource. What is wrong with it fails the resource, not the job.
fn act(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    logical_id: &str,
    needs: Vec<String>,
) -> Result<(), Fault> {
    let definition = template.resources.get(logical_id).ok_or_else(|| Fault::internal("a resource that is not in the template"))?;
    let properties = evaluate(cx, stack, template, resources, |it, _| it.properties(logical_id).map(whole));
    let retained = definition.deletion_policy.as_deref().is_some_and(|policy| policy.starts_with("Retain"));
    let there = resources.get(logical_id).filter(|it| it.is_there());
    let mut resource = Resource {
        logical_id: logical_id.to_owned(),
        type_name: definition.resource_type.clone(),
        status: String::new(),
        reason: None,
        changed_at: cx.time(),
        state: there.and_then(|it| it.state.clone()),
        properties: Json::Null,
        needs,
        retained,
        description: None,
        callback: None,
        before: None,
        replaced: vec![],
    };
    if stack.goal == Goal::Update {
        resource.before = Some(Box::new(Before {
            state: there.and_then(|it| it.state.clone()),
            properties: there.map(|it| it.properties.clone()).unwrap_or_default(),
            needs: there.map(|it| it.needs.clone()).unwrap_or_default(),
            retained: there.is_some_and(|it| it.retained),
        }));
    }
    match properties {
        Err(fault) => fail(cx, stack, resource, &fault),
        Ok(properties) => {
            resource.properties = properties.unwrap_or_else(|| json!({}));
            let same_type = there.is_none_or(|it| it.type_name == resource.type_name);
            match there {
                Some(old) if same_type && old.properties == resource.properties => {
                    resource.status.clone_from(&old.status);
                    resource.changed_at = old.changed_at;
                    cx.put(&resource_key(&stack.key, logical_id), resource);
                }
                Some(old) if same_type => change(cx, stack, resource, &old.properties),
                Some(_) => replace(cx, stack, resource),
                None => create(cx, stack, resource),
            }
        }
    }
    Ok(())
}

fn create(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    resource.state = None;
    keep(cx, stack, resource.clone(), "CREATE_IN_PROGRESS", None);
    if let Some(text) = cx.registry.resource(&resource.type_name).and_then(|it| it.not_simulated(&resource.properties)) {
        cx.not_simulated(format!("{} {}", resource.logical_id, resource.type_name), text);
    }
    take(cx, stack, resource, Action::Create, None);
}

fn change(cx: &mut Cx<'_>, stack: &Stack, resource: Resource, previous: &Json) {
    keep(cx, stack, resource.clone(), "UPDATE_IN_PROGRESS", None);
    take(cx, stack, resource, Action::Update, Some(previous));
}

/// Makes a new one in the place of one that cannot be changed; the old one goes when the update is done.
fn replace(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource) {
    let reason = "Requested update requires the creation of a new physical resource; hence creating one.";
    resource.replaced.extend(resource.state.take());
    keep(cx, stack, resource.clone(), "UPDATE_IN_PROGRESS", Some(reason.to_owned()));
    take(cx, stack, resource, Action::Create, None);
}

/// Takes up a step that said it would go on.
pub(super) fn resume(cx: &mut Cx<'_>, stack: &Stack, resource: Resource) -> Result<(), Fault> {
    let action = match resource.status.as_str() {
        "CREATE_IN_PROGRESS" => Action::Create,
        "UPDATE_IN_PROGRESS" if resource.replaced.is_empty() => Action::Update,
        "UPDATE_IN_PROGRESS" => Action::Create,
        "DELETE_IN_PROGRESS" => Action::Delete,
        _ => return Ok(()),
    };
    let previous = resource.before.as_ref().map(|before| before.properties.clone());
    take(cx, stack, resource, action, previous.as_ref());
    Ok(())
}

/// One step of one resource, wholly or not at all.
pub(super) fn take(cx: &mut Cx<'_>, stack: &Stack, mut resource: Resource, action: Action, previous: Option<&Json>) {
    let callback = resource.callback.take();
    let outcome = one_step(cx, stack, &resource, action, previous, callback.as_ref());
    let status = |result: &str| {
        let verb = match action {
            Action::Delete => "DELETE",
            Action::Create if resource.before.as_ref().is_none_or(|before| before.state.is_none()) => "CREATE",
            _ => "UPDATE",
        };
        format!("{verb}_{result}")
    };
    match outcome {
        Ok(Progress::Done(state)) => {
            let status = status("COMPLETE");
            resource.state = Some(state);
            keep(cx, stack, resource, &status, None);
        }
        Ok(Progress::InProgress { callback, delay_ms, state }) => {
            let status = status("IN_PROGRESS");
            resource.callback = Some(callback);
            resource.state = state.or(resource.state);
            let logical_id = resource.logical_id.clone();
            resource.status = status;
            cx.put(&resource_key(&stack.key, &logical_id), resource);
            let due = Due::Process(cx.now.process.plus_ms(delay_ms));
            cx.schedule(due, RESUME, json!({ "stack": stack.key, "resource": logical_id }));
        }
        Ok(Progress::Replace) => replace(cx, stack, resource),
        Err(fault) => {
            let status = status("FAILED");
            say(cx, stack, &resource, &fault);
            let reason = handler_message(cx, &resource.type_name, &fault);
            keep(cx, stack, resource, &status, Some(reason));
        }
    }
}

fn one_step(
    cx: &mut Cx<'_>,
    stack: &Stack,
    resource: &Resource,
    action: Action,
    previous: Option<&Json>,
    callback: Option<&Json>,
) -> Result<Progress, Fault> {
    let missing = || CloudFormationError::Validation(format!("Unrecognized resource types: [{}]", resource.type_name));
    let handler = cx.registry.resource(&resource.type_name).ok_or_else(missing)?;
    let scope = cx.scope.clone();
    let request = ResourceRequest {
        scope: &scope,
        stack_name: &stack.name,
        stack_id: &stack.arn,
        logical_id: &resource.logical_id,
        type_name: &resource.type_name,
        properties: &resource.properties,
        previous,
        current: resource.state.as_ref(),
        callback,
    };
    cx.attempt(|cx| handler.step(cx, action, &request))
}

/// A resource that could not even be begun.
fn fail(cx: &mut Cx<'_>, stack: &Stack, resource: Resource, fault: &Fault) {
    let verb = if resource.state.is_some() { "UPDATE" } else { "CREATE" };
    say(cx, stack, &resource, fault);
    keep(cx, stack, resource, &format!("{verb}_FAILED"), Some(fault.message.clone()));
}

fn say(cx: &mut Cx<'_>, stack: &Stack, resource: &Resource, fault: &Fault) {
    let subject = format!("{}/{}", stack.name, resource.logical_id);
    let text = format!("{} `{}`: {fault}", resource.type_name, resource.logical_id);
    cx.notice(Notice { kind: NoticeKind::Failed, subject, text, hint: fault.hint.clone() });
}

/// A service's fault as CloudFormation shows it.
fn handler_message(cx: &mut Cx<'_>, type_name: &str, fault: &Fault) -> String {
    let service = type_name.split("::").nth(1).unwrap_or(type_name);
    let code = match fault.code {
        "AccessDeniedException" => "AccessDenied",
        code if code.contains("NotFound") => "NotFound",
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

/// Something failed and nothing is under way any more.
fn turn_back(cx: &mut Cx<'_>, stack: &Stack, resources: &BTreeMap<String, Resource>) {
    let names = failed(resources).join(", ");
    let reason = |verb: &str, tail: &str| Some(format!("The following resource(s) failed to {verb}: [{names}]. {tail}"));
    match (stack.goal, stack.on_failure) {
        (Goal::Update, OnFailure::DoNothing) => {
            become_status(cx, stack, Goal::None, "UPDATE_FAILED", reason("update", ""));
        }
        (Goal::Update, _) => {
            let reason = reason("update", "");
            become_status(cx, stack, Goal::RollBackUpdate, "UPDATE_ROLLBACK_IN_PROGRESS", reason);
        }
        (_, OnFailure::DoNothing) => {
            become_status(cx, stack, Goal::None, "CREATE_FAILED", reason("create", ""));
        }
        (_, OnFailure::Delete) => {
            become_status(cx, stack, Goal::Delete, "DELETE_IN_PROGRESS", reason("create", "Delete requested by user."));
        }
        (_, OnFailure::RollBack) => {
            let reason = reason("create", "Rollback requested by user.");
            become_status(cx, stack, Goal::RollBack, "ROLLBACK_IN_PROGRESS", reason);
        }
    }
}

