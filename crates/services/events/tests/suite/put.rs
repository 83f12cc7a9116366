//! What EventBridge takes and what it refuses.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use crate::world::{call, harness, refused, rule, target};

fn check(operation: &str, input: Json, expected: Expect) {
    let mut harness = harness();
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["app"]}"# }));
    expected.assert_eq(&refused(&mut harness, operation, input));
}

#[test]
fn entries_fail_one_by_one() {
    let mut harness = harness();
    let entries = json!([
        { "Source": "app", "DetailType": "t", "Detail": "{}" },
        { "Source": "aws.ecs", "DetailType": "t", "Detail": "{}" },
        { "DetailType": "t", "Detail": "{}" },
        { "Source": "app", "Detail": "{}" },
        { "Source": "app", "DetailType": "t" },
        { "Source": "", "DetailType": "t", "Detail": "{}" },
        { "Source": "app", "DetailType": "t", "Detail": "[]" },
        { "Source": "app", "DetailType": "t", "Detail": "{" },
        { "Source": "app", "DetailType": "t", "Detail": "{}", "EventBusName": "none" },
    ]);
    let output = call(&mut harness, "PutEvents", json!({ "Entries": entries }));
    let line = |entry: &Json| match entry["ErrorCode"].as_str() {
        None => "taken".to_owned(),
        Some(code) => format!("{code}: {}", entry["ErrorMessage"].as_str().unwrap()),
    };
    let lines: Vec<_> = output["Entries"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(output["FailedEntryCount"], 7);
    expect![[r#"
        taken
        NotAuthorizedForSourceException: Not authorized for the source.
        InvalidArgument: Parameter Source is not valid. Reason: Source is a required argument.
        InvalidArgument: Parameter DetailType is not valid. Reason: DetailType is a required argument.
        InvalidArgument: Parameter Detail is not valid. Reason: Detail is a required argument.
        InvalidArgument: Parameter Source is not valid. Reason: Source is a required argument.
        MalformedDetail: Detail is malformed.
        MalformedDetail: Detail is malformed.
        taken"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_request_has_one_to_ten_entries_of_a_megabyte_together() {
    let entry = json!({ "Source": "app", "DetailType": "t", "Detail": "{}" });
    check(
        "PutEvents",
        json!({ "Entries": [] }),
        expect![
            "ValidationException: 1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1"
        ],
    );
    check(
        "PutEvents",
        json!({ "Entries": vec![entry.clone(); 11] }),
        expect![
            "ValidationException: 1 validation error detected: Value '[{Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}, {Source=app, DetailType=t, Detail={}}]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
        ],
    );
    // Source, DetailType and Detail count as bytes, Time as 14.
    let detail = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    let with = |bytes: usize| json!({ "Source": "app", "DetailType": "t", "Time": 0, "Detail": detail(bytes) });
    let most = (1 << 20) - 4 - 14;
    check(
        "PutEvents",
        json!({ "Entries": [with(most + 1)] }),
        expect!["ValidationException: Total size of the entries in the request is over the limit."],
    );
    assert_eq!(call(&mut harness(), "PutEvents", json!({ "Entries": [with(most)] }))["FailedEntryCount"], 0);
}

#[test]
fn rules_that_mean_nothing_are_refused() {
    check(
        "PutRule",
        json!({ "Name": "x" }),
        expect!["ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified."],
    );
    check(
        "PutRule",
        json!({ "Name": "x", "EventPattern": "{" }),
        expect![
            "InvalidEventPatternException: Event pattern is not valid. Reason: Unexpected end-of-input: expected close marker for Object at line 1, column 2"
        ],
    );
    check(
        "PutRule",
        json!({ "Name": "x", "EventPattern": r#"{"source":"app"}"# }),
        expect![[
            r#"InvalidEventPatternException: Event pattern is not valid. Reason: "source" must be an object or an array at line 1, column 16 (`source`)"#
        ]],
    );
    check(
        "PutRule",
        json!({ "Name": "x", "ScheduleExpression": "rate(1 minutes)" }),
        expect!["ValidationException: Parameter ScheduleExpression is not valid."],
    );
    check(
        "PutRule",
        json!({ "Name": "x", "ScheduleExpression": "cron(0 4 * * * *)" }),
        expect!["ValidationException: Parameter ScheduleExpression is not valid."],
    );
    check(
        "PutRule",
        json!({ "Name": "x", "EventBusName": "none", "EventPattern": "{}" }),
        expect!["ResourceNotFoundException: Event bus none does not exist."],
    );
    check(
        "DescribeRule",
        json!({ "Name": "none" }),
        expect!["ResourceNotFoundException: Rule none does not exist on EventBus default."],
    );
    check(
        "EnableRule",
        json!({ "Name": "none" }),
        expect!["ResourceNotFoundException: Rule none does not exist on EventBus default."],
    );
}

#[test]
fn targets_that_cannot_be_called_are_refused() {
    let check =
        |more: Json, expected: Expect| check("PutTargets", json!({ "Rule": "r", "Targets": [target(more)] }), expected);
    check(
        json!({ "RoleArn": null }),
        expect![
            "ValidationException: RoleArn is required for target arn:aws:ecs:eu-west-1:000000000000:cluster/default."
        ],
    );
    check(
        json!({ "EcsParameters": null }),
        expect![
            "ValidationException: Parameter(s) EcsParameters not valid for target t. Reason: ECS targets need EcsParameters."
        ],
    );
    check(
        json!({ "Arn": "arn:aws:sqs:eu-west-1:000000000000:q" }),
        expect![
            "ValidationException: Parameter(s) EcsParameters not valid for target t. Reason: the target is no ECS cluster."
        ],
    );
    check(
        json!({ "EcsParameters": { "TaskDefinitionArn": "app", "LaunchType": "FARGATE" } }),
        expect![
            "ValidationException: Parameter(s) EcsParameters not valid for target t. Reason: NetworkConfiguration is required with launch type FARGATE."
        ],
    );
    check(
        json!({ "Input": "{}", "InputPath": "$.detail" }),
        expect![
            "ValidationException: got more than one of `Input`, `InputPath` and `InputTransformer`, expected at most one"
        ],
    );
    check(
        json!({ "Input": "{" }),
        expect![[r#"ValidationException: `Input` is not JSON: expected `"` at line 1, column 2"#]],
    );
    check(
        json!({ "InputTransformer": { "InputTemplate": "<x>" } }),
        expect![
            "ValidationException: placeholder `<x>` is not defined, expected one of `aws.events.rule-arn`, `aws.events.rule-name`, `aws.events.event.ingestion-time`, `aws.events.event`, `aws.events.event.json`"
        ],
    );
}

#[test]
fn a_rule_has_at_most_five_targets_and_stays_while_it_has_any() {
    let targets = |ids: std::ops::Range<u8>| ids.map(|id| target(json!({ "Id": id.to_string() }))).collect::<Vec<_>>();
    check(
        "PutTargets",
        json!({ "Rule": "r", "Targets": targets(0..6) }),
        expect!["LimitExceededException: The requested resource exceeds the maximum number allowed."],
    );
    let mut harness = harness();
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["app"]}"# }));
    call(&mut harness, "PutTargets", json!({ "Rule": "r", "Targets": targets(0..5) }));
    call(&mut harness, "PutTargets", json!({ "Rule": "r", "Targets": targets(4..5) }));
    let page = call(&mut harness, "ListTargetsByRule", json!({ "Rule": "r", "Limit": 3 }));
    let rest =
        call(&mut harness, "ListTargetsByRule", json!({ "Rule": "r", "Limit": 3, "NextToken": page["NextToken"] }));
    assert_eq!((page["Targets"].as_array().unwrap().len(), rest["Targets"].as_array().unwrap().len()), (3, 2));
    assert_eq!(rest.get("NextToken"), None);
    expect!["ValidationException: Rule can't be deleted since it has targets."].assert_eq(&refused(
        &mut harness,
        "DeleteRule",
        json!({ "Name": "r" }),
    ));
    call(&mut harness, "RemoveTargets", json!({ "Rule": "r", "Ids": ["0", "1", "2", "3", "4"] }));
    call(&mut harness, "DeleteRule", json!({ "Name": "r" }));
    call(&mut harness, "DeleteRule", json!({ "Name": "r" }));
    assert_eq!(call(&mut harness, "ListRules", json!({}))["Rules"], json!([]));
}

#[test]
fn buses_keep_their_rules_apart() {
    let mut harness = harness();
    let arn = call(&mut harness, "CreateEventBus", json!({ "Name": "other" }))["EventBusArn"].clone();
    assert_eq!(arn, "arn:aws:events:eu-west-1:000000000000:event-bus/other");
    let pattern = r#"{"source":["app"]}"#;
    let rule = call(&mut harness, "PutRule", json!({ "Name": "r", "EventBusName": arn, "EventPattern": pattern }));
    assert_eq!(rule["RuleArn"], "arn:aws:events:eu-west-1:000000000000:rule/other/r");
    assert_eq!(call(&mut harness, "ListRules", json!({}))["Rules"], json!([]));
    expect!["ResourceAlreadyExistsException: Event bus other already exists."].assert_eq(&refused(
        &mut harness,
        "CreateEventBus",
        json!({ "Name": "other" }),
    ));
    expect!["ValidationException: Event bus can't be deleted since it has rules."].assert_eq(&refused(
        &mut harness,
        "DeleteEventBus",
        json!({ "Name": "other" }),
    ));
    expect!["ValidationException: Cannot delete event bus default."].assert_eq(&refused(
        &mut harness,
        "DeleteEventBus",
        json!({ "Name": "default" }),
    ));
    let rate = json!({ "Name": "s", "EventBusName": "other", "ScheduleExpression": "rate(1 minute)" });
    expect!["ValidationException: ScheduleExpression is supported only on the default event bus."].assert_eq(&refused(
        &mut harness,
        "PutRule",
        rate,
    ));
    call(&mut harness, "PutTargets", json!({ "Rule": "r", "EventBusName": "other", "Targets": [target(json!({}))] }));
    let on =
        |bus: &str| json!({ "Entries": [{ "Source": "app", "DetailType": "t", "Detail": "{}", "EventBusName": bus }] });
    call(&mut harness, "PutEvents", on("default"));
    assert_eq!(harness.effects.len(), 0);
    call(&mut harness, "PutEvents", on("other"));
    assert_eq!(harness.effects.len(), 1);
}

#[test]
fn patterns_can_be_tried() {
    let event = |source: &str| {
        format!(
            r#"{{"id":"1","account":"000000000000","source":"{source}","time":"2026-01-01T00:00:00Z","region":"eu-west-1","resources":[],"detail-type":"t","detail":{{}}}}"#
        )
    };
    let mut harness = harness();
    for (source, expected) in [("app", true), ("other", false)] {
        let input = json!({ "EventPattern": r#"{"source":["app"]}"#, "Event": event(source) });
        assert_eq!(call(&mut harness, "TestEventPattern", input)["Result"], expected);
    }
}

#[test]
fn an_event_that_no_rule_takes_leaves_nothing_behind() {
    let mut harness = harness();
    rule(&mut harness, "r", json!({ "EventPattern": r#"{"source":["wanted"]}"# }), target(json!({})));
    let before = harness.rows().len();
    let entry = json!({ "Source": "other", "DetailType": "t", "Detail": "{}" });
    call(&mut harness, "PutEvents", json!({ "Entries": [entry] }));
    assert_eq!(harness.rows().len(), before);
}
