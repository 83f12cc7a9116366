//! What waits in the services of the house, while the machine's clock is put back, forward, and forward and back.

use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How the clock is put, a minute apart.
const MOVES: [&[i64]; 6] =
    [&[-1_000], &[-HOUR], &[-30 * DAY], &[HOUR, -HOUR], &[-HOUR, HOUR], &[-30 * DAY, 30 * DAY, -DAY]];

fn house() -> Harness {
    Harness::new(super::services, super::ports()).unwrap()
}

/// Lets the clock be put as the moves say, then lets pass what is left of `ms`.
fn live_through(harness: &mut Harness, moves: &[i64], ms: i64) {
    let mut left = ms;
    for step in moves {
        harness.pass(MINUTE);
        harness.put_clock(*step);
        left -= MINUTE;
    }
    harness.pass(left);
}

/// Whether something is there shortly before and gone shortly after a time that is meant to pass.
fn check(name: &str, ms: i64, begin: fn(&mut Harness) -> String, is_there: fn(&mut Harness, &str) -> bool) {
    for moves in MOVES {
        let mut harness = house();
        let id = begin(&mut harness);
        live_through(&mut harness, moves, ms - 10_000);
        // A clock that was put forward has let time pass, in services as on the machine.
        let was_forward = moves
            .iter()
            .scan(0, |sum, ms| {
                *sum += ms;
                Some(*sum)
            })
            .any(|sum| sum > 0);
        assert!(is_there(&mut harness, &id) || was_forward, "{name} {moves:?}: too early");
        // Small steps are waited for.
        harness.pass(10_000 + 2_000);
        assert!(!is_there(&mut harness, &id), "{name} {moves:?}: too late");
    }
}

fn call(harness: &mut Harness, service: &str, operation: &str, input: Json) -> Json {
    harness.call(service, operation, input).unwrap_or_else(|fault| panic!("{operation}: {fault}"))
}

#[test]
fn temporary_credentials_end_after_their_time() {
    let begin = |harness: &mut Harness| {
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "arn:aws:iam::000000000000:root" },
        }] });
        call(harness, "iam", "CreateRole", json!({ "RoleName": "r", "AssumeRolePolicyDocument": trust.to_string() }));
        let input = json!({ "RoleArn": "arn:aws:iam::000000000000:role/r", "RoleSessionName": "session", "DurationSeconds": 3600 });
        let made = call(harness, "sts", "AssumeRole", input);
        made["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned()
    };
    check("credentials", HOUR, begin, |harness, id| neargate_sts::credential(harness.core().store(), id).is_some());
}

#[test]
fn keys_are_deleted_after_their_waiting_period() {
    let begin = |harness: &mut Harness| {
        let made = call(harness, "kms", "CreateKey", json!({}));
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        call(harness, "kms", "ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 }));
        id
    };
    check("key", 7 * DAY, begin, |harness, id| harness.call("kms", "DescribeKey", json!({ "KeyId": id })).is_ok());
}

#[test]
fn secrets_are_deleted_after_their_recovery_window() {
    let begin = |harness: &mut Harness| {
        let made = call(harness, "secretsmanager", "CreateSecret", json!({ "Name": "s", "SecretString": "x" }));
        let id = made["ARN"].as_str().unwrap().to_owned();
        call(harness, "secretsmanager", "DeleteSecret", json!({ "SecretId": id, "RecoveryWindowInDays": 7 }));
        id
    };
    let is_there = |harness: &mut Harness, id: &str| {
        harness.call("secretsmanager", "DescribeSecret", json!({ "SecretId": id })).is_ok()
    };
    check("secret", 7 * DAY, begin, is_there);
}

#[test]
fn keys_rotate_after_their_period() {
    let begin = |harness: &mut Harness| {
        let made = call(harness, "kms", "CreateKey", json!({}));
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        call(harness, "kms", "EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 90 }));
        id
    };
    check("rotation", 90 * DAY, begin, |harness, id| {
        let answer = harness.call("kms", "ListKeyRotations", json!({ "KeyId": id })).unwrap();
        answer["Rotations"].as_array().unwrap().is_empty()
    });
}

#[test]
fn stacks_go_on_whatever_becomes_of_the_clock() {
    for moves in MOVES {
        let mut harness = house();
        let template = json!({ "Resources": { "Cluster": { "Type": "AWS::ECS::Cluster" } } }).to_string();
        harness.send("cloudformation", "CreateStack", json!({ "StackName": "s", "TemplateBody": template })).unwrap();
        for ms in moves {
            harness.put_clock(*ms);
        }
        harness.pass(10_000);
        let found = call(&mut harness, "cloudformation", "DescribeStacks", json!({ "StackName": "s" }));
        assert_eq!(found["Stacks"][0]["StackStatus"], "CREATE_COMPLETE", "{moves:?}");
    }
}

#[test]
fn a_clock_put_back_while_nothing_could_be_written_is_seen_later() {
    let mut harness = house();
    harness.pass(MINUTE);
    let service = |harness: &Harness| harness.core().now(harness.now).service;
    let begin = service(&harness);
    harness.lose(|core, now| core.observe(now.plus_ms(-HOUR), 0));
    harness.now = harness.now.plus_ms(-HOUR);
    assert_eq!(service(&harness), begin, "it stands still");
    harness.put_clock(0);
    harness.pass(MINUTE);
    assert_eq!(service(&harness), begin.plus_ms(MINUTE));
}
