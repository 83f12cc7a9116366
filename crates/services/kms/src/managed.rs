//! The keys that services have in an account: made when they are first used, with a policy that nobody changes.
//!
//! Follows <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk>.

use neargate_base::Scope;
use neargate_kernel::{Cx, Fault};
use serde_json::json;

use crate::state::{AliasRecord, KeyRecord};

/// AWS rotates its own keys once a year.
const ROTATION_DAYS: i32 = 365;

/// A service with a key of its own.
#[derive(Debug)]
pub(crate) struct Managed {
    alias: &'static str,
    service: &'static str,
    shown: &'static str,
    policy_id: &'static str,
    description: &'static str,
}

static ALL: &[Managed] = &[
    Managed {
        alias: "alias/aws/secretsmanager",
        service: "secretsmanager",
        shown: "AWS Secrets Manager",
        policy_id: "auto-secretsmanager-2",
        description: "Default key that protects my Secrets Manager data when no other key is defined",
    },
    Managed {
        alias: "alias/aws/ssm",
        service: "ssm",
        shown: "SSM",
        policy_id: "auto-ssm-1",
        description: "Default key that protects my SSM data when no other key is defined",
    },
];

/// The service whose key has this alias.
pub(crate) fn of_alias(alias: &str) -> Option<&'static Managed> {
    ALL.iter().find(|managed| managed.alias == alias)
}

impl Managed {
    /// The key's policy: everybody in the account through the service, the account itself to look at it.
    pub(crate) fn policy(&self, scope: &Scope) -> String {
        let through = format!("{}.{}.{}", self.service, scope.region, scope.region.partition().url_suffix());
        let sid = format!(
            "Allow access through {0} for all principals in the account that are authorized to use {0}",
            self.shown
        );
        json!({
            "Version": "2012-10-17",
            "Id": self.policy_id,
            "Statement": [
                {
                    "Sid": sid,
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [
                        "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                        "kms:DescribeKey"
                    ],
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"kms:CallerAccount": scope.account.as_str(), "kms:ViaService": through}
                    }
                },
                {
                    "Sid": "Allow direct access to key metadata to the account",
                    "Effect": "Allow",
                    "Principal": {"AWS": scope.global_arn("iam", "root")},
                    "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                    "Resource": "*"
                }
            ]
        })
        .to_string()
    }
}

/// Makes a service's key.
pub(crate) fn make(cx: &mut Cx<'_>, managed: &Managed) -> Result<(), Fault> {
    let policy = managed.policy(&cx.scope);
    let mut key = KeyRecord::make(cx, managed.description.to_owned(), policy, vec![])?;
    key.is_managed = true;
    key.rotate_every(cx, ROTATION_DAYS);
    let (key_id, now) = (key.id.clone(), cx.time());
    cx.put(&key_id, key);
    cx.put(managed.alias, AliasRecord { key_id: key_id.clone(), created: now, updated: now });
    Ok(())
}
