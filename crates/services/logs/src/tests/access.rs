//! Which policies let what through.

use expect_test::expect;
use serde_json::json;

use super::{NOW_MS, World};

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:g";

#[test]
fn the_policy_of_a_cdk_execution_role_is_enough_to_write() {
    let mut world = World::with_stream();
    world.as_role(&format!("logs:CreateLogStream@{GROUP}:*;logs:PutLogEvents@{GROUP}:*"));
    world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"}));
    world.put_into("t", &[(0, "x")]);
    expect!["400 AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/logs:CreateLogStream@arn:aws:logs:us-east-1:000000000000:log-group:g:*;logs:PutLogEvents@arn:aws:logs:us-east-1:000000000000:log-group:g:*/session is not authorized to perform: logs:GetLogEvents on resource: arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:t because no identity-based policy allows the logs:GetLogEvents action"]
        .assert_eq(&world.refused("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "t"})));
}

#[test]
fn a_policy_on_another_group_is_not() {
    let mut world = World::with_stream();
    world.as_role(&format!("logs:CreateLogStream@{GROUP}2:*;logs:PutLogEvents@{GROUP}2:*"));
    for (operation, input) in [
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"})),
        ("PutLogEvents", super::batch("s", &[(0, "x")])),
    ] {
        let text = world.refused(operation, input);
        assert!(text.starts_with("400 AccessDeniedException"), "{text}");
    }
}

#[test]
fn every_operation_asks_for_the_arn_that_aws_asks_for() {
    let mut world = World::with_stream();
    world.as_role("none@none");
    let event = json!({"timestamp": NOW_MS, "message": "x"});
    let mut text = String::new();
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": "n"})),
        ("DeleteLogGroup", json!({"logGroupName": "g"})),
        ("DescribeLogGroups", json!({"logGroupNamePrefix": "g"})),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "n"})),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})),
        ("DescribeLogStreams", json!({"logGroupIdentifier": GROUP})),
        ("PutLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [event]})),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"})),
        ("FilterLogEvents", json!({"logGroupName": "g"})),
        ("AssociateKmsKey", json!({"logGroupName": "g", "kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/1"})),
        ("DisassociateKmsKey", json!({"resourceIdentifier": GROUP})),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 7})),
        ("DeleteRetentionPolicy", json!({"logGroupName": "g"})),
        ("TagResource", json!({"resourceArn": GROUP, "tags": {"a": "b"}})),
        ("UntagResource", json!({"resourceArn": GROUP, "tagKeys": ["a"]})),
        ("ListTagsForResource", json!({"resourceArn": GROUP})),
        ("TagLogGroup", json!({"logGroupName": "g", "tags": {"a": "b"}})),
        ("ListTagsLogGroup", json!({"logGroupName": "g"})),
    ] {
        let fault = world.call(operation, input).unwrap_err().message;
        let asked = fault.split("perform: ").nth(1).unwrap().split(" because").next().unwrap();
        text.push_str(&asked.replace("arn:aws:logs:us-east-1:000000000000:", ""));
        text.push('\n');
    }
    expect![[r#"
        logs:CreateLogGroup on resource: log-group:n:log-stream:
        logs:DeleteLogGroup on resource: log-group:g:log-stream:
        logs:DescribeLogGroups on resource: log-group::log-stream:
        logs:CreateLogStream on resource: log-group:g:log-stream:n
        logs:DeleteLogStream on resource: log-group:g:log-stream:s
        logs:DescribeLogStreams on resource: log-group:g:log-stream:
        logs:PutLogEvents on resource: log-group:g:log-stream:s
        logs:GetLogEvents on resource: log-group:g:log-stream:s
        logs:FilterLogEvents on resource: log-group:g:log-stream:
        logs:AssociateKmsKey on resource: log-group:g:log-stream:
        logs:DisassociateKmsKey on resource: log-group:g:log-stream:
        logs:PutRetentionPolicy on resource: log-group:g:log-stream:
        logs:DeleteRetentionPolicy on resource: log-group:g:log-stream:
        logs:TagResource on resource: log-group:g
        logs:UntagResource on resource: log-group:g
        logs:ListTagsForResource on resource: log-group:g
        logs:TagLogGroup on resource: log-group:g:log-stream:
        logs:ListTagsLogGroup on resource: log-group:g:log-stream:
    "#]]
    .assert_eq(&text);
}
