//! From an event to a task.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::world::{DENIED, call, counts, failures, harness, put, rule, runs, target};

const PATTERN: &str = r#"{"source":["app"]}"#;

/// The overrides of the one task that an event with this detail leads to.
fn overrides(input: Json, detail: &Json) -> Json {
    let mut harness = harness();
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(input));
    put(&mut harness, detail);
    let runs = runs(&mut harness);
    assert_eq!(runs.len(), 1, "{}", failures(&harness));
    runs[0]["overrides"]["containerOverrides"][0].clone()
}

fn transformer(template: &str) -> Json {
    json!({ "InputTransformer": { "InputPathsMap": { "command": "$.detail.command" }, "InputTemplate": template } })
}

const COMMAND: &str = r#"{"containerOverrides":[{"name":"app","environment":[{"name":"C","value":<command>}]}]}"#;

#[test]
fn a_part_of_the_event_reaches_the_container() {
    let value = |detail: Json| overrides(transformer(COMMAND), &detail)["environment"][0]["value"].clone();
    assert_eq!(value(json!({ "command": "update" })), "update");
    assert_eq!(value(json!({ "command": "say \"hello\"\n\\ täglich" })), "say \"hello\"\n\\ täglich");
    assert_eq!(value(json!({})), "");
    let quoted = COMMAND.replace("<command>", "\"run <command> now\"");
    let value = |detail: Json| overrides(transformer(&quoted), &detail)["environment"][0]["value"].clone();
    assert_eq!(value(json!({ "command": "it" })), "run it now");
    assert_eq!(value(json!({})), "run  now");
}

