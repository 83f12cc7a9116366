use neargate_constructs::ecs::{
    self, ContainerDefinitionProps, ContainerImage, FargateTaskDefinition, FargateTaskDefinitionProps,
    SecretVersionInfo,
};
use neargate_constructs::iam::{PolicyDocument, PolicyStatement, Principal, Role, RoleProps};
use neargate_constructs::kms::{Alias, AliasProps, Key, KeyProps};
use neargate_constructs::logs::{LogGroup, LogGroupClass, LogGroupProps, RetentionDays};
use neargate_constructs::secretsmanager::{Secret, SecretAttributes, SecretProps, SecretStringGenerator};
use neargate_constructs::{
    App, CfnOutput, CfnOutputProps, CfnParameter, CfnParameterProps, Duration, RemovalPolicy, Stack, StackProps, Value,
};
use serde_json::{Value as Plain, json};

use super::{app, assert_same, check, fixed, here};

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012";

fn role(stack: &Stack) -> Role {
    let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
    Role::new(stack, "Role", RoleProps { assumed_by, ..Default::default() })
}

fn statement(action: &str, service: &str) -> PolicyStatement {
    PolicyStatement {
        actions: vec![action.into()],
        resources: vec!["*".into()],
        principals: vec![Principal::service(service)],
        ..Default::default()
    }
}

fn output(stack: &Stack, id: &str, values: &[Value<String>]) {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    CfnOutput::new(stack, id, CfnOutputProps { value: Some(values.join(",").into()), ..Default::default() });
}

/// What we add to the policy of a log group's key: the CDK leaves it out, and CloudWatch Logs refuses the key.
fn of_cloudwatch_logs(log_group: &str) -> Plain {
    let join = |parts: Plain| json!({"Fn::Join": ["", parts]});
    let [region, account, partition, suffix] =
        ["Region", "AccountId", "Partition", "URLSuffix"].map(|name| json!({"Ref": format!("AWS::{name}")}));
    let arn = json!(["arn:", partition, ":logs:", region, ":", account, format!(":log-group:{log_group}")]);
    json!({
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": join(arn)}},
        "Effect": "Allow",
        "Principal": {"Service": join(json!(["logs.", region, ".", suffix]))},
        "Resource": "*",
    })
}

#[test]
fn keys_equal_the_cdk_s_but_for_what_cloudwatch_logs_needs() {
    let app = app();
    let stack = Stack::new(&app, "Keys", StackProps::default());
    let role = role(&stack);
    let plain = Key::new(&stack, "Plain", KeyProps::default());
    let full = KeyProps {
        alias: Some("alias/jobs".into()),
        description: Some("jobs".into()),
        rotation_period: Some(Duration::days(180)),
        enabled: Some(false),
        pending_window: Some(Duration::days(7)),
        multi_region: Some(true),
        removal_policy: Some(RemovalPolicy::Destroy),
        ..Default::default()
    };
    let full = Key::new(&stack, "Full", full);
    assert_eq!(full.add_alias("again").alias_name(), "alias/again");
    let closed = PolicyDocument { statements: vec![statement("kms:*", "sns.amazonaws.com")] };
    let closed = KeyProps { enable_key_rotation: Some(false), policy: Some(closed), ..Default::default() };
    Key::new(&stack, "Closed", closed);
    assert!(plain.add_to_resource_policy(statement("kms:Decrypt", "sqs.amazonaws.com")));
    let known = Key::from_key_arn(&stack, "Known", KEY_ARN);
    assert!(!known.add_to_resource_policy(statement("kms:Decrypt", "sqs.amazonaws.com")));
    plain.grant_decrypt(&role);
    full.grant_encrypt(&role);
    known.grant_encrypt_decrypt(&role);
    full.grant(&role, &["kms:DescribeKey"]);
    let removal_policy = Some(RemovalPolicy::Retain);
    let other = AliasProps { alias_name: "other".into(), target_key: Some(known.clone()), removal_policy };
    Alias::new(&stack, "Other", other);
    let encrypted = |id: &str, key: &Key, name: Option<&str>| {
        let log_group_name = name.map(str::to_owned);
        let props = LogGroupProps { encryption_key: Some(key.clone()), log_group_name, ..Default::default() };
        LogGroup::new(&stack, id, props);
    };
    encrypted("Log", &plain, None);
    encrypted("NamedLog", &plain, Some("/jobs/named"));
    encrypted("KnownKeyLog", &known, None);
    output(&stack, "Ids", &[plain.key_id(), plain.key_arn(), known.key_id(), known.key_arn()]);

    let text = std::fs::read_to_string(here().join("templates/Keys.template.json")).unwrap();
    let mut expected: Plain = serde_json::from_str(&text).unwrap();
    let statements = &mut expected["Resources"]["Plain295EB121"]["Properties"]["KeyPolicy"]["Statement"];
    statements.as_array_mut().unwrap().extend([of_cloudwatch_logs("*"), of_cloudwatch_logs("/jobs/named")]);
    assert_same(&expected, &app.assemble().unwrap().stack("Keys").unwrap().template);
}

