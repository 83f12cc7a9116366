//! What PutLogEvents takes, and damage.

use expect_test::expect;
use neargate_kernel::Segments;
use serde_json::json;

use super::{World, batch, shown};

const DAY: i64 = 86_400_000;

#[test]
fn a_batch_keeps_aws_rules() {
    let mut world = World::with_stream();
    let mut refused = |events: &[(i64, &str)]| world.refused("PutLogEvents", batch("s", events));
    expect![
        "400 InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order."
    ]
    .assert_eq(&refused(&[(1, "a"), (0, "b")]));
    expect!["400 InvalidParameterException: The batch of log events in a single PutLogEvents request cannot span more than 24 hours."]
        .assert_eq(&refused(&[(-DAY - 1, "a"), (0, "b")]));
    let large = "x".repeat((1 << 20) - 25);
    expect!["400 InvalidParameterException: Log event too large: 1048577 bytes exceeds limit of 1048576"]
        .assert_eq(&refused(&[(0, &large)]));
    let half = "x".repeat((1 << 19) - 25);
    expect!["400 InvalidParameterException: Upload too large: 1048578 bytes exceeds limit of 1048576"]
        .assert_eq(&refused(&[(0, &half), (0, &half)]));
    assert!(refused(&[]).starts_with("400 InvalidParameterException: 1 validation error detected"));
    assert!(refused(&[(0, "")]).starts_with("400 InvalidParameterException: 1 validation error detected"));
    assert!(refused(&vec![(0, "x"); 10_001]).starts_with("400 InvalidParameterException: 1 validation error detected"));
    assert_eq!(shown(&world.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))), "");

    let largest = "x".repeat((1 << 20) - 26);
    world.put(&[(-DAY, "a"), (0, "b")]);
    world.put(&[(0, &largest)]);
    world.put(&vec![(0, "x"); 10_000]);
}

#[test]
fn events_too_old_or_too_new_are_left_out_and_said() {
    let mut world = World::with_stream();
    let answer = world.put(&[(-15 * DAY, "a"), (-14 * DAY - 1, "b"), (-14 * DAY, "c")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 2}));
    let hours = 3_600_000;
    let answer = world.put(&[(0, "d"), (2 * hours, "e"), (2 * hours + 1, "f")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 2}));
    assert_eq!(world.put(&[(1, "g")])["rejectedLogEventsInfo"], json!(null));
    assert_eq!(
        shown(&world.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))),
        "-1209600000:c 0:d 1:g 7200000:e"
    );
    world.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 3}));
    let answer = world.put(&[(-3 * DAY - 1, "h"), (-3 * DAY, "i")]);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
}

#[test]
fn a_lost_command_leaves_no_trace() {
    let mut world = World::with_stream();
    world.put(&[(0, "kept")]);
    let lost = world.apply("PutLogEvents", batch("s", &[(1, "lost, and long enough to be in the way")]));
    assert!(lost.reply.unwrap().is_ok());
    world.restart();
    world.put(&[(2, "next")]);
    assert_eq!(shown(&world.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))), "0:kept 2:next");
}

#[test]
fn a_cut_or_damaged_segment_gives_what_is_whole_and_says_so() {
    let get = json!({"logGroupName": "g", "logStreamName": "s"});
    let mut world = World::with_stream();
    world.put(&[(0, "one"), (1, "two")]);
    world.put(&[(2, "three"), (3, "four")]);
    let file = world.disk.0.lock().unwrap().1.first().unwrap().clone();
    let bytes = world.disk.read(&file, 0, 1000).unwrap();
    world.disk.write(&file, 0, &bytes[..bytes.len() - 1]).unwrap();
    let applied = world.apply("GetLogEvents", get.clone());
    let notices: Vec<_> = applied.notices.iter().map(|notice| format!("{}: {}", notice.subject, notice.text)).collect();
    assert_eq!(shown(&neargate_shape::to_json(&applied.reply.unwrap().unwrap())), "0:one 1:two");
    expect![
        "logs/000000000000/us-east-1/000000000001/00000000: 2 of 4 log events are lost: the segment ends too early"
    ]
    .assert_eq(&notices.join("\n"));
    let mut damaged = bytes;
    damaged[25] ^= 1;
    world.disk.write(&file, 0, &damaged).unwrap();
    assert_eq!(shown(&world.ok("GetLogEvents", get)), "");
}
