//! What a template's evaluation may ask of the account around it.
//!
//! Evaluation is pure and cannot call; what it misses it says, and [`evaluate`] fetches that and tries again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Scope;
use neargate_kernel::{Cx, Fault};
use neargate_shape::Value;
use neargate_template::{
    DynamicReference, Environment, EvalError, Evaluated, Evaluator, ParameterValues, StackOutput, Template, Unknown,
    pseudo, resolve_parameters,
};
use serde_json::{Value as Json, json};

use crate::errors::CloudFormationError;
use crate::secrets;
use crate::state::{Resource, Stack};

/// What other services were asked and answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fetched {
    zones: BTreeMap<String, Vec<String>>,
    dynamic: BTreeMap<DynamicReference, String>,
}

/// A stack's surroundings, as evaluation sees them.
pub(crate) struct World<'a, 'c> {
    cx: &'a Cx<'c>,
    stack: &'a Stack,
    resources: &'a BTreeMap<String, Resource>,
    fetched: &'a Fetched,
    /// The exports that were asked for and are there.
    imports: RefCell<BTreeSet<String>>,
}

impl Environment for World<'_, '_> {
    fn pseudo(&self, name: &str) -> Option<Json> {
        pseudo(&self.cx.scope, &self.stack.name, Some(&self.stack.arn), name)
    }

