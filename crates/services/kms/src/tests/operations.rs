//! What each operation answers.

use expect_test::{Expect, expect};
use serde_json::json;

use super::{arn, decrypt, encrypt, key, kms, told, world};

#[test]
fn what_is_encrypted_is_decrypted_with_the_same_context_only() {
    let world = &mut world();
    let id = key(world);
    let context = json!({"app": "etl"});
    let blob = encrypt(world, &id, &context);
    let answer = decrypt(world, &blob, &context).unwrap();
    assert_eq!((&answer["Plaintext"], &answer["KeyId"]), (&json!("c2VjcmV0"), &json!(arn(&id))));
    let refused = "400 InvalidCiphertextException: ";
    for other in [json!({}), json!({"app": "et"}), json!({"ap": "petl"}), json!({"app": "etl", "b": ""})] {
        assert_eq!(told(decrypt(world, &blob, &other)), refused, "{other}");
    }
    assert_eq!(told(decrypt(world, "c2VjcmV0", &context)), refused);
    let other = key(world);
    let input = json!({"CiphertextBlob": blob, "EncryptionContext": context, "KeyId": other});
    assert_eq!(
        told(kms(world, "Decrypt", input)),
        "400 IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation."
    );
}

#[test]
fn re_encryption_moves_a_ciphertext_to_another_key_and_context() {
    let world = &mut world();
    let (from, to) = (key(world), key(world));
    let blob = encrypt(world, &from, &json!({"a": "1"}));
    let input = json!({"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": to,
        "DestinationEncryptionContext": {"b": "2"}});
    let moved = kms(world, "ReEncrypt", input).unwrap();
    assert_eq!((&moved["SourceKeyId"], &moved["KeyId"]), (&json!(arn(&from)), &json!(arn(&to))));
    let answer = decrypt(world, moved["CiphertextBlob"].as_str().unwrap(), &json!({"b": "2"})).unwrap();
    assert_eq!((&answer["Plaintext"], &answer["KeyId"]), (&json!("c2VjcmV0"), &json!(arn(&to))));
}

#[test]
fn data_keys_decrypt_to_what_was_handed_out() {
    let world = &mut world();
    let id = key(world);
    for (size, bytes) in [(json!({"KeySpec": "AES_256"}), 44), (json!({"NumberOfBytes": 64}), 88)] {
        let mut input = json!({"KeyId": id});
        input.as_object_mut().unwrap().extend(size.as_object().unwrap().clone());
        let made = kms(world, "GenerateDataKey", input.clone()).unwrap();
        assert_eq!(made["Plaintext"].as_str().unwrap().len(), bytes);
        let again = decrypt(world, made["CiphertextBlob"].as_str().unwrap(), &json!({})).unwrap();
        assert_eq!(again["Plaintext"], made["Plaintext"]);
        let without = kms(world, "GenerateDataKeyWithoutPlaintext", input).unwrap();
        assert!(without.get("Plaintext").is_none());
        assert!(decrypt(world, without["CiphertextBlob"].as_str().unwrap(), &json!({})).is_ok());
    }
    let both = json!({"KeyId": id, "KeySpec": "AES_256", "NumberOfBytes": 1});
    assert_eq!(
        told(kms(world, "GenerateDataKey", both)),
        "400 ValidationException: Please specify either number of bytes or key spec."
    );
    let random = kms(world, "GenerateRandom", json!({"NumberOfBytes": 3})).unwrap();
    assert_eq!(random["Plaintext"].as_str().unwrap().len(), 4);
}

