//! `AWS::IAM` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::{Json, Value};

crate::resource! {
    ManagedPolicy "AWS::IAM::ManagedPolicy" {
        description "Description" Value<String>,
        groups "Groups" Value<Vec<Value<String>>>,
        managed_policy_name "ManagedPolicyName" Value<String>,
        path "Path" Value<String>,
        policy_document "PolicyDocument" Json,
        roles "Roles" Value<Vec<Value<String>>>,
        users "Users" Value<Vec<Value<String>>>,
    }
    required ["PolicyDocument"]
    attributes ["PolicyArn", "AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "PermissionsBoundaryUsageCount", "PolicyId", "UpdateDate"]
    tags None
}

crate::resource! {
    Policy "AWS::IAM::Policy" {
        groups "Groups" Value<Vec<Value<String>>>,
        policy_document "PolicyDocument" Json,
        policy_name "PolicyName" Value<String>,
        roles "Roles" Value<Vec<Value<String>>>,
        users "Users" Value<Vec<Value<String>>>,
    }
    required ["PolicyDocument", "PolicyName"]
    attributes ["Id"]
    tags None
}

crate::resource! {
    Role "AWS::IAM::Role" {
        assume_role_policy_document "AssumeRolePolicyDocument" Json,
        description "Description" Value<String>,
        managed_policy_arns "ManagedPolicyArns" Value<Vec<Value<String>>>,
        max_session_duration "MaxSessionDuration" Value<i64>,
        path "Path" Value<String>,
        permissions_boundary "PermissionsBoundary" Value<String>,
        policies "Policies" Value<Vec<Value<role::Policy>>>,
        role_name "RoleName" Value<String>,
        tags "Tags" Value<Vec<Value<role::Tag>>>,
    }
    required ["AssumeRolePolicyDocument"]
    attributes ["Arn", "RoleId"]
    tags List
}

/// Property types of [`Role`].
pub mod role {
    use crate::{Json, Value};

    crate::shape! {
        Policy {
            policy_document "PolicyDocument" Json,
            policy_name "PolicyName" Value<String>,
        }
        required ["PolicyDocument", "PolicyName"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}
