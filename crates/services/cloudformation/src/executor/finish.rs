//! The end of a creation or an update: outputs, exports, the complete status.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Evaluated, Template};
use serde_json::Value as Json;

use super::become_status;
use crate::api;
use crate::errors::CloudFormationError;
use crate::state::{Goal, Resource, Stack, resource_key};
use crate::world::{Answer, evaluate, exports, in_use};

/// Every resource is there: evaluates the outputs and completes the stack. What is wrong with them fails the stack.
pub(super) fn complete(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<(), Fault> {
    let outputs = outputs(cx, stack, template, resources)?;
    if let Some(text) = taken(cx, stack, &outputs).or_else(|| lost(cx, stack, &outputs)) {
        return Err(CloudFormationError::Validation(text).into());
    }
    cx.update::<Stack, _>(&stack.key, |stack| stack.outputs = outputs);
    if stack.goal == Goal::Update {
        become_status(cx, stack, Goal::CleanUp, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
    } else {
        become_status(cx, stack, Goal::None, "CREATE_COMPLETE", None);
    }
    Ok(())
}

/// Notes that a clean-up leaves something behind.
pub(super) fn note_left_over(cx: &mut Cx<'_>, stack: &Stack) {
    cx.update::<Stack, _>(&stack.key, |stack| {
        let came_through = if stack.status.starts_with("UPDATE_ROLLBACK") { "" } else { "Update successful. " };
        stack.reason = Some(format!("{came_through}One or more resources could not be deleted."));
    });
}

/// The end of a clean-up: the notes of how everything was are dropped, and what is gone.
pub(super) fn cleaned_up(cx: &mut Cx<'_>, stack: &Stack, resources: BTreeMap<String, Resource>) {
    for (logical_id, mut resource) in resources {
        let key = resource_key(&stack.key, &logical_id);
        if !resource.is_there() {
            cx.delete::<Resource>(&key);
        } else if resource.before.take().is_some() {
            cx.put(&key, resource);
        }
    }
    let reason = cx.update::<Stack, _>(&stack.key, |stack| {
        stack.before = None;
        stack.reason.clone()
    });
    let status =
        if stack.status.starts_with("UPDATE_ROLLBACK") { "UPDATE_ROLLBACK_COMPLETE" } else { "UPDATE_COMPLETE" };
    become_status(cx, stack, Goal::None, status, reason.flatten());
}

fn outputs(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<Vec<api::Output>, Fault> {
    evaluate(cx, stack, template, resources, |evaluator, _| {
        let mut views = vec![];
        for (name, output) in evaluator.outputs()? {
            let export_name = match output.export {
                Some(Evaluated::Unknown(unknowns)) => return Ok(Answer::Misses(unknowns.into_iter().collect())),
                Some(Evaluated::Value(name)) => Some(text(&name)),
                Some(Evaluated::NoValue) | None => None,
            };
            match output.value {
                Evaluated::Unknown(unknowns) => return Ok(Answer::Misses(unknowns.into_iter().collect())),
                Evaluated::NoValue | Evaluated::Value(Json::Array(_) | Json::Object(_) | Json::Null) => {
                    return Ok(Answer::Is(Err(malformed(name))));
                }
                Evaluated::Value(value) => views.push(api::Output {
                    output_key: Some(name.to_owned()),
                    output_value: Some(text(&value)),
                    description: template.outputs.get(name).and_then(|output| output.description.clone()),
                    export_name,
                }),
            }
        }
        Ok(Answer::Is(Ok(views)))
    })?
    .map_err(Fault::from)
}

/// An export of this name is another stack's.
fn taken(cx: &Cx<'_>, stack: &Stack, outputs: &[api::Output]) -> Option<String> {
    let is_taken = |name: &&str| exports(cx, &cx.scope).any(|(other, _, owner)| other == *name && owner != stack.arn);
    let name = outputs.iter().filter_map(|output| output.export_name.as_deref()).find(is_taken)?;
    Some(format!("Export with name {name} is already exported by another stack"))
}

/// An export that others use would be gone, or another value.
fn lost(cx: &Cx<'_>, stack: &Stack, outputs: &[api::Output]) -> Option<String> {
    let kept = |name: &str| outputs.iter().find(|output| output.export_name.as_deref() == Some(name));
    let names = || stack.outputs.iter().filter_map(|old| Some((old.export_name.as_deref()?, &old.output_value)));
    let gone = names().filter(|(name, _)| kept(name).is_none()).map(|(name, _)| name);
    let other = |(name, value): &(&str, &Option<String>)| kept(name).is_some_and(|it| it.output_value != **value);
    in_use(cx, stack, gone, "deleted")
        .or_else(|| in_use(cx, stack, names().filter(other).map(|(name, _)| name), "updated"))
}

fn malformed(name: &str) -> CloudFormationError {
    let text = format!(
        "Template format error: Output {name} is malformed. The Value field of every Outputs member must evaluate to a String."
    );
    CloudFormationError::Validation(text)
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
