//! Rules with a schedule, on a clock that is turned.

use neargate_base::Timestamp;
use neargate_testkit::Harness;
use serde_json::json;

use crate::world::{call, counts, harness, rule, runs, target};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A world in which it is ten o'clock on a Saturday.
fn at_ten() -> Harness {
    let mut harness = harness();
    harness.now = at("2026-11-21T10:00:00Z");
    harness
}

fn every(expression: &str) -> serde_json::Value {
    json!({ "ScheduleExpression": expression })
}

/// A rule whose target is nowhere: that it fired is seen in its counts, and the event in what could not be delivered.
fn nowhere() -> serde_json::Value {
    json!({ "Id": "q", "Arn": "arn:aws:sqs:eu-west-1:000000000000:q" })
}

fn fired(harness: &mut Harness, name: &str) -> u64 {
    counts(harness, name).0
}

#[test]
fn a_cron_rule_fires_on_the_minute() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("cron(30 10 ? * SAT *)"), target(json!({})));
    harness.turn_to(at("2026-11-21T10:29:59Z"), false);
    assert_eq!(fired(&mut harness, "r"), 0);
    harness.turn_to(at("2026-11-21T10:30:00Z"), false);
    assert_eq!(counts(&mut harness, "r"), (1, 1, 0));
    harness.turn_to(at("2026-12-05T10:30:00Z"), false);
    assert_eq!(counts(&mut harness, "r"), (3, 3, 0));
    assert_eq!(harness.effects.len(), 3);
}

#[test]
fn a_rate_counts_from_when_the_rule_was_enabled() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("rate(5 minutes)"), nowhere());
    harness.turn_to(at("2026-11-21T10:12:00Z"), false);
    assert_eq!(fired(&mut harness, "r"), 2);
    call(&mut harness, "DisableRule", json!({ "Name": "r" }));
    harness.turn_to(at("2026-11-21T11:12:00Z"), false);
    assert_eq!(fired(&mut harness, "r"), 2);
    call(&mut harness, "EnableRule", json!({ "Name": "r" }));
    harness.turn_to(at("2026-11-21T11:16:59Z"), false);
    assert_eq!(fired(&mut harness, "r"), 2);
    harness.turn_to(at("2026-11-21T11:17:00Z"), false);
    assert_eq!(fired(&mut harness, "r"), 3);
}

#[test]
fn rules_that_are_disabled_or_gone_or_changed_never_fire_as_they_were() {
    let mut harness = at_ten();
    rule(&mut harness, "off", json!({ "ScheduleExpression": "rate(1 minute)", "State": "DISABLED" }), nowhere());
    rule(&mut harness, "gone", every("rate(1 minute)"), nowhere());
    rule(&mut harness, "slow", every("rate(1 minute)"), nowhere());
    call(&mut harness, "RemoveTargets", json!({ "Rule": "gone", "Ids": ["q"] }));
    call(&mut harness, "DeleteRule", json!({ "Name": "gone" }));
    call(&mut harness, "PutRule", json!({ "Name": "slow", "ScheduleExpression": "rate(1 hour)" }));
    harness.turn_to(at("2026-11-21T10:59:00Z"), false);
    assert_eq!((fired(&mut harness, "off"), fired(&mut harness, "slow")), (0, 0));
    harness.turn_to(at("2026-11-21T11:00:00Z"), false);
    assert_eq!((fired(&mut harness, "off"), fired(&mut harness, "slow")), (0, 1));
}

#[test]
fn what_was_missed_while_nothing_ran_is_missed() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("cron(0/10 * * * ? *)"), nowhere());
    // The engine was not there for an hour and a half.
    harness.now = at("2026-11-21T11:32:00Z");
    harness.restart().unwrap();
    assert_eq!(fired(&mut harness, "r"), 0);
    harness.pass(8 * 60_000);
    assert_eq!(fired(&mut harness, "r"), 1);
    // Half a minute late is late, not missed.
    harness.now = at("2026-11-21T11:50:30Z");
    harness.restart().unwrap();
    assert_eq!(fired(&mut harness, "r"), 2);
}

#[test]
fn many_rules_fire_in_the_order_of_their_times() {
    let mut harness = at_ten();
    for (name, expression) in
        [("c", "cron(3 * * * ? *)"), ("a", "cron(1 * * * ? *)"), ("b", "rate(2 minutes)"), ("d", "cron(1 * * * ? *)")]
    {
        rule(&mut harness, name, every(expression), nowhere());
    }
    harness.notices.clear();
    harness.turn_to(at("2026-11-21T10:04:00Z"), false);
    let said = harness.notices.iter().filter_map(|notice| notice.text.strip_prefix("rule `"));
    let order: Vec<_> = said.map(|text| text.split('`').next().unwrap()).collect();
    assert_eq!(order, ["a", "d", "b", "c", "b"]);
}

