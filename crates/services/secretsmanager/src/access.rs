//! What a request on a secret must be allowed.
//!
//! Follows <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html>.

use neargate_base::Scope;
use neargate_kernel::{Access, Cx};
use serde_json::json;

use crate::api::Tag;
use crate::state;

const TAG: &str = "secretsmanager:ResourceTag/";

/// An action on the secret that a text names.
pub(crate) fn on_secret(cx: &Cx<'_>, operation: &str, secret_id: &str) -> Access {
    let action = format!("secretsmanager:{operation}");
    let Some((scope, secret)) = state::find(cx, secret_id) else {
        return on_new(cx, &action, &state::arn(cx, secret_id));
    };
    let access = on_new(cx, &action, secret.arn.as_str()).with("secretsmanager:SecretId", secret.arn.as_str());
    let access = access.with_resource_tags(Some(TAG), pairs(&secret.tags));
    let policy = secret.policy.unwrap_or_else(|| account_only(&scope));
    access.under(policy).naming(&secret.principals)
}

/// An action on a secret that is not there, or not yet.
pub(crate) fn on_new(cx: &Cx<'_>, action: &str, arn: &str) -> Access {
    Access::new(action, arn)
        .with("secretsmanager:SecretPrimaryRegion", cx.scope.region.as_str())
        .with_resource_tags(Some(TAG), [])
        .with_request_tags([])
        // Every other key of Secrets Manager speaks of what there is not here: replicas, rotation, secrets of partners.
        .complete("secretsmanager:")
}

/// The condition keys of tags that a request brings.
pub(crate) fn with_tags(access: Access, tags: &[Tag]) -> Access {
    access.with_request_tags(pairs(tags))
}

fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone()?))).collect()
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
