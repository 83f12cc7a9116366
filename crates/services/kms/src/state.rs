//! Keys, aliases and grants as they are kept.
//!
//! Invariant: everything about a key that AWS would show is here in the clear; its material is sealed.

use std::collections::BTreeMap;

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{JobId, Record};
use serde::{Deserialize, Serialize};

use crate::api::{GrantConstraints, GrantListEntry, KeyMetadata, Tag};
use crate::errors::KmsError;

pub(crate) const MS_PER_DAY: i64 = 86_400_000;

/// A key. Kept under its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) description: String,
    /// Whether it is a service's own: `alias/aws/…`.
    pub(crate) is_managed: bool,
    pub(crate) state: KeyState,
    pub(crate) policy: String,
    /// The unique ids of the roles that the policy names, by ARN, when it was put.
    #[serde(default)]
    pub(crate) principals: BTreeMap<String, String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) rotation: Option<Rotation>,
    /// Oldest first; the last one encrypts.
    pub(crate) materials: Vec<Material>,
}

/// What may be done with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion { at: Timestamp, job: JobId },
}

/// How a key rotates by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) period_days: i32,
    pub(crate) next: Timestamp,
    pub(crate) job: JobId,
}

/// One version of a key's material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Material {
    pub(crate) id: String,
    /// Base64 of the sealed bytes.
    pub(crate) sealed: String,
    pub(crate) made: Timestamp,
    /// `AUTOMATIC`, `ON_DEMAND`; nothing for a key's first.
    pub(crate) rotation: Option<String>,
}

/// Another name of a key. Kept under the name, `alias/` included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) key_id: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// Lets a principal use a key. Kept under the key's id, a slash and the grant's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub(crate) id: String,
    pub(crate) key_id: String,
    pub(crate) name: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) grantee: String,
    pub(crate) retiring: Option<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Option<GrantConstraints>,
    pub(crate) issuer: String,
}

impl Record for KeyRecord {
    const TABLE: &'static str = "kms.key";
}

impl Record for AliasRecord {
    const TABLE: &'static str = "kms.alias";
}

impl Record for GrantRecord {
    const TABLE: &'static str = "kms.grant";
}

impl KeyRecord {
    /// The key's ARN.
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        scope.arn("kms", &format!("key/{}", self.id))
    }

    /// Whether the key is there to stay.
    pub(crate) fn lasting(&self, scope: &Scope) -> Result<(), KmsError> {
        match self.state {
            KeyState::PendingDeletion { .. } => Err(KmsError::PendingDeletion(self.arn(scope))),
            KeyState::Enabled | KeyState::Disabled => Ok(()),
        }
    }

    /// Whether the key may be used.
    pub(crate) fn usable(&self, scope: &Scope) -> Result<(), KmsError> {
        self.lasting(scope)?;
        if self.state == KeyState::Disabled { Err(KmsError::Disabled(self.arn(scope))) } else { Ok(()) }
    }

    /// As `DescribeKey` shows it.
    pub(crate) fn shown(&self, scope: &Scope) -> KeyMetadata {
        let text = |text: &str| Some(text.to_owned());
        let (state, deletion) = match self.state {
            KeyState::Enabled => ("Enabled", None),
            KeyState::Disabled => ("Disabled", None),
            KeyState::PendingDeletion { at, .. } => ("PendingDeletion", Some(at)),
        };
        KeyMetadata {
            aws_account_id: text(scope.account.as_str()),
            key_id: self.id.clone(),
            arn: Some(self.arn(scope)),
            creation_date: Some(self.created),
            enabled: Some(self.state == KeyState::Enabled),
            description: text(&self.description),
            key_usage: text("ENCRYPT_DECRYPT"),
            key_state: text(state),
            deletion_date: deletion,
            origin: text("AWS_KMS"),
            key_manager: text(if self.is_managed { "AWS" } else { "CUSTOMER" }),
            customer_master_key_spec: text("SYMMETRIC_DEFAULT"),
            key_spec: text("SYMMETRIC_DEFAULT"),
            encryption_algorithms: Some(vec!["SYMMETRIC_DEFAULT".to_owned()]),
            multi_region: Some(false),
            current_key_material_id: self.materials.last().map(|material| material.id.clone()),
            ..KeyMetadata::default()
        }
    }
}

impl GrantRecord {
    /// Where it is kept.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.key_id, self.id)
    }

    /// The token that stands for it.
    pub(crate) fn token(&self) -> String {
        neargate_shape::scalar::base64_encode(self.place().as_bytes())
    }

    /// As `ListGrants` shows it.
    pub(crate) fn shown(&self, scope: &Scope) -> GrantListEntry {
        let split = |principal: &str| match is_service(principal) {
            true => (None, Some(principal.to_owned())),
            false => (Some(principal.to_owned()), None),
        };
        let (grantee_principal, grantee_service_principal) = split(&self.grantee);
        let (retiring_principal, retiring_service_principal) = self.retiring.as_deref().map_or((None, None), split);
        GrantListEntry {
            key_id: Some(scope.arn("kms", &format!("key/{}", self.key_id))),
            grant_id: Some(self.id.clone()),
            name: Some(self.name.clone().unwrap_or_default()),
            creation_date: Some(self.created),
            grantee_principal,
            retiring_principal,
            issuing_account: Some(self.issuer.clone()),
            operations: Some(self.operations.clone()),
            constraints: self.constraints.clone(),
            grantee_service_principal,
            retiring_service_principal,
        }
    }
}

/// Whether a principal is an AWS service.
pub(crate) fn is_service(principal: &str) -> bool {
    principal.ends_with(".amazonaws.com") || principal.ends_with(".amazonaws.com.cn")
}
