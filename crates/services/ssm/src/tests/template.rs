use expect_test::expect;
use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Action, Fault, Principal, Progress, ResourceRequest, ResourceState};
use serde_json::{Value as Json, json};

use super::World;

fn step(
    world: &mut World,
    action: Action,
    properties: &Json,
    before: Option<(&Json, &ResourceState)>,
) -> Result<Progress, Fault> {
    let scope = Scope::default();
    let request = ResourceRequest {
        scope: &scope,
        stack_name: "Ecs",
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/Ecs/1",
        logical_id: "AlbArnParam1C6FD837",
        type_name: "AWS::SSM::Parameter",
        properties,
        previous: before.map(|(properties, _)| properties),
        current: before.map(|(_, state)| state),
        callback: None,
    };
    let resource = world.core.registry().resource("AWS::SSM::Parameter").unwrap();
    let (now, root) = (Timestamp::from_seconds(1_800_000_000), Principal::root(&scope.account));
    world.core.perform(now, &scope, root, |cx| request.take(cx, resource, action)).0
}

fn made(progress: Progress) -> ResourceState {
    match progress {
        Progress::Done(state) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_parameter_of_a_stack_lives_and_dies() {
    let world = &mut World::new();
    let old =
        json!({"Name": "/acme/prod/alb/app-alb/arn", "Type": "String", "Value": "arn:1", "Tags": {"a": "1", "b": "2"}});
    let state = made(step(world, Action::Create, &old, None).unwrap());
    expect![[r#"{"physical_id":"/acme/prod/alb/app-alb/arn","attributes":{"Arn":"arn:aws:ssm:us-east-1:000000000000:parameter/acme/prod/alb/app-alb/arn","Type":"String","Value":"arn:1"}}"#]]
        .assert_eq(&serde_json::to_string(&state).unwrap());
    assert_eq!(step(world, Action::Create, &old, None).unwrap_err().code, "ParameterAlreadyExists");

    let new = json!({"Name": "/acme/prod/alb/app-alb/arn", "Type": "String", "Value": "arn:2", "Tags": {"a": "3"}});
    let changed = made(step(world, Action::Update, &new, Some((&old, &state))).unwrap());
    assert_eq!(changed.attributes["Value"], "arn:2");
    let calls = r#"
        GetParameter {"Name": "/acme/prod/alb/app-alb/arn"}
        ListTagsForResource {"ResourceType": "Parameter", "ResourceId": "/acme/prod/alb/app-alb/arn"}
    "#;
    expect![[r#"
        GetParameter {"Name": "/acme/prod/alb/app-alb/arn"}
          {"Parameter":{"Name":"/acme/prod/alb/app-alb/arn","Type":"String","Value":"arn:2","Version":2,"LastModifiedDate":1800000000,"ARN":"arn:aws:ssm:us-east-1:000000000000:parameter/acme/prod/alb/app-alb/arn","DataType":"text"}}
        ListTagsForResource {"ResourceType": "Parameter", "ResourceId": "/acme/prod/alb/app-alb/arn"}
          {"TagList":[{"Key":"a","Value":"3"}]}
    "#]].assert_eq(&world.play(calls));

    let renamed = json!({"Name": "/other", "Type": "String", "Value": "arn:2"});
    assert_eq!(step(world, Action::Update, &renamed, Some((&new, &changed))), Ok(Progress::Replace));
    for _ in 0..2 {
        step(world, Action::Delete, &new, Some((&new, &changed))).unwrap();
    }
    assert_eq!(world.call("DescribeParameters", &json!({})).unwrap()["Parameters"], json!([]));
}

#[test]
fn a_parameter_without_a_name_gets_one_and_unknown_properties_are_named() {
    let world = &mut World::new();
    let state = made(step(world, Action::Create, &json!({"Type": "String", "Value": "a"}), None).unwrap());
    expect!["CFN-AlbArnParam1C6FD837-OWAWV0LKDJA1"].assert_eq(&state.physical_id);
    let fault = step(world, Action::Create, &json!({"Type": "String", "Value": "a", "Valeu": "b"}), None).unwrap_err();
    expect!["ValidationException: `Valeu` is not known here"].assert_eq(&fault.to_string());
    let fault = step(world, Action::Create, &json!({"Type": "SecureString", "Value": "a"}), None).unwrap_err();
    expect!["ValidationException: SSM Parameters of type SecureString cannot be created using CloudFormation"]
        .assert_eq(&fault.to_string());
    let before = json!({"Type": "String", "Value": "a"});
    let secure = json!({"Type": "SecureString", "Value": "a"});
    let fault = step(world, Action::Update, &secure, Some((&before, &state))).unwrap_err();
    assert!(fault.message.starts_with("SSM Parameters of type SecureString"), "{fault}");
}
