//! What ECS refuses, in its words.

use expect_test::{Expect, expect};
use neargate_testkit::{Harness, open_ports};
use serde_json::{Value as Json, json};

fn check(operation: &str, input: Json, expected: Expect) {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    harness.call("ecs", "RegisterTaskDefinition", definition(json!({}))).unwrap();
    let fault = harness.call("ecs", operation, input).unwrap_err();
    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    expected.assert_eq(&format!("{} {fault}{hint}", fault.status));
}

fn definition(more: Json) -> Json {
    let mut input = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{ "name": "app", "image": "app" }],
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn task(more: Json) -> Json {
    let mut input = json!({
        "taskDefinition": "app", "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[test]
fn an_impossible_size_names_what_would_go() {
    check(
        "RegisterTaskDefinition",
        definition(json!({ "memory": "4096" })),
        expect![[r#"
        400 ClientException: No Fargate configuration exists for given values.
        hint: cpu `256` and memory `4096`: cpu 256 goes with 512, 1024 or 2048 MiB; 4096 MiB goes with cpu 512"#]],
    );
}

#[test]
fn what_fargate_cannot_do_is_refused() {
    let privileged = json!({ "containerDefinitions": [{ "name": "app", "image": "app", "privileged": true }] });
    check(
        "RegisterTaskDefinition",
        definition(privileged),
        expect!["400 ClientException: Fargate requires that the 'privileged' setting be 'false'."],
    );
    check(
        "RegisterTaskDefinition",
        definition(json!({ "networkMode": "bridge" })),
        expect!["400 ClientException: Fargate only supports network mode ‘awsvpc’."],
    );
    check(
        "RegisterTaskDefinition",
        definition(json!({ "containerDefinitions": [] })),
        expect!["400 ClientException: Container list cannot be empty."],
    );
    let logs = json!({ "containerDefinitions": [{ "name": "app", "image": "app", "logConfiguration": { "logDriver": "awslogs" } }] });
    check(
        "RegisterTaskDefinition",
        definition(logs),
        expect![[
            r#"400 ClientException: Fargate requires task definition to have execution role ARN to support log driver awslogs."#
        ]],
    );
}

#[test]
fn a_task_that_cannot_be_run_is_refused() {
    check("RunTask", task(json!({ "cluster": "none" })), expect!["400 ClusterNotFoundException: Cluster not found."]);
    check(
        "RunTask",
        task(json!({ "taskDefinition": "none" })),
        expect!["400 ClientException: TaskDefinition not found."],
    );
    check(
        "RunTask",
        task(json!({ "launchType": "EC2" })),
        expect!["400 InvalidParameterException: No Container Instances were found in your cluster."],
    );
    check(
        "RunTask",
        task(json!({ "count": 11 })),
        expect!["400 InvalidParameterException: Count must be between 1 and 10."],
    );
    let other = json!({ "overrides": { "containerOverrides": [{ "name": "other" }] } });
    check(
        "RunTask",
        task(other),
        expect![
            "400 InvalidParameterException: Override for container named other is not a container in the TaskDefinition."
        ],
    );
    let value = |length: usize| json!({ "overrides": { "containerOverrides": [{ "name": "app", "environment": [{ "name": "P", "value": "x".repeat(length) }] }] } });
    let around = r#"[{"name":"app","environment":[{"name":"P","value":""}]}]"#.len();
    check(
        "RunTask",
        task(value(8193 - around)),
        expect!["400 InvalidParameterException: Container Overrides length must be at most 8192"],
    );
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    harness.call("ecs", "RegisterTaskDefinition", definition(json!({}))).unwrap();
    harness.call("ecs", "RunTask", task(value(8192 - around))).unwrap();
    check(
        "RunTask",
        task(json!({ "enableExecuteCommand": true })),
        expect![
            "400 InvalidParameterException: The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again."
        ],
    );
    for version in ["1.4", "9.9.9", "latest"] {
        check(
            "RunTask",
            task(json!({ "platformVersion": version })),
            expect!["400 PlatformUnknownException: The specified platform does not exist."],
        );
    }
    check(
        "StopTask",
        json!({ "task": "none" }),
        expect!["400 InvalidParameterException: The referenced task was not found."],
    );
}

#[test]
fn what_neargate_lacks_is_said_by_name() {
    let mut harness = Harness::new(|| vec![neargate_ecs::service()], open_ports()).unwrap();
    harness.call("ecs", "CreateCluster", json!({})).unwrap();
    let files = json!([{ "value": "arn:aws:s3:::b/a.env", "type": "s3" }]);
    let containers = json!([{ "name": "app", "image": "app", "environmentFiles": files }]);
    harness.call("ecs", "RegisterTaskDefinition", definition(json!({ "containerDefinitions": containers }))).unwrap();
    let fault = harness.call("ecs", "RunTask", task(json!({}))).unwrap_err();
    assert_eq!(fault.status, 501);
    expect!["NotImplemented: Neargate does not implement `containerDefinitions[0].environmentFiles` of task definition `app`: environment files are not read (container `app`)"]
        .assert_eq(&fault.to_string());
}

#[test]
fn a_secret_needs_an_execution_role_and_a_name_of_its_own() {
    let secrets = json!([{ "name": "S", "valueFrom": "/a" }]);
    let with = |more: Json| {
        let mut container = json!({ "name": "app", "image": "app", "secrets": secrets });
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([container])
    };
    check(
        "RegisterTaskDefinition",
        definition(json!({ "containerDefinitions": with(json!({})) })),
        expect![[
            "400 ClientException: When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        ]],
    );
    let twice = with(json!({ "environment": [{ "name": "S", "value": "1" }] }));
    let role = "arn:aws:iam::000000000000:role/x";
    check(
        "RegisterTaskDefinition",
        definition(json!({ "containerDefinitions": twice, "executionRoleArn": role })),
        expect![[
            "400 ClientException: The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'S'."
        ]],
    );
}
