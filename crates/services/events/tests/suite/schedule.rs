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

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How the machine's clock is put, at several times.
const MOVES: [&[i64]; 10] = [
    &[-1_000],
    &[-30_000],
    &[-HOUR],
    &[-30 * DAY],
    &[HOUR, -HOUR],
    &[30 * DAY, -30 * DAY],
    &[-HOUR, HOUR],
    &[-30 * DAY, 30 * DAY, -30 * DAY],
    &[-HOUR, -HOUR, 2 * HOUR],
    &[-7, -1_000, -4_000],
];

/// The scheduled times of the runs that a rule started.
fn times(harness: &mut Harness) -> Vec<String> {
    let of = |run: serde_json::Value| {
        run["overrides"]["containerOverrides"][0]["environment"][0]["value"].as_str().unwrap().to_owned()
    };
    runs(harness).into_iter().map(of).collect()
}

fn timed(harness: &mut Harness, expression: &str) {
    let environment = json!([{ "name": "AT", "value": "<at>" }]).to_string();
    let template = format!(r#"{{"containerOverrides":[{{"name":"app","environment":{environment}}}]}}"#);
    let transformer = json!({ "InputPathsMap": { "at": "$.time" }, "InputTemplate": template });
    rule(harness, "r", every(expression), target(json!({ "InputTransformer": transformer })));
}

/// Five minutes, in steps.
fn five_minutes(harness: &mut Harness) {
    (0..30).for_each(|_| harness.pass(10_000));
}

#[test]
fn a_clock_that_is_put_back_or_forward_and_back_stops_no_rule_and_fires_none_twice() {
    for expression in ["rate(1 minute)", "cron(* * * * ? *)"] {
        for moves in MOVES {
            let mut harness = at_ten();
            timed(&mut harness, expression);
            harness.pass(30_000);
            five_minutes(&mut harness);
            let mut fires = times(&mut harness).len();
            assert_eq!(fires, 5, "{expression} {moves:?}");
            for ms in moves {
                harness.put_clock(*ms);
                five_minutes(&mut harness);
                let now = times(&mut harness).len();
                assert_eq!(now - fires, 5, "{expression} {moves:?}, after {ms}");
                fires = now;
            }
            let mut distinct = times(&mut harness);
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), fires, "{expression} {moves:?}: {:?}", times(&mut harness));
        }
    }
}

#[test]
fn a_clock_that_was_put_back_between_two_starts_stops_no_rule_and_fires_none_twice() {
    for expression in ["rate(1 minute)", "cron(* * * * ? *)"] {
        for ms in [-1_000, -HOUR, -30 * DAY] {
            let mut harness = at_ten();
            timed(&mut harness, expression);
            harness.pass(30_000);
            five_minutes(&mut harness);
            harness.restart_with_clock(ms).unwrap();
            // What is kept of the time is a minute old at most.
            five_minutes(&mut harness);
            let mut distinct = times(&mut harness);
            let fires = distinct.len();
            assert!((9..=11).contains(&fires), "{expression} {ms}: {fires}");
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), fires, "{expression} {ms}");
        }
    }
}

#[test]
fn service_time_goes_on_when_the_clock_is_put_back_and_follows_it_again_when_it_catches_up() {
    let mut harness = at_ten();
    let service = |harness: &Harness| harness.core().now(harness.now).service;
    harness.pass(1);
    let begin = service(&harness);
    harness.put_clock(-30 * DAY);
    assert_eq!(service(&harness), begin);
    let [notice] = harness.notices.as_slice() else { panic!("{:?}", harness.notices) };
    assert!(
        notice.text.contains("put back by 30 d 0 h: service time goes on from 2026-11-21T10:00:00"),
        "{}",
        notice.text
    );
    harness.pass(HOUR);
    assert_eq!(service(&harness), begin.plus_ms(HOUR));
    // Turned and set, it is where it was put, and goes on from there.
    harness.turn_to(begin.plus_ms(DAY), false);
    assert_eq!(service(&harness), begin.plus_ms(DAY));
    harness.put_clock(10 * DAY);
    assert_eq!(service(&harness), begin.plus_ms(DAY), "ten days less ahead");
    harness.restart_with_clock(0).unwrap();
    assert_eq!(service(&harness), begin.plus_ms(DAY));
    harness.put_clock(25 * DAY);
    assert_eq!(service(&harness), begin.plus_ms(6 * DAY), "it has caught up after 20 days, and 5 more were missed");
    harness.command(neargate_kernel::Command::SetClock { to: begin });
    assert_eq!(service(&harness), begin, "back where it is asked for");
    harness.put_clock(-2_000);
    assert_eq!(service(&harness), begin, "a small step is waited for");
    harness.pass(1_500);
    assert_eq!(service(&harness), begin);
    harness.pass(1_500);
    assert_eq!(service(&harness), begin.plus_ms(1_000));
}
