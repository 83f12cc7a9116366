//! The CloudFormation types.

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Action, Fault, Principal, Progress, ResourceRequest, ResourceState};
use serde_json::{Value as Json, json};

use super::{NOW_MS, World};

fn step(
    world: &mut World,
    type_name: &str,
    action: Action,
    properties: &Json,
    before: Option<(&Json, &ResourceState)>,
) -> Result<Progress, Fault> {
    let scope = Scope::default();
    let request = ResourceRequest {
        scope: &scope,
        stack_name: "stack",
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/stack/1",
        logical_id: "LogGroupF5B46931",
        type_name,
        properties,
        previous: before.map(|before| before.0),
        current: before.map(|before| before.1),
        callback: None,
    };
    let principal = Principal::root(&scope.account);
    let (result, applied) = world.core.perform(Timestamp(NOW_MS), &scope, principal, |cx| {
        let resource = cx.registry.resource(type_name).unwrap();
        request.take(cx, resource, action)
    });
    world.keep(&applied);
    result
}

fn done(progress: Result<Progress, Fault>) -> ResourceState {
    match progress {
        Ok(Progress::Done(state)) => state,
        other => panic!("done expected, got {other:?}"),
    }
}

fn group(world: &mut World) -> Json {
    world.ok("DescribeLogGroups", json!({}))["logGroups"][0].clone()
}

const GROUP: &str = "AWS::Logs::LogGroup";
const STREAM: &str = "AWS::Logs::LogStream";

#[test]
fn a_group_with_a_name_of_its_own() {
    let mut world = World::new();
    let first = json!({"LogGroupName": "/ecs/acme-prod-app-service", "RetentionInDays": 30});
    let state = done(step(&mut world, GROUP, Action::Create, &first, None));
    assert_eq!(state.physical_id, "/ecs/acme-prod-app-service");
    assert_eq!(
        state.attributes["Arn"],
        json!("arn:aws:logs:us-east-1:000000000000:log-group:/ecs/acme-prod-app-service:*")
    );
    assert_eq!(group(&mut world)["retentionInDays"], json!(30));

    let second = json!({"LogGroupName": "/ecs/acme-prod-app-service", "RetentionInDays": "7", "Tags": [{"Key": "a", "Value": "b"}], "DeletionProtectionEnabled": true});
    done(step(&mut world, GROUP, Action::Update, &second, Some((&first, &state))));
    assert_eq!(group(&mut world)["retentionInDays"], json!(7));
    assert_eq!(group(&mut world)["deletionProtectionEnabled"], json!(true));
    let tags = json!({"logGroupName": "/ecs/acme-prod-app-service"});
    assert_eq!(world.ok("ListTagsLogGroup", tags.clone())["tags"], json!({"a": "b"}));

    let third = json!({"LogGroupName": "/ecs/acme-prod-app-service"});
    done(step(&mut world, GROUP, Action::Update, &third, Some((&second, &state))));
    assert_eq!(group(&mut world)["retentionInDays"], json!(null));
    assert_eq!(world.ok("ListTagsLogGroup", tags)["tags"], json!({}));

    let renamed = json!({"LogGroupName": "other"});
    assert_eq!(step(&mut world, GROUP, Action::Update, &renamed, Some((&third, &state))), Ok(Progress::Replace));
    done(step(&mut world, GROUP, Action::Delete, &third, Some((&third, &state))));
    assert_eq!(group(&mut world), json!(null));
    done(step(&mut world, GROUP, Action::Delete, &third, Some((&third, &state))));
}

#[test]
fn a_group_without_a_name_gets_one() {
    let mut world = World::new();
    let properties = json!({"Tags": [{"Key": "Module", "Value": "triggered-task"}]});
    let state = done(step(&mut world, GROUP, Action::Create, &properties, None));
    let random = state.physical_id.strip_prefix("stack-LogGroupF5B46931-").unwrap();
    assert!(
        random.len() == 12 && random.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit()),
        "{random}"
    );
    assert_eq!(
        world.ok("ListTagsLogGroup", json!({"logGroupName": state.physical_id}))["tags"],
        json!({"Module": "triggered-task"})
    );
}

#[test]
fn what_a_group_cannot_have_is_said() {
    let mut world = World::new();
    let mut told =
        |properties: Json| step(&mut world, GROUP, Action::Create, &properties, None).unwrap_err().to_string();
    let key = "arn:aws:kms:us-east-1:000000000000:key/1";
    expect_test::expect!["InvalidParameterException: The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:us-east-1:000000000000:log-group:g'"]
        .assert_eq(&told(json!({"LogGroupName": "g", "KmsKeyId": key, "RetentionInDays": 7})));
    assert!(told(json!({"LogGroupNam": "x"})).contains("LogGroupNam"));
    assert!(
        told(json!({"RetentionInDays": 8}))
            .starts_with("InvalidParameterException: 1 validation error detected: Value '8'")
    );
    assert_eq!(group(&mut world), json!(null));
    let resource = world.core.registry().resource(GROUP).unwrap();
    assert_eq!(
        resource.not_simulated(&json!({"FieldIndexPolicies": [], "RetentionInDays": 7})),
        Some("FieldIndexPolicies".to_owned())
    );
    assert_eq!(resource.not_simulated(&json!({"RetentionInDays": 7})), None);
}

#[test]
fn a_stream_comes_and_goes() {
    let mut world = World::new();
    world.ok("CreateLogGroup", json!({"logGroupName": "g"}));
    let properties = json!({"LogGroupName": "g", "LogStreamName": "s"});
    let state = done(step(&mut world, STREAM, Action::Create, &properties, None));
    assert_eq!(state.physical_id, "s");
    world.put(&[(0, "x")]);
    let moved = json!({"LogGroupName": "h", "LogStreamName": "s"});
    assert_eq!(step(&mut world, STREAM, Action::Update, &moved, Some((&properties, &state))), Ok(Progress::Replace));
    done(step(&mut world, STREAM, Action::Delete, &properties, Some((&properties, &state))));
    done(step(&mut world, STREAM, Action::Delete, &properties, Some((&properties, &state))));
    assert_eq!(world.segments_on_disk(), 0);
    let unnamed = done(step(&mut world, STREAM, Action::Create, &json!({"LogGroupName": "g"}), None));
    assert!(unnamed.physical_id.starts_with("stack-LogGroupF5B46931-"));
}
