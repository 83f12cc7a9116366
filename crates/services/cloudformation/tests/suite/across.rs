//! What stacks have of each other and of Parameter Store.

use expect_test::expect;
use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use crate::toys::{ids, world};
use crate::{call, check, delete, events, harness, refused, settle, status, with};

fn toy(value: Json) -> Json {
    json!({ "Type": "Toy::Box::Thing", "Properties": { "Value": value } })
}

fn exporter(value: &str, export: &str) -> Json {
    let output = json!({ "Value": { "Fn::GetAtt": ["A", "Value"] }, "Export": { "Name": export } });
    json!({ "Resources": { "A": toy(json!(value)) }, "Outputs": { "O": output } })
}

fn importer(export: &str) -> Json {
    json!({ "Resources": { "I": toy(json!({ "Fn::ImportValue": { "Fn::Sub": export } })) } })
}

fn make(harness: &mut Harness, operation: &str, name: &str, template: &Json) {
    call(harness, operation, with(name, template, json!({})));
    settle(harness);
}

#[test]
fn an_export_in_use_can_be_neither_deleted_nor_changed() {
    let mut harness = harness();
    make(&mut harness, "CreateStack", "net", &exporter("vpc-1", "net-Vpc"));
    make(&mut harness, "CreateStack", "app", &importer("net-Vpc"));
    make(&mut harness, "CreateStack", "api", &importer("net-Vpc"));
    assert_eq!(world(&harness).len(), 3);
    assert!(world(&harness)[1].contains("vpc-1"), "{:?}", world(&harness));
    delete(&mut harness, "net");
    check(
        &status(&mut harness, "net"),
        expect!["CREATE_COMPLETE: Export net-Vpc cannot be deleted as it is in use by api and app"],
    );
    make(&mut harness, "UpdateStack", "net", &exporter("vpc-2", "net-Vpc"));
    make(&mut harness, "UpdateStack", "net", &exporter("vpc-1", "other"));
    check(
        &events(&mut harness, "net"),
        expect![[r#"
        net | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        net | CREATE_COMPLETE | - | -
        net | DELETE_IN_PROGRESS | - | User Initiated
        net | CREATE_COMPLETE | - | Export net-Vpc cannot be deleted as it is in use by api and app
        net | UPDATE_IN_PROGRESS | - | User Initiated
        A | UPDATE_IN_PROGRESS | A-1 | -
        A | UPDATE_COMPLETE | A-1 | -
        net | UPDATE_ROLLBACK_IN_PROGRESS | - | Export net-Vpc cannot be updated as it is in use by api and app
        A | UPDATE_IN_PROGRESS | A-1 | -
        A | UPDATE_COMPLETE | A-1 | -
        net | UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS | - | -
        net | UPDATE_ROLLBACK_COMPLETE | - | -
        net | UPDATE_IN_PROGRESS | - | User Initiated
        net | UPDATE_ROLLBACK_IN_PROGRESS | - | Export net-Vpc cannot be deleted as it is in use by api and app
        net | UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS | - | -
        net | UPDATE_ROLLBACK_COMPLETE | - | -
    "#]],
    );
    delete(&mut harness, "api");
    make(&mut harness, "UpdateStack", "app", &json!({ "Resources": { "I": toy(json!("vpc-0")) } }));
    delete(&mut harness, "net");
    assert_eq!(status(&mut harness, "net"), "DELETE_COMPLETE");
}

#[test]
fn a_missing_export_fails_the_stack_and_a_taken_one_too() {
    let mut harness = harness();
    make(&mut harness, "CreateStack", "app", &importer("none"));
    check(
        &events(&mut harness, "app"),
        expect![[r#"
        app | CREATE_IN_PROGRESS | - | User Initiated
        app | ROLLBACK_IN_PROGRESS | - | No export named none found. Rollback requested by user.
        app | ROLLBACK_COMPLETE | - | -
    "#]],
    );
    make(&mut harness, "CreateStack", "one", &exporter("1", "x"));
    make(&mut harness, "CreateStack", "two", &exporter("2", "x"));
    check(&status(&mut harness, "two"), expect!["ROLLBACK_COMPLETE"]);
    assert!(events(&mut harness, "two").contains("Export with name x is already exported by another stack"));
    let exports = call(&mut harness, "ListExports", json!({}))["Exports"].clone();
    assert_eq!((exports.as_array().unwrap().len(), &exports[0]["Value"]), (1, &json!("1")));
}

#[test]
fn a_stack_output_is_read_without_an_export() {
    let mut harness = harness();
    let producer = json!({ "Resources": { "A": toy(json!("x")) }, "Outputs": { "Id": { "Value": { "Ref": "A" } } } });
    let consumer =
        json!({ "Resources": { "B": toy(json!({ "Fn::GetStackOutput": { "StackName": "p", "OutputName": "Id" } })) } });
    make(&mut harness, "CreateStack", "c", &consumer);
    check(
        &events(&mut harness, "c"),
        expect![[r#"
        c | CREATE_IN_PROGRESS | - | User Initiated
        B | CREATE_FAILED | - | Output Id of stack p does not exist
        c | ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to create: [B]. Rollback requested by user.
        B | DELETE_COMPLETE | - | -
        c | ROLLBACK_COMPLETE | - | -
    "#]],
    );
    delete(&mut harness, "c");
    make(&mut harness, "CreateStack", "p", &producer);
    make(&mut harness, "CreateStack", "c", &consumer);
    assert_eq!(status(&mut harness, "c"), "CREATE_COMPLETE");
    assert!(world(&harness)[1].contains("A-1"), "{:?}", world(&harness));
    delete(&mut harness, "p");
    assert_eq!(ids(&harness), ["B-2"]);
}

#[test]
fn ssm_parameters_are_read_when_the_operation_begins() {
    let mut harness = harness();
    let template = json!({
        "Parameters": { "Image": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image" } },
        "Resources": { "A": toy(json!({ "Ref": "Image" })), "B": toy(json!("{{resolve:ssm:/image:1}}")) },
    });
    let text = refused(&mut harness, "CreateStack", with("s", &template, json!({})));
    check(
        &text,
        expect!["ValidationError: Unable to fetch parameters [/image] from parameter store for this account."],
    );
    let put = |harness: &mut Harness, value: &str| {
        let input = json!({ "Name": "/image", "Value": value, "Type": "String", "Overwrite": true });
        harness.call("ssm", "PutParameter", input).unwrap();
    };
    put(&mut harness, "app:1");
    make(&mut harness, "CreateStack", "s", &template);
    assert_eq!(world(&harness), [r#"A-1 {"Value":"app:1"}"#, r#"B-2 {"Value":"app:1"}"#]);
    let stack = call(&mut harness, "DescribeStacks", json!({ "StackName": "s" }))["Stacks"][0].clone();
    check(
        &stack["Parameters"].to_string(),
        expect![[r#"[{"ParameterKey":"Image","ParameterValue":"/image","ResolvedValue":"app:1"}]"#]],
    );
    let again = with("s", &template, json!({}));
    assert_eq!(refused(&mut harness, "UpdateStack", again.clone()), "ValidationError: No updates are to be performed.");
    put(&mut harness, "app:2");
    call(&mut harness, "UpdateStack", again);
    settle(&mut harness);
    assert_eq!(world(&harness), [r#"A-1 {"Value":"app:2"}"#, r#"B-2 {"Value":"app:1"}"#]);
}

#[test]
fn every_account_counts_as_bootstrapped_for_the_cdk() {
    let mut harness = harness();
    let template = json!({
        "Parameters": { "BootstrapVersion": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version" } },
        "Rules": { "CheckBootstrapVersion": { "Assertions": [{
            "Assert": { "Fn::Not": [{ "Fn::Contains": [["1", "2", "3", "4", "5"], { "Ref": "BootstrapVersion" }] }] },
            "AssertDescription": "bootstrap",
        }] } },
        "Resources": { "A": toy(json!(1)), "CDKMetadata": { "Type": "AWS::CDK::Metadata" } },
    });
    make(&mut harness, "CreateStack", "s", &template);
    assert_eq!(status(&mut harness, "s"), "CREATE_COMPLETE");
}
