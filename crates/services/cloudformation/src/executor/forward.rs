//! Forward: makes and changes resources in the order of their needs.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Resource as Definition, Template};
use serde_json::{Value as Json, json};

use super::{finish, held, keep, put, step, template, turn};
use crate::errors::NO_EXPORT;
use crate::secrets::{hidden_values, masked_fault};
use crate::state::{Before, Deletion, Goal, MadeOf, Replaced, Resource, Stack};
use crate::world::{Answer, evaluate, evaluate_shown, whole};

/// Takes the next step of a creation or an update; answers whether there may be another right away.
pub(super) fn forward(cx: &mut Cx<'_>, stack: &Stack) -> Result<bool, Fault> {
    let resources = held(cx, stack);
    if resources.values().any(|it| it.has_failed_in(stack.turn)) {
        return Ok(turn::turn_back(cx, stack, resources));
    }
    let template = template(&stack.source.template)?;
    if let Some((logical_id, needs)) = next(cx, stack, &template, &resources)? {
        act(cx, stack, &template, &resources, &logical_id, needs)?;
        return Ok(true);
    }
    if resources.values().any(Resource::is_under_way) {
        return Ok(false);
    }
    finish::complete(cx, stack, &template, &resources)?;
    Ok(true)
}

/// The first resource in creation order that waits and whose needs are there, with its needs.
fn next(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<Option<(String, Vec<String>)>, Fault> {
    let is_dealt_with = |it: &Resource| it.turn == stack.turn;
    let is_done = |id: &str| resources.get(id).is_some_and(|it| is_dealt_with(it) && !it.is_under_way());
    evaluate(cx, stack, template, resources, |evaluator, _| {
        let graph = evaluator.graph();
        let waits = |id: &&str| !resources.get(*id).is_some_and(is_dealt_with);
        let ready = |id: &&str| graph.needs(id).all(|(need, _)| is_done(need));
        let found = graph.creation_order().into_iter().find(|id| waits(id) && ready(id));
        Ok(Answer::Is(found.map(|id| (id.to_owned(), graph.needs(id).map(|(need, _)| need.to_owned()).collect()))))
    })
}

/// Makes or changes one resource. What is wrong with it fails the resource; an export that is missing fails the stack.
fn act(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    logical_id: &str,
    needs: Vec<String>,
) -> Result<(), Fault> {
    let unknown = || Fault::internal("a resource that is not in the template");
    let definition = template.resources.get(logical_id).ok_or_else(unknown)?;
    let old = resources.get(logical_id);
    let there = old.filter(|it| it.is_there());
    let mut resource = found(cx, stack, definition, logical_id, old);
    let (properties, shown) = match properties(cx, stack, template, resources, logical_id) {
        Ok(properties) => properties,
        Err(fault) if fault.code == NO_EXPORT => return Err(fault),
        Err(fault) => {
            let verb = if there.is_some() { "UPDATE" } else { "CREATE" };
            let fault = masked_fault(fault, &hidden_values(stack));
            step::say(cx, stack, &resource, &fault);
            keep(cx, stack, resource, &format!("{verb}_FAILED"), Some(fault.message));
            return Ok(());
        }
    };
    resource.made_of = MadeOf {
        properties,
        shown,
        needs,
        deletion: deletion(definition),
        stays_when_replaced: definition.update_replace_policy.as_deref() == Some("Retain"),
    };
    match there {
        None => step::create(cx, stack, resource, false),
        Some(old) if old.status == "CREATE_FAILED" => {
            // Nobody knows how far it came: it is made anew.
            let state = resource.state.take();
            let leave = |state| Replaced { state, made_of: old.made_of.clone(), stays: false };
            resource.replaced.extend(state.map(leave));
            step::create(cx, stack, resource, false);
        }
        Some(old) if old.made_of.properties == resource.made_of.properties && old.status.ends_with("_COMPLETE") => {
            resource.turn = stack.turn;
            put(cx, stack, resource);
        }
        Some(old) => step::change(cx, stack, resource, old.made_of.properties.clone()),
    }
    Ok(())
}

/// A resource's properties, and as they are shown where that is not all of them. What cannot be told apart is not shown at all.
fn properties(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    logical_id: &str,
) -> Result<(Json, Option<Json>), Fault> {
    let real = evaluate(cx, stack, template, resources, |it, _| it.properties(logical_id).map(whole))?;
    let real = real.unwrap_or_else(|| json!({}));
    if stack.source.no_echo.is_empty() {
        return Ok((real, None));
    }
    let masked = evaluate_shown(cx, stack, template, resources, |it| it.properties(logical_id).map(whole));
    let masked = masked.ok().flatten().unwrap_or_else(|| json!({}));
    Ok(if masked == real { (real, None) } else { (real, Some(masked)) })
}

/// The resource as an operation finds it: as it was, or new; in an update with a note of how it was.
fn found(cx: &Cx<'_>, stack: &Stack, definition: &Definition, logical_id: &str, old: Option<&Resource>) -> Resource {
    let there = old.filter(|it| it.is_there());
    let was = there.filter(|it| it.status != "CREATE_FAILED");
    let note = || Before {
        state: was.and_then(|it| it.state.clone()),
        made_of: was.map(|it| it.made_of.clone()).unwrap_or_default(),
        made_in: was.map_or(stack.turn, |it| it.made_in),
    };
    let before = old.and_then(|it| it.before.clone());
    Resource {
        logical_id: logical_id.to_owned(),
        type_name: definition.resource_type.clone(),
        status: there.map(|it| it.status.clone()).unwrap_or_default(),
        reason: there.and_then(|it| it.reason.clone()),
        changed_at: there.map_or(cx.time(), |it| it.changed_at),
        turn: there.map_or(stack.turn, |it| it.turn),
        made_in: there.map_or(stack.turn, |it| it.made_in),
        state: there.and_then(|it| it.state.clone()),
        made_of: there.map(|it| it.made_of.clone()).unwrap_or_default(),
        step: None,
        before: before.or_else(|| (stack.goal == Goal::Update).then(|| Box::new(note()))),
        replaced: old.map(|it| it.replaced.clone()).unwrap_or_default(),
    }
}

fn deletion(definition: &Definition) -> Deletion {
    match definition.deletion_policy.as_deref() {
        Some("Retain") => Deletion::Retain,
        Some("RetainExceptOnCreate") => Deletion::RetainExceptOnCreate,
        _ => Deletion::Delete,
    }
}
