//! `UpdateAssumeRolePolicy`, and what makes a trust policy acceptable.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_role;
use crate::api;
use crate::errors::IamError;
use crate::state::{self, StoredDocument, find_role, put_role};
use neargate_decide::{Kind, Malformed};

const TRUST_CHARACTERS_MAX: usize = 2048;

pub(crate) struct UpdateAssumeRolePolicy;

impl Operation for UpdateAssumeRolePolicy {
    const SHAPE: &'static OperationShape = &api::UPDATE_ASSUME_ROLE_POLICY;
    type Input = api::UpdateAssumeRolePolicyInput;
    type Output = api::UpdateAssumeRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:UpdateAssumeRolePolicy", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        role.trust = checked_trust(cx, &input.policy_document)?;
        put_role(cx, role);
        Ok(api::UpdateAssumeRolePolicyOutput {})
    }
}

/// A trust policy whose principals exist as far as this account can tell.
pub(super) fn checked_trust(cx: &Cx<'_>, text: &str) -> Result<StoredDocument, IamError> {
    let trust = StoredDocument::new(text, Kind::Trust)?;
    if trust.size() > TRUST_CHARACTERS_MAX {
        return Err(IamError::Quota { name: "ACLSizePerRole", max: TRUST_CHARACTERS_MAX });
    }
    let account = &cx.scope.account;
    let roles = cx.scope.global_arn("iam", "role/");
    let exists = |arn: &str| match arn.strip_prefix(&roles).and_then(|path| path.rsplit('/').next()) {
        Some(name) => find_role(cx.store(), account, name).is_some_and(|role| role.arn(account) == arn),
        None => arn.starts_with("arn:"),
    };
    let unknown = trust.document().arns_named().find(|arn| !exists(arn)).map(str::to_owned);
    match unknown {
        Some(arn) => Err(Malformed::InvalidPrincipal(arn).into()),
        None => Ok(trust.naming(cx.store())),
    }
}
