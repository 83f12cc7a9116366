//! `AttachRolePolicy`, `DetachRolePolicy`, `ListAttachedRolePolicies`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::on_role;
use crate::errors::IamError;
use crate::policies::find_policy;
use crate::state::{self, put_role};
use crate::{api, aws_managed};

const POLICIES_PER_ROLE_MAX: usize = 10;

pub(crate) struct AttachRolePolicy;

impl Operation for AttachRolePolicy {
    const SHAPE: &'static OperationShape = &api::ATTACH_ROLE_POLICY;
    type Input = api::AttachRolePolicyInput;
    type Output = api::AttachRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:AttachRolePolicy", &input.role_name).with("iam:PolicyARN", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        if find_policy(cx.store(), &cx.scope.account, &input.policy_arn).is_none() {
            return Err(IamError::PolicyNotAttachable(input.policy_arn).into());
        }
        if role.attached.contains(&input.policy_arn) {
            return Ok(api::AttachRolePolicyOutput {});
        }
        if role.attached.len() == POLICIES_PER_ROLE_MAX {
            return Err(IamError::Quota { name: "PoliciesPerRole", max: POLICIES_PER_ROLE_MAX }.into());
        }
        aws_managed::say_if_unknown(cx, "AttachRolePolicy", &input.policy_arn);
        role.attached.push(input.policy_arn);
        put_role(cx, role);
        Ok(api::AttachRolePolicyOutput {})
    }
}

pub(crate) struct DetachRolePolicy;

impl Operation for DetachRolePolicy {
    const SHAPE: &'static OperationShape = &api::DETACH_ROLE_POLICY;
    type Input = api::DetachRolePolicyInput;
    type Output = api::DetachRolePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:DetachRolePolicy", &input.role_name).with("iam:PolicyARN", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        let before = role.attached.len();
        role.attached.retain(|arn| *arn != input.policy_arn);
        if role.attached.len() == before {
            return Err(IamError::PolicyNotAttached(input.policy_arn).into());
        }
        put_role(cx, role);
        Ok(api::DetachRolePolicyOutput {})
    }
}

pub(crate) struct ListAttachedRolePolicies;

impl Operation for ListAttachedRolePolicies {
    const SHAPE: &'static OperationShape = &api::LIST_ATTACHED_ROLE_POLICIES;
    type Input = api::ListAttachedRolePoliciesInput;
    type Output = api::ListAttachedRolePoliciesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:ListAttachedRolePolicies", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let role = state::role(cx, &input.role_name)?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let policies = role.attached.iter().filter_map(|arn| find_policy(cx.store(), &cx.scope.account, arn));
        let mut policies: Vec<_> = policies.filter(|policy| policy.path.starts_with(prefix)).collect();
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        let attached = policies.into_iter().map(|policy| {
            let (name, arn) = (policy.name.clone(), policy.arn.clone());
            (name.clone(), api::AttachedPolicy { policy_name: Some(name), policy_arn: Some(arn) })
        });
        let page = page(attached, input.marker.as_deref(), input.max_items);
        let is_truncated = Some(page.marker.is_some());
        let attached_policies = Some(page.items);
        Ok(api::ListAttachedRolePoliciesOutput { attached_policies, is_truncated, marker: page.marker })
    }
}
