//! `AWS::Events::Rule`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use serde_json::{Map, Value as Json, json};

use super::retag;
use crate::api;
use crate::state::{Rule, bus_name, rule_arn, rule_key};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};

/// `AWS::Events::Rule`: `Ref` is the name, with the bus before it unless that is the default one.
pub(crate) struct RuleType;

impl ResourceType for RuleType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EVENTS_RULE
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[
            ("Targets/*/EcsParameters/TagList", Some("Tags")),
            ("Targets/*/EcsParameters/PlacementStrategies", Some("PlacementStrategy")),
        ]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let name = request.text("Name").map(str::to_owned).unwrap_or_else(|| request.generated_name(cx, 64));
                let bus = bus_name(cx, request.text("EventBusName"))?;
                let is_taken = cx.get::<Rule>(&rule_key(&bus, &name)).is_some();
                let made = put(cx, request, &name)?;
                if is_taken { Err(request.already_exists(&name)) } else { Ok(made) }
            }
            Action::Update if request.changed("EventBusName") => Ok(Progress::Replace),
            Action::Update => {
                let name = plain_name(request.physical_id()).to_owned();
                let made = put(cx, request, &name)?;
                let bus = bus_name(cx, request.text("EventBusName"))?;
                retag(cx, request, &rule_arn(cx, &bus, &name))?;
                Ok(made)
            }
            Action::Delete => delete(cx, request),
        }
    }
}

/// The rule's name in a `Ref`.
fn plain_name(physical_id: &str) -> &str {
    physical_id.rsplit('|').next().unwrap_or(physical_id)
}

fn put(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, name: &str) -> Result<Progress, Fault> {
    let mut properties: Map<String, Json> = request.properties.as_object().cloned().unwrap_or_default();
    let targets = properties.shift_remove("Targets");
    properties.insert("Name".to_owned(), json!(name));
    // The template has the pattern as an object, the API as text.
    if let Some(pattern) = properties.get_mut("EventPattern").filter(|pattern| pattern.is_object()) {
        *pattern = Json::String(pattern.to_string());
    }
    let bus = properties.get("EventBusName").and_then(Json::as_str).map(str::to_owned);
    cx.call("events", "PutRule", input::<api::PutRuleInput>(&Json::Object(properties))?)?;
    let wanted = targets.unwrap_or_else(|| json!([]));
    remove_others(cx, bus.as_deref(), name, &wanted)?;
    if wanted.as_array().is_some_and(|targets| !targets.is_empty()) {
        let request = json!({ "Rule": name, "EventBusName": bus.as_deref().unwrap_or("default"), "Targets": wanted });
        let output = cx.call("events", "PutTargets", input::<api::PutTargetsInput>(&request)?)?;
        let failed = output.get("FailedEntries").and_then(Value::as_list).and_then(|entries| entries.first());
        if let Some(failed) = failed {
            let text = |member: &str| failed.get(member).and_then(Value::as_str).unwrap_or_default();
            return Err(Fault::validation(format!("{}: {}", text("TargetId"), text("ErrorMessage"))));
        }
    }
    let bus = bus_name(cx, bus.as_deref())?;
    let id = if bus == "default" { name.to_owned() } else { format!("{bus}|{name}") };
    let arn = rule_arn(cx, &bus, name);
    Ok(Progress::Done(ResourceState::new(id).with("Arn", arn).with("RuleName", name)))
}

/// Takes away the targets that the template does not have any more.
fn remove_others(cx: &mut Cx<'_>, bus: Option<&str>, name: &str, wanted: &Json) -> Result<(), Fault> {
    let bus = bus_name(cx, bus)?;
    let ids: Vec<_> = wanted.as_array().into_iter().flatten().filter_map(|target| target.get("Id")?.as_str()).collect();
    let held = cx.get::<Rule>(&rule_key(&bus, name)).map(|rule| rule.targets.clone()).unwrap_or_default();
    let gone: Vec<_> = held.into_iter().map(|target| target.id).filter(|id| !ids.contains(&id.as_str())).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let request = json!({ "Rule": name, "EventBusName": bus, "Ids": gone });
    cx.call_json("events", "RemoveTargets", request).map(drop)
}

fn delete(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let id = request.physical_id();
    let (bus, name) = id.split_once('|').unwrap_or(("default", id));
    if !name.is_empty() && cx.get::<Rule>(&rule_key(bus, name)).is_some() {
        remove_others(cx, Some(bus), name, &json!([]))?;
        let input = vec![("Name", Value::from(name)), ("EventBusName", Value::from(bus))];
        cx.call("events", "DeleteRule", Value::Structure(input))?;
    }
    Ok(Progress::Done(ResourceState::new(id)))
}

fn input<I: Wire>(properties: &Json) -> Result<Value, Fault> {
    from_properties(I::shape(), properties).map_err(|error| Fault::validation(error.to_string()))
}
