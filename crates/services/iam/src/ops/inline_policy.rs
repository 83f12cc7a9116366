//! `PutRolePolicy`, `GetRolePolicy`, `ListRolePolicies`, `DeleteRolePolicy`: policies that live in their role.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::encoded;
use super::page::page;
use crate::access::on_role;
use crate::api;
use crate::errors::IamError;
use crate::state::{self, StoredDocument, put_role};
use neargate_decide::Kind;

const INLINE_CHARACTERS_MAX: usize = 10_240;

pub(crate) struct PutRolePolicy;

impl Operation for PutRolePolicy {
    const SHAPE: &'static OperationShape = &api::PUT_ROLE_POLICY;
    type Input = api::PutRolePolicyInput;
    type Output = api::PutRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:PutRolePolicy", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        let document = StoredDocument::new(&input.policy_document, Kind::Inline).map_err(IamError::from)?;
        role.inline.insert(input.policy_name, document);
        if role.inline.values().map(StoredDocument::size).sum::<usize>() > INLINE_CHARACTERS_MAX {
            return Err(IamError::InlineSize { role: role.name, max: INLINE_CHARACTERS_MAX }.into());
        }
        put_role(cx, role);
        Ok(api::PutRolePolicyOutput {})
    }
}

pub(crate) struct GetRolePolicy;

impl Operation for GetRolePolicy {
    const SHAPE: &'static OperationShape = &api::GET_ROLE_POLICY;
    type Input = api::GetRolePolicyInput;
    type Output = api::GetRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:GetRolePolicy", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let role = state::role(cx, &input.role_name)?;
        let Some(document) = role.inline.get(&input.policy_name) else {
            return Err(IamError::RolePolicyNotFound(input.policy_name).into());
        };
        let policy_document = encoded(document.text());
        Ok(api::GetRolePolicyOutput { role_name: role.name, policy_name: input.policy_name, policy_document })
    }
}

pub(crate) struct ListRolePolicies;

impl Operation for ListRolePolicies {
    const SHAPE: &'static OperationShape = &api::LIST_ROLE_POLICIES;
    type Input = api::ListRolePoliciesInput;
    type Output = api::ListRolePoliciesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:ListRolePolicies", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let names = state::role(cx, &input.role_name)?.inline.into_keys();
        let page = page(names.map(|name| (name.clone(), name)), input.marker.as_deref(), input.max_items);
        let is_truncated = Some(page.marker.is_some());
        Ok(api::ListRolePoliciesOutput { policy_names: page.items, is_truncated, marker: page.marker })
    }
}

pub(crate) struct DeleteRolePolicy;

impl Operation for DeleteRolePolicy {
    const SHAPE: &'static OperationShape = &api::DELETE_ROLE_POLICY;
    type Input = api::DeleteRolePolicyInput;
    type Output = api::DeleteRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:DeleteRolePolicy", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        if role.inline.remove(&input.policy_name).is_none() {
            return Err(IamError::RolePolicyNotFound(input.policy_name).into());
        }
        put_role(cx, role);
        Ok(api::DeleteRolePolicyOutput {})
    }
}
