//! What each operation answers.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use super::{DAY_MS, ask, secret, told, value, world};

#[test]
fn a_secret_is_found_by_name_and_by_full_or_partial_arn() {
    let world = &mut world();
    let arn = secret(world, "app/db-secret", "s3cret");
    let partial = arn.rsplit_once('-').unwrap().0.to_owned();
    assert_eq!(arn.len() - partial.len(), 7, "six characters and a dash");
    for id in ["app/db-secret", arn.as_str(), partial.as_str()] {
        assert_eq!(value(world, id), r#""s3cret""#, "{id}");
    }
    expect!["400 ResourceNotFoundException: Secrets Manager can't find the specified secret."]
        .assert_eq(&value(world, "app/db"));
    let other = format!("{partial}-aaaaaa");
    assert!(value(world, &other).starts_with("400 ResourceNotFoundException"));
}

#[test]
fn what_cannot_be_is_refused_in_aws_words() {
    let world = &mut world();
    secret(world, "there", "x");
    ask(world, "CreateSecret", json!({"Name": "empty"})).unwrap();
    let mut check =
        |operation: &str, input: Json, expected: Expect| expected.assert_eq(&told(ask(world, operation, input)));
    check(
        "CreateSecret",
        json!({"Name": "there", "SecretString": "y"}),
        expect!["400 ResourceExistsException: The operation failed because the secret there already exists."],
    );
    check(
        "CreateSecret",
        json!({"Name": "a b"}),
        expect![
            "400 ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        ],
    );
    check(
        "CreateSecret",
        json!({"Name": "b", "SecretString": "a", "SecretBinary": "YQ=="}),
        expect![
            "400 InvalidParameterException: You can't specify both a binary secret value and a string secret value in the same secret."
        ],
    );
    check(
        "CreateSecret",
        json!({"Name": "c", "AddReplicaRegions": [{"Region": "us-east-1"}]}),
        expect!["501 NotImplemented: Neargate does not implement secretsmanager:CreateSecret with AddReplicaRegions"],
    );
    check(
        "PutSecretValue",
        json!({"SecretId": "there"}),
        expect!["400 InvalidParameterException: You must provide either SecretString or SecretBinary."],
    );
    check(
        "GetSecretValue",
        json!({"SecretId": "empty"}),
        expect![
            "400 ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        ],
    );
    check(
        "GetSecretValue",
        json!({"SecretId": "there", "VersionId": "00000000-0000-0000-0000-000000000000"}),
        expect![
            "400 ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: 00000000-0000-0000-0000-000000000000"
        ],
    );
    check(
        "DeleteSecret",
        json!({"SecretId": "there", "RecoveryWindowInDays": 6}),
        expect![
            "400 InvalidParameterException: The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
        ],
    );
    check(
        "DeleteSecret",
        json!({"SecretId": "there", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}),
        expect![
            "400 InvalidParameterException: You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        ],
    );
    check(
        "TagResource",
        json!({"SecretId": "there", "Tags": [{"Key": "aws:x", "Value": "1"}]}),
        expect!["400 InvalidParameterException: Tag keys that begin with aws: are reserved."],
    );
}

#[test]
fn a_value_has_a_largest_size_in_bytes() {
    let world = &mut world();
    let big = "é".repeat(32_769);
    let answer = ask(world, "CreateSecret", json!({"Name": "big", "SecretString": big}));
    expect!["400 InvalidParameterException: The secret value can't be longer than 65536 bytes."]
        .assert_eq(&told(answer));
    let fits = "é".repeat(32_768);
    secret(world, "fits", &fits);
    assert_eq!(value(world, "fits"), json!(fits).to_string());
}

#[test]
fn binary_values_come_back_as_bytes() {
    let world = &mut world();
    ask(world, "CreateSecret", json!({"Name": "b", "SecretBinary": "AP8="})).unwrap();
    let answer = ask(world, "GetSecretValue", json!({"SecretId": "b"})).unwrap();
    assert_eq!((&answer["SecretBinary"], answer.get("SecretString")), (&json!("AP8="), None));
}

#[test]
fn a_deleted_secret_can_be_restored_until_its_window_is_over() {
    let world = &mut world();
    let arn = secret(world, "a", "x");
    ask(world, "DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7})).unwrap();
    expect!["400 InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."].assert_eq(&value(world, "a"));
    let again = ask(world, "CreateSecret", json!({"Name": "a", "SecretString": "y"}));
    expect!["400 InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion."].assert_eq(&told(again));
    assert_eq!(ask(world, "ListSecrets", json!({})).unwrap()["SecretList"], json!([]));
    let planned = ask(world, "ListSecrets", json!({"IncludePlannedDeletion": true})).unwrap();
    assert!(planned["SecretList"][0]["DeletedDate"].is_number());
    ask(world, "RestoreSecret", json!({"SecretId": arn})).unwrap();
    world.pass(8 * DAY_MS);
    assert_eq!(value(world, "a"), r#""x""#);
    ask(world, "DeleteSecret", json!({"SecretId": "a"})).unwrap();
    world.pass(29 * DAY_MS);
    world.restart().unwrap();
    assert!(ask(world, "DescribeSecret", json!({"SecretId": "a"})).is_ok());
    world.pass(DAY_MS);
    assert!(ask(world, "DescribeSecret", json!({"SecretId": "a"})).is_err());
    assert!(!world.rows().iter().any(|row| row.table.starts_with("secretsmanager.")));
    let other = secret(world, "a", "new");
    assert_ne!(other, arn);
}

#[test]
fn forced_deletion_is_at_once_and_repeatable() {
    let world = &mut world();
    secret(world, "a", "x");
    for _ in 0..2 {
        ask(world, "DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true})).unwrap();
    }
    secret(world, "a", "y");
    assert_eq!(value(world, "a"), r#""y""#);
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let world = &mut world();
    for (name, stage) in [("app/a", "dev"), ("app/b", "prod"), ("web", "prod")] {
        let input = json!({"Name": name, "SecretString": "x", "Description": format!("the {name} one"),
            "Tags": [{"Key": "stage", "Value": stage}]});
        ask(world, "CreateSecret", input).unwrap();
        world.pass(1000);
    }
    let mut names = |input: Json| -> Vec<String> {
        let list = ask(world, "ListSecrets", input).unwrap()["SecretList"].as_array().unwrap().clone();
        list.iter().map(|secret| secret["Name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({})), ["web", "app/b", "app/a"]);
    assert_eq!(names(json!({"SortBy": "name", "SortOrder": "asc", "MaxResults": 2})), ["app/a", "app/b"]);
    assert_eq!(names(json!({"Filters": [{"Key": "name", "Values": ["app/"]}]})), ["app/b", "app/a"]);
    assert_eq!(
        names(json!({"Filters": [{"Key": "tag-value", "Values": ["prod"]}, {"Key": "name", "Values": ["!web"]}]})),
        ["app/b"]
    );
    assert_eq!(names(json!({"Filters": [{"Key": "description", "Values": ["WEB"]}]})), ["web"]);
}

#[test]
fn a_batch_tells_what_failed_apart() {
    let world = &mut world();
    secret(world, "a", "1");
    secret(world, "b", "2");
    let answer = ask(world, "BatchGetSecretValue", json!({"SecretIdList": ["a", "nothing", "b"]})).unwrap();
    let values: Vec<_> =
        answer["SecretValues"].as_array().unwrap().iter().map(|value| &value["SecretString"]).collect();
    assert_eq!(values, [&json!("1"), &json!("2")]);
    expect![[r#"[{"SecretId":"nothing","ErrorCode":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}]"#]].assert_eq(&answer["Errors"].to_string());
    let filtered = ask(world, "BatchGetSecretValue", json!({"Filters": [{"Key": "name", "Values": ["b"]}]})).unwrap();
    assert_eq!(filtered["SecretValues"][0]["Name"], "b");
}

#[test]
fn resource_policies_are_checked_and_kept() {
    let world = &mut world();
    secret(world, "a", "1");
    let policy = |principal: Json| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal,
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]})
        .to_string()
    };
    let public = policy(json!("*"));
    let mut check =
        |operation: &str, input: Json, expected: Expect| expected.assert_eq(&told(ask(world, operation, input)));
    check(
        "PutResourcePolicy",
        json!({"SecretId": "a", "ResourcePolicy": "x"}),
        expect!["400 MalformedPolicyDocumentException: Syntax errors in policy."],
    );
    check(
        "PutResourcePolicy",
        json!({"SecretId": "a", "ResourcePolicy": public, "BlockPublicPolicy": true}),
        expect![
            "400 PublicPolicyException: The resource policy grants broad access to the secret and BlockPublicPolicy is set."
        ],
    );
    check(
        "ValidateResourcePolicy",
        json!({"ResourcePolicy": public}),
        expect![[
            r#"{"PolicyValidationPassed":false,"ValidationErrors":[{"CheckName":"PUBLIC_POLICY","ErrorMessage":"The resource policy grants broad access to the secret and BlockPublicPolicy is set."}]}"#
        ]],
    );
    let own = policy(json!({"AWS": "arn:aws:iam::000000000000:root"}));
    check(
        "ValidateResourcePolicy",
        json!({"ResourcePolicy": own}),
        expect![[r#"{"PolicyValidationPassed":true,"ValidationErrors":[]}"#]],
    );
    ask(world, "PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": own})).unwrap();
    assert_eq!(ask(world, "GetResourcePolicy", json!({"SecretId": "a"})).unwrap()["ResourcePolicy"], json!(own));
    ask(world, "DeleteResourcePolicy", json!({"SecretId": "a"})).unwrap();
    assert!(ask(world, "GetResourcePolicy", json!({"SecretId": "a"})).unwrap().get("ResourcePolicy").is_none());
}

#[test]
fn tags_change_and_reading_is_noted_by_the_day() {
    let world = &mut world();
    secret(world, "a", "1");
    ask(
        world,
        "TagResource",
        json!({"SecretId": "a", "Tags": [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]}),
    )
    .unwrap();
    ask(world, "UntagResource", json!({"SecretId": "a", "TagKeys": ["x"]})).unwrap();
    value(world, "a");
    let shown = ask(world, "DescribeSecret", json!({"SecretId": "a"})).unwrap();
    assert_eq!(shown["Tags"], json!([{"Key": "y", "Value": "2"}]));
    let accessed = shown["LastAccessedDate"].as_f64().unwrap();
    assert_eq!(accessed % 86_400.0, 0.0);
}

#[test]
fn a_secret_can_be_put_at_a_complete_arn() {
    let world = &mut world();
    let arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/creds-AbCdEf";
    let import = |world: &mut neargate_testkit::Harness, arn: &str, text: &str| {
        world.perform(|cx| crate::import(cx, arn, text.to_owned())).map_err(|fault| fault.to_string())
    };
    import(world, arn, "one").unwrap();
    assert_eq!(value(world, arn), r#""one""#);
    import(world, arn, "two").unwrap();
    assert_eq!(value(world, "app/creds"), r#""two""#);
    let other = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/creds-AbCdEg";
    let refused = import(world, other, "three").unwrap_err();
    assert_eq!(refused, "ResourceExistsException: The operation failed because the secret app/creds already exists.");
    let short = import(world, "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app", "x").unwrap_err();
    assert!(short.starts_with("ValidationException: `arn:aws:secretsmanager:eu-west-1:000000000000:secret:app` is no"));
}

#[test]
fn a_refusal_does_not_show_the_secret() {
    let secret = "hush".repeat(20_000);
    let refused = told(ask(&mut world(), "CreateSecret", json!({ "Name": "a", "SecretString": secret })));
    expect!["400 ValidationException: 1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"].assert_eq(&refused);
}
