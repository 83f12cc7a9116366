//! The values given for a template's parameters, checked against their declarations.
//!
//! Invariant: every parameter that has no finding has a value afterwards; SSM names are looked up once.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::pattern::matches_whole;
use super::{Parameter, ParameterType};
use crate::codes;
use crate::environment::Environment;
use crate::finding::{Finding, nearest};
use crate::template::Template;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterValue {
    /// As given, or the default; for an SSM type, the name of the SSM parameter.
    pub text: String,
    /// What `Ref` yields; `None` where an SSM parameter is not known.
    pub value: Option<Json>,
}

/// The values of a template's parameters, in template order.
pub type ParameterValues = IndexMap<String, ParameterValue>;

/// Checks the given values, fills in defaults and looks up SSM parameters.
///
/// Where `environment` does not know an SSM parameter, the value is `None` and there is no finding: whatever depends on
/// it evaluates to unknown. [`missing_ssm_parameters`] says what AWS answers.
pub fn resolve_parameters(
    template: &Template,
    given: &BTreeMap<String, String>,
    environment: &dyn Environment,
) -> (ParameterValues, Vec<Finding>) {
    let mut findings = names(template, given);
    let mut values = ParameterValues::new();
    for (name, parameter) in &template.parameters {
        let Some(text) = given.get(name).or(parameter.default.as_ref()) else { continue };
        let (text, value) = match &parameter.parameter_type {
            ParameterType::SsmValue(inner) => {
                (text.clone(), environment.ssm_parameter(text).map(|text| inner.value(&text)))
            }
            other => (text.clone(), Some(other.value(text))),
        };
        if let Some(finding) = check(name, parameter, &text) {
            findings.push(finding.at(&format!("Parameters.{name}")));
        }
        values.insert(name.clone(), ParameterValue { text, value });
    }
    (values, findings)
}

/// AWS's refusal of a stack some of whose SSM parameters do not exist.
pub fn missing_ssm_parameters(values: &ParameterValues) -> Option<String> {
    let missing = values.values().filter(|value| value.value.is_none());
    let names: Vec<&str> = missing.map(|value| value.text.as_str()).collect();
    let text = || format!("Unable to fetch parameters [{}] from parameter store for this account.", names.join(","));
    (!names.is_empty()).then(text)
}

/// Parameters without a value, and values without a parameter.
fn names(template: &Template, given: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = vec![];
    let foreign: Vec<&str> =
        given.keys().filter(|name| !template.parameters.contains_key(*name)).map(String::as_str).collect();
    let aws = format!("Parameters: [{}] do not exist in the template", foreign.join(", "));
    for name in &foreign {
        let known = template.parameters.keys().map(String::as_str);
        let finding = Finding::error(codes::PARAMETER, format!("the template has no parameter `{name}`"), &aws);
        findings.push(finding.nearest(name, known));
    }
    let missing: Vec<&str> = template
        .parameters
        .iter()
        .filter(|(name, parameter)| parameter.default.is_none() && !given.contains_key(*name))
        .map(|(name, _)| name.as_str())
        .collect();
    let aws = format!("Parameters: [{}] must have values", missing.join(", "));
    for name in missing {
        let finding = Finding::error(codes::PARAMETER, format!("the parameter `{name}` has no value"), &aws);
        let finding = match nearest(name, foreign.iter().copied()) {
            Some(near) => finding.hint(format!("`{near}` was given: is `{name}` meant?")),
            None => finding.hint("give it a value, or a `Default` in the template"),
        };
        findings.push(finding.at(&format!("Parameters.{name}")));
    }
    findings
}

/// What is wrong with one value.
fn check(name: &str, parameter: &Parameter, text: &str) -> Option<Finding> {
    let parts = match parameter.parameter_type.value(text) {
        Json::Array(items) if !matches!(parameter.parameter_type, ParameterType::SsmValue(_)) => {
            items.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        }
        _ => vec![text.to_owned()],
    };
    let wrong = parts.iter().find_map(|part| check_part(parameter, part)).or_else(|| check_length(parameter, text));
    if let Some(wrong) = wrong {
        return Some(refuse(name, parameter, text, &wrong));
    }
    let pattern = parameter.allowed_pattern.as_deref()?;
    match matches_whole(pattern, text) {
        Some(true) => None,
        Some(false) => {
            let wrong =
                Wrong { expected: format!("the pattern `{pattern}`"), aws: format!("must match pattern {pattern}") };
            Some(refuse(name, parameter, text, &wrong))
        }
        None => Some(Finding::warning(
            codes::PATTERN,
            format!("`{name}` was not checked against the pattern `{pattern}`, which is beyond what is supported here"),
        )),
    }
}

/// What a value should be, for our user and as AWS says it after `Parameter 'X'`.
struct Wrong {
    expected: String,
    aws: String,
}

fn refuse(name: &str, parameter: &Parameter, text: &str, wrong: &Wrong) -> Finding {
    let shown = if parameter.no_echo { "****" } else { text };
    let aws = match &parameter.constraint_description {
        Some(description) => format!("Parameter {name} failed to satisfy constraint: {description}"),
        None => format!("Parameter '{name}' {}", wrong.aws),
    };
    let message = format!("`{name}` is `{shown}`, expected {}", wrong.expected);
    let finding = Finding::error(codes::PARAMETER, message, aws);
    match &parameter.constraint_description {
        Some(description) => finding.hint(description.clone()),
        None => finding,
    }
}

fn check_part(parameter: &Parameter, part: &str) -> Option<Wrong> {
    if !parameter.allowed_values.is_empty() && !parameter.allowed_values.iter().any(|allowed| allowed == part) {
        let allowed = crate::expr::listed(parameter.allowed_values.iter());
        return Some(Wrong { expected: format!("one of {allowed}"), aws: "must be one of AllowedValues".to_owned() });
    }
    if !matches!(parameter.parameter_type, ParameterType::Number | ParameterType::Numbers) {
        return None;
    }
    let Some(number) = part.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Some(Wrong { expected: "a number".to_owned(), aws: "must be a number".to_owned() });
    };
    let below = parameter.value_min.filter(|least| number < *least).map(|least| Wrong {
        expected: format!("at least `{least}`"),
        aws: format!("must be a number not less than {least}"),
    });
    below.or_else(|| {
        parameter.value_max.filter(|most| number > *most).map(|most| Wrong {
            expected: format!("at most `{most}`"),
            aws: format!("must be a number not greater than {most}"),
        })
    })
}

fn check_length(parameter: &Parameter, text: &str) -> Option<Wrong> {
    let length = f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    let short = parameter.length_min.filter(|least| length < *least).map(|least| Wrong {
        expected: format!("at least {least} characters, not {length}"),
        aws: format!("must contain at least {least} characters"),
    });
    short.or_else(|| {
        parameter.length_max.filter(|most| length > *most).map(|most| Wrong {
            expected: format!("at most {most} characters, not {length}"),
            aws: format!("must contain at most {most} characters"),
        })
    })
}
