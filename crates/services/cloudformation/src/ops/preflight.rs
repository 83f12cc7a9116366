//! What is checked before anything is made.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Finding, Template, validation_error};

use crate::api;
use crate::errors::CloudFormationError;
use crate::state::{Source, Stack};
use crate::world::{Answer, evaluate};

/// The template's text, from the body; a URL would lead to S3.
pub(super) fn text(body: Option<String>, url: Option<&str>) -> Result<String, Fault> {
    match (body, url) {
        (Some(body), None) => Ok(body),
        (None, Some(_)) => {
            let text = "Neargate does not read TemplateURL yet: there is no S3 here; send TemplateBody";
            Err(Fault::sender("NotImplemented", text).with_status(501))
        }
        _ => {
            let text = "Either Template URL or Template Body must be specified.";
            Err(CloudFormationError::Validation(text.to_owned()).into())
        }
    }
}

/// Reads a template, or answers AWS's refusal with our diagnostics as its hint.
pub(super) fn read(text: &str) -> Result<Rc<Template>, Fault> {
    let (template, findings) = Template::read(text, "template");
    refuse(&findings)?;
    let unreadable = || CloudFormationError::Validation("Template format error: unsupported structure.".to_owned());
    Ok(Rc::new(template.ok_or_else(unreadable)?))
}

fn refuse(findings: &[Finding]) -> Result<(), Fault> {
    let Some(text) = validation_error(findings) else { return Ok(()) };
    let first = findings.iter().find(|finding| finding.diagnostic.severity == neargate_base::Severity::Error);
    let hint = first.map(|finding| {
        let it = &finding.diagnostic;
        format!("{} at {}: {}", it.code, it.path, it.message)
    });
    let fault: Fault = CloudFormationError::Validation(text).into();
    Err(hint.map_or(fault.clone(), |hint| fault.with_hint(hint)))
}

/// The parameters given, with those that keep their value.
pub(super) fn parameters(
    template: &Template,
    given: Option<Vec<api::Parameter>>,
    before: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, CloudFormationError> {
    let mut values = BTreeMap::new();
    let mut unknown = vec![];
    for parameter in given.unwrap_or_default() {
        let key = parameter.parameter_key.unwrap_or_default();
        if !template.parameters.contains_key(&key) {
            unknown.push(key);
            continue;
        }
        let value = if parameter.use_previous_value == Some(true) { before.get(&key).cloned() } else { parameter.parameter_value };
        values.extend(value.map(|value| (key, value)));
    }
    if unknown.is_empty() {
        return Ok(values);
    }
    Err(CloudFormationError::Validation(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))))
}

/// Everything that can be known to be wrong with a stack before it is begun.
pub(super) fn check(cx: &mut Cx<'_>, stack: &Stack, template: &Template) -> Result<(), Fault> {
    check_types(cx, template)?;
    check_capabilities(&stack.source, template)?;
    let nothing = BTreeMap::new();
    let findings = evaluate(cx, stack, template, &nothing, |evaluator, parameters| {
        if let Some(text) = neargate_template::missing_ssm_parameters(parameters) {
            return Ok(Answer::Is(Err(text)));
        }
        if let Some((from, to)) = evaluator.graph().dangling().first() {
            let text = format!(
                "Template format error: Unresolved resource dependencies [{to}] in the Resources block of the template"
            );
            return Ok(Answer::Is(Err(format!("{text} (referenced by {from})"))));
        }
        Ok(Answer::Is(Ok(evaluator.rules()?)))
    })?;
    refuse(&findings.map_err(CloudFormationError::Validation)?)
}

fn check_types(cx: &Cx<'_>, template: &Template) -> Result<(), Fault> {
    let types: BTreeSet<&str> = template.resources.values().map(|resource| resource.resource_type.as_str()).collect();
    let unknown: Vec<_> = types.into_iter().filter(|name| cx.registry.resource(name).is_none()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let whose: Vec<_> = template
        .resources
        .iter()
        .filter(|(_, resource)| unknown.contains(&resource.resource_type.as_str()))
        .map(|(id, resource)| format!("`{id}` ({})", resource.resource_type))
        .collect();
    let text = format!("Template format error: Unrecognized resource types: [{}]", unknown.join(", "));
    let fault: Fault = CloudFormationError::Validation(text).into();
    Err(fault.with_hint(format!("Neargate does not run these resources yet, and made none: {}", whose.join(", "))))
}

/// Templates that make IAM resources must be acknowledged, those that name them more so.
fn check_capabilities(source: &Source, template: &Template) -> Result<(), CloudFormationError> {
    let has = |name: &str| source.capabilities.iter().any(|it| it == name);
    let iam = || template.resources.values().filter(|resource| resource.resource_type.starts_with("AWS::IAM::"));
    let names = ["RoleName", "ManagedPolicyName", "UserName", "GroupName", "InstanceProfileName"];
    let is_named = iam().any(|resource| names.iter().any(|name| resource.properties.get(name).is_some()));
    if is_named && !has("CAPABILITY_NAMED_IAM") {
        return Err(CloudFormationError::Capabilities("CAPABILITY_NAMED_IAM"));
    }
    if iam().next().is_some() && !has("CAPABILITY_IAM") && !has("CAPABILITY_NAMED_IAM") {
        return Err(CloudFormationError::Capabilities("CAPABILITY_IAM"));
    }
    Ok(())
}
