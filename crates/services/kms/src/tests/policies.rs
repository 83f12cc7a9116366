//! Who may use a key: its policy, the identity's, grants, conditions.

use expect_test::expect;
use neargate_kernel::Principal;
use neargate_testkit::Harness;
use serde_json::{Value as Json, json};

use super::{decrypt, encrypt, key, kms, make_role, role, root, told, world};

const ALL: &str = r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}"#;

fn all() -> Option<Json> {
    serde_json::from_str(ALL).ok()
}

fn statement(principal: &Json, action: &Json) -> Json {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"})
}

/// The statement that keeps the key manageable by the account.
fn managed_by_root() -> Json {
    statement(&json!({"AWS": "arn:aws:iam::000000000000:root"}), &json!(["kms:Put*", "kms:Get*", "kms:CreateGrant"]))
}

fn put_policy(world: &mut Harness, id: &str, statements: &[Json]) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    told(kms(world, "PutKeyPolicy", json!({"KeyId": id, "Policy": policy})))
}

fn attempt(world: &mut Harness, who: Principal, id: &str) -> String {
    world.principal = who;
    let answer = kms(world, "Encrypt", json!({"KeyId": id, "Plaintext": "YQ=="}));
    world.principal = root();
    answer.map_or_else(|fault| told(Err(fault)).replace(id, "<key>"), |_| "allowed".to_owned())
}

#[test]
fn the_default_policy_leaves_it_to_the_account() {
    let world = &mut world();
    let id = key(world);
    make_role(world, "with", all());
    make_role(world, "without", None);
    assert_eq!(attempt(world, role("with"), &id), "allowed");
    expect!["400 AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/without/s is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:eu-west-1:000000000000:key/<key> because no identity-based policy allows the kms:Encrypt action"]
        .assert_eq(&attempt(world, role("without"), &id));
}

#[test]
fn without_the_account_in_it_a_key_policy_decides_alone() {
    let world = &mut world();
    let id = key(world);
    make_role(world, "with", all());
    make_role(world, "named", None);
    let named = statement(&json!({"AWS": "arn:aws:iam::000000000000:role/named"}), &json!("kms:Encrypt"));
    assert_eq!(put_policy(world, &id, &[managed_by_root(), named]), "{}");
    assert_eq!(attempt(world, role("named"), &id), "allowed");
    let refused = expect![
        "400 AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/with/s is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:eu-west-1:000000000000:key/<key> because no resource-based policy allows the kms:Encrypt action"
    ];
    refused.assert_eq(&attempt(world, role("with"), &id));
    let refused = expect![
        "400 AccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:eu-west-1:000000000000:key/<key> because no resource-based policy allows the kms:Encrypt action"
    ];
    refused.assert_eq(&attempt(world, root(), &id));
}

#[test]
fn a_deny_wins_wherever_it_is() {
    let world = &mut world();
    let id = key(world);
    make_role(world, "with", all());
    make_role(world, "barred", Some(json!({"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"})));
    let everybody = statement(&json!({"AWS": "*"}), &json!("kms:*"));
    put_policy(world, &id, std::slice::from_ref(&everybody));
    assert!(attempt(world, role("barred"), &id).ends_with("with an explicit deny in an identity-based policy"));
    let mut deny = statement(&json!({"AWS": "*"}), &json!("kms:Encrypt"));
    deny["Effect"] = json!("Deny");
    put_policy(world, &id, &[everybody, deny]);
    assert!(attempt(world, role("with"), &id).ends_with("with an explicit deny in a resource-based policy"));
    assert!(attempt(world, root(), &id).ends_with("with an explicit deny in a resource-based policy"));
}

#[test]
fn a_service_is_let_in_by_the_key_policy_under_its_conditions() {
    let world = &mut world();
    let id = key(world);
    let mut logs = statement(&json!({"Service": "logs.eu-west-1.amazonaws.com"}), &json!("kms:GenerateDataKey*"));
    logs["Condition"] = json!({"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:000000000000:log-group:/app/*"}});
    assert_eq!(put_policy(world, &id, &[managed_by_root(), logs]), "{}");
    let mut ask = |name: &str, group: &str| {
        world.principal = Principal::service(name);
        let arn = format!("arn:aws:logs:eu-west-1:000000000000:log-group:{group}");
        let input = json!({"KeyId": id, "KeySpec": "AES_256", "EncryptionContext": {"aws:logs:arn": arn}});
        kms(world, "GenerateDataKey", input).map_or_else(|fault| fault.code, |_| "allowed")
    };
    assert_eq!(ask("logs.eu-west-1.amazonaws.com", "/app/a"), "allowed");
    assert_eq!(ask("logs.eu-west-1.amazonaws.com", "/other/a"), "AccessDeniedException");
    assert_eq!(ask("events.amazonaws.com", "/app/a"), "AccessDeniedException");
}