#[test]
fn a_turned_clock_waits_for_the_task_of_each_fire() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("rate(1 hour)"), target(json!({})));
    harness.turn_to(at("2026-11-21T13:00:00Z"), true);
    assert_eq!((fired(&mut harness, "r"), harness.core().is_turning()), (1, true));
}

#[test]
fn what_falls_due_while_the_clock_waits_for_tasks_is_late_and_not_missed() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("rate(1 minute)"), target(json!({})));
    harness.turn_to(at("2026-11-21T10:03:00Z"), true);
    for fires in 1..=3 {
        assert_eq!(fired(&mut harness, "r"), fires);
        // Each task takes five minutes of both clocks.
        harness.now = harness.now.plus_ms(5 * 60_000);
        for effect in harness.unfinished() {
            harness.report(&effect.id, json!({ "news": "gone" }), true);
        }
    }
    // The turn is over at 10:16: what fell due meanwhile has followed.
    assert!(!harness.core().is_turning());
    harness.run_due();
    assert_eq!(fired(&mut harness, "r"), 16);
}

#[test]
fn a_clock_that_is_set_back_lets_rules_fire_again() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("cron(0 * * * ? *)"), nowhere());
    rule(&mut harness, "e", every("rate(1 hour)"), nowhere());
    harness.turn_to(at("2026-12-20T00:30:00Z"), false);
    let (before, of_rate) = (fired(&mut harness, "r"), fired(&mut harness, "e"));
    harness.command(neargate_kernel::Command::SetClock { to: at("2026-12-01T10:30:00Z") });
    harness.command(neargate_events::after_clock_was_set());
    harness.turn_to(at("2026-12-01T12:30:00Z"), false);
    assert_eq!((fired(&mut harness, "r"), fired(&mut harness, "e")), (before + 2, of_rate + 2));
}

#[test]
fn what_falls_due_while_the_machine_sleeps_is_missed() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("rate(1 minute)"), nowhere());
    harness.sleep(8 * 3_600_000);
    assert_eq!(fired(&mut harness, "r"), 0);
    harness.pass(60_000);
    assert_eq!(fired(&mut harness, "r"), 1);
}

#[test]
fn what_lies_before_a_time_that_the_clock_is_set_to_is_missed() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("cron(0 * * * ? *)"), nowhere());
    harness.command(neargate_kernel::Command::SetClock { to: at("2026-11-22T10:30:00Z") });
    assert_eq!(fired(&mut harness, "r"), 0);
    harness.turn_to(at("2026-11-22T12:30:00Z"), false);
    assert_eq!(fired(&mut harness, "r"), 2);
}

#[test]
fn a_rule_fired_by_hand_fires_now_and_in_its_turn() {
    let mut harness = at_ten();
    let environment = json!([{ "name": "AT", "value": "<at>" }]).to_string();
    let template = format!(r#"{{"containerOverrides":[{{"name":"app","environment":{environment}}}]}}"#);
    let transformer = json!({ "InputPathsMap": { "at": "$.time" }, "InputTemplate": template });
    rule(&mut harness, "r", every("cron(30 10 ? * SAT *)"), target(json!({ "InputTransformer": transformer })));
    harness.pass(90_000);
    let [found] = neargate_events::scheduled(harness.core().store()).try_into().unwrap();
    assert_eq!(found.arn, "arn:aws:events:eu-west-1:000000000000:rule/r");
    harness.command(found.fire()).unwrap().unwrap();
    assert_eq!(counts(&mut harness, "r"), (1, 1, 0));
    let times = |harness: &mut Harness| {
        let times = runs(harness)
            .into_iter()
            .map(|run| run["overrides"]["containerOverrides"][0]["environment"][0]["value"].clone());
        times.collect::<Vec<_>>()
    };
    assert_eq!(times(&mut harness), ["2026-11-21T10:01:30Z"]);
    harness.turn_to(at("2026-11-21T11:00:00Z"), false);
    assert_eq!(counts(&mut harness, "r"), (2, 2, 0));
}

#[test]
fn a_rule_that_is_disabled_or_gone_is_not_fired_by_hand() {
    let mut harness = at_ten();
    rule(&mut harness, "r", every("rate(1 hour)"), nowhere());
    let [found] = neargate_events::scheduled(harness.core().store()).try_into().unwrap();
    call(&mut harness, "DisableRule", json!({ "Name": "r" }));
    assert!(harness.command(found.fire()).unwrap().unwrap_err().to_string().contains("disabled"));
    assert_eq!(fired(&mut harness, "r"), 0);
    assert!(!neargate_events::scheduled(harness.core().store())[0].enabled);
    call(&mut harness, "RemoveTargets", json!({ "Rule": "r", "Ids": ["q"] }));
    call(&mut harness, "DeleteRule", json!({ "Name": "r" }));
    assert!(harness.command(found.fire()).unwrap().is_err());
}
