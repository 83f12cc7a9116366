//! `--fix-log-key`: a customer key that CloudWatch Logs may not use, mended in the template that is deployed.
//!
//! The CDK's `LogGroup` with an `encryptionKey` adds nothing to the key's policy, and CloudWatch Logs then refuses to make the group:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>.
//!
//! Invariant: only a key that the template itself makes is mended, and only by adding a statement.

use std::collections::BTreeSet;

use neargate_template::Template;
use serde_json::{Map, Value as Json, json};

use super::synth::{Stack, Synthesized, called};

/// Logical ids of the keys of log groups whose policies say nothing of CloudWatch Logs.
fn lacking(template: &Template) -> BTreeSet<String> {
    let Some(resources) = template.document.get("Resources").and_then(Json::as_object) else { return BTreeSet::new() };
    let groups = resources.values().filter(|it| is_a(it, "AWS::Logs::LogGroup"));
    let keys = groups.filter_map(|group| referred(group.pointer("/Properties/KmsKeyId")?));
    let own = keys.filter(|key| resources.get(key).is_some_and(|it| is_a(it, "AWS::KMS::Key")));
    own.filter(|key| resources.get(key).is_some_and(|key| !allows_logs(key))).collect()
}

/// Adds the statement to every key that lacks it; answers which keys those are.
pub(crate) fn mend(made: &mut Synthesized) -> Vec<String> {
    made.stacks.iter_mut().flat_map(mend_stack).collect()
}

fn mend_stack(stack: &mut Stack) -> Vec<String> {
    let keys = lacking(&stack.template);
    let mut document = stack.template.document.clone();
    for key in &keys {
        if let Some(resource) = document.pointer_mut("/Resources").and_then(|it| it.get_mut(key)) {
            add_statement(resource);
        }
    }
    let body = serde_json::to_string_pretty(&document).unwrap_or_default();
    match Template::parse(&body, &stack.template.file) {
        (Some(template), _) if !keys.is_empty() => {
            let names = keys.iter().map(|key| called(&template, key)).collect();
            (stack.body, stack.template) = (body, template);
            names
        }
        _ => vec![],
    }
}

fn is_a(resource: &Json, resource_type: &str) -> bool {
    resource.get("Type").and_then(Json::as_str) == Some(resource_type)
}

/// The logical id in `Fn::GetAtt` or `Ref`.
fn referred(value: &Json) -> Option<String> {
    if let Some(name) = value.get("Ref").and_then(Json::as_str) {
        return Some(name.to_owned());
    }
    match value.get("Fn::GetAtt")? {
        Json::String(text) => text.split('.').next().map(str::to_owned),
        Json::Array(parts) => parts.first()?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Whether a statement allows something to `logs.REGION`, or to everybody.
fn allows_logs(key: &Json) -> bool {
    let statements = match key.pointer("/Properties/KeyPolicy/Statement") {
        Some(Json::Array(statements)) => statements.iter().collect(),
        Some(one @ Json::Object(_)) => vec![one],
        // A policy that is a function's result cannot be looked into.
        Some(_) => return true,
        None if key.pointer("/Properties/KeyPolicy").is_some_and(|it| it.get("Version").is_none()) => return true,
        None => vec![],
    };
    let allows = |statement: &Json| {
        let principal = statement.get("Principal").unwrap_or(&Json::Null);
        let service = principal.get("Service").is_some_and(is_logs);
        let is_everybody = *principal == json!("*") || principal.get("AWS") == Some(&json!("*"));
        statement.get("Effect") == Some(&json!("Allow")) && (service || is_everybody)
    };
    statements.into_iter().any(allows)
}

/// Whether it is CloudWatch Logs, or a list with it: others, such as `delivery.logs`, have names that end like it.
fn is_logs(service: &Json) -> bool {
    match service {
        Json::Array(services) => services.iter().any(is_logs),
        service => beginning(service).starts_with("logs."),
    }
}

/// A text as far as it is written out: what comes after a reference is not known here.
fn beginning(text: &Json) -> String {
    if let Some(text) = text.as_str() {
        return text.to_owned();
    }
    if let Some(sub) = text.get("Fn::Sub") {
        return sub.as_str().or_else(|| sub.get(0)?.as_str()).unwrap_or_default().to_owned();
    }
    let Some([delimiter, parts]) = text.get("Fn::Join").and_then(Json::as_array).map(Vec::as_slice) else {
        return String::new();
    };
    let parts = parts.as_array().map(Vec::as_slice).unwrap_or_default();
    let known: Vec<&str> = parts.iter().map_while(Json::as_str).collect();
    let end = if known.len() < parts.len() && !known.is_empty() { delimiter.as_str().unwrap_or_default() } else { "" };
    known.join(delimiter.as_str().unwrap_or_default()) + end
}

fn add_statement(key: &mut Json) {
    let Some(properties) = member(key, "Properties") else { return };
    let policy = properties.entry("KeyPolicy").or_insert_with(default_policy);
    let Some(policy) = policy.as_object_mut() else { return };
    let statements = policy.entry("Statement").or_insert_with(|| json!([]));
    if !statements.is_array() {
        *statements = json!([statements.take()]);
    }
    if let Some(statements) = statements.as_array_mut() {
        statements.push(statement());
    }
}

fn member<'j>(json: &'j mut Json, name: &str) -> Option<&'j mut Map<String, Json>> {
    json.as_object_mut()?.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

fn join(parts: &Json) -> Json {
    json!({ "Fn::Join": ["", parts] })
}

/// The policy of a key that has none: the account's own policies decide.
fn default_policy() -> Json {
    let root = join(&json!(["arn:", { "Ref": "AWS::Partition" }, ":iam::", { "Ref": "AWS::AccountId" }, ":root"]));
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" }
    ] })
}