#[test]
fn source_and_via_are_seen_by_conditions() {
    let world = &mut world();
    let id = key(world);
    let mut events = statement(&json!({"Service": "events.amazonaws.com"}), &json!("kms:Encrypt"));
    events["Condition"] = json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:000000000000:rule/r"},
        "StringEquals": {"aws:SourceAccount": "000000000000"}});
    let mut via = statement(&json!({"AWS": "*"}), &json!("kms:Encrypt"));
    via["Condition"] = json!({"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
        "kms:CallerAccount": "000000000000", "aws:CalledViaLast": "secretsmanager.amazonaws.com"}});
    let mut chain = statement(&json!({"AWS": "*"}), &json!("kms:Encrypt"));
    chain["Condition"] = json!({"StringEquals": {"aws:CalledViaFirst": "cloudformation.amazonaws.com",
        "aws:CalledViaLast": "ssm.amazonaws.com"}, "Bool": {"aws:ViaAWSService": "true"}});
    let mut direct = statement(&json!({"Service": "logs.amazonaws.com"}), &json!("kms:Encrypt"));
    direct["Condition"] = json!({"Null": {"aws:CalledVia": "true"}, "Bool": {"aws:ViaAWSService": "false"}});
    put_policy(world, &id, &[managed_by_root(), events, via, chain, direct]);
    let input = || json!({"KeyId": id, "Plaintext": "YQ=="});
    let (scope, now) = (world.scope.clone(), world.now);
    let mut core = neargate_kernel::Core::open(
        neargate_kernel::Registry::new(world.core().registry().ports, super::services()),
        world.rows(),
        Box::new(neargate_kernel::MemorySegments::default()),
        1,
    )
    .and_then(|core| core.with_vault(neargate_testkit::vault(9)))
    .unwrap();
    let (answers, _) = core.perform(now, &scope, root(), |cx| {
        let by_source = |cx: &mut neargate_kernel::Cx<'_>, rule: &str| {
            let arn = format!("arn:aws:events:eu-west-1:000000000000:rule/{rule}");
            cx.as_service("events.amazonaws.com", &arn, |cx| cx.call_json("kms", "Encrypt", input())).is_ok()
        };
        Ok([
            by_source(cx, "r"),
            by_source(cx, "other"),
            cx.via("secretsmanager", |cx| cx.call_json("kms", "Encrypt", input())).is_ok(),
            cx.via("ssm", |cx| cx.call_json("kms", "Encrypt", input())).is_ok(),
            cx.call_json("kms", "Encrypt", input()).is_ok(),
            // Services that call each other in the caller's name are a chain; what one does as itself is none.
            cx.via("cloudformation", |cx| cx.via("ssm", |cx| cx.call_json("kms", "Encrypt", input()))).is_ok(),
            cx.via("ssm", |cx| cx.via("cloudformation", |cx| cx.call_json("kms", "Encrypt", input()))).is_ok(),
            cx.via("ssm", |cx| {
                cx.as_service("logs.amazonaws.com", "", |cx| cx.call_json("kms", "Encrypt", input())).is_ok()
            }),
        ])
    });
    assert_eq!(answers.unwrap(), [true, false, true, false, false, true, false, true]);
}

#[test]
fn grants_let_a_principal_use_a_key_until_they_are_taken_back() {
    let world = &mut world();
    let id = key(world);
    make_role(world, "task", None);
    let grantee = "arn:aws:iam::000000000000:role/task";
    let grant = json!({"KeyId": id, "GranteePrincipal": grantee, "Operations": ["Encrypt", "Decrypt", "RetireGrant"],
        "Constraints": {"EncryptionContextSubset": {"app": "etl"}}, "Name": "n"});
    let made = kms(world, "CreateGrant", grant.clone()).unwrap();
    assert_eq!(kms(world, "CreateGrant", grant).unwrap(), made, "a named grant is made once");
    world.principal = role("task");
    let context = json!({"app": "etl", "more": "x"});
    let blob = encrypt(world, &id, &context);
    assert!(decrypt(world, &blob, &context).is_ok());
    let outside = kms(world, "Encrypt", json!({"KeyId": id, "Plaintext": "YQ=="})).unwrap_err();
    assert_eq!(outside.code, "AccessDeniedException");
    let listed = json!({"KeyId": id});
    assert_eq!(kms(world, "ListGrants", listed.clone()).unwrap_err().code, "AccessDeniedException");
    world.principal = root();
    assert_eq!(kms(world, "ListGrants", listed.clone()).unwrap()["Grants"][0]["GranteePrincipal"], grantee);
    world.principal = role("task");
    assert_eq!(told(kms(world, "RetireGrant", json!({"GrantToken": made["GrantToken"]}))), "{}");
    assert!(decrypt(world, &blob, &context).is_err());
    world.principal = root();
    assert_eq!(kms(world, "ListGrants", listed).unwrap()["Grants"], json!([]));
    let gone = json!({"KeyId": id, "GrantId": made["GrantId"]});
    assert!(told(kms(world, "RevokeGrant", gone)).starts_with("400 NotFoundException: Grant ID "));
}