fn secrets(stack: &Stack) {
    let role = role(stack);
    let key = Key::new(stack, "Key", KeyProps::default());
    let plain = Secret::new(stack, "Plain", SecretProps::default());
    let generator = SecretStringGenerator {
        exclude_characters: Some("\"".into()),
        exclude_lowercase: Some(false),
        exclude_numbers: Some(true),
        exclude_punctuation: Some(true),
        exclude_uppercase: Some(false),
        include_space: Some(false),
        password_length: Some(40),
        require_each_included_type: Some(false),
        secret_string_template: Some(r#"{"user":"job"}"#.into()),
        generate_string_key: Some("password".into()),
    };
    let full = SecretProps {
        secret_name: Some("jobs/api".into()),
        description: Some("credentials".into()),
        encryption_key: Some(key.clone()),
        removal_policy: Some(RemovalPolicy::Retain),
        generate_secret_string: Some(generator),
        ..Default::default()
    };
    let full = Secret::new(stack, "Full", full);
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/{name}");
    let complete = Secret::from_secret_complete_arn(stack, "Complete", arn("creds-AbCdEf"));
    let partial = Secret::from_secret_partial_arn(stack, "Partial", arn("other"));
    let named = Secret::from_secret_name(stack, "Named", "app/named");
    let encrypted = SecretAttributes {
        secret_complete_arn: Some(arn("locked-GhIjKl").into()),
        encryption_key: Some(key.clone()),
        ..Default::default()
    };
    let encrypted = Secret::from_secret_attributes(stack, "Encrypted", encrypted);
    assert_eq!((complete.encryption_key(), encrypted.encryption_key()), (None, Some(&key)));
    let stage = SecretVersionInfo { version_stage: Some("AWSPREVIOUS".into()), ..Default::default() };
    let version = SecretVersionInfo { version_id: Some("0123".into()), ..Default::default() };
    let variables = [
        ("WHOLE", ecs::Secret::from_secrets_manager(&plain, None)),
        ("FIELD", ecs::Secret::from_secrets_manager(&full, Some("password"))),
        ("NAMED", ecs::Secret::from_secrets_manager(&named, Some("apiKey"))),
        ("PARTIAL", ecs::Secret::from_secrets_manager(&partial, Some(""))),
        ("STAGE", ecs::Secret::from_secrets_manager_version(&complete, stage, Some("apiKey"))),
        ("VERSION", ecs::Secret::from_secrets_manager_version(&complete, version, None)),
        ("LOCKED", ecs::Secret::from_secrets_manager(&encrypted, Some("pin"))),
    ];
    let task = FargateTaskDefinition::new(stack, "Task", FargateTaskDefinitionProps::default());
    let container = ContainerDefinitionProps {
        image: Some(ContainerImage::from_registry("busybox:1.37")),
        secrets: variables.into_iter().map(|(name, secret)| (name.to_owned(), secret)).collect(),
        ..Default::default()
    };
    task.add_container("app", container);
    [&plain, &full, &complete, &partial, &named, &encrypted].iter().for_each(|secret| secret.grant_read(&role));
    full.grant_write(&role);
    plain.grant_write(&role);
    output(stack, "NamedArn", &[named.secret_arn()]);
}

#[test]
fn secrets_equal_the_cdk_s() {
    let app = app();
    secrets(&Stack::new(&app, "Secrets", StackProps::default()));
    secrets(&Stack::new(&app, "FixedSecrets", fixed()));
    check(&app, &["Secrets", "FixedSecrets"]);
}

#[test]
fn values_of_deployment_are_taken_as_they_are() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let parameter = |id: &str| CfnParameter::new(&stack, id, CfnParameterProps::default()).value_as_string();
    let key = Key::from_key_arn(&stack, "Key", parameter("KeyArn"));
    key.add_alias(&format!("jobs-{}", stack.region()));
    Secret::from_secret_complete_arn(&stack, "Secret", parameter("SecretArn"));
    let value = SecretProps { secret_string_value: Some(parameter("Value")), ..Default::default() };
    Secret::new(&stack, "Own", value);
    output(&stack, "Id", &[key.key_id()]);
    let template = &app.assemble().unwrap().stacks[0].template;
    assert_eq!(template["Outputs"]["Id"]["Value"], json!({"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "KeyArn"}]}]}));
    let properties = |kind: &str| {
        let all = template["Resources"].as_object().unwrap();
        all.values().find(|resource| resource["Type"] == kind).unwrap()["Properties"].clone()
    };
    assert_eq!(
        properties("AWS::KMS::Alias"),
        json!({"AliasName": {"Fn::Join": ["", ["alias/jobs-", {"Ref": "AWS::Region"}]]}, "TargetKeyId": {"Ref": "KeyArn"}})
    );
    assert_eq!(properties("AWS::SecretsManager::Secret"), json!({"SecretString": {"Ref": "Value"}}));
}

fn found(app: &App) -> Vec<String> {
    let found = app.assemble().unwrap_err();
    found.iter().map(|d| format!("{} {}: {} | {}", d.code, d.path, d.message, d.hints.join(" "))).collect()
}

#[test]
fn what_aws_would_refuse_is_reported_with_a_way_out() {
    let app = app();
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let key = KeyProps {
        alias: Some("alias/aws/jobs".into()),
        rotation_period: Some(Duration::days(30)),
        enable_key_rotation: Some(false),
        pending_window: Some(Duration::days(31)),
        ..Default::default()
    };
    Key::new(&stack, "Key", key).add_alias("no spaces");
    Key::from_key_arn(&stack, "Import", "alias/jobs");
    Alias::new(&stack, "Alias", AliasProps { alias_name: "alias/".into(), ..Default::default() });
    let secret = SecretProps {
        secret_name: Some("no spaces".into()),
        secret_string_value: Some("x".into()),
        generate_secret_string: Some(SecretStringGenerator {
            password_length: Some(0),
            generate_string_key: Some("key".into()),
            ..Default::default()
        }),
        ..Default::default()
    };
    Secret::new(&stack, "Secret", secret);
    Secret::from_secret_partial_arn(&stack, "Bucket", "arn:aws:s3:::bucket");
    Secret::from_secret_complete_arn(&stack, "Short", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds");
    Secret::from_secret_attributes(&stack, "Neither", SecretAttributes::default());
    let days = |days| LogGroupProps { retention: Some(RetentionDays::Days(days)), ..Default::default() };
    LogGroup::new(&stack, "Valid", days(731));
    LogGroup::new(&stack, "Ten", days(10));
    LogGroup::new(&stack, "Ages", days(99_999));
    let delivery = LogGroupProps { log_group_class: Some(LogGroupClass::Delivery), ..Default::default() };
    LogGroup::new(&stack, "Delivery", delivery);
    let expected = [
        "NG-C0410 Stack/Key: `rotation_period` is 30 days: expected 90 to 2560 | the nearest is `Duration::days(90)`",
        "NG-C0410 Stack/Key: `pending_window` is 31 days: expected 7 to 30 | the nearest is `Duration::days(30)`",
        "NG-C0410 Stack/Key: `rotation_period` is given, but `enable_key_rotation` is off | leave out one of the two",
        "NG-C0410 Stack/Key/Alias: `alias/aws/jobs` begins with `alias/aws/`, which is for AWS's own keys | take another name",
        "NG-C0410 Stack/Key/Aliasno spaces: `alias/no spaces` is no alias | take up to 250 letters, digits and `:/_-`, with or without `alias/` in front",
        "NG-C0410 Stack/Import: `alias/jobs` is no ARN of a key | write it as `arn:aws:kms:<region>:<account>:key/<key id>`",
        "NG-C0410 Stack/Alias: `alias/` is no alias | take up to 250 letters, digits and `:/_-`, with or without `alias/` in front",
        "NG-C0420 Stack/Secret: `generate_secret_string` and `secret_string_value` are both given | a secret has one value: give one of the two",
        "NG-C0420 Stack/Secret: `no spaces` is no name of a secret | take 1 to 512 letters, digits and `/_+=.@-`",
        "NG-C0420 Stack/Secret: `password_length` is 0: expected 1 to 4096 | leave it out for 32",
        "NG-C0420 Stack/Secret: `secret_string_template` and `generate_string_key` are given one without the other | the key says where in the template the value is put: give both",
        "NG-C0420 Stack/Bucket: `arn:aws:s3:::bucket` is no ARN of a secret | write it as `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>`",
        "NG-C0420 Stack/Short: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds` is not complete: the six characters that Secrets Manager adds are missing | give the ARN that `aws secretsmanager describe-secret` shows, or take the secret in by its name",
        "NG-C0420 Stack/Neither: the secret needs exactly one of `secret_complete_arn` and `secret_partial_arn` | give one of the two",
        "NG-C0600 Stack/Ten: events cannot be kept for 10 days | the nearest that CloudWatch Logs has is 7: `RetentionDays::Days(7)`",
        "NG-C0600 Stack/Ages: events cannot be kept for 99999 days | the nearest that CloudWatch Logs has is 3653: `RetentionDays::Days(3653)`",
        "NG-C0003 Stack/Alias/Resource: `AWS::KMS::Alias` needs `TargetKeyId` | ",
    ];
    assert_eq!(found(&app), expected);
}

#[test]
fn a_key_whose_policy_cannot_say_it_is_granted_in_the_role_s() {
    let app = app();
    let keys = Stack::new(&app, "Keys", fixed());
    let elsewhere = Key::new(&keys, "Key", KeyProps::default());
    let stack = Stack::new(&app, "Stack", fixed());
    let role = role(&stack);
    for (id, key) in [("A", elsewhere), ("B", Key::from_key_arn(&stack, "Known", KEY_ARN))] {
        let name = SecretAttributes {
            secret_partial_arn: Some("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x".into()),
            encryption_key: Some(key),
            ..Default::default()
        };
        Secret::from_secret_attributes(&stack, id, name).grant_read(&role);
    }
    let assembly = app.assemble().unwrap();
    let resources = &assembly.stack("Stack").unwrap().template["Resources"];
    let statement = &resources["RoleDefaultPolicy5FFB7DAB"]["Properties"]["PolicyDocument"]["Statement"][1];
    assert_eq!(statement["Action"], "kms:Decrypt");
    assert_eq!(
        statement["Condition"],
        json!({"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}})
    );
    assert_eq!(statement["Resource"][0], KEY_ARN);
    assert_eq!(statement["Resource"][1]["Fn::GetStackOutput"]["StackName"], "Keys");
}
