//! `CreatePolicyVersion`, `GetPolicyVersion`, `ListPolicyVersions`, `SetDefaultPolicyVersion`, `DeletePolicyVersion`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::encoded;
use super::page::page;
use crate::api;
use crate::errors::IamError;
use crate::policies;
use crate::state::{PolicyRecord, StoredDocument, VersionRecord, put_policy};
use neargate_decide::Kind;

const POLICY_CHARACTERS_MAX: usize = 6144;
const VERSIONS_MAX: usize = 5;

/// A document that fits a managed policy.
pub(super) fn checked_document(text: &str) -> Result<StoredDocument, IamError> {
    let document = StoredDocument::new(text, Kind::Identity)?;
    if document.size() > POLICY_CHARACTERS_MAX {
        return Err(IamError::Quota { name: "PolicySize", max: POLICY_CHARACTERS_MAX });
    }
    Ok(document)
}

pub(crate) struct CreatePolicyVersion;

impl Operation for CreatePolicyVersion {
    const SHAPE: &'static OperationShape = &api::CREATE_POLICY_VERSION;
    type Input = api::CreatePolicyVersionInput;
    type Output = api::CreatePolicyVersionOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:CreatePolicyVersion", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut policy = policies::own_policy(cx, &input.policy_arn)?;
        let document = checked_document(&input.policy_document)?;
        if policy.versions.len() == VERSIONS_MAX {
            return Err(IamError::Versions.into());
        }
        let id = policy.add_version(document, cx.time(), input.set_as_default == Some(true));
        let policy_version = policy.version(&id).map(|version| shown(&policy, version, false));
        put_policy(cx, policy);
        Ok(api::CreatePolicyVersionOutput { policy_version })
    }
}

pub(crate) struct GetPolicyVersion;

impl Operation for GetPolicyVersion {
    const SHAPE: &'static OperationShape = &api::GET_POLICY_VERSION;
    type Input = api::GetPolicyVersionInput;
    type Output = api::GetPolicyVersionOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:GetPolicyVersion", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let policy = policies::policy(cx, &input.policy_arn)?;
        let version = found(&policy, &input.version_id)?;
        Ok(api::GetPolicyVersionOutput { policy_version: Some(shown(&policy, version, true)) })
    }
}

pub(crate) struct ListPolicyVersions;

impl Operation for ListPolicyVersions {
    const SHAPE: &'static OperationShape = &api::LIST_POLICY_VERSIONS;
    type Input = api::ListPolicyVersionsInput;
    type Output = api::ListPolicyVersionsOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:ListPolicyVersions", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let policy = policies::policy(cx, &input.policy_arn)?;
        // Newest first. There are at most five, so places sort as text.
        let versions = policy.versions.iter().rev().enumerate();
        let versions = versions.map(|(at, version)| (at.to_string(), shown(&policy, version, false)));
        let page = page(versions, input.marker.as_deref(), input.max_items);
        let is_truncated = Some(page.marker.is_some());
        Ok(api::ListPolicyVersionsOutput { versions: Some(page.items), is_truncated, marker: page.marker })
    }
}

pub(crate) struct SetDefaultPolicyVersion;

impl Operation for SetDefaultPolicyVersion {
    const SHAPE: &'static OperationShape = &api::SET_DEFAULT_POLICY_VERSION;
    type Input = api::SetDefaultPolicyVersionInput;
    type Output = api::SetDefaultPolicyVersionOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:SetDefaultPolicyVersion", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut policy = policies::own_policy(cx, &input.policy_arn)?;
        policy.default_version = found(&policy, &input.version_id)?.id.clone();
        policy.updated = Some(cx.time());
        put_policy(cx, policy);
        Ok(api::SetDefaultPolicyVersionOutput {})
    }
}

pub(crate) struct DeletePolicyVersion;

impl Operation for DeletePolicyVersion {
    const SHAPE: &'static OperationShape = &api::DELETE_POLICY_VERSION;
    type Input = api::DeletePolicyVersionInput;
    type Output = api::DeletePolicyVersionOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:DeletePolicyVersion", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut policy = policies::own_policy(cx, &input.policy_arn)?;
        let id = found(&policy, &input.version_id)?.id.clone();
        if id == policy.default_version {
            return Err(IamError::DefaultVersion.into());
        }
        policy.versions.retain(|version| version.id != id);
        put_policy(cx, policy);
        Ok(api::DeletePolicyVersionOutput {})
    }
}

fn found<'p>(policy: &'p PolicyRecord, id: &str) -> Result<&'p VersionRecord, IamError> {
    let missing = || match policy.document() {
        None => IamError::TextUnknown(policy.arn.clone()),
        Some(_) => IamError::VersionNotFound { policy: policy.arn.clone(), version: id.to_owned() },
    };
    policy.version(id).ok_or_else(missing)
}

/// A version as it is answered. Only `GetPolicyVersion` gives the document.
fn shown(policy: &PolicyRecord, version: &VersionRecord, with_document: bool) -> api::PolicyVersion {
    api::PolicyVersion {
        document: with_document.then(|| encoded(version.document.text())),
        version_id: Some(version.id.clone()),
        is_default_version: Some(version.id == policy.default_version),
        create_date: version.created,
    }
}