#[test]
fn policies_that_lock_out_or_name_nobody_are_refused() {
    let world = &mut world();
    let id = key(world);
    make_role(world, "admin", None);
    let only = |who: &str| statement(&json!({"AWS": format!("arn:aws:iam::000000000000:role/{who}")}), &json!("kms:*"));
    expect!["400 MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."]
        .assert_eq(&put_policy(world, &id, &[only("admin")]));
    expect!["400 MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals."]
        .assert_eq(&put_policy(world, &id, &[managed_by_root(), only("nobody")]));
    let bypass = json!({"KeyId": id, "BypassPolicyLockoutSafetyCheck": true,
        "Policy": json!({"Version": "2012-10-17", "Statement": [only("admin")]}).to_string()});
    kms(world, "PutKeyPolicy", bypass).unwrap();
    assert!(attempt(world, root(), &id).contains("no resource-based policy"));
    assert_eq!(attempt(world, role("admin"), &id), "allowed");
    let broken = kms(world, "CreateKey", json!({"Policy": "{}"})).unwrap_err();
    assert_eq!(broken.code, "MalformedPolicyDocumentException");
}

#[test]
fn a_services_own_key_serves_through_the_service_only() {
    let world = &mut world();
    let direct = json!({"KeyId": "alias/aws/secretsmanager", "Plaintext": "YQ=="});
    assert_eq!(kms(world, "Encrypt", direct.clone()).unwrap_err().code, "AccessDeniedException");
    let made = kms(world, "DescribeKey", json!({"KeyId": "alias/aws/secretsmanager"})).unwrap();
    assert_eq!(made["KeyMetadata"]["KeyManager"], "AWS");
    let id = made["KeyMetadata"]["KeyId"].clone();
    let status = kms(world, "GetKeyRotationStatus", json!({"KeyId": id})).unwrap();
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(365)));
    for (operation, input) in [
        ("Encrypt", direct),
        ("ScheduleKeyDeletion", json!({"KeyId": id})),
        ("DisableKeyRotation", json!({"KeyId": id})),
        ("PutKeyPolicy", json!({"KeyId": id, "Policy": "{}"})),
    ] {
        assert_eq!(kms(world, operation, input).unwrap_err().code, "AccessDeniedException", "{operation}");
    }
}

#[test]
fn another_account_needs_both_sides() {
    let world = &mut world();
    let id = key(world);
    let arn = super::arn(&id);
    let other = neargate_base::Account::new("111111111111");
    let from_there = |world: &mut Harness, who: Principal| {
        let (scope, principal) = (world.scope.clone(), world.principal.clone());
        world.scope = neargate_base::Scope::new("111111111111", "eu-west-1");
        world.principal = who;
        let answer = kms(world, "Encrypt", json!({"KeyId": arn, "Plaintext": "YQ=="})).is_ok();
        (world.scope, world.principal) = (scope, principal);
        answer
    };
    assert!(!from_there(world, Principal::root(&other)));
    let them = statement(&json!({"AWS": "arn:aws:iam::111111111111:root"}), &json!("kms:Encrypt"));
    assert_eq!(put_policy(world, &id, &[managed_by_root(), them]), "{}");
    assert!(from_there(world, Principal::root(&other)));
    let scope = std::mem::replace(&mut world.scope, neargate_base::Scope::new("111111111111", "eu-west-1"));
    world.principal = Principal::root(&other);
    make_role(world, "with", all());
    make_role(world, "without", None);
    (world.scope, world.principal) = (scope, root());
    let of = |name: &str| Principal::role(&other, name, "s");
    assert!(from_there(world, of("with")));
    assert!(!from_there(world, of("without")));
}
