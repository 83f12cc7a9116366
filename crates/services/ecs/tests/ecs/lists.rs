//! Lists in pages, and tags.

use expect_test::expect;
use neargate_kernel::Fault;
use neargate_testkit::{Harness, List, open_ports};
use serde_json::{Value as Json, json};

fn list(operation: &'static str, items: &'static str, input: Json) -> List<'static> {
    List { service: "ecs", operation, input, items, token: ("nextToken", "nextToken") }
}

fn harness() -> Harness {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    harness
}

#[test]
fn every_list_goes_page_by_page_and_refuses_foreign_tokens() {
    let mut harness = harness();
    let definition = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{ "name": "app", "image": "app" }],
    });
    let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-1"] } });
    let run = json!({"taskDefinition": "app", "launchType": "FARGATE", "count": 5, "networkConfiguration": network});
    for at in 0..11 {
        harness.call("ecs", "CreateCluster", json!({"clusterName": format!("c{at}")})).unwrap();
        harness.call("ecs", "RegisterTaskDefinition", definition.clone()).unwrap();
    }
    harness.call("ecs", "RunTask", run).unwrap();
    let lists = |limit: i32| {
        [
            list("ListClusters", "clusterArns", json!({"maxResults": limit})),
            list("ListTaskDefinitions", "taskDefinitionArns", json!({"maxResults": limit})),
            list("ListTaskDefinitions", "taskDefinitionArns", json!({"maxResults": limit, "sort": "DESC"})),
            list("ListTasks", "taskArns", json!({"maxResults": limit})),
            list("DescribeCapacityProviders", "capacityProviders", json!({"maxResults": limit})),
        ]
    };
    let tokens: Vec<String> = lists(1).iter().map(|list| list.second(&mut harness).unwrap()).collect();
    for (at, (small, whole)) in lists(1).iter().zip(lists(100)).enumerate() {
        let (small_pages, whole) = (small.pages(&mut harness).unwrap(), whole.pages(&mut harness).unwrap());
        assert_eq!(whole.len(), 1, "{}", small.operation);
        assert!(small_pages.len() > 1 && small_pages.concat() == whole[0], "{}", small.operation);
        let mut others = tokens.clone();
        others.remove(at);
        let refusals = small.refusals(&mut harness, &others).unwrap();
        assert_eq!(refusals, ["InvalidParameterException: Invalid token."], "{}", small.operation);
    }
}

#[test]
fn tags_that_are_refused() {
    let mut harness = harness();
    let arn = "arn:aws:ecs:eu-west-1:000000000000:cluster/default";
    let told = |answer: Result<Json, Fault>| answer.map_or_else(|fault| fault.to_string(), |it| it.to_string());
    let tags = |tags: &[(&str, &str)]| -> Json {
        tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect::<Vec<_>>().into()
    };
    let mut call = |operation: &str, input: Json| told(harness.call("ecs", operation, input));
    let many: Vec<String> = (0..50).map(|at| at.to_string()).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    for (given, expected) in [
        (tags(&[("AWS:x", "1")]), "aws: prefixed tag key names are not allowed for external use."),
        (tags(&[("a", "1"), ("a", "2")]), "Duplicate tag key: a"),
    ] {
        let expected = format!("InvalidParameterException: {expected}");
        assert_eq!(call("TagResource", json!({"resourceArn": arn, "tags": given})), expected);
        assert_eq!(call("CreateCluster", json!({"clusterName": "new", "tags": given})), expected);
    }
    call("TagResource", json!({"resourceArn": arn, "tags": tags(&[("a", "1"), ("b", "2")])}));
    call("TagResource", json!({"resourceArn": arn, "tags": tags(&[("a", "3")])}));
    let full = call("TagResource", json!({"resourceArn": arn, "tags": tags(&many)}));
    assert_eq!(full, "InvalidParameterException: A resource can have up to 50 tags.");
    expect![[r#"{"tags":[{"key":"a","value":"3"},{"key":"b","value":"2"}]}"#]]
        .assert_eq(&call("ListTagsForResource", json!({"resourceArn": arn})));
}
