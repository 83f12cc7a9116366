//! A cluster, a task definition, and an authorizer that can be told what to deny.

use std::cell::RefCell;

use neargate_kernel::{Access, Authorizer, Decision, NoticeKind, Ports, Principal, Store};
use neargate_testkit::{AllowAll, Harness, open_ports};
use serde_json::{Value as Json, json};

thread_local! {
    /// Denied actions; `sts:AssumeRole` is for roles that do not trust EventBridge.
    pub(crate) static DENIED: RefCell<Vec<&'static str>> = const { RefCell::new(vec![]) };
}

/// Denies roles what it was told to, and nobody else anything.
struct Strict;

impl Authorizer for Strict {
    fn authorize(&self, _: &Store, principal: &Principal, access: &Access) -> Decision {
        let is_denied = DENIED.with_borrow(|denied| denied.contains(&access.action.as_str()));
        if is_denied && matches!(principal, Principal::Role { .. }) {
            return Decision::ImplicitlyDenied { looked_at: vec!["no statement".to_owned()] };
        }
        Decision::Allowed
    }

    fn may_assume(
        &self,
        store: &Store,
        role_arn: &str,
        service: &str,
        _: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        if DENIED.with_borrow(|denied| denied.contains(&"sts:AssumeRole")) {
            return Err(format!("the trust policy of {role_arn} does not name {service}"));
        }
        AllowAll.may_assume(store, role_arn, service, &[])
    }
}

pub(crate) fn harness() -> Harness {
    let ports = Ports { authorizer: &Strict, events: &neargate_events::Bus, ..open_ports() };
    let services = || vec![neargate_events::service(), neargate_ecs::service()];
    let mut harness = Harness::new(services, ports).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let definition = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "taskRoleArn": "arn:aws:iam::000000000000:role/app", "containerDefinitions": [{ "name": "app", "image": "app" }],
    });
    harness.call("ecs", "RegisterTaskDefinition", definition).unwrap();
    harness
}

pub(crate) fn call(harness: &mut Harness, operation: &str, input: Json) -> Json {
    harness.call("events", operation, input).unwrap()
}

pub(crate) fn refused(harness: &mut Harness, operation: &str, input: Json) -> String {
    harness.call("events", operation, input).unwrap_err().to_string()
}

/// An ECS target with more members.
pub(crate) fn target(more: Json) -> Json {
    let mut target = json!({
        "Id": "t", "Arn": "arn:aws:ecs:eu-west-1:000000000000:cluster/default",
        "RoleArn": "arn:aws:iam::000000000000:role/events",
        "EcsParameters": {
            "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:000000000000:task-definition/app", "LaunchType": "FARGATE",
            "NetworkConfiguration": { "awsvpcConfiguration": { "Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED" } },
        },
    });
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    target
}

/// A rule with one target.
pub(crate) fn rule(harness: &mut Harness, name: &str, more: Json, target: Json) {
    let mut input = json!({ "Name": name });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(harness, "PutRule", input);
    call(harness, "PutTargets", json!({ "Rule": name, "Targets": [target] }));
}

pub(crate) fn put(harness: &mut Harness, detail: &Json) -> Json {
    let entry = json!({ "Source": "app", "DetailType": "Go", "Detail": detail.to_string() });
    call(harness, "PutEvents", json!({ "Entries": [entry] }))
}

/// What ECS was asked to run, newest last: overrides and who started it.
pub(crate) fn runs(harness: &mut Harness) -> Vec<Json> {
    let list = harness.call("ecs", "ListTasks", json!({})).unwrap()["taskArns"].clone();
    if list == json!([]) {
        return vec![];
    }
    harness.call("ecs", "DescribeTasks", json!({ "tasks": list })).unwrap()["tasks"].as_array().unwrap().clone()
}

/// A rule's counts: matched, invoked, failed.
pub(crate) fn counts(harness: &mut Harness, name: &str) -> (u64, u64, u64) {
    let rows = harness.rows();
    let row = rows.iter().find(|row| row.table == "events.rule" && row.key.ends_with(&format!("/{name}"))).unwrap();
    let rule: Json = serde_json::from_slice(&row.body).unwrap();
    let count = |name: &str| rule[name].as_u64().unwrap();
    (count("matched_events"), count("invocations"), count("failed_invocations"))
}

/// What went wrong, as the user hears it.
pub(crate) fn failures(harness: &Harness) -> String {
    let failed = harness.notices.iter().filter(|notice| notice.kind == NoticeKind::Failed);
    failed.map(|notice| format!("{}\n  hint: {}\n", notice.text, notice.hint.as_deref().unwrap_or("-"))).collect()
}
