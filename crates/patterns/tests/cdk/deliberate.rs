//! What `docs/seed-decisions.md` lists as different from the CDK on purpose, put into the CDK's templates.

use serde_json::{Value, json};

/// CloudWatch Logs may use the key of a log group, or it would refuse to make the group. `fixed`: the stack's account and region are
/// known. Answers whether the template has such a key.
#[must_use]
pub(crate) fn let_cloudwatch_logs_use(template: &mut Value, key: &str, fixed: bool) -> bool {
    let join = |parts: Value| json!({"Fn::Join": ["", parts]});
    let [region, account, partition, suffix] =
        ["Region", "AccountId", "Partition", "URLSuffix"].map(|name| json!({"Ref": format!("AWS::{name}")}));
    let (service, log_groups) = match fixed {
        true => (join(json!(["logs.eu-west-1.", suffix])), json!("arn:aws:logs:eu-west-1:123456789012:log-group:*")),
        false => (
            join(json!(["logs.", region, ".", suffix])),
            join(json!(["arn:", partition, ":logs:", region, ":", account, ":log-group:*"])),
        ),
    };
    let statement = json!({
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Resource": "*",
    });
    let pointer = format!("/Resources/{key}/Properties/KeyPolicy/Statement");
    let statements = template.pointer_mut(&pointer).and_then(Value::as_array_mut);
    statements.map(|statements| statements.push(statement)).is_some()
}
