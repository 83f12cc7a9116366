//! What stacks must not show: values of `NoEcho` parameters, and secrets that their templates refer to.
//!
//! A secret that a property refers to, `{{resolve:secretsmanager:…}}`, is fetched as the stack's principal for each step that
//! needs it. Everything that is kept or shown of the property is the reference.
//!
//! Invariant: history, notices and error texts have [`HIDDEN`] in place of such a value; the record that holds parameters is
//! encrypted on disk.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};
use neargate_shape::Value;
use neargate_template::{DynamicPart, DynamicReference, Parameter, ParameterValues, Template, dynamic_parts};
use serde_json::{Value as Json, json};

use crate::errors::CloudFormationError;
use crate::state::{Source, Stack};

/// What stands for a value that is not shown.
pub(crate) const HIDDEN: &str = "****";

/// A value of fewer characters is taken out of a text only where it stands alone: it would be everywhere.
const ANYWHERE_CHARACTERS_MIN: usize = 4;

/// The values of a stack's hidden parameters, those of its update's way back too, and the parts of lists.
pub(crate) fn hidden_values(stack: &Stack) -> Vec<String> {
    let of = |source: &Source| {
        let values = source.no_echo.iter().filter_map(|name| source.parameters.get(name));
        let values = values.flat_map(|value| [value.clone(), source.resolved.get(value).cloned().unwrap_or_default()]);
        values
            .flat_map(|value| value.split(',').map(str::to_owned).chain([value.clone()]).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let mut values: Vec<_> = stack.before.iter().chain([&stack.source]).flat_map(of).collect();
    values.retain(|value| !value.trim().is_empty());
    // A value that another one contains must not leave a part of it.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    values
}

/// A text without these values.
pub(crate) fn masked(text: &str, values: &[String]) -> String {
    let mut text = text.to_owned();
    for value in values.iter().filter(|value| text.contains(value.as_str())).cloned().collect::<Vec<_>>() {
        if value.chars().count() >= ANYWHERE_CHARACTERS_MIN {
            text = text.replace(&value, HIDDEN);
            continue;
        }
        let mut rest = std::mem::take(&mut text);
        while let Some(at) = rest.find(&value) {
            let (before, after) =
                (rest.get(..at).unwrap_or_default(), rest.get(at + value.len()..).unwrap_or_default());
            let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            text.push_str(before);
            let is_alone = !is_part(text.chars().next_back()) && !is_part(after.chars().next());
            text.push_str(if is_alone { HIDDEN } else { &value });
            rest = after.to_owned();
        }
        text.push_str(&rest);
    }
    text
}

/// A fault that shows none of these values.
pub(crate) fn masked_fault(fault: Fault, values: &[String]) -> Fault {
    let hint = fault.hint.as_deref().map(|hint| masked(hint, values));
    Fault { message: masked(&fault.message, values), hint, ..fault }
}

/// The parameters' values as they are shown.
pub(crate) fn shown(template: &Template, parameters: &ParameterValues) -> ParameterValues {
    let hides = |name: &str| template.parameters.get(name).is_some_and(|it: &Parameter| it.no_echo);
    let mut shown = parameters.clone();
    for (name, value) in shown.iter_mut().filter(|(name, _)| hides(name)) {
        let is_list = template.parameters.get(name).is_some_and(|it| it.parameter_type.is_list());
        value.text = HIDDEN.to_owned();
        value.value = Some(if is_list { json!([HIDDEN]) } else { json!(HIDDEN) });
    }
    shown
}

/// Properties with the secrets that they refer to, and these secrets.
pub(crate) fn reveal(cx: &mut Cx<'_>, type_name: &str, properties: &Json) -> Result<(Json, Vec<String>), Fault> {
    let mut fetched = BTreeMap::new();
    let revealed = reveal_in(cx, &format!("{type_name}/Properties"), properties, &mut fetched)?;
    Ok((revealed, fetched.into_values().collect()))
}

fn reveal_in(
    cx: &mut Cx<'_>,
    path: &str,
    properties: &Json,
    fetched: &mut BTreeMap<DynamicReference, String>,
) -> Result<Json, Fault> {
    Ok(match properties {
        Json::String(text) => Json::String(reveal_text(cx, path, text, fetched)?),
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| reveal_in(cx, path, item, fetched)).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let mut revealed = serde_json::Map::new();
            for (name, member) in members {
                revealed.insert(name.clone(), reveal_in(cx, &format!("{path}/{name}"), member, fetched)?);
            }
            Json::Object(revealed)
        }
        other => other.clone(),
    })
}

fn reveal_text(
    cx: &mut Cx<'_>,
    path: &str,
    text: &str,
    fetched: &mut BTreeMap<DynamicReference, String>,
) -> Result<String, Fault> {
    let mut revealed = String::new();
    for part in dynamic_parts(text) {
        match part {
            DynamicPart::Text(text) => revealed.push_str(text),
            DynamicPart::Reference(reference @ DynamicReference::SsmSecure { .. }) => {
                let text = format!("SSM Secure reference is not supported in: [{path}]");
                let fault: Fault = CloudFormationError::Validation(text).into();
                return Err(fault.with_hint(format!("keep the value of `{reference}` in Secrets Manager")));
            }
            DynamicPart::Reference(reference) => {
                let value = match fetched.get(&reference) {
                    Some(value) => value.clone(),
                    None => secret(cx, &reference)?,
                };
                revealed.push_str(&value);
                fetched.insert(reference, value);
            }
        }
    }
    Ok(revealed)
}

/// Asks for a secret as the current principal.
fn secret(cx: &mut Cx<'_>, reference: &DynamicReference) -> Result<String, Fault> {
    let DynamicReference::Secret { secret_id, json_key, version_stage, version_id } = reference else {
        return Err(Fault::internal(format!("`{reference}` is no secret")));
    };
    let mut input = json!({ "SecretId": secret_id });
    if let Some(members) = input.as_object_mut() {
        members.extend(version_stage.iter().map(|stage| ("VersionStage".to_owned(), json!(stage))));
        members.extend(version_id.iter().map(|id| ("VersionId".to_owned(), json!(id))));
    }
    let answer = cx.call_json("secretsmanager", "GetSecretValue", input)?;
    let text = answer.get("SecretString").and_then(Value::as_str).map(str::to_owned);
    let refuse = |text: String| Fault::from(CloudFormationError::Validation(text));
    let text = text.ok_or_else(|| refuse(format!("The secret {secret_id} has no SecretString")))?;
    let Some(key) = json_key else { return Ok(text) };
    let object = serde_json::from_str::<Json>(&text).ok().filter(Json::is_object);
    let object = object.ok_or_else(|| refuse("Could not parse SecretString JSON".to_owned()))?;
    match object.get(key) {
        Some(Json::String(value)) => Ok(value.clone()),
        Some(Json::Null) | None => {
            Err(refuse(format!("Could not find a value associated with JSONKey in SecretString: {key}")))
        }
        Some(other) => Ok(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_value_is_taken_out_of_a_text() {
        let check = |text: &str, values: &[&str], expected: &str| {
            let values: Vec<_> = values.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(masked(text, &values), expected);
        };
        check("Value 'hunter2' and hunter2x", &["hunter2"], "Value '****' and ****x");
        check("'a' at 'name' is a", &["a"], "'****' at 'name' is ****");
        check("a", &["a"], "****");
        check("aaa a", &["a"], "aaa ****");
        check("nothing of it", &["", "x"].map(|it| if it.is_empty() { "zz" } else { it }), "nothing of it");
    }
}
