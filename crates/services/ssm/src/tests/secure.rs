//! `SecureString`, with KMS and IAM in a real core.

use expect_test::expect;
use neargate_base::Account;
use neargate_kernel::{Fault, Ports, Principal};
use neargate_shape::scalar::{base64_decode, base64_encode};
use neargate_testkit::{Harness, OnePool, Silence};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const ARN: &str = "arn:aws:ssm:eu-west-1:000000000000:parameter";

fn world() -> Harness {
    let ports = Ports { authorizer: &neargate_iam::Iam, events: &Silence, networks: &OnePool };
    let services = || vec![crate::service(), neargate_iam::service(), neargate_kms::service()];
    Harness::new(services, ports).unwrap()
}

fn root() -> Principal {
    Principal::root(&Account::new("000000000000"))
}

fn ask(world: &mut Harness, operation: &str, input: Json) -> Result<Json, Fault> {
    world.call("ssm", operation, input)
}

/// Code and text, ids of keys and requests left out.
fn told(answer: Result<Json, Fault>) -> String {
    let text = match answer {
        Ok(answer) => answer.to_string(),
        Err(fault) => format!("{} {fault}", fault.status),
    };
    let mut shown = text.split("key/").next().unwrap_or_default().to_owned();
    for part in text.split("key/").skip(1) {
        shown += &format!("key/<id>{}", part.get(36..).unwrap_or_default());
    }
    shown.replace("00000000-0000-4000-8000-000000000000", "<request>")
}

