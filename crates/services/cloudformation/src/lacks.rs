//! What of a template Neargate cannot do: found before anything is made of it, in all stacks of an app if need be.
//!
//! Invariant: looks and changes nothing; what cannot be evaluated yet is left to the call that makes the stack.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Expr, Function, Partial, Template};
use serde::Serialize;
use serde_json::Value as Json;

use crate::executor::handler;
use crate::state::{Goal, OnFailure, Source, Stack};
use crate::world::{Answer, evaluate};

/// Something that a resource asks for and that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundLack {
    /// Such as `Resources.Task.Properties.ContainerDefinitions[0].MountPoints`.
    pub path: String,
    /// Line and column of the template, from one.
    pub place: Option<(usize, usize)>,
    /// What is not done.
    pub text: String,
}

/// What Neargate cannot do of a template that is to become a stack with these parameters.
///
/// # Errors
/// Where the parameters are wrong, as `CreateStack` says it.
pub fn of_template(
    cx: &mut Cx<'_>,
    stack_name: &str,
    text: &str,
    given: BTreeMap<String, String>,
) -> Result<Vec<FoundLack>, Fault> {
    // What does not read is refused by the call that makes the stack.
    let (Some(template), _) = Template::read(text, "template") else { return Ok(vec![]) };
    let defaults = template.parameters.iter().filter_map(|(name, it)| Some((name.clone(), it.default.clone()?)));
    let mut parameters: BTreeMap<_, _> = defaults.collect();
    parameters.extend(given.into_iter().filter(|(name, _)| template.parameters.contains_key(name)));
    let source = Source { template: text.to_owned(), parameters, ..Source::default() };
    let key = "00000000-0000-0000-0000-000000000000";
    let stack = Stack {
        key: key.to_owned(),
        arn: cx.scope.arn("cloudformation", &format!("stack/{stack_name}/{key}")),
        name: stack_name.to_owned(),
        status: "REVIEW_IN_PROGRESS".to_owned(),
        reason: None,
        goal: Goal::Create,
        turn: 1,
        source,
        before: None,
        principal: cx.principal.clone(),
        role_arn: None,
        on_failure: OnFailure::RollBack,
        termination_protection: false,
        timeout_in_minutes: None,
        notification_arns: vec![],
        retained: vec![],
        retains_except_on_create: false,
        created_at: cx.time(),
        updated_at: None,
        deleted_at: None,
        outputs: vec![],
    };
    find(cx, &stack, &template)
}

/// What Neargate cannot do of the resources that the conditions leave.
pub(crate) fn find(cx: &mut Cx<'_>, stack: &Stack, template: &Template) -> Result<Vec<FoundLack>, Fault> {
    let registry = cx.registry;
    let lacks = evaluate(cx, stack, template, &BTreeMap::new(), |evaluator, _| {
        let mut lacks = vec![];
        for (id, resource) in &template.resources {
            let Some(handler) = handler(registry, &resource.resource_type) else { continue };
            if evaluator.includes(id) == Some(false) {
                continue;
            }
            // What cannot be evaluated is refused with its own words when the resource is made.
            let Ok(Some(properties)) = evaluator.partial(&resource.properties) else { continue };
            let mut known = known(properties);
            if resource.resource_type.starts_with("Custom::") {
                fill(&mut known, &resource.properties, |expr| evaluator.partial(expr).ok().flatten());
            }
            let found = handler.lacks_among(registry, &known);
            lacks.extend(found.into_iter().map(|lack| (format!("Resources.{id}.Properties.{}", lack.path), lack.text)));
        }
        Ok(Answer::Is(lacks))
    })?;
    let found = |(path, text): (String, String)| {
        let place = neargate_template::locate(&stack.source.template, &path);
        FoundLack { path, place, text }
    };
    Ok(lacks.into_iter().map(found).collect())
}

/// Puts the known parts of joined texts where the whole is not known.
fn fill(known: &mut Json, properties: &Expr, evaluate: impl Fn(&Expr) -> Option<Partial>) {
    let (Some(known), Expr::Object(properties)) = (known.as_object_mut(), properties) else { return };
    for (name, value) in known.iter_mut().filter(|(_, value)| value.is_null()) {
        let Some(Expr::Call(Function::Join, arguments)) = properties.get(name) else { continue };
        let [Expr::Literal(Json::String(delimiter)), Expr::List(items)] = arguments.as_slice() else { continue };
        let text = |item: &Expr| evaluate(item).as_ref().and_then(Partial::as_str).unwrap_or_default().to_owned();
        *value = items.iter().map(text).collect::<Vec<_>>().join(delimiter).into();
    }
}

/// What is known of a value; the rest is null.
fn known(partial: Partial) -> Json {
    match partial {
        Partial::Scalar(scalar) => scalar,
        Partial::List(items) => Json::Array(items.into_iter().map(known).collect()),
        Partial::Object(members) => {
            Json::Object(members.into_iter().map(|(name, value)| (name, known(value))).collect())
        }
        Partial::Unknown(_) => Json::Null,
    }
}
