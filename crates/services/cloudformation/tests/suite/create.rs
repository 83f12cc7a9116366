//! Stacks made, and stacks that cannot be made.

use expect_test::expect;
use serde_json::json;

use crate::toys::{deeds, ids};
use crate::{call, check, create, delete, events, harness, resources, settle, status, template, with};

#[test]
fn resources_are_made_in_the_order_of_their_needs_and_deleted_in_reverse() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Refs": ["B"] }, "B": { "Refs": ["C"], "Steps": 2 }, "C": {} }));
    assert_eq!(deeds(&harness), ["make C-1", "make B-2", "make A-3"]);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        C | CREATE_IN_PROGRESS | - | -
        C | CREATE_IN_PROGRESS | C-1 | Resource creation Initiated
        C | CREATE_COMPLETE | C-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-2 | Resource creation Initiated
        B | CREATE_COMPLETE | B-2 | -
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-3 | Resource creation Initiated
        A | CREATE_COMPLETE | A-3 | -
        s | CREATE_COMPLETE | - | -
    "#]],
    );
    delete(&mut harness, "s");
    assert_eq!(&deeds(&harness)[3..], ["delete A-3", "delete B-2", "delete C-1"]);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        C | CREATE_IN_PROGRESS | - | -
        C | CREATE_IN_PROGRESS | C-1 | Resource creation Initiated
        C | CREATE_COMPLETE | C-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-2 | Resource creation Initiated
        B | CREATE_COMPLETE | B-2 | -
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-3 | Resource creation Initiated
        A | CREATE_COMPLETE | A-3 | -
        s | CREATE_COMPLETE | - | -
        s | DELETE_IN_PROGRESS | - | User Initiated
        A | DELETE_IN_PROGRESS | A-3 | -
        A | DELETE_COMPLETE | A-3 | -
        B | DELETE_IN_PROGRESS | B-2 | -
        B | DELETE_COMPLETE | B-2 | -
        C | DELETE_IN_PROGRESS | C-1 | -
        C | DELETE_COMPLETE | C-1 | -
        s | DELETE_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn what_does_not_need_each_other_is_under_way_at_once() {
    let mut harness = harness();
    let slow = json!({ "Steps": 3, "Known": true });
    let template = template(json!({ "A": slow, "B": slow, "C": slow }));
    call(&mut harness, "CreateStack", with("s", &template, json!({})));
    (0..3).for_each(|_| harness.pass(1000));
    assert_eq!(status(&mut harness, "s"), "CREATE_COMPLETE");
    call(&mut harness, "DeleteStack", json!({ "StackName": "s" }));
    (0..3).for_each(|_| harness.pass(1000));
    assert_eq!(status(&mut harness, "s"), "DELETE_COMPLETE");
}

#[test]
fn a_failed_creation_is_rolled_back_and_nothing_else_is_deleted() {
    let mut harness = harness();
    create(&mut harness, "other", json!({ "X": {} }));
    create(
        &mut harness,
        "s",
        json!({ "A": {}, "B": { "Refs": ["A"] }, "C": { "Refs": ["B"], "Fail": "create" }, "D": { "Refs": ["C"] } }),
    );
    assert_eq!(ids(&harness), ["X-1"]);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-2 | Resource creation Initiated
        A | CREATE_COMPLETE | A-2 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-3 | Resource creation Initiated
        B | CREATE_COMPLETE | B-3 | -
        C | CREATE_IN_PROGRESS | - | -
        C | CREATE_FAILED | - | Resource handler returned message: "cannot create C
        s | ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to create: [C]. Rollback requested by user.
        C | DELETE_COMPLETE | - | -
        B | DELETE_IN_PROGRESS | B-3 | -
        B | DELETE_COMPLETE | B-3 | -
        A | DELETE_IN_PROGRESS | A-2 | -
        A | DELETE_COMPLETE | A-2 | -
        s | ROLLBACK_COMPLETE | - | -
    "#]],
    );
    assert_eq!(resources(&mut harness, "s"), ["A A-2 DELETE_COMPLETE", "B B-3 DELETE_COMPLETE", "C - DELETE_COMPLETE"]);
}

