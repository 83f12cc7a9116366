//! Versions of a secret's value, and the stages that move between them.
//!
//! Invariant: `AWSPREVIOUS` is where `AWSCURRENT` was before it moved the last time.

use neargate_kernel::{Cx, Fault};

use crate::envelope::{self, Plain};
use crate::errors::SecretError;
use crate::state::{CURRENT, MS_PER_DAY, PREVIOUS, SealedVersion, SecretRecord, Version, day, sealed_key};

/// How many versions a secret keeps before the oldest deprecated ones go.
const VERSIONS_MAX: usize = 100;

/// Adds a version under a client's token, at these stages. One that is there with the same value already stays as it is.
pub(crate) fn add(
    cx: &mut Cx<'_>,
    secret: &mut SecretRecord,
    token: &str,
    plain: &Plain,
    stages: &[String],
) -> Result<(), Fault> {
    if secret.versions.contains_key(token) {
        if value(cx, secret, token)? == *plain {
            return Ok(());
        }
        return Err(SecretError::TokenInUse { token: token.to_owned(), arn: secret.arn.clone() }.into());
    }
    let sealed = envelope::seal(cx, secret, token, plain)?;
    cx.put(&sealed_key(&secret.name, token), sealed.version);
    let is_first = secret.versions.is_empty();
    secret.versions.insert(token.to_owned(), Version { created: cx.time(), accessed: None, key: sealed.key });
    if is_first || stages.is_empty() {
        move_stage(secret, CURRENT, token);
    }
    for stage in stages {
        move_stage(secret, stage, token);
    }
    secret.changed = cx.time();
    forget_oldest(cx, secret);
    Ok(())
}

/// Puts a stage at a version, wherever it was.
pub(crate) fn move_stage(secret: &mut SecretRecord, stage: &str, version: &str) {
    let before = secret.stages.insert(stage.to_owned(), version.to_owned());
    if let Some(before) = before.filter(|before| stage == CURRENT && before != version) {
        secret.stages.insert(PREVIOUS.to_owned(), before);
    }
    // A version is not its own predecessor.
    if stage == CURRENT && secret.stages.get(PREVIOUS).is_some_and(|previous| previous == version) {
        secret.stages.remove(PREVIOUS);
    }
}

/// The value of a version, which must be there.
pub(crate) fn value(cx: &mut Cx<'_>, secret: &SecretRecord, version: &str) -> Result<Plain, Fault> {
    // A secret of another account lies in that account.
    let scope = neargate_base::Scope::new(secret.arn.split(':').nth(4).unwrap_or_default(), cx.scope.region.as_str());
    let sealed = cx.store().get::<SealedVersion>(&scope, &sealed_key(&secret.name, version)).cloned();
    let sealed = sealed.ok_or_else(|| SecretError::VersionNotFound(version.to_owned()))?;
    envelope::open(cx, secret, version, &sealed)
}

/// The version that a request asks for.
pub(crate) fn chosen(secret: &SecretRecord, id: Option<&str>, stage: Option<&str>) -> Result<String, SecretError> {
    let at = |stage: &str| secret.stages.get(stage).cloned();
    match (id, stage) {
        (None, stage) => {
            let stage = stage.unwrap_or(CURRENT);
            at(stage).ok_or_else(|| SecretError::StageNotFound(stage.to_owned()))
        }
        (Some(id), _) if !secret.versions.contains_key(id) => Err(SecretError::VersionNotFound(id.to_owned())),
        (Some(id), Some(stage)) if at(stage).as_deref() != Some(id) => Err(SecretError::VersionOfStageNotFound),
        (Some(id), _) => Ok(id.to_owned()),
    }
}

/// Encrypts the versions that are in use with another key.
pub(crate) fn change_key(cx: &mut Cx<'_>, secret: &mut SecretRecord, key: Option<String>) -> Result<(), Fault> {
    let mut used: Vec<_> = secret.stages.values().cloned().collect();
    used.sort();
    used.dedup();
    let mut values = vec![];
    for version in used {
        values.push((value(cx, secret, &version)?, version));
    }
    secret.kms_key_id = key;
    for (plain, version) in values {
        let sealed = envelope::seal(cx, secret, &version, &plain)?;
        cx.put(&sealed_key(&secret.name, &version), sealed.version);
        if let Some(known) = secret.versions.get_mut(&version) {
            known.key = sealed.key;
        }
    }
    Ok(())
}

/// Takes down that a version was read today.
pub(crate) fn touch(cx: &mut Cx<'_>, secret: &mut SecretRecord, version: &str) {
    let today = Some(day(cx.time()));
    let Some(known) = secret.versions.get_mut(version) else { return };
    if secret.accessed == today && known.accessed == today {
        return;
    }
    (secret.accessed, known.accessed) = (today, today);
    cx.put(&secret.name.clone(), secret.clone());
}

/// Deprecated versions go when there are too many, unless they are younger than a day.
fn forget_oldest(cx: &mut Cx<'_>, secret: &mut SecretRecord) {
    while secret.versions.len() > VERSIONS_MAX {
        let yesterday = cx.time().plus_ms(-MS_PER_DAY);
        let is_old = |(id, version): &(&String, &Version)| {
            version.created < yesterday && !secret.stages.values().any(|at| at == *id)
        };
        let oldest = secret.versions.iter().filter(is_old).min_by_key(|(_, version)| version.created);
        let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { return };
        secret.versions.remove(&oldest);
        cx.delete::<SealedVersion>(&sealed_key(&secret.name, &oldest));
    }
}
