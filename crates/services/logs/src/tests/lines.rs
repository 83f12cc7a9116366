//! Borrowed texts: what they do, beside what the same call over HTTP does.

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Fault, Lines};
use neargate_shape::Value;
use serde_json::json;

use super::{NOW_MS, World, batch, shown};

const DAY: i64 = 86_400_000;

/// Milliseconds after the beginning, and messages.
type Events<'m> = Vec<(i64, &'m str)>;

fn put_lines(world: &mut World, group: &str, stream: &str, events: &[(i64, &str)]) -> Result<(), Fault> {
    let lines: Lines = events.iter().map(|(after, text)| (Timestamp(*after), text)).collect();
    let input = Value::Structure(vec![("logGroupName", Value::from(group)), ("logStreamName", Value::from(stream))]);
    let (result, applied) =
        world.core.perform(Timestamp(world.now_ms), &Scope::default(), world.principal.clone(), |cx| {
            cx.call_with_lines("logs", "PutLogEvents", &input, lines.moved(NOW_MS))
        });
    world.keep(&applied);
    result
}

fn get(world: &mut World) -> String {
    world.principal = neargate_kernel::Principal::root(&Scope::default().account);
    let events = shown(&world.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"})));
    let stream = world.ok("DescribeLogStreams", json!({"logGroupName": "g"}))["logStreams"][0].clone();
    format!("{events} {stream}")
}

fn told(outcome: Result<(), Fault>) -> String {
    outcome.map_or_else(|fault| format!("{} {fault} {:?}", fault.status, fault.hint), |()| "ok".to_owned())
}

#[test]
fn borrowed_texts_do_what_the_call_does() {
    let (large, half, many) = ("x".repeat((1 << 20) - 25), "x".repeat((1 << 19) - 25), vec![(0, "x"); 10_001]);
    let long = "g".repeat(513);
    let only_t = "logs:PutLogEvents@arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:t";
    let cases: Vec<(&str, &str, Events<'_>)> = vec![
        ("g", "s", vec![(0, "a"), (0, "b"), (5, "c\nd")]),
        ("g", "s", vec![(-15 * DAY, "old"), (-14 * DAY, "kept")]),
        ("g", "s", vec![(0, "now"), (3 * 3_600_000, "too new")]),
        ("g", "s", vec![(1, "a"), (0, "b")]),
        ("g", "s", vec![(-DAY - 1, "a"), (0, "b")]),
        ("g", "s", vec![(0, "a"), (0, "")]),
        ("g", "s", vec![(-NOW_MS - 1, "before all time"), (0, "a")]),
        ("g", "s", vec![(-NOW_MS - 9, "a"), (-NOW_MS - 1, "b")]),
        ("g", "s", vec![]),
        ("g", "s", vec![(0, &large)]),
        ("g", "s", vec![(0, &half), (0, &half)]),
        ("g", "s", many[..10_000].to_vec()),
        ("g", "s", many.clone()),
        ("g", "none", vec![(0, "a")]),
        ("none", "s", vec![(0, "a")]),
        ("g", "s:t", vec![(0, "a")]),
        ("g", "", vec![(0, "a")]),
        ("g*", "s", vec![(0, "a")]),
        (&long, "s", vec![(0, "a")]),
    ];
    for policy in [None, Some("logs:PutLogEvents@*"), Some(only_t), Some("logs:GetLogEvents@*")] {
        for (group, stream, events) in &cases {
            let mut worlds = [World::with_stream(), World::with_stream()];
            for world in &mut worlds {
                world.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 30}));
                if let Some(policy) = policy {
                    world.as_role(policy);
                }
            }
            let [borrowed, called] = &mut worlds;
            let mut input = batch(stream, events);
            input["logGroupName"] = json!(group);
            let outcomes =
                [put_lines(borrowed, group, stream, events), called.call("PutLogEvents", input).map(drop)].map(told);
            assert_eq!(outcomes[0], outcomes[1], "{policy:?} {group} {stream} {} events", events.len());
            assert_eq!(get(borrowed), get(called), "{policy:?} {group} {stream} {} events", events.len());
        }
    }
}

#[test]
fn lines_that_are_left_out_are_said() {
    let mut world = World::with_stream();
    world.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 3}));
    let mut said = |events: &[(i64, &str)]| {
        let lines: Lines = events.iter().map(|(after, text)| (Timestamp(*after), text)).collect();
        let input = Value::Structure(vec![("logGroupName", Value::from("g")), ("logStreamName", Value::from("s"))]);
        let root = world.principal.clone();
        let (result, applied) = world.core.perform(Timestamp(world.now_ms), &Scope::default(), root, |cx| {
            cx.call_with_lines("logs", "PutLogEvents", &input, lines.moved(NOW_MS))
        });
        result.unwrap();
        world.keep(&applied);
        applied.notices.into_iter().map(|notice| format!("{} {}", notice.subject, notice.text)).collect::<Vec<_>>()
    };
    let lost = |count: usize, reason: &str| {
        format!("arn:aws:logs:us-east-1:000000000000:log-group:g lost {count} log lines of stream s: they are {reason}")
    };
    let hours = |count: i64| count * 3_600_000;
    let ahead = "more than 2 hours ahead of the service clock";
    assert_eq!(said(&[(-hours(1), "a"), (0, "b"), (hours(2), "c")]), Vec::<String>::new());
    assert_eq!(said(&[(0, "kept"), (hours(3), "a"), (hours(4), "b")]), [lost(2, ahead)]);
    assert_eq!(said(&[(hours(3), "a")]), [lost(1, ahead)]);
    assert_eq!(said(&[(-15 * DAY, "a"), (-15 * DAY, "b")]), [lost(2, "more than 14 days old")]);
    assert_eq!(
        said(&[(-14 * DAY - 1, "a"), (-14 * DAY, "b"), (-13 * DAY - 1, "c")]),
        [lost(1, "more than 14 days old"), lost(2, "older than the log group keeps them")]
    );
    let stored = get(&mut world);
    assert!(stored.contains("kept"), "{stored}");
}

#[test]
fn an_operation_that_takes_no_texts_says_so() {
    let mut world = World::with_stream();
    let (result, _) = world.core.perform(Timestamp(NOW_MS), &Scope::default(), world.principal.clone(), |cx| {
        cx.call_with_lines("logs", "DeleteLogGroup", &Value::Structure(vec![]), Lines::default().moved(0))
    });
    assert!(result.unwrap_err().message.contains("takes no borrowed texts"));
}
