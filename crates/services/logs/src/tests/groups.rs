//! Groups, streams, tags, retention.

use expect_test::expect;
use serde_json::json;

use super::World;

#[test]
fn groups_are_described_as_aws_does() {
    let mut world = World::new();
    world.ok("CreateLogGroup", json!({"logGroupName": "/ecs/app", "tags": {"stage": "dev"}}));
    world.ok("PutRetentionPolicy", json!({"logGroupName": "/ecs/app", "retentionInDays": 7}));
    world.ok("CreateLogStream", json!({"logGroupName": "/ecs/app", "logStreamName": "a/b"}));
    let event = json!({"timestamp": super::NOW_MS, "message": "four"});
    world.ok("PutLogEvents", json!({"logGroupName": "/ecs/app", "logStreamName": "a/b", "logEvents": [event]}));
    let groups = world.ok("DescribeLogGroups", json!({"logGroupNamePrefix": "/ecs"}));
    expect![[r#"
        {
          "logGroups": [
            {
              "logGroupName": "/ecs/app",
              "creationTime": 1800000000000,
              "retentionInDays": 7,
              "metricFilterCount": 0,
              "arn": "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app:*",
              "storedBytes": 30,
              "logGroupClass": "STANDARD",
              "logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app",
              "deletionProtectionEnabled": false
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&groups).unwrap());
    let streams = world.ok("DescribeLogStreams", json!({"logGroupIdentifier": groups["logGroups"][0]["logGroupArn"]}));
    expect![[r#"
        {
          "logStreams": [
            {
              "logStreamName": "a/b",
              "creationTime": 1800000000000,
              "firstEventTimestamp": 1800000000000,
              "lastEventTimestamp": 1800000000000,
              "lastIngestionTime": 1800000000000,
              "uploadSequenceToken": "00000000000000000000000000000000000018446744073709551617",
              "arn": "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/app:log-stream:a/b",
              "storedBytes": 0
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&streams).unwrap());
}

#[test]
fn groups_are_listed_in_pages_by_prefix_pattern_and_identifier() {
    let mut world = World::new();
    for name in ["a1", "a2", "a3", "b1", "b2"] {
        world.ok("CreateLogGroup", json!({"logGroupName": name}));
    }
    let mut list = |input: serde_json::Value| {
        let answer = world.ok("DescribeLogGroups", input);
        let names: Vec<_> = answer["logGroups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["logGroupName"].as_str().unwrap().to_owned())
            .collect();
        format!("{} {}", names.join(","), answer["nextToken"].as_str().unwrap_or("-"))
    };
    assert_eq!(list(json!({"limit": 2})), "a1,a2 a2");
    assert_eq!(list(json!({"limit": 2, "nextToken": "a2"})), "a3,b1 b1");
    assert_eq!(list(json!({"limit": 2, "nextToken": "b1"})), "b2 -");
    assert_eq!(list(json!({"logGroupNamePrefix": "b", "limit": 2})), "b1,b2 -");
    assert_eq!(list(json!({"logGroupNamePattern": "1"})), "a1,b1 -");
    assert_eq!(
        list(json!({"logGroupIdentifiers": ["a2", "arn:aws:logs:us-east-1:000000000000:log-group:b1"]})),
        "a2,b1 -"
    );
    let both = world.refused("DescribeLogGroups", json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "a"}));
    assert!(both.starts_with("400 InvalidParameterException: "), "{both}");
}

#[test]
fn streams_are_listed_by_name_and_by_last_event() {
    let mut world = World::with_stream();
    for name in ["a", "b", "t"] {
        world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": name}));
    }
    world.put_into("b", &[(2, "x")]);
    world.put_into("s", &[(9, "x")]);
    let mut list = |mut input: serde_json::Value| {
        input["logGroupName"] = json!("g");
        let answer = world.ok("DescribeLogStreams", input);
        let names: Vec<_> = answer["logStreams"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["logStreamName"].as_str().unwrap().to_owned())
            .collect();
        (names.join(","), answer["nextToken"].clone())
    };
    assert_eq!(list(json!({})).0, "a,b,s,t");
    assert_eq!(list(json!({"logStreamNamePrefix": "s"})).0, "s");
    assert_eq!(list(json!({"descending": true})).0, "t,s,b,a");
    assert_eq!(list(json!({"orderBy": "LastEventTime"})).0, "a,t,b,s");
    let (first, token) = list(json!({"orderBy": "LastEventTime", "descending": true, "limit": 3}));
    assert_eq!(first, "s,b,t");
    assert_eq!(
        list(json!({"orderBy": "LastEventTime", "descending": true, "limit": 3, "nextToken": token})),
        ("a".into(), json!(null))
    );
    expect!["400 InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix."].assert_eq(
        &world.refused(
            "DescribeLogStreams",
            json!({"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "s"}),
        ),
    );
}

#[test]
fn faults_are_those_of_aws() {
    let mut world = World::with_stream();
    let mut text = String::new();
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": "g"})),
        ("CreateLogGroup", json!({"logGroupName": "with space"})),
        ("CreateLogGroup", json!({"logGroupName": "aws/x"})),
        ("DeleteLogGroup", json!({"logGroupName": "x"})),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})),
        ("CreateLogStream", json!({"logGroupName": "x", "logStreamName": "s"})),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "x"})),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 8})),
        ("PutRetentionPolicy", json!({"logGroupName": "x", "retentionInDays": 7})),
        ("GetLogEvents", json!({"logStreamName": "s"})),
        ("GetLogEvents", json!({"logStreamName": "s", "logGroupName": "g", "logGroupIdentifier": "g"})),
        (
            "GetLogEvents",
            json!({"logStreamName": "s", "logGroupIdentifier": "arn:aws:logs:us-east-1:999999999999:log-group:g"}),
        ),
        ("FilterLogEvents", json!({"logGroupName": "g", "filterPattern": "a/b"})),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "nextToken": "f/x"})),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "limit": 10001})),
        ("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s"})),
        ("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["x"]})),
        ("FilterLogEvents", json!({"logGroupName": "g", "nextToken": "?"})),
        ("TagResource", json!({"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "tags": {"a": "b"}})),
    ] {
        text.push_str(&format!("{operation}: {}\n", world.refused(operation, input)));
    }
    expect![[r#"
        CreateLogGroup: 400 ResourceAlreadyExistsException: The specified log group already exists
        CreateLogGroup: 400 InvalidParameterException: 1 validation error detected: Value 'with space' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+
        CreateLogGroup: 400 InvalidParameterException: Log groups starting with AWS/ are reserved for AWS.
        DeleteLogGroup: 400 ResourceNotFoundException: The specified log group does not exist.
        CreateLogStream: 400 ResourceAlreadyExistsException: The specified log stream already exists
        CreateLogStream: 400 ResourceNotFoundException: The specified log group does not exist.
        DeleteLogStream: 400 ResourceNotFoundException: The specified log stream does not exist.
        PutRetentionPolicy: 400 InvalidParameterException: 1 validation error detected: Value '8' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
        PutRetentionPolicy: 400 ResourceNotFoundException: The specified log group does not exist.
        GetLogEvents: 400 InvalidParameterException: One of logGroupName and logGroupIdentifier must be specified.
        GetLogEvents: 400 InvalidParameterException: Only one of logGroupName and logGroupIdentifier can be specified.
        GetLogEvents: 400 ResourceNotFoundException: The specified log group does not exist.
        FilterLogEvents: 400 InvalidParameterException: Invalid filter pattern: Invalid character(s) in term 'a/b'
        GetLogEvents: 400 InvalidParameterException: The specified nextToken is invalid.
        GetLogEvents: 400 InvalidParameterException: 1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000
        FilterLogEvents: 400 InvalidParameterException: Only one of logStreamNames and logStreamNamePrefix can be specified.
        FilterLogEvents: 400 ResourceNotFoundException: The specified log stream does not exist.
        FilterLogEvents: 400 InvalidParameterException: The specified nextToken is invalid.
        TagResource: 400 ResourceNotFoundException: The specified resource does not exist.
    "#]].assert_eq(&text);
}

#[test]
fn tags_are_the_same_in_both_spellings() {
    let mut world = World::with_stream();
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
    world.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "1", "b": "2"}}));
    world.ok("TagLogGroup", json!({"logGroupName": "g", "tags": {"b": "3", "c": "4"}}));
    world.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]}));
    let wanted = json!({"tags": {"b": "3", "c": "4"}});
    assert_eq!(world.ok("ListTagsForResource", json!({"resourceArn": arn})), wanted);
    assert_eq!(world.ok("ListTagsLogGroup", json!({"logGroupName": "g"})), wanted);
    let many: serde_json::Map<_, _> = (0..49).map(|at| (format!("k{at}"), json!("v"))).collect();
    expect!["400 TooManyTagsException: A resource can have no more than 50 tags."]
        .assert_eq(&world.refused("TagResource", json!({"resourceArn": arn, "tags": many})));
}