#[test]
fn a_key_has_a_state_and_says_so() {
    let world = &mut world();
    let id = key(world);
    let blob = encrypt(world, &id, &json!({}));
    let check = |world: &mut neargate_testkit::Harness, operation: &str, expected: Expect| {
        let answer = match operation {
            "Decrypt" => decrypt(world, &blob, &json!({})),
            "CreateAlias" => kms(world, operation, json!({"AliasName": "alias/a", "TargetKeyId": id})),
            _ => kms(world, operation, json!({"KeyId": id})),
        };
        expected.assert_eq(&told(answer).replace(&id, "<key>"));
    };
    check(world, "DisableKey", expect!["{}"]);
    check(
        world,
        "Decrypt",
        expect!["400 DisabledException: arn:aws:kms:eu-west-1:000000000000:key/<key> is disabled."],
    );
    check(
        world,
        "EnableKeyRotation",
        expect!["400 DisabledException: arn:aws:kms:eu-west-1:000000000000:key/<key> is disabled."],
    );
    check(world, "EnableKey", expect!["{}"]);
    check(
        world,
        "CancelKeyDeletion",
        expect!["400 KMSInvalidStateException: arn:aws:kms:eu-west-1:000000000000:key/<key> is not pending deletion."],
    );
    check(
        world,
        "ScheduleKeyDeletion",
        expect![[
            r#"{"KeyId":"arn:aws:kms:eu-west-1:000000000000:key/<key>","DeletionDate":1797847200,"KeyState":"PendingDeletion","PendingWindowInDays":30}"#
        ]],
    );
    check(
        world,
        "Decrypt",
        expect!["400 KMSInvalidStateException: arn:aws:kms:eu-west-1:000000000000:key/<key> is pending deletion."],
    );
    check(
        world,
        "CreateAlias",
        expect!["400 KMSInvalidStateException: arn:aws:kms:eu-west-1:000000000000:key/<key> is pending deletion."],
    );
    check(
        world,
        "EnableKey",
        expect!["400 KMSInvalidStateException: arn:aws:kms:eu-west-1:000000000000:key/<key> is pending deletion."],
    );
    check(world, "CancelKeyDeletion", expect![[r#"{"KeyId":"arn:aws:kms:eu-west-1:000000000000:key/<key>"}"#]]);
    check(
        world,
        "Decrypt",
        expect!["400 DisabledException: arn:aws:kms:eu-west-1:000000000000:key/<key> is disabled."],
    );
    let early = json!({"KeyId": id, "PendingWindowInDays": 6});
    expect!["400 ValidationException: PendingWindowInDays must be between 7 and 30 days."].assert_eq(&told(kms(
        world,
        "ScheduleKeyDeletion",
        early,
    )));
}

#[test]
fn aliases_are_names_for_keys() {
    let world = &mut world();
    let (one, two) = (key(world), key(world));
    let mut check = |operation: &str, input: serde_json::Value, expected: Expect| {
        expected.assert_eq(&told(kms(world, operation, input)).replace(&one, "<one>").replace(&two, "<two>"));
    };
    check("CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": one}), expect!["{}"]);
    check(
        "CreateAlias",
        json!({"AliasName": "alias/a", "TargetKeyId": two}),
        expect![
            "400 AlreadyExistsException: An alias with the name arn:aws:kms:eu-west-1:000000000000:alias/a already exists"
        ],
    );
    check(
        "CreateAlias",
        json!({"AliasName": "a", "TargetKeyId": one}),
        expect![[r#"400 InvalidAliasNameException: Alias must start with the prefix "alias/"."#]],
    );
    check(
        "CreateAlias",
        json!({"AliasName": "alias/aws/x", "TargetKeyId": one}),
        expect![[r#"400 NotAuthorizedException: Aliases that begin with "alias/aws/" are reserved."#]],
    );
    check(
        "CreateAlias",
        json!({"AliasName": "alias/b", "TargetKeyId": "alias/a"}),
        expect!["400 NotFoundException: Invalid keyId 'alias/a'"],
    );
    check("UpdateAlias", json!({"AliasName": "alias/a", "TargetKeyId": two}), expect!["{}"]);
    check(
        "ListAliases",
        json!({}),
        expect![[
            r#"{"Aliases":[{"AliasName":"alias/a","AliasArn":"arn:aws:kms:eu-west-1:000000000000:alias/a","TargetKeyId":"<two>","CreationDate":1795255200,"LastUpdatedDate":1795255200}],"Truncated":false}"#
        ]],
    );
    check(
        "Encrypt",
        json!({"KeyId": "alias/nothing", "Plaintext": "YQ=="}),
        expect!["400 NotFoundException: Alias arn:aws:kms:eu-west-1:000000000000:alias/nothing is not found."],
    );
    check("DisableKey", json!({"KeyId": "alias/a"}), expect!["400 NotFoundException: Invalid keyId 'alias/a'"]);
    check("DescribeKey", json!({"KeyId": "a"}), expect!["400 NotFoundException: Invalid keyId 'a'"]);
    check(
        "DescribeKey",
        json!({"KeyId": "12345678-1234-1234-1234-123456789012"}),
        expect![
            "400 NotFoundException: Key 'arn:aws:kms:eu-west-1:000000000000:key/12345678-1234-1234-1234-123456789012' does not exist"
        ],
    );
    check("DeleteAlias", json!({"AliasName": "alias/a"}), expect!["{}"]);
    check(
        "DeleteAlias",
        json!({"AliasName": "alias/a"}),
        expect!["400 NotFoundException: Alias arn:aws:kms:eu-west-1:000000000000:alias/a is not found."],
    );
}

#[test]
fn kinds_of_keys_that_are_not_here_are_named() {
    let world = &mut world();
    let mut check =
        |input: serde_json::Value, expected: Expect| expected.assert_eq(&told(kms(world, "CreateKey", input)));
    check(
        json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}),
        expect!["501 NotImplemented: Neargate does not implement kms:CreateKey with KeySpec RSA_2048"],
    );
    check(
        json!({"MultiRegion": true}),
        expect!["501 NotImplemented: Neargate does not implement kms:CreateKey with MultiRegion"],
    );
    check(
        json!({"Origin": "EXTERNAL"}),
        expect!["501 NotImplemented: Neargate does not implement kms:CreateKey with Origin EXTERNAL"],
    );
    check(
        json!({"Tags": [{"TagKey": "aws:x", "TagValue": ""}]}),
        expect!["400 TagException: Tags beginning with aws: are reserved"],
    );
}

#[test]
fn lists_come_in_pages() {
    let world = &mut world();
    let mut ids: Vec<_> = (0..3).map(|_| key(world)).collect();
    ids.sort();
    let first = kms(world, "ListKeys", json!({"Limit": 2})).unwrap();
    assert_eq!((&first["Truncated"], first["Keys"].as_array().unwrap().len()), (&json!(true), 2));
    let rest = kms(world, "ListKeys", json!({"Limit": 2, "Marker": first["NextMarker"]})).unwrap();
    assert_eq!((&rest["Truncated"], &rest["Keys"][0]["KeyId"]), (&json!(false), &json!(ids[2])));
    let odd = kms(world, "ListKeys", json!({"Marker": "x"}));
    assert_eq!(told(odd), "400 InvalidMarkerException: Could not deserialize marker");
}

#[test]
fn tags_and_descriptions_change() {
    let world = &mut world();
    let id = key(world);
    kms(
        world,
        "TagResource",
        json!({"KeyId": id, "Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}]}),
    )
    .unwrap();
    kms(world, "UntagResource", json!({"KeyId": id, "TagKeys": ["a"]})).unwrap();
    let tags = kms(world, "ListResourceTags", json!({"KeyId": id})).unwrap();
    assert_eq!(tags["Tags"], json!([{"TagKey": "b", "TagValue": "2"}]));
    kms(world, "UpdateKeyDescription", json!({"KeyId": id, "Description": "d"})).unwrap();
    assert_eq!(kms(world, "DescribeKey", json!({"KeyId": id})).unwrap()["KeyMetadata"]["Description"], "d");
    let dry = json!({"KeyId": id, "Plaintext": "YQ==", "DryRun": true});
    expect!["412 DryRunOperationException: The request would have succeeded, but the DryRun option is set."]
        .assert_eq(&told(kms(world, "Encrypt", dry)));
}