#[test]
fn a_command_can_be_a_list_and_an_input_a_part_or_a_constant() {
    let list = r#"{"containerOverrides":[{"name":"app","command":<command>}]}"#;
    assert_eq!(overrides(transformer(list), &json!({ "command": ["a", "b"] }))["command"], json!(["a", "b"]));
    let part = json!({ "overrides": { "containerOverrides": [{ "name": "app", "command": ["part"] }] } });
    assert_eq!(overrides(json!({ "InputPath": "$.detail.overrides" }), &part)["command"], json!(["part"]));
    let constant = json!({ "Input": r#"{"containerOverrides":[{"name":"app","command":["constant"]}]}"# });
    assert_eq!(overrides(constant, &json!({}))["command"], json!(["constant"]));
    assert_eq!(overrides(json!({ "Input": "{}" }), &json!({ "x": 1 }))["command"], Json::Null);
    assert_eq!(
        overrides(json!({}), &json!({ "containerOverrides": [{ "name": "app", "command": ["no"] }] }))["command"],
        Json::Null
    );
}

#[test]
fn what_the_target_says_of_the_task_is_what_runs() {
    let mut harness = harness();
    let mut target = target(json!({}));
    target["EcsParameters"]["TaskCount"] = json!(3);
    target["EcsParameters"]["Group"] = json!("nightly");
    target["EcsParameters"]["PropagateTags"] = json!("TASK_DEFINITION");
    target["EcsParameters"]["Tags"] = json!([{ "Key": "k", "Value": "v" }]);
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target);
    put(&mut harness, &json!({}));
    let runs = runs(&mut harness);
    assert_eq!((runs.len(), harness.effects.len()), (3, 3));
    let seen =
        ["startedBy", "group", "launchType", "lastStatus"].map(|name| runs[0][name].as_str().unwrap().to_owned());
    assert_eq!(seen, ["events-rule/r", "nightly", "FARGATE", "PENDING"]);
    assert_eq!(counts(&mut harness, "r"), (1, 1, 0));
}

#[test]
fn what_is_denied_is_counted_said_and_published() {
    for (denied, expected) in [
        (
            "ecs:RunTask",
            expect![[r#"
            FailedInvocations of rule `r`, target `t`: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/events/events.amazonaws.com is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:eu-west-1:000000000000:task-definition/app:1 because no identity-based policy allows the ecs:RunTask action
              hint: allow it in a policy of `arn:aws:iam::000000000000:role/events`, the target's role (no identity-based policy allows it: no statement)
            FailedInvocations of rule `watch`, target `w`: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/events/events.amazonaws.com is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:eu-west-1:000000000000:task-definition/app:1 because no identity-based policy allows the ecs:RunTask action
              hint: allow it in a policy of `arn:aws:iam::000000000000:role/events`, the target's role (no identity-based policy allows it: no statement)
        "#]],
        ),
        (
            "iam:PassRole",
            expect![[r#"
            FailedInvocations of rule `r`, target `t`: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/events/events.amazonaws.com is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role/app because no identity-based policy allows the iam:PassRole action
              hint: allow it in a policy of `arn:aws:iam::000000000000:role/events`, the target's role (no identity-based policy allows it: no statement)
            FailedInvocations of rule `watch`, target `w`: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/events/events.amazonaws.com is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role/app because no identity-based policy allows the iam:PassRole action
              hint: allow it in a policy of `arn:aws:iam::000000000000:role/events`, the target's role (no identity-based policy allows it: no statement)
        "#]],
        ),
        (
            "sts:AssumeRole",
            expect![[r#"
            FailedInvocations of rule `r`, target `t`: AccessDeniedException: the trust policy of arn:aws:iam::000000000000:role/events does not name events.amazonaws.com
              hint: `arn:aws:iam::000000000000:role/events` needs a trust policy that allows `sts:AssumeRole` to the service `events.amazonaws.com`
            FailedInvocations of rule `watch`, target `w`: AccessDeniedException: the trust policy of arn:aws:iam::000000000000:role/events does not name events.amazonaws.com
              hint: `arn:aws:iam::000000000000:role/events` needs a trust policy that allows `sts:AssumeRole` to the service `events.amazonaws.com`
        "#]],
        ),
    ] {
        let mut harness = harness();
        rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(json!({})));
        let watcher = json!({ "EventPattern": r#"{"source":["neargate.events"],"detail":{"targetId":["t"]}}"# });
        rule(&mut harness, "watch", watcher, target(json!({ "Id": "w" })));
        DENIED.with_borrow_mut(|list| *list = vec![denied]);
        let output = put(&mut harness, &json!({}));
        DENIED.with_borrow_mut(Vec::clear);
        assert_eq!(output["FailedEntryCount"], 0);
        expected.assert_eq(&failures(&harness));
        // The rule that watches fails too, and that is where it ends.
        assert_eq!((counts(&mut harness, "r"), counts(&mut harness, "watch")), ((1, 0, 1), (1, 0, 1)));
        assert_eq!(harness.effects.len(), 0);
        put(&mut harness, &json!({}));
        assert_eq!((counts(&mut harness, "r"), counts(&mut harness, "watch")), ((2, 1, 1), (1, 0, 1)));
    }
}

#[test]
fn one_target_that_fails_keeps_no_other_from_running() {
    let mut harness = harness();
    let broken = "arn:aws:ecs:eu-west-1:000000000000:cluster/none";
    let targets = json!([target(json!({ "Id": "a", "Arn": broken })), target(json!({ "Id": "b" }))]);
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": PATTERN }));
    call(&mut harness, "PutTargets", json!({ "Rule": "r", "Targets": targets }));
    put(&mut harness, &json!({}));
    assert_eq!((runs(&mut harness).len(), counts(&mut harness, "r")), (1, (1, 1, 1)));
    expect![[r#"
        FailedInvocations of rule `r`, target `a`: ClusterNotFoundException: Cluster not found.
          hint: -
    "#]]
    .assert_eq(&failures(&harness));
}

#[test]
fn an_input_that_is_no_json_in_the_end_is_not_delivered() {
    let mut harness = harness();
    let broken = r#"{"containerOverrides":[{"name":"app","command":["<command>"]}]}"#;
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(transformer(broken)));
    put(&mut harness, &json!({ "command": { "an": "object" } }));
    let long = json!({ "command": "x".repeat(9000) });
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(transformer(COMMAND)));
    put(&mut harness, &long);
    assert_eq!((runs(&mut harness).len(), counts(&mut harness, "r")), (0, (2, 0, 2)));
    expect![[r#"
        FailedInvocations of rule `r`, target `t`: InvalidInput: not delivered: the filled template is not JSON: expected `,` or `]` at line 1, column 52; `<command>` is an object inside a string; take it out of the quotes
          hint: see what the template produces with `neargate events transform`
        FailedInvocations of rule `r`, target `t`: InvalidParameterException: Overrides length must be at most 8192, got 9079
          hint: -
    "#]].assert_eq(&failures(&harness));
}

#[test]
fn targets_of_other_services_are_never_silently_dropped() {
    let mut harness = harness();
    let queue = json!({ "Id": "q", "Arn": "arn:aws:sqs:eu-west-1:000000000000:q", "DeadLetterConfig": { "Arn": "arn:aws:sqs:eu-west-1:000000000000:dlq" } });
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), queue);
    put(&mut harness, &json!({}));
    expect![[r#"
        FailedInvocations of rule `r`, target `q`: NotImplemented: Neargate does not deliver to targets of `sqs` yet (`arn:aws:sqs:eu-west-1:000000000000:q`)
          hint: -
        the dead letter of target `q` went nowhere: `arn:aws:sqs:eu-west-1:000000000000:dlq` is recorded, there are no queues
          hint: -
    "#]].assert_eq(&failures(&harness));
}

#[test]
fn what_is_not_done_for_a_target_is_said_when_it_is_put() {
    let mut harness = harness();
    let more = json!({
        "DeadLetterConfig": { "Arn": "arn:aws:sqs:eu-west-1:000000000000:dlq" },
        "RetryPolicy": { "MaximumRetryAttempts": 2 },
    });
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(more));
    rule(
        &mut harness,
        "s",
        json!({ "EventPattern": PATTERN }),
        json!({ "Id": "q", "Arn": "arn:aws:sqs:eu-west-1:000000000000:q" }),
    );
    rule(&mut harness, "t", json!({ "EventPattern": PATTERN }), target(json!({})));
    let said = harness.notices.iter().filter(|it| it.kind == neargate_kernel::NoticeKind::NotSimulated);
    let said: Vec<_> = said.map(|it| format!("{}: {}", it.subject, it.text)).collect();
    expect![[r#"
        rule `r`, target `t` DeadLetterConfig: recorded; events that cannot be delivered do not go to `arn:aws:sqs:eu-west-1:000000000000:dlq`, there are no queues
        rule `r`, target `t` RetryPolicy: recorded; a delivery that fails is not tried again
        rule `s`, target `q`: recorded; nothing is delivered to `arn:aws:sqs:eu-west-1:000000000000:q`, only ECS tasks are"#]].assert_eq(&said.join("\n"));
}

#[test]
fn what_is_no_arn_is_no_target_and_no_queue() {
    let mut harness = harness();
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": PATTERN }));
    let mut refused = |target: Json| {
        let input = json!({ "Rule": "r", "Targets": [target] });
        harness.call("events", "PutTargets", input).unwrap_err().to_string()
    };
    assert_eq!(
        refused(json!({ "Id": "b", "Arn": "test-bucket" })),
        "ValidationException: Parameter test-bucket is not valid. Reason: Provided Arn is not in correct format."
    );
    let queue = json!({ "DeadLetterConfig": { "Arn": "arn:aws:sns:eu-west-1:000000000000:topic" } });
    assert!(refused(target(queue)).starts_with("ValidationException: Parameter arn:aws:sns:"));
}

#[test]
fn a_disabled_rule_matches_nothing_and_a_changed_pattern_counts_at_once() {
    let mut harness = harness();
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN, "State": "DISABLED" }), target(json!({})));
    put(&mut harness, &json!({}));
    assert_eq!(counts(&mut harness, "r"), (0, 0, 0));
    call(&mut harness, "EnableRule", json!({ "Name": "r" }));
    put(&mut harness, &json!({}));
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["other"]}"# }));
    put(&mut harness, &json!({}));
    call(&mut harness, "PutRule", json!({ "Name": "r", "EventPattern": PATTERN }));
    put(&mut harness, &json!({}));
    call(&mut harness, "DisableRule", json!({ "Name": "r" }));
    put(&mut harness, &json!({}));
    assert_eq!(counts(&mut harness, "r"), (2, 2, 0));
}

#[test]
fn events_of_services_come_on_the_default_bus() {
    let mut harness = harness();
    let pattern = r#"{"source":["aws.ecs"],"detail-type":["ECS Task State Change"],"detail":{"lastStatus":["PROVISIONING"],"startedBy":["events-rule/r"]}}"#;
    let nowhere = json!({ "Id": "q", "Arn": "arn:aws:sqs:eu-west-1:000000000000:q" });
    rule(&mut harness, "watch", json!({ "EventPattern": pattern }), nowhere);
    rule(&mut harness, "r", json!({ "EventPattern": PATTERN }), target(json!({})));
    put(&mut harness, &json!({}));
    assert_eq!(counts(&mut harness, "watch").0, 1);
}