#[test]
fn a_protected_group_is_not_deleted_and_a_deleted_one_leaves_nothing() {
    let mut world = World::new();
    world.ok("CreateLogGroup", json!({"logGroupName": "p", "deletionProtectionEnabled": true}));
    assert!(world.refused("DeleteLogGroup", json!({"logGroupName": "p"})).starts_with("400 ValidationException"));
    let mut world = World::with_stream();
    world.put(&[(0, "x")]);
    assert_eq!(world.segments_on_disk(), 1);
    world.ok("DeleteLogGroup", json!({"logGroupName": "g"}));
    assert_eq!(world.segments_on_disk(), 0);
    world.ok("CreateLogGroup", json!({"logGroupName": "g"}));
    world.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"}));
    assert_eq!(super::shown(&world.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))), "");
}

#[test]
fn expired_events_are_hidden_and_then_removed() {
    let mut world = World::with_stream();
    world.put(&[(0, "old")]);
    world.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1}));
    let get = json!({"logGroupName": "g", "logStreamName": "s"});
    assert_eq!(super::shown(&world.ok("GetLogEvents", get.clone())), "0:old");
    world.now_ms += 86_400_001;
    assert_eq!(super::shown(&world.ok("GetLogEvents", get.clone())), "");
    assert_eq!(super::shown(&world.ok("FilterLogEvents", json!({"logGroupName": "g"}))), "");
    assert_eq!(world.segments_on_disk(), 1);
    world.pass_days(1);
    assert_eq!(world.segments_on_disk(), 0);
    let group = world.ok("DescribeLogGroups", json!({}));
    assert_eq!(group["logGroups"][0]["storedBytes"], json!(0));

    // What comes later is kept, across a restart, until its day.
    world.put(&[(2 * 86_400_000, "new")]);
    world.restart();
    world.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"}));
    world.pass_days(9);
    assert_eq!(super::shown(&world.ok("GetLogEvents", get)), "172800000:new");
    assert_eq!(world.core.next_due(neargate_base::Timestamp(world.now_ms)), None);
}
