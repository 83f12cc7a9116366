//! `CreatePolicy`, `GetPolicy`, `ListPolicies`, `DeletePolicy`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use super::policy_version::checked_document;
use crate::access::{on_path, pairs};
use crate::errors::IamError;
use crate::policies;
use crate::state::{self, PolicyRecord, attachments, put_policy};
use crate::{api, aws_managed};

pub(crate) struct CreatePolicy;

impl Operation for CreatePolicy {
    const SHAPE: &'static OperationShape = &api::CREATE_POLICY;
    type Input = api::CreatePolicyInput;
    type Output = api::CreatePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let arn = on_path(cx, "policy", input.path.as_deref(), &input.policy_name);
        let on = |action: &str| {
            Access::new(action, &arn)
                .with_resource_tags(Some("iam:ResourceTag/"), [])
                .with_request_tags(pairs(input.tags.as_deref()))
        };
        let tag = input.tags.as_ref().is_some_and(|tags| !tags.is_empty()).then(|| on("iam:TagPolicy"));
        Accesses::new(on("iam:CreatePolicy")).and(tag)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let document = checked_document(&input.policy_document)?;
        let account = cx.scope.account.clone();
        let mut own = cx.store().scan::<PolicyRecord>(&state::home(&account), "");
        if own.any(|(_, policy)| policy.name.eq_ignore_ascii_case(&input.policy_name)) {
            return Err(IamError::PolicyExists(input.policy_name).into());
        }
        drop(own);
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let mut policy = PolicyRecord {
            arn: format!("arn:aws:iam::{account}:policy{path}{}", input.policy_name),
            name: input.policy_name,
            path,
            id: format!("ANPA{}", cx.rng.upper_alphanumeric(17)),
            created: Some(cx.time()),
            updated: None,
            description: input.description,
            tags: input.tags.unwrap_or_default(),
            versions: vec![],
            default_version: String::new(),
            versions_made: 0,
        };
        policy.add_version(document, cx.time(), true);
        let tags = Some(policy.tags.clone()).filter(|tags| !tags.is_empty());
        let answer = api::Policy { tags, ..shown(cx, &policy, false) };
        put_policy(cx, policy);
        Ok(api::CreatePolicyOutput { policy: Some(answer) })
    }
}

pub(crate) struct GetPolicy;

impl Operation for GetPolicy {
    const SHAPE: &'static OperationShape = &api::GET_POLICY;
    type Input = api::GetPolicyInput;
    type Output = api::GetPolicyOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:GetPolicy", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let policy = policies::policy(cx, &input.policy_arn)?;
        Ok(api::GetPolicyOutput { policy: Some(shown(cx, &policy, true)) })
    }
}

pub(crate) struct ListPolicies;

impl Operation for ListPolicies {
    const SHAPE: &'static OperationShape = &api::LIST_POLICIES;
    type Input = api::ListPoliciesInput;
    type Output = api::ListPoliciesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:ListPolicies", on_path(cx, "policy", input.path_prefix.as_deref(), "")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let wanted = input.scope.as_deref().unwrap_or("All");
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let mut listed: Vec<&PolicyRecord> = vec![];
        if wanted != "AWS" {
            let own = cx.store().scan::<PolicyRecord>(&state::home(&cx.scope.account), "");
            listed.extend(own.map(|(_, policy)| policy));
        }
        if wanted != "Local" {
            aws_managed::all().for_each(|policy| listed.push(policy));
        }
        listed.retain(|policy| policy.path.starts_with(prefix));
        if input.policy_usage_filter.as_deref() == Some("PermissionsBoundary") {
            listed.retain(|policy| boundaries(cx, &policy.arn) > 0);
        }
        if input.only_attached == Some(true) {
            listed.retain(|policy| attachments(cx.store(), &cx.scope.account, &policy.arn) > 0);
        }
        listed.sort_by(|a, b| a.arn.cmp(&b.arn));
        let listed = listed.into_iter().map(|policy| (policy.arn.clone(), shown(cx, policy, false)));
        let page = page(listed, input.marker.as_deref(), input.max_items);
        let is_truncated = Some(page.marker.is_some());
        Ok(api::ListPoliciesOutput { policies: Some(page.items), is_truncated, marker: page.marker })
    }
}

pub(crate) struct DeletePolicy;

impl Operation for DeletePolicy {
    const SHAPE: &'static OperationShape = &api::DELETE_POLICY;
    type Input = api::DeletePolicyInput;
    type Output = api::DeletePolicyOutput;

    fn access(_cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Access::new("iam:DeletePolicy", &input.policy_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let policy = policies::own_policy(cx, &input.policy_arn)?;
        if attachments(cx.store(), &cx.scope.account, &policy.arn) + boundaries(cx, &policy.arn) > 0 {
            return Err(IamError::PolicyIsAttached.into());
        }
        if policy.versions.len() > 1 {
            return Err(IamError::PolicyHasVersions.into());
        }
        cx.in_global(|cx| cx.delete::<PolicyRecord>(&policy.arn));
        Ok(api::DeletePolicyOutput {})
    }
}

/// Of how many roles a policy is the permissions boundary.
fn boundaries(cx: &Cx<'_>, arn: &str) -> usize {
    state::roles(cx.store(), &cx.scope.account).filter(|role| role.boundary.as_deref() == Some(arn)).count()
}

/// A policy as it is answered. Lists leave the description and the tags out.
fn shown(cx: &Cx<'_>, policy: &PolicyRecord, in_full: bool) -> api::Policy {
    let count = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    api::Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()).filter(|id| !id.is_empty()),
        arn: Some(policy.arn.clone()),
        path: Some(policy.path.clone()),
        default_version_id: Some(policy.default_version.clone()),
        attachment_count: count(attachments(cx.store(), &cx.scope.account, &policy.arn)),
        permissions_boundary_usage_count: count(boundaries(cx, &policy.arn)),
        is_attachable: Some(true),
        description: policy.description.clone().filter(|_| in_full),
        create_date: policy.created,
        update_date: policy.updated,
        tags: Some(policy.tags.clone()).filter(|_| in_full),
    }
}
