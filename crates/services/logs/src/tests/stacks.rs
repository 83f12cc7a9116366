//! Groups with keys in stacks, CloudFormation and all.

use expect_test::expect;
use neargate_kernel::Ports;
use neargate_testkit::{Harness, OnePool, Silence};
use serde_json::{Value as Json, json};

fn world() -> Harness {
    let ports = Ports { authorizer: &neargate_iam::Iam, events: &Silence, networks: &OnePool };
    let services =
        || vec![crate::service(), neargate_cloudformation::service(), neargate_iam::service(), neargate_kms::service()];
    Harness::new(services, ports).unwrap()
}

/// A key, with a statement for CloudWatch Logs or without, and a group that may be encrypted with it.
fn template(with_statement: bool, group: Json) -> String {
    let account = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}});
    let logs = json!({"Effect": "Allow", "Resource": "*",
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}},
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn":
            {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/app/*"}}}});
    let statements = if with_statement { vec![account, logs] } else { vec![account] };
    json!({"Resources": {
        "Key": {"Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": statements}}},
        "Group": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Key", "Properties": group}
    }})
    .to_string()
}

fn key_arn() -> Json {
    json!({"Fn::GetAtt": ["Key", "Arn"]})
}

fn run(world: &mut Harness, operation: &str, template: &str) -> String {
    let input = json!({"StackName": "s", "TemplateBody": template});
    world.call("cloudformation", operation, input).unwrap();
    while let Some(due) = world.core().next_due(world.now) {
        world.pass((due.millis() - world.now.millis()).max(0));
        let status = status(world);
        if !status.ends_with("IN_PROGRESS") {
            return status;
        }
    }
    status(world)
}

fn status(world: &mut Harness) -> String {
    let stacks = world.call("cloudformation", "DescribeStacks", json!({"StackName": "s"})).unwrap();
    stacks["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned()
}

fn group(world: &mut Harness) -> Json {
    world.call("logs", "DescribeLogGroups", json!({})).unwrap()["logGroups"][0].clone()
}

/// Why the group failed, as the stack tells it.
fn reason(world: &mut Harness) -> String {
    let events = world.call("cloudformation", "DescribeStackEvents", json!({"StackName": "s"})).unwrap();
    let failed = events["StackEvents"].as_array().unwrap().iter().find(|event| {
        event["LogicalResourceId"] == "Group" && event["ResourceStatus"].as_str().unwrap().ends_with("_FAILED")
    });
    let text = failed.unwrap()["ResourceStatusReason"].as_str().unwrap();
    text.split(", Request ID").next().unwrap().to_owned()
}

#[test]
fn a_stack_whose_key_does_not_know_cloudwatch_logs_rolls_back_with_a_hint() {
    let world = &mut world();
    let without = template(false, json!({"LogGroupName": "/app/a", "KmsKeyId": key_arn()}));
    assert_eq!(run(world, "CreateStack", &without), "ROLLBACK_COMPLETE");
    expect![[r#"Resource handler returned message: "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:eu-west-1:000000000000:log-group:/app/a' (Service: Logs, Status Code: 400"#]]
        .assert_eq(&reason(world));
    let notice = world.notices.iter().find(|notice| notice.subject == "s/Group").unwrap();
    let hint = notice.hint.as_deref().unwrap();
    assert!(hint.contains("logs.eu-west-1.amazonaws.com") && hint.contains("--fix-log-key"), "{hint}");
    assert_eq!(group(world), json!(null));
}

#[test]
fn a_group_gets_changes_and_loses_its_key() {
    let world = &mut world();
    let with = template(true, json!({"LogGroupName": "/app/a", "KmsKeyId": key_arn(), "RetentionInDays": 7}));
    assert_eq!(run(world, "CreateStack", &with), "CREATE_COMPLETE");
    let first = group(world)["kmsKeyId"].clone();
    assert!(first.as_str().unwrap().starts_with("arn:aws:kms:eu-west-1:000000000000:key/"), "{first}");

    let bare = template(true, json!({"LogGroupName": "/app/a", "RetentionInDays": 7}));
    assert_eq!(run(world, "UpdateStack", &bare), "UPDATE_COMPLETE");
    assert_eq!(group(world)["kmsKeyId"], json!(null));
    assert_eq!(run(world, "UpdateStack", &with), "UPDATE_COMPLETE");
    assert_eq!(group(world)["kmsKeyId"], first);

    let foreign = "arn:aws:kms:eu-west-1:000000000000:key/11111111-1111-4111-8111-111111111111";
    let broken = template(true, json!({"LogGroupName": "/app/a", "KmsKeyId": foreign, "RetentionInDays": 30}));
    assert_eq!(run(world, "UpdateStack", &broken), "UPDATE_ROLLBACK_COMPLETE");
    assert!(reason(world).contains("is not allowed to be used with Arn"), "{}", reason(world));
    assert_eq!((&group(world)["kmsKeyId"], &group(world)["retentionInDays"]), (&first, &json!(7)));

    // The key is changed, then another resource fails: the group goes back to none.
    assert_eq!(run(world, "UpdateStack", &bare), "UPDATE_COMPLETE");
    let mut template: Json = serde_json::from_str(&with).unwrap();
    template["Resources"]["Clash"] = json!({"Type": "AWS::Logs::LogGroup", "DependsOn": "Group",
        "Properties": {"LogGroupName": "/app/a"}});
    assert_eq!(run(world, "UpdateStack", &template.to_string()), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(group(world)["kmsKeyId"], json!(null));
}

#[test]
fn what_a_group_cannot_have_fails_the_stack_in_the_services_words() {
    let world = &mut world();
    let id = template(true, json!({"LogGroupName": "/app/a", "KmsKeyId": {"Ref": "Key"}}));
    assert_eq!(run(world, "CreateStack", &id), "ROLLBACK_COMPLETE");
    expect![[r#"Resource handler returned message: "The specified KMS Key Id could not be found. (Service: Logs, Status Code: 400"#]].assert_eq(&reason(world));
    world.call("cloudformation", "DeleteStack", json!({"StackName": "s"})).unwrap();
    world.run_due();
    let days = template(true, json!({"LogGroupName": "/app/a", "RetentionInDays": 8}));
    assert_eq!(run(world, "CreateStack", &days), "ROLLBACK_COMPLETE");
    expect![[r#"Resource handler returned message: "1 validation error detected: Value '8' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] (Service: Logs, Status Code: 400"#]].assert_eq(&reason(world));
}
