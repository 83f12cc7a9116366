//! An ECS target: the rule's role is assumed, and `ecs:RunTask` is called as that role.

use neargate_kernel::{Cx, Fault};
use neargate_shape::{Value, Wire, to_json};
use serde_json::{Map, Value as Json, json};

use crate::api;
use crate::state::{Rule, rule_arn};

/// The most characters of overrides that ECS takes.
const OVERRIDES_CHARS_MAX: usize = 8192;

/// Runs the target's task. What the payload says beyond overrides does not reach the task, as on AWS.
pub(super) fn run_task(cx: &mut Cx<'_>, rule: &Rule, target: &api::Target, payload: &str) -> Result<(), Fault> {
    let role = target.role_arn.as_deref().or(rule.role_arn.as_deref()).ok_or_else(|| {
        Fault::sender("AccessDeniedException", "the target has no role")
            .with_hint("an ECS target needs `RoleArn`: a role that events.amazonaws.com may assume")
    })?;
    let principal = cx
        .assume_for_service(role, "events.amazonaws.com", &rule_arn(cx, &rule.bus, &rule.name))
        .map_err(|text| Fault::sender("AccessDeniedException", text).with_hint(assume_hint(role)))?;
    let input = input(rule, target, payload)?;
    let result = cx.as_principal(principal, |cx| cx.call_json("ecs", "RunTask", input));
    let output = result.map_err(|fault| with_role_hint(fault, role))?;
    match output.get("failures").and_then(Value::as_list).and_then(|failures| failures.first()) {
        None => Ok(()),
        Some(failure) => {
            let reason = failure.get("reason").and_then(Value::as_str).unwrap_or_default();
            Err(Fault::sender("RunTaskFailure", format!("RunTask answered with a failure: {reason}")))
        }
    }
}

fn assume_hint(role: &str) -> String {
    format!("`{role}` needs a trust policy that allows `sts:AssumeRole` to the service `events.amazonaws.com`")
}

/// Names the role whose policies decided: that is where the missing statement belongs.
fn with_role_hint(fault: Fault, role: &str) -> Fault {
    if fault.code != "AccessDeniedException" {
        return fault;
    }
    let detail = fault.hint.clone().map_or(String::new(), |hint| format!(" ({hint})"));
    fault.with_hint(format!("allow it in a policy of `{role}`, the target's role{detail}"))
}

fn input(rule: &Rule, target: &api::Target, payload: &str) -> Result<Json, Fault> {
    let parameters = target.ecs_parameters.clone().unwrap_or_default();
    let mut request = Map::new();
    request.insert("cluster".to_owned(), json!(target.arn));
    request.insert("taskDefinition".to_owned(), json!(parameters.task_definition_arn));
    request.insert("count".to_owned(), json!(parameters.task_count.unwrap_or(1)));
    request.insert("startedBy".to_owned(), json!(started_by(&rule.name)));
    let mut optional = |name: &str, value: Option<Json>| value.map(|value| request.insert(name.to_owned(), value));
    optional("launchType", parameters.launch_type.map(Json::from));
    optional("platformVersion", parameters.platform_version.map(Json::from));
    optional("group", parameters.group.map(Json::from));
    optional("propagateTags", parameters.propagate_tags.map(Json::from));
    optional("enableExecuteCommand", parameters.enable_execute_command.map(Json::from));
    optional("enableECSManagedTags", parameters.enable_ecs_managed_tags.map(Json::from));
    optional("capacityProviderStrategy", parameters.capacity_provider_strategy.map(|it| to_json(&it.into_value())));
    optional("tags", parameters.tags.map(|tags| lower_case_members(to_json(&tags.into_value()))));
    optional(
        "networkConfiguration",
        parameters.network_configuration.map(|it| lower_case_members(to_json(&it.into_value()))),
    );
    optional("overrides", overrides(payload)?);
    Ok(Json::Object(request))
}

/// AWS names the rule in `startedBy`, cut to its 128 characters.
fn started_by(rule: &str) -> String {
    format!("events-rule/{rule}").chars().take(128).collect()
}

/// The payload as task overrides: an object with `containerOverrides` or other overrides; anything else overrides nothing.
fn overrides(payload: &str) -> Result<Option<Json>, Fault> {
    let Ok(Json::Object(members)) = serde_json::from_str::<Json>(payload) else { return Ok(None) };
    let known = ["containerOverrides", "cpu", "memory", "executionRoleArn", "taskRoleArn", "ephemeralStorage"];
    let kept: Map<_, _> = members.into_iter().filter(|(name, _)| known.contains(&name.as_str())).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let overrides = Json::Object(kept);
    let length = overrides.to_string().chars().count();
    if length > OVERRIDES_CHARS_MAX {
        let text = format!("Overrides length must be at most {OVERRIDES_CHARS_MAX}, got {length}");
        return Err(Fault::sender("InvalidParameterException", text));
    }
    Ok(Some(overrides))
}

/// EventBridge's `Subnets` is ECS's `subnets`.
fn lower_case_members(json: Json) -> Json {
    match json {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let mut letters = name.chars();
                    let first = letters.next().map(|c| c.to_ascii_lowercase());
                    (first.into_iter().chain(letters).collect(), lower_case_members(value))
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(lower_case_members).collect()),
        other => other,
    }
}
