//! Secrets of containers: fetched as the task's execution role when a driver is about to start the task, and kept nowhere.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html>; the texts of failures are
//! those of Fargate's agent.
//!
//! Invariant: a value is in the answer of [`fetch`] alone: not in the task's record, not in its order, not in an effect.

mod json;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use neargate_kernel::{Cx, Fault};
use neargate_shape::Value;
use zeroize::Zeroizing;

use crate::state::{Task, definition};
use source::{Parameter, Secret, Source};

/// Environment variables and their values, by container.
pub type SecretEnvironment = BTreeMap<String, Vec<(String, Zeroizing<String>)>>;

/// Parameters in one `GetParameters`.
const PARAMETERS_PER_CALL_MAX: usize = 10;

/// The values of every secret of a task's containers. The fault's text is what the task's `stoppedReason` shall be.
pub fn fetch(cx: &mut Cx<'_>, task: &str) -> Result<SecretEnvironment, Fault> {
    let Some(task) = cx.get::<Task>(task).cloned() else { return Ok(SecretEnvironment::new()) };
    let wanted = wanted(cx, &task)?;
    if wanted.is_empty() {
        return Ok(SecretEnvironment::new());
    }
    let role = task
        .assume_execution_role(cx)
        .map_err(|text| failed(&format!("execution resource retrieval failed: {text}"), None))?;
    cx.as_principal(role, |cx| {
        let secrets = fetch_secrets(cx, &wanted)?;
        let parameters = fetch_parameters(cx, &wanted)?;
        let mut found = SecretEnvironment::new();
        for Wanted { container, name, source } in wanted {
            let value = match source {
                Source::Secret(secret) => {
                    let whole = secrets.get(&secret.version()).cloned().unwrap_or_default();
                    secret
                        .json_key
                        .as_deref()
                        .map_or(Ok(whole.clone()), |key| json::field(&whole, key))
                        .map_err(|text| failed(&retried("secret from asm", &text), None))?
                }
                Source::Parameter(parameter) => parameters.get(&parameter).cloned().unwrap_or_default(),
            };
            found.entry(container).or_default().push((name, value));
        }
        Ok(found)
    })
}

/// One variable of one container.
struct Wanted {
    container: String,
    name: String,
    source: Source,
}

fn wanted(cx: &Cx<'_>, task: &Task) -> Result<Vec<Wanted>, Fault> {
    let definition = definition(cx, task.view.task_definition_arn.as_deref().unwrap_or_default())?;
    let mut wanted = vec![];
    for container in definition.view.container_definitions.iter().flatten() {
        for secret in container.secrets.iter().flatten() {
            let source = Source::parse(&secret.value_from, &cx.scope);
            let source = source.map_err(|text| failed(&retried("secret from asm", &text), None))?;
            let container = container.name.clone().unwrap_or_default();
            wanted.push(Wanted { container, name: secret.name.clone(), source });
        }
    }
    Ok(wanted)
}

/// Every version of a secret once, whole.
fn fetch_secrets(cx: &mut Cx<'_>, wanted: &[Wanted]) -> Result<BTreeMap<Secret, Zeroizing<String>>, Fault> {
    let versions: BTreeSet<Secret> = wanted
        .iter()
        .filter_map(|it| match &it.source {
            Source::Secret(secret) => Some(secret.version()),
            Source::Parameter(_) => None,
        })
        .collect();
    let mut found = BTreeMap::new();
    for secret in versions {
        let mut input = vec![("SecretId", Value::from(secret.arn.as_str()))];
        input.extend(secret.version_stage.as_deref().map(|stage| ("VersionStage", Value::from(stage))));
        input.extend(secret.version_id.as_deref().map(|id| ("VersionId", Value::from(id))));
        let answer = cx
            .in_region(Some(&secret.region), |cx| cx.call("secretsmanager", "GetSecretValue", Value::Structure(input)));
        let answer = answer.map_err(|fault| {
            let text = format!("failed to fetch secret {} from secrets manager: {}", secret.arn, told(cx, &fault));
            failed(
                &retried("secret from asm", &text),
                fault.hint.or_else(|| Some(hint("secretsmanager:GetSecretValue", &secret.arn))),
            )
        })?;
        // A binary secret has no text: Fargate's agent takes it for empty.
        found.insert(secret, taken(answer, "SecretString").unwrap_or_default());
    }
    Ok(found)
}

