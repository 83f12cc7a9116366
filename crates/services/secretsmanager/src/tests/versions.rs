//! Versions and their stages.

use expect_test::expect;
use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use super::{DAY_MS, ask, secret, token, told, value, world};

fn put(world: &mut Harness, at: usize, value: &str, stages: &[&str]) -> Result<Json, neargate_kernel::Fault> {
    let mut input = json!({"SecretId": "a", "ClientRequestToken": token(at), "SecretString": value});
    if !stages.is_empty() {
        input["VersionStages"] = json!(stages);
    }
    ask(world, "PutSecretValue", input)
}

fn stages(world: &mut Harness) -> String {
    let shown = ask(world, "DescribeSecret", json!({"SecretId": "a"})).unwrap()["VersionIdsToStages"].to_string();
    (0..9).fold(shown, |shown, at| shown.replace(&token(at), &at.to_string()))
}

#[test]
fn current_becomes_previous() {
    let world = &mut world();
    ask(world, "CreateSecret", json!({"Name": "a", "ClientRequestToken": token(0), "SecretString": "0"})).unwrap();
    put(world, 1, "1", &[]).unwrap();
    assert_eq!(stages(world), r#"{"0":["AWSPREVIOUS"],"1":["AWSCURRENT"]}"#);
    put(world, 2, "2", &["AWSPENDING", "mine"]).unwrap();
    assert_eq!(stages(world), r#"{"0":["AWSPREVIOUS"],"1":["AWSCURRENT"],"2":["AWSPENDING","mine"]}"#);
    assert_eq!(value(world, "a"), r#""1""#);
    put(world, 3, "3", &["mine"]).unwrap();
    assert_eq!(stages(world), r#"{"0":["AWSPREVIOUS"],"1":["AWSCURRENT"],"2":["AWSPENDING"],"3":["mine"]}"#);
    let by_stage = json!({"SecretId": "a", "VersionStage": "mine"});
    assert_eq!(ask(world, "GetSecretValue", by_stage).unwrap()["SecretString"], "3");
    let both = json!({"SecretId": "a", "VersionStage": "mine", "VersionId": token(1)});
    expect![
        "400 InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId."
    ]
    .assert_eq(&told(ask(world, "GetSecretValue", both)));
    ask(world, "UpdateSecret", json!({"SecretId": "a", "ClientRequestToken": token(4), "SecretString": "4"})).unwrap();
    assert_eq!(stages(world), r#"{"1":["AWSPREVIOUS"],"2":["AWSPENDING"],"3":["mine"],"4":["AWSCURRENT"]}"#);
    let listed = ask(world, "ListSecretVersionIds", json!({"SecretId": "a"})).unwrap();
    assert_eq!(listed["Versions"].as_array().unwrap().len(), 4);
    let all = ask(world, "ListSecretVersionIds", json!({"SecretId": "a", "IncludeDeprecated": true})).unwrap();
    assert_eq!(all["Versions"].as_array().unwrap().len(), 5);
}

#[test]
fn a_token_makes_a_request_repeatable() {
    let world = &mut world();
    let create = json!({"Name": "a", "ClientRequestToken": token(0), "SecretString": "0"});
    let first = ask(world, "CreateSecret", create.clone()).unwrap();
    assert_eq!(ask(world, "CreateSecret", create).unwrap(), first);
    put(world, 1, "1", &[]).unwrap();
    put(world, 2, "2", &[]).unwrap();
    put(world, 1, "1", &[]).unwrap();
    assert_eq!(value(world, "a"), r#""2""#, "an earlier request again changes nothing");
    let other = told(put(world, 1, "other", &[]));
    expect!["400 ResourceExistsException: You can't use ClientRequestToken token-00000000000000000000000000000001 because that value is already in use for a version of secret <arn>."]
        .assert_eq(&other.replace(first["ARN"].as_str().unwrap(), "<arn>"));
}

#[test]
fn stages_are_moved_with_care() {
    let world = &mut world();
    ask(world, "CreateSecret", json!({"Name": "a", "ClientRequestToken": token(0), "SecretString": "0"})).unwrap();
    put(world, 1, "1", &["AWSPENDING"]).unwrap();
    let mut shift = |from: Option<usize>, to: Option<usize>, stage: &str| {
        let mut input = json!({"SecretId": "a", "VersionStage": stage});
        if let Some(from) = from {
            input["RemoveFromVersionId"] = json!(token(from));
        }
        if let Some(to) = to {
            input["MoveToVersionId"] = json!(token(to));
        }
        let answer = ask(world, "UpdateSecretVersionStage", input);
        answer.map_or_else(|fault| told(Err(fault)), |_| stages(world))
    };
    expect!["400 InvalidParameterException: The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version token-00000000000000000000000000000000, so you must explicitly reference that version in RemoveFromVersionId."].assert_eq(&shift(None, Some(1), "AWSCURRENT"));
    expect!["400 InvalidParameterException: You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."].assert_eq(&shift(Some(0), None, "AWSCURRENT"));
    expect![[r#"{"0":["AWSPREVIOUS"],"1":["AWSCURRENT","AWSPENDING"]}"#]].assert_eq(&shift(
        Some(0),
        Some(1),
        "AWSCURRENT",
    ));
    expect![[r#"{"0":["AWSPREVIOUS"],"1":["AWSCURRENT"]}"#]].assert_eq(&shift(Some(1), None, "AWSPENDING"));
    expect![[r#"{"0":["AWSCURRENT"],"1":["AWSPREVIOUS"]}"#]].assert_eq(&shift(Some(1), Some(0), "AWSCURRENT"));
    expect!["400 InvalidParameterException: The staging label AWSCURRENT isn't attached to version token-00000000000000000000000000000001."].assert_eq(&shift(Some(1), Some(0), "AWSCURRENT"));
    expect!["400 ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: token-00000000000000000000000000000007"].assert_eq(&shift(None, Some(7), "mine"));
}

#[test]
fn old_deprecated_versions_go_and_those_with_stages_stay() {
    let world = &mut world();
    secret(world, "a", "first");
    put(world, 0, "kept", &["kept"]).unwrap();
    for at in 1..=120 {
        put(world, at, "x", &[]).unwrap();
        world.pass(DAY_MS / 10);
    }
    let all = json!({"SecretId": "a", "IncludeDeprecated": true, "MaxResults": 100});
    assert_eq!(ask(world, "ListSecretVersionIds", all).unwrap()["Versions"].as_array().unwrap().len(), 100);
    let kept = json!({"SecretId": "a", "VersionStage": "kept"});
    assert_eq!(ask(world, "GetSecretValue", kept).unwrap()["SecretString"], "kept");
    let values = world.rows().iter().filter(|row| row.table == "secretsmanager.version").count();
    assert_eq!(values, 100);
}
