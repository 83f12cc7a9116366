//! `AWS::KMS` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::{Json, Value};

crate::resource! {
    Alias "AWS::KMS::Alias" {
        alias_name "AliasName" Value<String>,
        target_key_id "TargetKeyId" Value<String>,
    }
    required ["AliasName", "TargetKeyId"]
    attributes []
    tags None
}

crate::resource! {
    Key "AWS::KMS::Key" {
        bypass_policy_lockout_safety_check "BypassPolicyLockoutSafetyCheck" Value<bool>,
        description "Description" Value<String>,
        enable_key_rotation "EnableKeyRotation" Value<bool>,
        enabled "Enabled" Value<bool>,
        key_policy "KeyPolicy" Json,
        key_spec "KeySpec" Value<String>,
        key_usage "KeyUsage" Value<String>,
        multi_region "MultiRegion" Value<bool>,
        origin "Origin" Value<String>,
        pending_window_in_days "PendingWindowInDays" Value<i64>,
        rotation_period_in_days "RotationPeriodInDays" Value<i64>,
        tags "Tags" Value<Vec<Value<key::Tag>>>,
    }
    required []
    attributes ["Arn", "KeyId"]
    tags List
}

/// Property types of [`Key`].
pub mod key {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}