/// Every parameter once, a region at a time.
fn fetch_parameters(cx: &mut Cx<'_>, wanted: &[Wanted]) -> Result<BTreeMap<Parameter, Zeroizing<String>>, Fault> {
    let mut by_region: BTreeMap<&str, BTreeSet<&Parameter>> = BTreeMap::new();
    for it in wanted {
        if let Source::Parameter(parameter) = &it.source {
            by_region.entry(&parameter.region).or_default().insert(parameter);
        }
    }
    let mut found = BTreeMap::new();
    for (region, parameters) in by_region {
        let parameters: Vec<_> = parameters.into_iter().collect();
        for some in parameters.chunks(PARAMETERS_PER_CALL_MAX) {
            let names = some.iter().map(|parameter| Value::from(parameter.name.as_str())).collect();
            let input = vec![("Names", Value::List(names)), ("WithDecryption", Value::Bool(true))];
            let answer = cx.in_region(Some(region), |cx| cx.call("ssm", "GetParameters", Value::Structure(input)));
            let answer = answer.map_err(|fault| {
                let text = retried("secrets from ssm", &told(cx, &fault));
                failed(&text, fault.hint.or_else(|| Some(hint("ssm:GetParameters", "the parameter"))))
            })?;
            let values = by_name(answer);
            let missing: Vec<_> =
                some.iter().filter(|it| answered(&values, it).is_none()).map(|it| it.name.as_str()).collect();
            if !missing.is_empty() {
                let text = retried("secrets from ssm", &format!("invalid ssm parameters: {}", missing.join(", ")));
                return Err(failed(
                    &text,
                    Some(format!(
                        "no such parameter in {region}; make it with `aws ssm put-parameter`, or under `[fixtures.ssm]` in neargate.toml"
                    )),
                ));
            }
            for parameter in some {
                found.extend(answered(&values, parameter).map(|value| ((*parameter).clone(), value.clone())));
            }
        }
    }
    Ok(found)
}

/// The value of a parameter among those answered. An ARN does not tell whether a name of one level has a slash.
fn answered<'v>(values: &'v BTreeMap<String, Zeroizing<String>>, wanted: &Parameter) -> Option<&'v Zeroizing<String>> {
    let name = wanted.plain_name();
    let other = name.strip_prefix('/').map_or_else(|| format!("/{name}"), str::to_owned);
    let is_one_level = !name.get(1..).unwrap_or_default().contains('/');
    values.get(name).or_else(|| values.get(&other).filter(|_| is_one_level))
}

/// The parameters of an answer, by name; what is left of the answer is overwritten.
fn by_name(answer: Value) -> BTreeMap<String, Zeroizing<String>> {
    let Value::Structure(members) = answer else { return BTreeMap::new() };
    let lists = members.into_iter().filter(|(name, _)| *name == "Parameters").map(|(_, list)| list);
    let parameters = lists.flat_map(|list| if let Value::List(items) = list { items } else { vec![] });
    parameters
        .filter_map(|parameter| {
            let name = parameter.get("Name").and_then(Value::as_str)?.to_owned();
            Some((name, taken(parameter, "Value")?))
        })
        .collect()
}

/// A member's text, taken out of a structure.
fn taken(structure: Value, member: &str) -> Option<Zeroizing<String>> {
    let Value::Structure(members) = structure else { return None };
    members.into_iter().find_map(|(name, value)| match value {
        Value::String(text) if name == member => Some(Zeroizing::new(text)),
        _ => None,
    })
}

/// A refusal of another service as Fargate's agent writes it.
fn told(cx: &mut Cx<'_>, fault: &Fault) -> String {
    format!("{}: {} status code: {}, request id: {}", fault.code, fault.message, fault.status, cx.rng.uuid())
}

fn retried(what: &str, text: &str) -> String {
    format!(
        "execution resource retrieval failed: unable to retrieve {what}: service call has been retried 1 time(s): {text}"
    )
}

fn failed(text: &str, hint: Option<String>) -> Fault {
    let text = format!("ResourceInitializationError: unable to pull secrets or registry auth: {text}");
    Fault { hint, ..Fault::sender("ClientException", text) }
}

fn hint(action: &str, resource: &str) -> String {
    format!("the execution role must allow `{action}` on `{resource}`")
}
