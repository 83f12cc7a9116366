//! `UpdateSecretVersionStage`, `ListSecretVersionIds`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::on_secret;
use crate::errors::SecretError;
use crate::state::{CURRENT, SecretRecord};
use crate::{api, state, versions};

pub(crate) struct UpdateSecretVersionStage;

impl Operation for UpdateSecretVersionStage {
    const SHAPE: &'static OperationShape = &api::UPDATE_SECRET_VERSION_STAGE;
    type Input = api::UpdateSecretVersionStageInput;
    type Output = api::UpdateSecretVersionStageOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = on_secret(cx, "UpdateSecretVersionStage", &input.secret_id);
        access.with("secretsmanager:VersionStage", input.version_stage.as_str()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::living(cx, &input.secret_id)?;
        let (from, to) = (input.remove_from_version_id.as_deref(), input.move_to_version_id.as_deref());
        shift(&mut secret, &input.version_stage, from, to)?;
        secret.changed = cx.time();
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        cx.put(&secret.name.clone(), secret);
        Ok(api::UpdateSecretVersionStageOutput { arn, name })
    }
}

/// Takes a stage from a version, puts it at another, or both.
fn shift(secret: &mut SecretRecord, stage: &str, from: Option<&str>, to: Option<&str>) -> Result<(), SecretError> {
    for id in from.iter().chain(&to) {
        if !secret.versions.contains_key(*id) {
            return Err(SecretError::VersionNotFound((*id).to_owned()));
        }
    }
    let at = secret.stages.get(stage).cloned();
    match (at, from) {
        (Some(at), Some(from)) if at != from => {
            return Err(SecretError::StageIsNotThere { stage: stage.to_owned(), version: from.to_owned() });
        }
        (None, Some(from)) => {
            return Err(SecretError::StageIsNotThere { stage: stage.to_owned(), version: from.to_owned() });
        }
        (Some(at), None) if to.is_some_and(|to| to != at) => {
            return Err(SecretError::StageIsElsewhere { stage: stage.to_owned(), version: at });
        }
        _ => {}
    }
    match (from, to) {
        (None, None) => return Err(SecretError::NothingToMove),
        (_, Some(to)) => versions::move_stage(secret, stage, to),
        (Some(_), None) if stage == CURRENT => return Err(SecretError::CurrentIsRemoved),
        (Some(_), None) => {
            secret.stages.remove(stage);
        }
    }
    Ok(())
}

pub(crate) struct ListSecretVersionIds;

impl Operation for ListSecretVersionIds {
    const SHAPE: &'static OperationShape = &api::LIST_SECRET_VERSION_IDS;
    type Input = api::ListSecretVersionIdsInput;
    type Output = api::ListSecretVersionIdsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "ListSecretVersionIds", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (_, secret) = state::find(cx, &input.secret_id).ok_or(SecretError::NotFound)?;
        let entries = secret.versions.iter().map(|(id, version)| api::SecretVersionsListEntry {
            version_id: Some(id.clone()),
            version_stages: Some(secret.stages_of(id)).filter(|stages| !stages.is_empty()),
            last_accessed_date: version.accessed,
            created_date: Some(version.created),
            kms_key_ids: Some(vec![secret.kms_key_id.clone().unwrap_or_else(|| "DefaultEncryptionKey".to_owned())]),
        });
        let shows_deprecated = input.include_deprecated == Some(true);
        let entries = entries.filter(|entry| shows_deprecated || entry.version_stages.is_some()).collect();
        let (versions, next_token) = page(entries, input.next_token.as_deref(), input.max_results, 100)?;
        Ok(api::ListSecretVersionIdsOutput {
            versions: Some(versions),
            next_token,
            arn: Some(secret.arn),
            name: Some(secret.name),
        })
    }
}
