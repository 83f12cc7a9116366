//! Values and the keys they are encrypted with; who may read them.

use expect_test::expect;
use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use super::{ask, make_role, role, root, secret, told, value, world};

fn key(world: &mut Harness) -> String {
    let made = world.call("kms", "CreateKey", json!({})).unwrap();
    made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

fn statement(action: &Json) -> Json {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

#[test]
fn the_services_own_key_needs_no_permission_of_the_caller() {
    let world = &mut world();
    secret(world, "a", "x");
    let aliases = world.call("kms", "ListAliases", json!({})).unwrap();
    assert_eq!(aliases["Aliases"][0]["AliasName"], "alias/aws/secretsmanager");
    make_role(world, "reader", &json!([statement(&json!("secretsmanager:GetSecretValue"))]));
    make_role(world, "nobody", &json!([]));
    world.principal = role("reader");
    assert_eq!(value(world, "a"), r#""x""#);
    world.principal = role("nobody");
    let refused = value(world, "a");
    assert!(
        refused.contains("because no identity-based policy allows the secretsmanager:GetSecretValue action"),
        "{refused}"
    );
    assert!(value(world, "nothing").contains("secret:nothing-?????? because no identity-based policy"));
}

#[test]
fn another_key_must_let_the_caller_decrypt() {
    let world = &mut world();
    let key = key(world);
    ask(world, "CreateSecret", json!({"Name": "a", "SecretString": "x", "KmsKeyId": key})).unwrap();
    make_role(world, "without", &json!([statement(&json!("secretsmanager:*"))]));
    make_role(world, "with", &json!([statement(&json!(["secretsmanager:*", "kms:Decrypt"]))]));
    let mut via = statement(&json!("kms:Decrypt"));
    via["Condition"] = json!({"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:a-*"}});
    make_role(world, "via", &json!([statement(&json!("secretsmanager:*")), via]));
    world.principal = role("without");
    expect!["400 AccessDeniedException: Access to KMS is not allowed"].assert_eq(&value(world, "a"));
    let hint = ask(world, "GetSecretValue", json!({"SecretId": "a"})).unwrap_err().hint.unwrap();
    assert!(hint.contains("is not authorized to perform: kms:Decrypt"), "{hint}");
    for name in ["with", "via"] {
        world.principal = role(name);
        assert_eq!(value(world, "a"), r#""x""#, "{name}");
    }
    world.principal = role("without");
    let put = json!({"SecretId": "a", "SecretString": "y"});
    expect!["400 AccessDeniedException: Access to KMS is not allowed"].assert_eq(&told(ask(
        world,
        "PutSecretValue",
        put,
    )));
}

#[test]
fn a_disabled_key_makes_values_unreadable() {
    let world = &mut world();
    let key = key(world);
    ask(world, "CreateSecret", json!({"Name": "a", "SecretString": "x", "KmsKeyId": key})).unwrap();
    world.call("kms", "DisableKey", json!({"KeyId": key})).unwrap();
    expect![
        "400 DecryptionFailure: Secrets Manager can't decrypt the protected secret text using the provided KMS key."
    ]
    .assert_eq(&value(world, "a"));
    let put = json!({"SecretId": "a", "SecretString": "y"});
    assert!(told(ask(world, "PutSecretValue", put)).starts_with("400 EncryptionFailure"));
    let make = json!({"Name": "b", "SecretString": "y", "KmsKeyId": "alias/nothing"});
    assert!(told(ask(world, "CreateSecret", make)).starts_with("400 EncryptionFailure"));
    world.call("kms", "EnableKey", json!({"KeyId": key})).unwrap();
    assert_eq!(value(world, "a"), r#""x""#);
}

#[test]
fn changing_the_key_encrypts_again_what_is_in_use() {
    let world = &mut world();
    let (one, two) = (key(world), key(world));
    ask(world, "CreateSecret", json!({"Name": "a", "SecretString": "1", "KmsKeyId": one})).unwrap();
    ask(world, "PutSecretValue", json!({"SecretId": "a", "SecretString": "2"})).unwrap();
    ask(world, "UpdateSecret", json!({"SecretId": "a", "KmsKeyId": two})).unwrap();
    world.call("kms", "DisableKey", json!({"KeyId": one})).unwrap();
    assert_eq!(value(world, "a"), r#""2""#);
    let previous = json!({"SecretId": "a", "VersionStage": "AWSPREVIOUS"});
    assert_eq!(ask(world, "GetSecretValue", previous).unwrap()["SecretString"], "1");
    world.call("kms", "RotateKeyOnDemand", json!({"KeyId": two})).unwrap();
    world.restart().unwrap();
    assert_eq!(value(world, "a"), r#""2""#);
}

#[test]
fn a_resource_policy_lets_in_and_keeps_out() {
    let world = &mut world();
    secret(world, "a", "x");
    make_role(world, "named", &json!([]));
    make_role(world, "other", &json!([statement(&json!("secretsmanager:*"))]));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:role/named"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::000000000000:role/other"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]});
    ask(world, "PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": policy.to_string()})).unwrap();
    world.principal = role("named");
    assert_eq!(value(world, "a"), r#""x""#);
    world.principal = role("other");
    assert!(value(world, "a").ends_with("with an explicit deny in a resource-based policy"));
    assert!(ask(world, "DescribeSecret", json!({"SecretId": "a"})).is_ok());
    world.principal = root();
    assert_eq!(value(world, "a"), r#""x""#);
}

#[test]
fn another_account_reads_with_both_policies_and_a_key_that_lets_it() {
    let world = &mut world();
    let key = key(world);
    let made = ask(world, "CreateSecret", json!({"Name": "a", "SecretString": "x", "KmsKeyId": key})).unwrap();
    let arn = made["ARN"].as_str().unwrap().to_owned();
    let there = neargate_base::Account::new("111111111111");
    let from_there = |world: &mut Harness| {
        let here = std::mem::replace(&mut world.scope, neargate_base::Scope::new("111111111111", "eu-west-1"));
        world.principal = neargate_kernel::Principal::root(&there);
        let answer = value(world, &arn);
        (world.scope, world.principal) = (here, root());
        answer
    };
    assert!(from_there(world).contains("no resource-based policy"));
    let allow = |action: &str| json!({"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": action, "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [allow("secretsmanager:GetSecretValue")]}).to_string();
    ask(world, "PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": policy})).unwrap();
    assert_eq!(from_there(world), "400 AccessDeniedException: Access to KMS is not allowed");
    let own = json!({"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "kms:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [own, allow("kms:Decrypt")]}).to_string();
    world.call("kms", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).unwrap();
    assert_eq!(from_there(world), r#""x""#);
}
