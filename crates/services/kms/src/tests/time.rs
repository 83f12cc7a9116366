//! What happens to keys by themselves.

use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use super::{decrypt, encrypt, key, kms, told, world};

const DAY_MS: i64 = 86_400_000;

fn turn(world: &mut Harness, days: i64) {
    world.pass(days * DAY_MS);
}

fn rotations(world: &mut Harness, id: &str) -> Vec<Json> {
    kms(world, "ListKeyRotations", json!({"KeyId": id})).unwrap()["Rotations"].as_array().unwrap().clone()
}

#[test]
fn a_key_rotates_in_its_period_and_reads_what_it_wrote_before() {
    let world = &mut world();
    let id = key(world);
    let before = encrypt(world, &id, &json!({}));
    kms(world, "EnableKeyRotation", json!({"KeyId": id, "RotationPeriodInDays": 90})).unwrap();
    turn(world, 89);
    assert_eq!(rotations(world, &id).len(), 0);
    turn(world, 1);
    assert_eq!(rotations(world, &id).len(), 1);
    let middle = encrypt(world, &id, &json!({}));
    turn(world, 90);
    world.restart().unwrap();
    let rotations = rotations(world, &id);
    assert_eq!(rotations.len(), 2);
    assert_eq!(
        (&rotations[1]["RotationType"], &rotations[1]["KeyMaterialState"]),
        (&json!("AUTOMATIC"), &json!("CURRENT"))
    );
    let ids: Vec<_> =
        [&before, &middle].map(|blob| decrypt(world, blob, &json!({})).unwrap()["KeyMaterialId"].clone()).to_vec();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[1], rotations[0]["KeyMaterialId"]);
    kms(world, "DisableKeyRotation", json!({"KeyId": id})).unwrap();
    turn(world, 400);
    assert_eq!(super::time::rotations(world, &id).len(), 2);
}

#[test]
fn a_disabled_key_rotates_once_it_is_enabled_again() {
    let world = &mut world();
    let id = key(world);
    kms(world, "EnableKeyRotation", json!({"KeyId": id})).unwrap();
    kms(world, "DisableKey", json!({"KeyId": id})).unwrap();
    turn(world, 1000);
    assert_eq!(rotations(world, &id).len(), 0);
    kms(world, "EnableKey", json!({"KeyId": id})).unwrap();
    assert_eq!(rotations(world, &id).len(), 1);
    turn(world, 365);
    assert_eq!(rotations(world, &id).len(), 2);
}

#[test]
fn rotation_on_demand_has_a_limit() {
    let world = &mut world();
    let id = key(world);
    let blob = encrypt(world, &id, &json!({}));
    for _ in 0..25 {
        kms(world, "RotateKeyOnDemand", json!({"KeyId": id})).unwrap();
    }
    assert!(told(kms(world, "RotateKeyOnDemand", json!({"KeyId": id}))).starts_with("400 LimitExceededException"));
    assert!(decrypt(world, &blob, &json!({})).is_ok());
    let all = kms(world, "ListKeyRotations", json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})).unwrap();
    assert_eq!(all["Rotations"].as_array().unwrap().len(), 26);
}

#[test]
fn a_key_is_gone_after_its_waiting_period_with_all_that_names_it() {
    let world = &mut world();
    let id = key(world);
    let blob = encrypt(world, &id, &json!({}));
    kms(world, "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": id})).unwrap();
    kms(world, "ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 7})).unwrap();
    turn(world, 6);
    assert!(kms(world, "DescribeKey", json!({"KeyId": id})).is_ok());
    turn(world, 1);
    assert!(told(kms(world, "DescribeKey", json!({"KeyId": id}))).contains("does not exist"));
    assert_eq!(kms(world, "ListAliases", json!({})).unwrap()["Aliases"], json!([]));
    assert_eq!(told(decrypt(world, &blob, &json!({}))), "400 InvalidCiphertextException: ");
    let cancelled = key(world);
    kms(world, "ScheduleKeyDeletion", json!({"KeyId": cancelled, "PendingWindowInDays": 7})).unwrap();
    kms(world, "CancelKeyDeletion", json!({"KeyId": cancelled})).unwrap();
    turn(world, 30);
    assert!(kms(world, "DescribeKey", json!({"KeyId": cancelled})).is_ok());
}
