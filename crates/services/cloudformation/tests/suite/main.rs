//! Stacks of toy resources, and of real ones, driven through the API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly; clippy's own exemption stops at test functions"
)]

mod across;
mod crash;
mod create;
mod delete;
mod hidden;
mod refuse;
mod toys;
mod update;

use expect_test::Expect;
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

pub(crate) fn harness() -> Harness {
    let services = || {
        vec![
            neargate_cloudformation::service(),
            neargate_ecs::service(),
            neargate_events::service(),
            neargate_ssm::service(),
            toys::toys(),
        ]
    };
    Harness::new(services, open_ports()).unwrap()
}

/// A template of toys: logical id and properties; `Refs` become `Ref`s, members that are no properties go beside them.
pub(crate) fn template(resources: Json) -> Json {
    let resource = |(id, properties): (&String, &Json)| {
        let mut properties = properties.as_object().unwrap().clone();
        let mut resource = serde_json::Map::new();
        resource.insert("Type".into(), properties.remove("Type").unwrap_or_else(|| json!("Toy::Box::Thing")));
        for member in ["DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
            resource.extend(properties.remove(member).map(|value| (member.to_owned(), value)));
        }
        if let Some(Json::Array(refs)) = properties.get_mut("Refs") {
            for it in refs {
                *it = json!({ "Ref": it });
            }
        }
        resource.insert("Properties".into(), Json::Object(properties));
        (id.clone(), Json::Object(resource))
    };
    json!({ "Resources": resources.as_object().unwrap().iter().map(resource).collect::<serde_json::Map<_, _>>() })
}

/// A call to CloudFormation with a template and more members.
pub(crate) fn with(name: &str, template: &Json, more: Json) -> Json {
    let mut input = json!({ "StackName": name, "TemplateBody": template.to_string() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

pub(crate) fn create(harness: &mut Harness, name: &str, resources: Json) {
    call(harness, "CreateStack", with(name, &template(resources), json!({})));
    settle(harness);
}

pub(crate) fn update(harness: &mut Harness, name: &str, resources: Json) {
    call(harness, "UpdateStack", with(name, &template(resources), json!({})));
    settle(harness);
}

pub(crate) fn delete(harness: &mut Harness, name: &str) {
    call(harness, "DeleteStack", json!({ "StackName": name }));
    settle(harness);
}

pub(crate) fn call(harness: &mut Harness, operation: &str, input: Json) -> Json {
    harness.call("cloudformation", operation, input).unwrap()
}

pub(crate) fn refused(harness: &mut Harness, operation: &str, input: Json) -> String {
    harness.call("cloudformation", operation, input).unwrap_err().to_string()
}

/// Lets time pass until nothing goes on any more.
pub(crate) fn settle(harness: &mut Harness) {
    for pauses in 0.. {
        assert!(pauses < 1000, "the stacks do not come to rest");
        let Some(due) = harness.core().next_due(harness.now) else { break };
        harness.pass((due.millis() - harness.now.millis()).max(0));
    }
}

/// The stack of that name: the one that is there, or the one that is gone.
fn stack(harness: &mut Harness, name: &str) -> Json {
    let stacks = call(harness, "ListStacks", json!({}))["StackSummaries"].as_array().unwrap().clone();
    let mut named: Vec<_> = stacks.into_iter().filter(|it| it["StackName"] == name).collect();
    named.sort_by_key(|it| it["StackStatus"] == "DELETE_COMPLETE");
    named.remove(0)
}

pub(crate) fn status(harness: &mut Harness, name: &str) -> String {
    let stack = stack(harness, name);
    let reason = stack["StackStatusReason"].as_str().map_or(String::new(), |it| format!(": {it}"));
    format!("{}{reason}", stack["StackStatus"].as_str().unwrap())
}

/// The history of a stack, oldest first: logical id, status, physical id, reason.
pub(crate) fn events(harness: &mut Harness, name: &str) -> String {
    let stack = stack(harness, name);
    let mut input = json!({ "StackName": stack["StackId"] });
    let mut lines = vec![];
    loop {
        let page = call(harness, "DescribeStackEvents", input.clone());
        lines.extend(page["StackEvents"].as_array().unwrap().iter().map(line));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    lines.reverse();
    lines.concat()
}

fn line(event: &Json) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let is_stack = event["ResourceType"] == "AWS::CloudFormation::Stack";
    let physical_id = if is_stack { String::new() } else { text("PhysicalResourceId") };
    let reason = text("ResourceStatusReason");
    let reason = reason.split("(Service").next().unwrap_or_default().trim_end();
    let parts = [text("LogicalResourceId"), text("ResourceStatus"), physical_id, reason.to_owned()];
    format!("{}\n", parts.map(|part| if part.is_empty() { "-".to_owned() } else { part }).join(" | "))
}

/// The resources of a stack as `DescribeStackResources` shows them.
pub(crate) fn resources(harness: &mut Harness, name: &str) -> Vec<String> {
    let output = call(harness, "DescribeStackResources", json!({ "StackName": name }));
    let of = |it: &Json| {
        let text = |name: &str| it[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("LogicalResourceId"), text("PhysicalResourceId"), text("ResourceStatus"))
    };
    output["StackResources"].as_array().unwrap().iter().map(of).collect()
}

pub(crate) fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}
