//! What a request on a secret must be allowed.
//!
//! Follows <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html>.

use neargate_base::Scope;
use neargate_kernel::{Access, Cx};
use serde_json::json;

use crate::api::Tag;
use crate::state;

/// An action on the secret that a text names.
pub(crate) fn on_secret(cx: &Cx<'_>, operation: &str, secret_id: &str) -> Access {
    let action = format!("secretsmanager:{operation}");
    let Some((scope, secret)) = state::find(cx, secret_id) else {
        return Access::new(&action, state::arn(cx, secret_id));
    };
    let mut access = Access::new(&action, secret.arn.as_str()).with("secretsmanager:SecretId", secret.arn.as_str());
    for (key, value) in secret.tags.iter().filter_map(|tag| Some((tag.key.as_ref()?, tag.value.as_ref()?))) {
        access = access.with(&format!("aws:ResourceTag/{key}"), value.as_str());
        access = access.with(&format!("secretsmanager:ResourceTag/{key}"), value.as_str());
    }
    access.under(secret.policy.unwrap_or_else(|| account_only(&scope)))
}

/// The condition keys of tags that a request brings.
pub(crate) fn with_tags(mut access: Access, tags: &[Tag]) -> Access {
    for (key, value) in tags.iter().filter_map(|tag| Some((tag.key.as_ref()?, tag.value.as_ref()?))) {
        access = access.with(&format!("aws:RequestTag/{key}"), value.as_str());
    }
    let keys: Vec<_> = tags.iter().filter_map(|tag| tag.key.clone()).collect();
    if keys.is_empty() { access } else { access.with_all("aws:TagKeys", keys) }
}

/// What a secret without a policy amounts to: the account's own policies decide, other accounts are let in by nobody.
fn account_only(scope: &Scope) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": scope.global_arn("iam", "root")},
        "Action": "secretsmanager:*",
        "Resource": "*"
    }]})
    .to_string()
}