#[test]
fn what_is_under_way_when_another_fails_is_cancelled_once_its_id_is_known() {
    let mut harness = harness();
    let resources = json!({
        "A": { "Fail": "create" }, "Known": { "Steps": 9, "Known": true }, "Secret": { "Steps": 2 },
        "Z": { "DependsOn": "Secret" },
    });
    let template = template(resources);
    let slow_first = json!({ "Resources": { "Known": template["Resources"]["Known"], "Secret": template["Resources"]["Secret"], "A": template["Resources"]["A"] } });
    call(&mut harness, "CreateStack", with("s", &slow_first, json!({})));
    settle(&mut harness);
    assert_eq!(ids(&harness), [""; 0]);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        Known | CREATE_IN_PROGRESS | - | -
        Known | CREATE_IN_PROGRESS | Known-1 | Resource creation Initiated
        Secret | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_FAILED | - | Resource handler returned message: "cannot create A
        Known | CREATE_FAILED | Known-1 | Resource creation cancelled
        Secret | CREATE_IN_PROGRESS | Secret-2 | Resource creation Initiated
        Secret | CREATE_COMPLETE | Secret-2 | -
        s | ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to create: [A, Known]. Rollback requested by user.
        A | DELETE_COMPLETE | - | -
        Secret | DELETE_IN_PROGRESS | Secret-2 | -
        Known | DELETE_IN_PROGRESS | Known-1 | -
        Secret | DELETE_COMPLETE | Secret-2 | -
        Known | DELETE_COMPLETE | Known-1 | -
        s | ROLLBACK_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn a_failed_creation_can_stay_or_take_the_stack_with_it() {
    let mut harness = harness();
    let template = template(json!({ "A": {}, "B": { "Refs": ["A"], "Fail": "create" } }));
    call(&mut harness, "CreateStack", with("stays", &template, json!({ "OnFailure": "DO_NOTHING" })));
    settle(&mut harness);
    assert_eq!(status(&mut harness, "stays"), "CREATE_FAILED: The following resource(s) failed to create: [B]. ");
    assert_eq!(ids(&harness), ["A-1"]);
    call(&mut harness, "CreateStack", with("goes", &template, json!({ "OnFailure": "DELETE" })));
    settle(&mut harness);
    assert_eq!(ids(&harness), ["A-1"]);
    check(
        &events(&mut harness, "goes"),
        expect![[r#"
        goes | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-2 | Resource creation Initiated
        A | CREATE_COMPLETE | A-2 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_FAILED | - | Resource handler returned message: "cannot create B
        goes | DELETE_IN_PROGRESS | - | The following resource(s) failed to create: [B]. Delete requested by user.
        B | DELETE_COMPLETE | - | -
        A | DELETE_IN_PROGRESS | A-2 | -
        A | DELETE_COMPLETE | A-2 | -
        goes | DELETE_COMPLETE | - | -
    "#]],
    );
    delete(&mut harness, "stays");
    assert_eq!((status(&mut harness, "stays").as_str(), ids(&harness).len()), ("DELETE_COMPLETE", 0));
}

#[test]
fn a_creation_that_failed_and_stayed_can_be_tried_again() {
    let mut harness = harness();
    let broken = template(json!({ "A": {}, "B": { "Refs": ["A"], "Steps": 1, "Known": true, "Fail": "create" } }));
    call(&mut harness, "CreateStack", with("s", &broken, json!({ "DisableRollback": true })));
    settle(&mut harness);
    assert_eq!(ids(&harness), ["A-1", "B-2"]);
    crate::update(&mut harness, "s", json!({ "A": {}, "B": { "Refs": ["A"] } }));
    assert_eq!(
        (status(&mut harness, "s").as_str(), ids(&harness)),
        ("UPDATE_COMPLETE", vec!["A-1".into(), "B-3".into()])
    );
}

#[test]
fn retained_resources_outlive_a_rollback_unless_they_say_except_on_create() {
    let mut harness = harness();
    let resources = json!({
        "A": { "DeletionPolicy": "Retain" }, "B": { "DeletionPolicy": "RetainExceptOnCreate" }, "C": {},
        "D": { "Fail": "create", "DependsOn": ["A", "B", "C"] },
    });
    create(&mut harness, "s", resources.clone());
    assert_eq!(ids(&harness), ["A-1"]);
    assert_eq!(
        resources_of(&mut harness, "s"),
        "A DELETE_SKIPPED, B DELETE_COMPLETE, C DELETE_COMPLETE, D DELETE_COMPLETE"
    );
    call(&mut harness, "CreateStack", with("t", &template(resources), json!({ "RetainExceptOnCreate": true })));
    settle(&mut harness);
    assert_eq!(ids(&harness), ["A-1"]);
}

fn resources_of(harness: &mut neargate_testkit::Harness, name: &str) -> String {
    let lines = resources(harness, name);
    let short = |line: &String| {
        let words: Vec<_> = line.split(' ').collect();
        format!("{} {}", words[0], words[2])
    };
    lines.iter().map(short).collect::<Vec<_>>().join(", ")
}

#[test]
fn conditions_parameters_and_outputs() {
    let mut harness = harness();
    let template = json!({
        "Parameters": {
            "Size": { "Type": "Number", "Default": "3" }, "Secret": { "Type": "String", "NoEcho": true },
            "Stage": { "Type": "String", "AllowedValues": ["dev", "prod"] },
        },
        "Conditions": { "IsProd": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] } },
        "Resources": {
            "A": { "Type": "Toy::Box::Thing", "Properties": { "Value": { "Fn::Sub": "${AWS::StackName}/${Stage}/${Size}" } } },
            "B": { "Type": "Toy::Box::Thing", "Condition": "IsProd" },
        },
        "Outputs": {
            "Value": { "Description": "what", "Value": { "Fn::GetAtt": ["A", "Value"] } },
            "B": { "Condition": "IsProd", "Value": { "Ref": "B" } },
        },
    });
    let parameters = json!({ "Parameters": [
        { "ParameterKey": "Stage", "ParameterValue": "dev" }, { "ParameterKey": "Secret", "ParameterValue": "x" },
    ] });
    call(&mut harness, "CreateStack", with("s", &template, parameters));
    settle(&mut harness);
    let stack = call(&mut harness, "DescribeStacks", json!({ "StackName": "s" }))["Stacks"][0].clone();
    check(
        &format!("{}\n{}\n", stack["Parameters"], stack["Outputs"]),
        expect![[r#"
        [{"ParameterKey":"Secret","ParameterValue":"****"},{"ParameterKey":"Size","ParameterValue":"3"},{"ParameterKey":"Stage","ParameterValue":"dev"}]
        [{"OutputKey":"Value","OutputValue":"s/dev/3","Description":"what"}]
    "#]],
    );
    assert_eq!(ids(&harness), ["A-1"]);
    let previous = json!({ "UsePreviousTemplate": true, "StackName": "s", "Parameters": [
        { "ParameterKey": "Stage", "ParameterValue": "prod" }, { "ParameterKey": "Secret", "UsePreviousValue": true },
    ] });
    call(&mut harness, "UpdateStack", previous);
    settle(&mut harness);
    let stack = call(&mut harness, "DescribeStacks", json!({ "StackName": "s" }))["Stacks"][0].clone();
    check(
        &format!("{}\n", stack["Outputs"]),
        expect![[r#"
        [{"OutputKey":"Value","OutputValue":"s/prod/3","Description":"what"},{"OutputKey":"B","OutputValue":"B-2"}]
    "#]],
    );
}

#[test]
fn an_output_that_is_no_text_fails_the_stack() {
    let mut harness = harness();
    let template = json!({
        "Resources": { "A": { "Type": "Toy::Box::Thing", "Properties": { "Value": ["x"] } } },
        "Outputs": { "O": { "Value": { "Fn::GetAtt": ["A", "Value"] } } },
    });
    call(&mut harness, "CreateStack", with("s", &template, json!({})));
    settle(&mut harness);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        s | ROLLBACK_IN_PROGRESS | - | Template format error: Output O is malformed. The Value field of every Outputs member must evaluate to a String. Rollback requested by user.
        A | DELETE_IN_PROGRESS | A-1 | -
        A | DELETE_COMPLETE | A-1 | -
        s | ROLLBACK_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn a_handler_that_panics_has_failed_and_an_unknown_attribute_too() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": {}, "B": { "DependsOn": "A", "Panic": "create" } }));
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_FAILED | - | Resource handler returned message: "the resource's handler panicked; nothing was changed
        s | ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to create: [B]. Rollback requested by user.
        B | DELETE_COMPLETE | - | -
        A | DELETE_IN_PROGRESS | A-1 | -
        A | DELETE_COMPLETE | A-1 | -
        s | ROLLBACK_COMPLETE | - | -
    "#]],
    );
    let template = json!({ "Resources": {
        "A": { "Type": "Toy::Box::Thing" },
        "B": { "Type": "Toy::Box::Thing", "Properties": { "Value": { "Fn::GetAtt": ["A", "Nothing"] } } },
    } });
    call(&mut harness, "CreateStack", with("t", &template, json!({})));
    settle(&mut harness);
    check(
        &events(&mut harness, "t"),
        expect![[r#"
        t | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-2 | Resource creation Initiated
        A | CREATE_COMPLETE | A-2 | -
        B | CREATE_FAILED | - | Template error: resource A does not support attribute type Nothing in Fn::GetAtt
        t | ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to create: [B]. Rollback requested by user.
        B | DELETE_COMPLETE | - | -
        A | DELETE_IN_PROGRESS | A-2 | -
        A | DELETE_COMPLETE | A-2 | -
        t | ROLLBACK_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn real_resources_make_a_stack_whose_rule_runs_a_task() {
    let mut harness = harness();
    let template = json!({ "Resources": {
        "Cluster": { "Type": "AWS::ECS::Cluster" },
        "Task": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "app", "Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc", "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{ "Name": "app", "Image": "app" }],
        } },
        "Role": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": {}, "Description": "x" } },
        "Rule": { "Type": "AWS::Events::Rule", "Properties": {
            "EventPattern": { "source": ["app"] },
            "Targets": [{
                "Id": "t", "Arn": { "Fn::GetAtt": ["Cluster", "Arn"] }, "RoleArn": "arn:aws:iam::000000000000:role/events",
                "EcsParameters": {
                    "TaskDefinitionArn": { "Ref": "Task" }, "LaunchType": "FARGATE",
                    "NetworkConfiguration": { "AwsVpcConfiguration": { "Subnets": ["subnet-1"] } },
                },
            }],
        } },
    } });
    call(&mut harness, "CreateStack", with("app", &template, json!({ "Capabilities": ["CAPABILITY_IAM"] })));
    settle(&mut harness);
    assert_eq!(status(&mut harness, "app"), "CREATE_COMPLETE");
    let rules = harness.call("events", "ListRules", json!({})).unwrap();
    let name = rules["Rules"][0]["Name"].as_str().unwrap();
    assert!(name.starts_with("app-Rule-"), "{name}");
    delete(&mut harness, "app");
    assert_eq!(status(&mut harness, "app"), "DELETE_COMPLETE");
    assert_eq!(harness.call("events", "ListRules", json!({})).unwrap()["Rules"], json!([]));

    call(&mut harness, "CreateStack", with("app", &template, json!({ "Capabilities": ["CAPABILITY_IAM"] })));
    settle(&mut harness);
    let entry = json!({ "Entries": [{ "Source": "app", "DetailType": "x", "Detail": "{}" }] });
    harness.call("events", "PutEvents", entry).unwrap();
    assert_eq!(harness.effects.len(), 1);
}
