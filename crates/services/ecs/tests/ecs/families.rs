//! Families of task definitions: which there are, which are active, page by page.

use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

/// Families `a`, `b` and `web` with an active revision; `b` has an inactive one beside it, `old` has nothing else.
fn harness() -> Harness {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    for family in ["web", "b", "old", "b", "a"] {
        let definition = json!({
            "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "containerDefinitions": [{ "name": "app", "image": "app" }],
        });
        harness.call("ecs", "RegisterTaskDefinition", definition).unwrap();
    }
    for revision in ["old:1", "b:1"] {
        harness.call("ecs", "DeregisterTaskDefinition", json!({ "taskDefinition": revision })).unwrap();
    }
    harness
}

#[test]
fn families_are_listed_by_name_and_by_whether_they_have_an_active_revision() {
    let mut harness = harness();
    for (input, expected) in [
        (json!({}), json!(["a", "b", "old", "web"])),
        (json!({ "status": "ALL" }), json!(["a", "b", "old", "web"])),
        (json!({ "status": "ACTIVE" }), json!(["a", "b", "web"])),
        (json!({ "status": "INACTIVE" }), json!(["old"])),
        (json!({ "familyPrefix": "w" }), json!(["web"])),
        (json!({ "familyPrefix": "b", "status": "INACTIVE" }), json!([])),
    ] {
        let answer = harness.call("ecs", "ListTaskDefinitionFamilies", input.clone()).unwrap();
        assert_eq!((&answer["families"], answer.get("nextToken")), (&expected, None), "{input}");
    }
}

#[test]
fn pages_follow_each_other_until_there_is_no_token() {
    let mut harness = harness();
    let (mut seen, mut token) = (vec![], Json::Null);
    for _ in 0..4 {
        let mut input = json!({ "maxResults": 3 });
        if !token.is_null() {
            input["nextToken"] = token;
        }
        let answer = harness.call("ecs", "ListTaskDefinitionFamilies", input).unwrap();
        seen.push(answer["families"].as_array().unwrap().len());
        token = answer["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, [3, 1]);
}

#[test]
fn a_status_that_there_is_not_is_refused() {
    let fault = harness().call("ecs", "ListTaskDefinitionFamilies", json!({ "status": "GONE" })).unwrap_err();
    assert_eq!(fault.code, "ValidationException");
}