fn statement() -> Json {
    let (region, account) = (json!({ "Ref": "AWS::Region" }), json!({ "Ref": "AWS::AccountId" }));
    let partition = json!({ "Ref": "AWS::Partition" });
    let groups = join(&json!(["arn:", partition, ":logs:", region, ":", account, ":log-group:*"]));
    json!({
        "Effect": "Allow",
        "Principal": { "Service": join(&json!(["logs.", region, ".", { "Ref": "AWS::URLSuffix" }])) },
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": { "ArnLike": { "kms:EncryptionContext:aws:logs:arn": groups } },
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use expect_test::{Expect, expect};
    use neargate_template::Template;

    use super::{Stack, Synthesized, lacking, mend};

    fn check(key: &str, key_id: &str, expected: Expect) {
        let body = format!(
            "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Metadata: {{'aws:cdk:path': App/Key/Resource}}\n    Properties: {key}\n  \
             Logs:\n    Type: AWS::Logs::LogGroup\n    Properties: {{KmsKeyId: {key_id}}}\n"
        );
        let template = Template::parse(&body, "t").0.unwrap();
        let stack = Stack::new("t", "t", Path::new(""), body, template);
        let mut made = Synthesized { directory: PathBuf::new(), stacks: vec![stack], warnings: vec![], is_part: false };
        let mended = mend(&mut made);
        let [stack] = made.stacks.as_slice() else { panic!() };
        assert!(lacking(&stack.template).is_empty());
        let statements = stack.template.document.pointer("/Resources/Key/Properties/KeyPolicy/Statement");
        let of = |it: &serde_json::Value| format!("\n{}", it["Principal"]);
        let statements: String = statements.and_then(|it| it.as_array()).into_iter().flatten().map(of).collect();
        expected.assert_eq(&format!("{mended:?}{statements}"));
    }

    /// The keys of which something is lacking where a key's policy allows all to this service.
    fn lacking_with(service: &str) -> Vec<String> {
        let statement = format!("{{Effect: Allow, Principal: {{Service: {service}}}, Action: 'kms:*', Resource: '*'}}");
        let body = format!(
            "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {{Statement: [{statement}], Version: x}}\n  \
             Logs:\n    Type: AWS::Logs::LogGroup\n    Properties: {{KmsKeyId: !GetAtt Key.Arn}}\n"
        );
        lacking(&Template::parse(&body, "t").0.unwrap()).into_iter().collect()
    }

    const ROOT: &str = "{Effect: Allow, Principal: {AWS: root}, Action: 'kms:*', Resource: '*'}";

    #[test]
    fn keys() {
        let policy = |statements: &str| format!("{{KeyPolicy: {{Version: '2012-10-17', Statement: {statements}}}}}");
        check(
            &policy(&format!("[{ROOT}]")),
            "!GetAtt Key.Arn",
            expect![[r#"
            ["App/Key"]
            {"AWS":"root"}
            {"Service":{"Fn::Join":["",["logs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}"#]],
        );
        check(
            &policy(ROOT),
            "!Ref Key",
            expect![[r#"
            ["App/Key"]
            {"AWS":"root"}
            {"Service":{"Fn::Join":["",["logs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}"#]],
        );
        check(
            "{}",
            "!GetAtt Key.Arn",
            expect![[r#"
            ["App/Key"]
            {"AWS":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::",{"Ref":"AWS::AccountId"},":root"]]}}
            {"Service":{"Fn::Join":["",["logs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}"#]],
        );
        let logs = "{Effect: Allow, Principal: {Service: !Sub 'logs.${AWS::Region}.amazonaws.com'}, Action: 'kms:*', Resource: '*'}";
        check(
            &policy(&format!("[{ROOT}, {logs}]")),
            "!GetAtt Key.Arn",
            expect![[r#"
            []
            {"AWS":"root"}
            {"Service":{"Fn::Sub":"logs.${AWS::Region}.amazonaws.com"}}"#]],
        );
        check(
            &policy(&format!("[{}]", logs.replace("Allow", "Deny"))),
            "!GetAtt Key.Arn",
            expect![[r#"
            ["App/Key"]
            {"Service":{"Fn::Sub":"logs.${AWS::Region}.amazonaws.com"}}
            {"Service":{"Fn::Join":["",["logs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}"#]],
        );
        check(
            &policy(&format!("[{ROOT}]")),
            "arn:aws:kms:us-east-1:000000000000:key/other",
            expect![[r#"
            []
            {"AWS":"root"}"#]],
        );
        check(
            &policy(&format!("[{ROOT}]")),
            "!ImportValue key",
            expect![[r#"
            []
            {"AWS":"root"}"#]],
        );
    }

    #[test]
    fn who_is_cloudwatch_logs() {
        // Others whose names have it in them, in every way to write a name.
        for service in [
            "delivery.logs.amazonaws.com",
            "[delivery.logs.amazonaws.com, s3.amazonaws.com]",
            "!Sub 'delivery.logs.${AWS::URLSuffix}'",
        ] {
            assert_eq!(lacking_with(service), ["Key"], "{service}");
        }
        for service in [
            "logs.amazonaws.com",
            "[s3.amazonaws.com, logs.eu-west-1.amazonaws.com]",
            "!Sub ['logs.${Region}.${AWS::URLSuffix}', {Region: x}]",
            "!Join ['.', [logs, !Ref AWS::Region, amazonaws.com]]",
            "!Join ['', [logs., !Ref AWS::Region, .amazonaws.com]]",
            "!Join ['', [lo, gs.amazonaws.com]]",
        ] {
            assert_eq!(lacking_with(service), [""; 0], "{service}");
        }
    }
}
