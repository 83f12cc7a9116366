//! The end of a creation or an update: outputs, exports, the complete status.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Evaluated, Template};
use serde_json::Value as Json;

use super::become_status;
use crate::api;
use crate::errors::CloudFormationError;
use crate::state::{Goal, OnFailure, Resource, Stack};
use crate::world::{Answer, evaluate, exports};

/// Every resource is there: evaluates the outputs and completes the stack, or turns back where they are wrong.
pub(super) fn complete(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<(), Fault> {
    match outputs(cx, stack, template, resources) {
        Ok(outputs) => {
            cx.update::<Stack, _>(&stack.key, |stack| stack.outputs = outputs);
            if stack.goal == Goal::Update {
                become_status(cx, stack, Goal::CleanUp, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
            } else {
                become_status(cx, stack, Goal::None, "CREATE_COMPLETE", None);
            }
        }
        Err(fault) if stack.goal == Goal::Update => {
            become_status(cx, stack, Goal::RollBackUpdate, "UPDATE_ROLLBACK_IN_PROGRESS", Some(fault.message));
        }
        Err(fault) if stack.on_failure == OnFailure::DoNothing => {
            become_status(cx, stack, Goal::None, "CREATE_FAILED", Some(fault.message));
        }
        Err(fault) => become_status(cx, stack, Goal::RollBack, "ROLLBACK_IN_PROGRESS", Some(fault.message)),
    }
    Ok(())
}

fn outputs(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
) -> Result<Vec<api::Output>, Fault> {
    let found = evaluate(cx, stack, template, resources, |evaluator, _| {
        let mut views = vec![];
        for (name, output) in evaluator.outputs()? {
            let export_name = match output.export {
                Some(Evaluated::Unknown(unknowns)) => return Ok(Answer::Misses(unknowns.into_iter().collect())),
                Some(Evaluated::Value(name)) => Some(text(&name)),
                Some(Evaluated::NoValue) | None => None,
            };
            match output.value {
                Evaluated::Unknown(unknowns) => return Ok(Answer::Misses(unknowns.into_iter().collect())),
                Evaluated::NoValue => {}
                Evaluated::Value(value) => views.push(api::Output {
                    output_key: Some(name.to_owned()),
                    output_value: Some(text(&value)),
                    description: template.outputs.get(name).and_then(|output| output.description.clone()),
                    export_name,
                }),
            }
        }
        Ok(Answer::Is(views))
    })?;
    for output in &found {
        let taken = |name: &str| exports(cx, &cx.scope).any(|(other, _, owner)| other == name && owner != stack.arn);
        if let Some(name) = output.export_name.as_deref().filter(|name| taken(name)) {
            let text = format!("Export with name {name} is already exported by another stack");
            return Err(CloudFormationError::Validation(text).into());
        }
    }
    Ok(found)
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