fn put(world: &mut Harness, name: &str, value: &str, more: Json) -> Result<Json, Fault> {
    let mut input = json!({"Name": name, "Value": value, "Type": "SecureString"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(world, "PutParameter", input)
}

fn value(world: &mut Harness, name: &str, with_decryption: bool) -> String {
    let input = json!({"Name": name, "WithDecryption": with_decryption});
    match ask(world, "GetParameter", input) {
        Ok(answer) => answer["Parameter"]["Value"].as_str().unwrap().to_owned(),
        Err(fault) => told(Err(fault)),
    }
}

fn key(world: &mut Harness) -> String {
    let made = world.call("kms", "CreateKey", json!({})).unwrap();
    made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

/// What follows is asked by a role that may do these things.
fn as_role(world: &mut Harness, name: &str, statements: &Json) {
    world.principal = root();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.call("iam", "CreateRole", input).unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let input = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": document});
    world.call("iam", "PutRolePolicy", input).unwrap();
    let (account, role_name) = (Account::new("000000000000"), name.to_owned());
    world.principal = Principal::role(&account, &role_name, "s");
}

fn statement(actions: &Json) -> Json {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn holds(world: &mut Harness, text: &str) -> bool {
    let base64 = base64_encode(text.as_bytes());
    let found = |body: &[u8], text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    world.rows().iter().any(|row| found(&row.body, text) || found(&row.body, base64.trim_end_matches('=')))
}

#[test]
fn a_secure_string_is_decrypted_for_who_asks_and_lies_nowhere_in_the_clear() {
    let world = &mut world();
    for (name, tier) in [("/app/standard", "Standard"), ("/app/advanced", "Advanced"), ("plain", "Standard")] {
        let answer = put(world, name, "needle-4711", json!({"Tier": tier})).unwrap();
        assert_eq!(answer, json!({"Version": 1, "Tier": tier}));
        assert_eq!(value(world, name, true), "needle-4711", "{name}");
        let text = value(world, name, false);
        assert!(base64_decode(&text).is_some_and(|bytes| bytes.len() > 60) && !text.contains("needle"), "{text}");
        assert_eq!(value(world, &format!("{name}:1"), true), "needle-4711");
        assert_eq!(value(world, &format!("{ARN}/{}", name.trim_start_matches('/')), true), "needle-4711");
    }
    assert!(!holds(world, "needle-4711"));
    ask(world, "PutParameter", json!({"Name": "open", "Value": "needle-4711", "Type": "String"})).unwrap();
    assert!(holds(world, "needle-4711"), "what is no SecureString is not encrypted");
    world.restart().unwrap();
    assert_eq!(value(world, "/app/advanced", true), "needle-4711");
    let shown = ask(world, "DescribeParameters", json!({})).unwrap()["Parameters"].clone();
    let keys: Vec<_> = shown.as_array().unwrap().iter().map(|it| it["KeyId"].as_str().unwrap_or("-")).collect();
    assert_eq!(keys, ["alias/aws/ssm", "alias/aws/ssm", "-", "alias/aws/ssm"]);
}

#[test]
fn a_standard_value_is_a_ciphertext_of_kms_bound_to_the_parameter() {
    let world = &mut world();
    let key = key(world);
    put(world, "/app/a", "x", json!({"KeyId": key})).unwrap();
    let text = value(world, "/app/a", false);
    let mut decrypt = |context: Json| {
        let input = json!({"CiphertextBlob": text, "EncryptionContext": context});
        world.call("kms", "Decrypt", input).map_or_else(|fault| fault.code.to_owned(), |it| it["Plaintext"].to_string())
    };
    assert_eq!(decrypt(json!({"PARAMETER_ARN": format!("{ARN}/app/a")})), r#""eA==""#);
    assert_eq!(decrypt(json!({"PARAMETER_ARN": format!("{ARN}/app/b")})), "InvalidCiphertextException");
}

#[test]
fn versions_keep_the_key_they_were_encrypted_with() {
    let world = &mut world();
    let key = key(world);
    world.call("kms", "CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": key})).unwrap();
    put(world, "a", "one", json!({"KeyId": "alias/app"})).unwrap();
    ask(world, "PutParameter", json!({"Name": "a", "Value": "two", "Overwrite": true})).unwrap();
    put(world, "a", "three", json!({"Overwrite": true, "Tier": "Advanced", "KeyId": key})).unwrap();
    let history = |world: &mut Harness, with_decryption: bool| {
        let answer =
            ask(world, "GetParameterHistory", json!({"Name": "a", "WithDecryption": with_decryption})).unwrap();
        let line =
            |it: &Json| format!("{}/{}/{}", it["Value"].as_str().unwrap(), it["KeyId"].as_str().unwrap(), it["Type"]);
        answer["Parameters"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(" ").replace(&key, "<key>")
    };
    assert_eq!(
        history(world, true),
        r#"one/alias/app/"SecureString" two/alias/aws/ssm/"SecureString" three/<key>/"SecureString""#
    );
    let text = history(world, false);
    assert!(!text.contains("one") && !text.contains("two/") && !text.contains("three/"), "{text}");
    for (key_id, found) in [("alias/app", 0), (key.as_str(), 1)] {
        let filter = json!({"ParameterFilters": [{"Key": "KeyId", "Values": [key_id]}]});
        let answer = ask(world, "DescribeParameters", filter).unwrap();
        assert_eq!(answer["Parameters"].as_array().unwrap().len(), found, "{key_id}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = &mut world();
    put(world, "a", "x", json!({})).unwrap();
    ask(world, "PutParameter", json!({"Name": "s", "Value": "x", "Type": "String"})).unwrap();
    let mut text = String::new();
    for input in [
        json!({"Name": "a", "Value": "x", "Type": "String", "Overwrite": true}),
        json!({"Name": "s", "Value": "x", "Type": "SecureString", "Overwrite": true}),
        json!({"Name": "s", "Value": "x", "KeyId": "alias/aws/ssm", "Overwrite": true}),
        json!({"Name": "b", "Value": "é".repeat(2049), "Type": "SecureString"}),
        json!({"Name": "b", "Value": "x".repeat(8193), "Type": "SecureString", "Tier": "Advanced"}),
        json!({"Name": "b", "Value": "", "Type": "SecureString"}),
        json!({"Name": "b", "Value": "x", "Type": "SecureString", "KeyId": "alias/none"}),
        json!({"Name": "b", "Value": "x", "Type": "SecureString", "KeyId": "none"}),
        json!({"Name": "b", "Value": "x", "Type": "SecureString", "KeyId": "11111111-1111-4111-8111-111111111111"}),
        json!({"Name": "b", "Value": "x", "Type": "SecureString", "KeyId": "no such key"}),
    ] {
        text += &format!("{}\n", told(ask(world, "PutParameter", input)));
    }
    expect![[r#"
        400 HierarchyTypeMismatchException: The parameter type can't be changed from SecureString to String. Create a new parameter with a unique name.
        400 HierarchyTypeMismatchException: The parameter type can't be changed from String to SecureString. Create a new parameter with a unique name.
        400 ValidationException: KeyId is required for SecureString type parameter only.
        400 ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
        400 ValidationException: Advanced tier parameters support a maximum parameter value of 8192 characters.
        400 ValidationException: 1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.
        400 InvalidKeyId: Alias arn:aws:kms:eu-west-1:000000000000:alias/none is not found. (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: <request>; Proxy: null)
        400 InvalidKeyId: Invalid keyId 'none' (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: <request>; Proxy: null)
        400 InvalidKeyId: Key 'arn:aws:kms:eu-west-1:000000000000:key/<id>' does not exist (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: <request>; Proxy: null)
        400 ValidationException: 1 validation error detected: Value 'no such key' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-zA-Z0-9:/_-]+)$
    "#]].assert_eq(&text);
    assert_eq!(value(world, "a", true), "x");
    for tier in ["Standard", "Advanced"] {
        let largest = "é".repeat(if tier == "Standard" { 2048 } else { 4096 });
        put(world, &format!("{tier}-largest"), &largest, json!({"Tier": tier})).unwrap();
        assert_eq!(value(world, &format!("{tier}-largest"), true), largest);
    }
}

#[test]
fn the_caller_needs_the_key_whatever_it_may_do_here() {
    let world = &mut world();
    let key = key(world);
    for (name, tier) in [("standard", "Standard"), ("advanced", "Advanced")] {
        put(world, name, "x", json!({"KeyId": key, "Tier": tier})).unwrap();
    }
    put(world, "default", "x", json!({})).unwrap();
    let mut text = String::new();
    for actions in ["kms:ListKeys", "kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"] {
        as_role(world, &actions.replace(':', "-"), &json!([statement(&json!(["ssm:*", actions]))]));
        let does = |answer: Result<Json, Fault>| answer.map_or_else(|fault| fault.code, |_| "ok");
        let over = |tier: &str| json!({"KeyId": key, "Overwrite": true, "Tier": tier});
        let standard = does(put(world, "standard", "x", over("Standard")));
        let advanced = does(put(world, "advanced", "x", over("Advanced")));
        let all = json!({"Names": ["standard", "advanced"], "WithDecryption": true});
        let read = does(ask(world, "GetParameters", all));
        let cipher = does(ask(world, "GetParameters", json!({"Names": ["standard", "advanced"]})));
        let default = value(world, "default", true);
        text += &format!(
            "{actions}: put {standard} {advanced}, read {read}, read encrypted {cipher}, under the default key {default}\n"
        );
    }
    expect![[r#"
        kms:ListKeys: put AccessDeniedException AccessDeniedException, read AccessDeniedException, read encrypted ok, under the default key x
        kms:Encrypt: put ok AccessDeniedException, read AccessDeniedException, read encrypted ok, under the default key x
        kms:GenerateDataKey: put AccessDeniedException ok, read AccessDeniedException, read encrypted ok, under the default key x
        kms:Decrypt: put AccessDeniedException AccessDeniedException, read ok, read encrypted ok, under the default key x
    "#]].assert_eq(&text);
    as_role(world, "denied", &json!([statement(&json!("ssm:*"))]));
    expect!["400 AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/denied/s is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:000000000000:key/<id> because no identity-based policy allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: <request>; Proxy: null)"].assert_eq(&value(world, "standard", true));
    let by_path = json!({"Path": "/", "WithDecryption": true});
    assert!(told(ask(world, "GetParametersByPath", by_path)).contains("is not authorized to perform: kms:Decrypt"));
    let history = json!({"Name": "advanced", "WithDecryption": true});
    assert!(told(ask(world, "GetParameterHistory", history)).contains("is not authorized to perform: kms:Decrypt"));
}

#[test]
fn a_key_that_is_switched_off_is_invalid() {
    let world = &mut world();
    let key = key(world);
    for (name, tier) in [("standard", "Standard"), ("advanced", "Advanced")] {
        put(world, name, "x", json!({"KeyId": key, "Tier": tier})).unwrap();
    }
    world.call("kms", "DisableKey", json!({"KeyId": key})).unwrap();
    expect!["400 InvalidKeyId: arn:aws:kms:eu-west-1:000000000000:key/<id> is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: <request>; Proxy: null)"].assert_eq(&value(world, "standard", true));
    assert_eq!(value(world, "standard", true), value(world, "advanced", true));
    let over = json!({"KeyId": key, "Overwrite": true});
    assert!(told(put(world, "standard", "y", over)).starts_with("400 InvalidKeyId: "));
    assert!(value(world, "standard", false).len() > 60, "the ciphertext needs no key");
    world.call("kms", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).unwrap();
    expect!["400 InvalidKeyId: arn:aws:kms:eu-west-1:000000000000:key/<id> is pending deletion. (Service: AWSKMS; Status Code: 400; Error Code: KMSInvalidStateException; Request ID: <request>; Proxy: null)"].assert_eq(&value(world, "standard", true));
    world.call("kms", "CancelKeyDeletion", json!({"KeyId": key})).unwrap();
    world.call("kms", "EnableKey", json!({"KeyId": key})).unwrap();
    assert_eq!(value(world, "standard", true), "x");
    assert_eq!(value(world, "advanced", true), "x");
}

/// As the execution role of a task gets what its containers are given.
#[test]
fn a_tasks_execution_role_reads_by_name_and_by_arn() {
    let world = &mut world();
    let key = key(world);
    put(world, "/app/password", "hunter2", json!({"KeyId": key})).unwrap();
    put(world, "plain", "p", json!({"KeyId": key, "Tier": "Advanced"})).unwrap();
    let mut decrypt = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key});
    decrypt["Condition"] = json!({"StringEquals": {"kms:ViaService": "ssm.eu-west-1.amazonaws.com"}});
    let read = json!({"Effect": "Allow", "Action": "ssm:GetParameters",
        "Resource": [format!("{ARN}/app/*"), format!("{ARN}/plain"), format!("{ARN}/none"), "arn:aws:ssm:eu-west-1:111111111111:parameter/plain"]});
    as_role(world, "execution", &json!([read, decrypt]));
    let names = json!([
        format!("{ARN}/app/password"),
        "/app/none",
        format!("{ARN}/plain"),
        format!("{ARN}/none:1"),
        "/app/password:1",
        "/app/password:9"
    ]);
    let answer = ask(world, "GetParameters", json!({"Names": names, "WithDecryption": true})).unwrap();
    let found: Vec<_> =
        answer["Parameters"].as_array().unwrap().iter().map(|it| format!("{}={}", it["Name"], it["Value"])).collect();
    assert_eq!(found, [r#""/app/password"="hunter2""#, r#""plain"="p""#, r#""/app/password"="hunter2""#]);
    expect![[r#"["/app/none","arn:aws:ssm:eu-west-1:000000000000:parameter/none:1","/app/password:9"]"#]]
        .assert_eq(&answer["InvalidParameters"].to_string());
    // Another account's parameter is let in by that account alone.
    let elsewhere = json!(["arn:aws:ssm:eu-west-1:111111111111:parameter/plain"]);
    let fault = ask(world, "GetParameters", json!({"Names": elsewhere})).unwrap_err();
    expect!["User: arn:aws:sts::000000000000:assumed-role/execution/s is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:111111111111:parameter/plain because no resource-based policy allows the ssm:GetParameters action"].assert_eq(&fault.message);
    let other = json!({"Names": ["other"], "WithDecryption": true});
    assert!(told(ask(world, "GetParameters", other)).contains("is not authorized to perform: ssm:GetParameters"));
    // The key serves through Parameter Store only.
    let text = json!({"Names": ["/app/password"]});
    let blob = ask(world, "GetParameters", text).unwrap()["Parameters"][0]["Value"].clone();
    let direct = json!({"CiphertextBlob": blob, "EncryptionContext": {"PARAMETER_ARN": format!("{ARN}/app/password")}});
    assert_eq!(world.call("kms", "Decrypt", direct).unwrap_err().code, "AccessDeniedException");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_put_is_got(text in "\\PC{1,300}", advanced: bool, named: bool) {
        let world = &mut world();
        let tier = if advanced { "Advanced" } else { "Standard" };
        let more = if named { json!({"Tier": tier, "KeyId": key(world)}) } else { json!({"Tier": tier}) };
        put(world, "/p", &text, more).unwrap();
        prop_assert_eq!(value(world, "/p", true), text.as_str());
        prop_assert_ne!(value(world, "/p", false), text);
    }
}