    fn reference(&self, logical_id: &str) -> Option<Json> {
        let state = self.resources.get(logical_id).filter(|it| it.is_there())?.state.as_ref()?;
        Some(json!(state.physical_id))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Json> {
        let state = self.resources.get(logical_id).filter(|it| it.is_there())?.state.as_ref()?;
        state.attributes.get(attribute).cloned()
    }

    fn import(&self, export: &str) -> Option<Json> {
        let (name, value, _) = exports(self.cx, &self.cx.scope).find(|(name, _, _)| name == export)?;
        self.imports.borrow_mut().insert(name);
        Some(json!(value))
    }

    fn stack_output(&self, wanted: &StackOutput) -> Option<Json> {
        let region = wanted.region.as_deref().unwrap_or(self.cx.scope.region.as_str());
        let scope = Scope::new(self.cx.scope.account.as_str(), region);
        let fits =
            |stack: &Stack| stack.deleted_at.is_none() && (stack.name == wanted.stack || stack.arn == wanted.stack);
        let stack = self.cx.store().scan::<Stack>(&scope, "").map(|(_, stack)| stack).find(|stack| fits(stack))?;
        let output =
            stack.outputs.iter().find(|output| output.output_key.as_deref() == Some(wanted.output.as_str()))?;
        output.output_value.clone().map(Json::String)
    }

    fn availability_zones(&self, region: &str) -> Option<Vec<String>> {
        self.fetched.zones.get(region).cloned()
    }

    fn ssm_parameter(&self, name: &str) -> Option<String> {
        self.stack.source.resolved.get(name).cloned()
    }

    fn dynamic_reference(&self, reference: &DynamicReference) -> Option<String> {
        match reference {
            // Fetched for each step that needs it; what is kept is the reference.
            DynamicReference::Secret { .. } | DynamicReference::SsmSecure { .. } => Some(reference.to_string()),
            DynamicReference::Ssm { .. } => self.fetched.dynamic.get(reference).cloned(),
        }
    }
}

/// The exports of a region: name, value, stack.
pub(crate) fn exports<'s>(cx: &'s Cx<'_>, scope: &Scope) -> impl Iterator<Item = (String, String, String)> + 's {
    let stacks = cx.store().scan::<Stack>(scope, "").map(|(_, stack)| stack).filter(|stack| stack.deleted_at.is_none());
    stacks.flat_map(|stack| {
        stack.outputs.iter().filter_map(|output| {
            Some((output.export_name.clone()?, output.output_value.clone().unwrap_or_default(), stack.arn.clone()))
        })
    })
}

/// What evaluation was asked for, or what it misses.
pub(crate) enum Answer<T> {
    Is(T),
    Misses(BTreeSet<Unknown>),
}

/// Evaluates something of a stack's template, fetching what is missed as the current principal.
pub(crate) fn evaluate<T>(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    work: impl Fn(&Evaluator<'_>, &ParameterValues) -> Result<Answer<T>, EvalError>,
) -> Result<T, Fault> {
    evaluate_with(cx, stack, template, resources, |evaluator, parameters| work(&evaluator, parameters))
}

fn evaluate_with<T>(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    work: impl Fn(Evaluator<'_>, &ParameterValues) -> Result<Answer<T>, EvalError>,
) -> Result<T, Fault> {
    let mut fetched = Fetched::default();
    loop {
        let (answer, imports) = {
            let world = World { cx, stack, resources, fetched: &fetched, imports: RefCell::default() };
            let (parameters, findings) = resolve_parameters(template, &stack.source.parameters, &world);
            if let Some(text) = neargate_template::validation_error(&findings) {
                return Err(CloudFormationError::Validation(text).into());
            }
            let answer = Evaluator::new(template, &parameters, &world).and_then(|it| work(it, &parameters));
            (answer, world.imports.into_inner())
        };
        match answer.map_err(|error| refused(&error))? {
            Answer::Is(value) => {
                if !imports.is_subset(&stack.source.imports) {
                    cx.update::<Stack, _>(&stack.key, |stack| stack.source.imports.extend(imports));
                }
                return Ok(value);
            }
            Answer::Misses(unknowns) => {
                for unknown in &unknowns {
                    fetch(cx, unknown, &mut fetched)?;
                }
            }
        }
    }
}

/// The same with hidden values hidden. Conditions hold as they do with the real values.
pub(crate) fn evaluate_shown<T>(
    cx: &mut Cx<'_>,
    stack: &Stack,
    template: &Template,
    resources: &BTreeMap<String, Resource>,
    work: impl Fn(Evaluator<'_>) -> Result<Answer<T>, EvalError>,
) -> Result<T, Fault> {
    evaluate_with(cx, stack, template, resources, |evaluator, parameters| {
        let shown = secrets::shown(template, parameters);
        work(evaluator.with_parameters(&shown))
    })
}

/// A whole value, or what it misses.
pub(crate) fn whole(evaluated: Evaluated) -> Answer<Option<Json>> {
    match evaluated {
        Evaluated::Value(json) => Answer::Is(Some(json)),
        Evaluated::NoValue => Answer::Is(None),
        Evaluated::Unknown(unknowns) => Answer::Misses(unknowns.into_iter().collect()),
    }
}

fn refused(error: &EvalError) -> Fault {
    let fault: Fault = CloudFormationError::Validation(error.refusal().to_owned()).into();
    fault.with_hint(error.diagnostic().message.clone())
}

/// Fetches one thing; what does not exist is AWS's refusal.
fn fetch(cx: &mut Cx<'_>, unknown: &Unknown, fetched: &mut Fetched) -> Result<(), Fault> {
    let missing = || Fault::from(CloudFormationError::Validation(unknown.refusal()));
    match unknown {
        Unknown::AvailabilityZones(region) if !fetched.zones.contains_key(region) => {
            let output = cx.call("ec2", "DescribeAvailabilityZones", Value::Structure(vec![]))?;
            let zones = output.get("AvailabilityZones").and_then(Value::as_list).unwrap_or_default();
            let names = zones.iter().filter_map(|zone| zone.get("ZoneName")?.as_str().map(str::to_owned));
            fetched.zones.insert(region.clone(), names.collect());
            Ok(())
        }
        Unknown::Dynamic(reference @ DynamicReference::Ssm { name, version })
            if !fetched.dynamic.contains_key(reference) =>
        {
            let selector = version.map_or_else(|| name.clone(), |version| format!("{name}:{version}"));
            let value = parameter(cx, &selector).map_err(|_| missing())?;
            fetched.dynamic.insert(reference.clone(), value);
            Ok(())
        }
        Unknown::Import(_) => Err(CloudFormationError::NoExport(unknown.refusal()).into()),
        Unknown::Attribute(resource, attribute) => {
            let text = format!(
                "Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt"
            );
            Err(CloudFormationError::Validation(text).into())
        }
        _ => Err(missing()),
    }
}

/// What the SSM parameters hold that a template's parameters name, by name.
pub(crate) fn resolve(
    cx: &mut Cx<'_>,
    template: &Template,
    values: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut resolved = BTreeMap::new();
    for (name, definition) in &template.parameters {
        if !matches!(definition.parameter_type, neargate_template::ParameterType::SsmValue(_)) {
            continue;
        }
        let Some(path) = values.get(name) else { continue };
        let found = match parameter(cx, path) {
            Err(_) if is_bootstrap_version(path) => Some(bootstrap(cx, path)?),
            found => found.ok(),
        };
        resolved.extend(found.map(|value| (path.clone(), value)));
    }
    Ok(resolved)
}

/// The stacks that use an export, by name.
pub(crate) fn importers(cx: &Cx<'_>, export: &str, owner: &Stack) -> Vec<String> {
    let uses = |stack: &Stack| stack.before.iter().chain([&stack.source]).any(|it| it.imports.contains(export));
    let others =
        cx.scan::<Stack>("").map(|(_, stack)| stack).filter(|it| it.deleted_at.is_none() && it.key != owner.key);
    let mut names: Vec<_> = others.filter(|it| uses(it)).map(|it| it.name.clone()).collect();
    names.sort();
    names
}

/// That exports of a stack which are to go are in use, if any is; in AWS's words.
pub(crate) fn in_use<'n>(
    cx: &Cx<'_>,
    owner: &Stack,
    exports: impl IntoIterator<Item = &'n str>,
    verb: &str,
) -> Option<String> {
    exports.into_iter().find_map(|name| {
        let users = importers(cx, name, owner);
        let (last, others) = users.split_last()?;
        let whom = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
        Some(format!("Export {name} cannot be {verb} as it is in use by {whom}"))
    })
}

fn parameter(cx: &mut Cx<'_>, name: &str) -> Result<String, Fault> {
    let output = cx.call("ssm", "GetParameter", Value::Structure(vec![("Name", Value::from(name))]))?;
    let value = output.at(&["Parameter", "Value"]).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Fault::internal("a parameter without a value"))
}

/// What the CDK's bootstrap stack would have left.
const BOOTSTRAP_VERSION: &str = "30";

fn is_bootstrap_version(path: &str) -> bool {
    path.starts_with("/cdk-bootstrap/") && path.ends_with("/version")
}

/// Every account here counts as bootstrapped for the CDK: templates that the CDK makes ask for the version.
fn bootstrap(cx: &mut Cx<'_>, path: &str) -> Result<String, Fault> {
    let input = [("Name", path), ("Value", BOOTSTRAP_VERSION), ("Type", "String")];
    let input = input.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    cx.call("ssm", "PutParameter", Value::Structure(input))?;
    Ok(BOOTSTRAP_VERSION.to_owned())
}
