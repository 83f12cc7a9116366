//! Secrets as they are kept, and what a request calls them.
//!
//! Invariant: a stage is at one version at a time. A version without a stage is deprecated.

use std::collections::BTreeMap;

use neargate_base::{Scope, Timestamp};
use neargate_kernel::{Cx, JobId, Record};
use serde::{Deserialize, Serialize};

use crate::api::{self, Tag};
use crate::errors::SecretError;

pub(crate) const MS_PER_DAY: i64 = 86_400_000;
pub(crate) const CURRENT: &str = "AWSCURRENT";
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// How many random characters are added to a name in an ARN, with the dash before them.
const SUFFIX_CHARACTERS: usize = 7;

/// A secret. Kept under its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecretRecord {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    /// As it was given; nothing stands for the account's own key of the service.
    pub(crate) kms_key_id: Option<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) policy: Option<String>,
    /// The unique ids of the roles that the policy names, by ARN, when it was put.
    #[serde(default)]
    pub(crate) principals: BTreeMap<String, String>,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
    /// The day, as AWS tells it.
    pub(crate) accessed: Option<Timestamp>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) versions: BTreeMap<String, Version>,
    /// Version ids by stage.
    pub(crate) stages: BTreeMap<String, String>,
}

/// A secret that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub(crate) at: Timestamp,
    pub(crate) job: JobId,
}

/// What is known of a version without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) created: Timestamp,
    pub(crate) accessed: Option<Timestamp>,
    /// The ARN of the key that it is encrypted with.
    pub(crate) key: String,
}

/// A version's value, encrypted. Kept under the secret's name, a colon and the version's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedVersion {
    /// The data key as KMS encrypted it, in base64.
    pub(crate) data_key: String,
    /// Nonce and ciphertext, in base64.
    pub(crate) text: String,
}

impl Record for SecretRecord {
    const TABLE: &'static str = "secretsmanager.secret";
}

impl Record for SealedVersion {
    const TABLE: &'static str = "secretsmanager.version";
}

impl SecretRecord {
    /// The stages of a version, in order of name.
    pub(crate) fn stages_of(&self, version: &str) -> Vec<String> {
        self.stages.iter().filter(|(_, at)| *at == version).map(|(stage, _)| stage.clone()).collect()
    }

    /// The stages of every version that has any.
    pub(crate) fn versions_to_stages(&self) -> Option<BTreeMap<String, Vec<String>>> {
        let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (stage, version) in &self.stages {
            versions.entry(version.clone()).or_default().push(stage.clone());
        }
        (!versions.is_empty()).then_some(versions)
    }

    /// Refuses what cannot be done to a secret that is to go.
    pub(crate) fn living(&self) -> Result<(), SecretError> {
        if self.deletion.is_some() { Err(SecretError::Deleted) } else { Ok(()) }
    }

    /// When it was marked for deletion, as far as its callers see.
    pub(crate) fn deleted_date(&self) -> Option<Timestamp> {
        self.deletion.as_ref().map(|deletion| deletion.at)
    }

    /// As `ListSecrets` shows it.
    pub(crate) fn shown(&self) -> api::SecretListEntry {
        api::SecretListEntry {
            arn: Some(self.arn.clone()),
            name: Some(self.name.clone()),
            description: self.description.clone(),
            kms_key_id: self.kms_key_id.clone(),
            last_changed_date: Some(self.changed),
            last_accessed_date: self.accessed,
            deleted_date: self.deleted_date(),
            tags: (!self.tags.is_empty()).then(|| self.tags.clone()),
            secret_versions_to_stages: self.versions_to_stages(),
            created_date: Some(self.created),
            ..api::SecretListEntry::default()
        }
    }
}

/// Where the value of a version is kept.
pub(crate) fn sealed_key(name: &str, version: &str) -> String {
    format!("{name}:{version}")
}

/// A secret's name and account by what a request calls it: a name, an ARN, or an ARN without its last seven characters.
pub(crate) fn find(cx: &Cx<'_>, text: &str) -> Option<(Scope, SecretRecord)> {
    let (scope, name) = read(cx, text);
    let get = |name: &str| cx.store().get::<SecretRecord>(&scope, name).cloned();
    let is_arn = text.starts_with("arn:");
    let by_full_arn = || {
        let cut = name.len().checked_sub(SUFFIX_CHARACTERS).filter(|_| is_arn)?;
        get(name.get(..cut)?).filter(|secret| secret.arn == text)
    };
    let secret = by_full_arn().or_else(|| get(&name))?;
    Some((scope, secret))
}

/// The caller's own secret.
pub(crate) fn own(cx: &Cx<'_>, text: &str) -> Result<SecretRecord, SecretError> {
    let found = find(cx, text).filter(|(scope, _)| *scope == cx.scope);
    found.map(|(_, secret)| secret).ok_or(SecretError::NotFound)
}

/// The caller's own secret, unless it is to go.
pub(crate) fn living(cx: &Cx<'_>, text: &str) -> Result<SecretRecord, SecretError> {
    let secret = own(cx, text)?;
    secret.living().map(|()| secret)
}

/// The ARN that a text stands for, with what IAM's patterns expect in place of what would have been drawn.
pub(crate) fn arn(cx: &Cx<'_>, text: &str) -> String {
    match find(cx, text) {
        Some((_, secret)) => secret.arn,
        None if text.starts_with("arn:") => text.to_owned(),
        None => cx.scope.arn("secretsmanager", &format!("secret:{text}-??????")),
    }
}

/// A new secret's ARN.
pub(crate) fn new_arn(cx: &mut Cx<'_>, name: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut suffix = String::new();
    while suffix.len() < SUFFIX_CHARACTERS - 1 {
        let at = usize::try_from(cx.rng.below(LETTERS.len() as u64)).unwrap_or(0);
        suffix.extend(LETTERS.get(at).map(|letter| char::from(*letter)));
    }
    cx.scope.arn("secretsmanager", &format!("secret:{name}-{suffix}"))
}

/// The name in a complete ARN of this account and region: one that ends in a hyphen and six letters or digits.
pub(crate) fn name_in_arn(cx: &Cx<'_>, arn: &str) -> Option<String> {
    let rest = arn.strip_prefix(&cx.scope.arn("secretsmanager", "secret:"))?;
    let (name, suffix) = rest.rsplit_once('-')?;
    let is_suffix = suffix.len() == SUFFIX_CHARACTERS - 1 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_suffix && !name.is_empty()).then(|| name.to_owned())
}

/// Forgets a secret and all its versions.
pub(crate) fn remove(cx: &mut Cx<'_>, secret: &SecretRecord) {
    for version in secret.versions.keys() {
        cx.delete::<SealedVersion>(&sealed_key(&secret.name, version));
    }
    cx.delete::<SecretRecord>(&secret.name);
}

/// The start of a day: AWS tells no more of when a secret was read.
pub(crate) fn day(time: Timestamp) -> Timestamp {
    Timestamp(time.millis().div_euclid(MS_PER_DAY) * MS_PER_DAY)
}

fn read(cx: &Cx<'_>, text: &str) -> (Scope, String) {
    let mut parts = text.splitn(7, ':');
    match (parts.next(), parts.nth(2), parts.next(), parts.next(), parts.next()) {
        (Some("arn"), Some(region), Some(account), Some("secret"), Some(name))
            if region == cx.scope.region.as_str() =>
        {
            (Scope::new(account, region), name.to_owned())
        }
        _ => (cx.scope.clone(), text.to_owned()),
    }
}
