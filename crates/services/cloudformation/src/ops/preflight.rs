//! What is checked before anything is made.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use neargate_kernel::{Cx, Fault};
use neargate_template::{Finding, Parameter, Template, validation_error};

use crate::api;
use crate::errors::CloudFormationError;
use crate::executor::handler;
use crate::lacks::{self, FoundLack};
use crate::state::{Resource, Source, Stack, resources};
use crate::uploads;
use crate::world::{Answer, evaluate, resolve};

/// What a call's body may hold of a template; a longer one must be named by its URL.
const BODY_BYTES_MAX: usize = 51_200;

/// The template's text, from the body or from what was handed over beforehand; any other URL would lead to S3.
pub(super) fn text(cx: &mut Cx<'_>, body: Option<String>, url: Option<&str>) -> Result<String, Fault> {
    match (body, url) {
        (Some(body), None) if body.len() > BODY_BYTES_MAX => {
            let text = format!(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less \
                 than or equal to {BODY_BYTES_MAX}"
            );
            let hint =
                format!("the template has {} bytes; `neargate up` and `neargate try` take up to 1 MB", body.len());
            Err(Fault::from(CloudFormationError::Validation(text)).with_hint(hint))
        }
        (Some(body), None) => Ok(body),
        (None, Some(url)) => {
            if let Some(text) = uploads::take(cx, url) {
                return Ok(text);
            }
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

/// The value of every parameter: given, kept from before, or by default.
pub(super) fn parameters(
    template: &Template,
    given: Option<Vec<api::Parameter>>,
    before: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, CloudFormationError> {
    let default = |(name, it): (&String, &Parameter)| Some((name.clone(), it.default.clone()?));
    let mut values: BTreeMap<_, _> = template.parameters.iter().filter_map(default).collect();
    let mut unknown = vec![];
    for parameter in given.unwrap_or_default() {
        let key = parameter.parameter_key.unwrap_or_default();
        if !template.parameters.contains_key(&key) {
            unknown.push(key);
        } else if parameter.use_previous_value != Some(true) {
            values.extend(parameter.parameter_value.map(|value| (key, value)));
        } else if let Some(value) = before.get(&key) {
            values.insert(key, value.clone());
        } else {
            let text = format!(
                "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the \
                 previous template"
            );
            return Err(CloudFormationError::Validation(text));
        }
    }
    if unknown.is_empty() {
        return Ok(values);
    }
    Err(CloudFormationError::Validation(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))))
}

/// What a stack is to become: its template's text with everything given to it.
pub(super) fn source(
    cx: &mut Cx<'_>,
    text: String,
    template: &Template,
    parameters: BTreeMap<String, String>,
    capabilities: Option<Vec<String>>,
    tags: Vec<api::Tag>,
) -> Result<Source, Fault> {
    let hidden = template.parameters.iter().filter(|(_, it)| it.no_echo).map(|(name, _)| name.clone());
    Ok(Source {
        template: text,
        resolved: resolve(cx, template, &parameters)?,
        parameters,
        no_echo: hidden.collect(),
        imports: BTreeSet::new(),
        capabilities: capabilities.unwrap_or_default(),
        tags,
    })
}

/// Everything that can be known to be wrong with a stack before it is begun.
pub(super) fn check(cx: &mut Cx<'_>, stack: &Stack, template: &Template) -> Result<(), Fault> {
    check_types(cx, template)?;
    check_capabilities(&stack.source, template)?;
    crate::properties::check(&stack.source.template, template)?;
    check_lacks(cx, stack, template)?;
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
    let unknown: Vec<_> = types.into_iter().filter(|name| handler(cx.registry, name).is_none()).collect();
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

/// What a resource that the stack will have asks for and Neargate cannot do, all of it at once.
fn check_lacks(cx: &mut Cx<'_>, stack: &Stack, template: &Template) -> Result<(), Fault> {
    let lacks = lacks::find(cx, stack, template)?;
    if lacks.is_empty() {
        return Ok(());
    }
    let place =
        |lack: &FoundLack| lack.place.map_or(String::new(), |(line, column)| format!(" (template:{line}:{column})"));
    let all: Vec<_> = lacks.iter().map(|lack| format!("{}{}: {}", lack.path, place(lack), lack.text)).collect();
    let text = format!("Neargate cannot run this template: {}", all.join("; "));
    let hint = "nothing was made; leave it out to try the rest, for instance with a condition that is false here";
    Err(Fault::sender("NotImplemented", text).with_status(501).with_hint(hint))
}

/// Resources that give permissions: to make them must be acknowledged.
const IAM_TYPES: [&str; 8] = [
    "AWS::IAM::AccessKey",
    "AWS::IAM::Group",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::UserToGroupAddition",
];

/// The capability that a template needs, and the types that need it: more so where they are named.
pub(super) fn needed_capability(template: &Template) -> Option<(&'static str, Vec<&str>)> {
    let iam = || template.resources.values().filter(|resource| IAM_TYPES.contains(&resource.resource_type.as_str()));
    let names = ["RoleName", "ManagedPolicyName", "UserName", "GroupName", "InstanceProfileName"];
    let is_named = iam().any(|resource| names.iter().any(|name| resource.properties.get(name).is_some()));
    let types: BTreeSet<&str> = iam().map(|resource| resource.resource_type.as_str()).collect();
    let capability = if is_named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" };
    (!types.is_empty()).then(|| (capability, types.into_iter().collect()))
}

fn check_capabilities(source: &Source, template: &Template) -> Result<(), CloudFormationError> {
    let has = |name: &str| source.capabilities.iter().any(|it| it == name);
    match needed_capability(template) {
        Some((name, _)) if !has(name) && !has("CAPABILITY_NAMED_IAM") => Err(CloudFormationError::Capabilities(name)),
        _ => Ok(()),
    }
}

/// A logical id keeps its type for as long as the stack has it.
pub(super) fn check_same_types(cx: &Cx<'_>, stack: &Stack, template: &Template) -> Result<(), CloudFormationError> {
    let is_other = |it: &Resource| {
        let wanted = template.resources.get(&it.logical_id);
        it.is_there() && wanted.is_some_and(|wanted| wanted.resource_type != it.type_name)
    };
    let changed: Vec<_> = resources(cx, &stack.key).into_values().filter(is_other).map(|it| it.logical_id).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
        changed.join(", ")
    );
    Err(CloudFormationError::Validation(text))
}
