//! Key policies: the one a key gets where none is given, and what makes one acceptable.

use neargate_kernel::{Access, Cx};
use serde_json::json;

use crate::access::with_caller;
use crate::errors::KmsError;

const BYTES_MAX: usize = 32_768;

/// Leaves everything to the account's own policies.
pub(crate) fn default(cx: &Cx<'_>) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": cx.scope.global_arn("iam", "root")},
            "Action": "kms:*",
            "Resource": "*"
        }]
    })
    .to_string()
}

/// Refuses a policy that is none, that names principals who do not exist, or under which the caller could not change it again.
pub(crate) fn check(cx: &Cx<'_>, text: &str, key_arn: &str, may_lock_out: bool) -> Result<(), KmsError> {
    if text.len() > BYTES_MAX {
        return Err(KmsError::PolicySize);
    }
    cx.registry.ports.authorizer.check_resource_policy(cx.store(), text).map_err(KmsError::Policy)?;
    if may_lock_out {
        return Ok(());
    }
    let again = with_caller(cx, Access::new("kms:PutKeyPolicy", key_arn)).governed_by(text);
    cx.authorize(&again).map_err(|_| KmsError::PolicyLockout)
}
