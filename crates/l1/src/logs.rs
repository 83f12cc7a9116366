//! `AWS::Logs` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::{Json, Value};

crate::resource! {
    LogGroup "AWS::Logs::LogGroup" {
        bearer_token_authentication_enabled "BearerTokenAuthenticationEnabled" Value<bool>,
        data_protection_policy "DataProtectionPolicy" Json,
        deletion_protection_enabled "DeletionProtectionEnabled" Value<bool>,
        field_index_policies "FieldIndexPolicies" Value<Vec<Json>>,
        kms_key_id "KmsKeyId" Value<String>,
        log_group_class "LogGroupClass" Value<String>,
        log_group_name "LogGroupName" Value<String>,
        resource_policy_document "ResourcePolicyDocument" Json,
        retention_in_days "RetentionInDays" Value<i64>,
        tags "Tags" Value<Vec<Value<log_group::Tag>>>,
    }
    required []
    attributes ["Arn"]
    tags List
}

/// Property types of [`LogGroup`].
pub mod log_group {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}
