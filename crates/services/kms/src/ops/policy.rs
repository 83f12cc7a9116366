//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`. A key has one policy, called `default`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::on_key;
use crate::errors::KmsError;
use crate::{api, policy, reference};

const NAME: &str = "default";

fn check_name(name: Option<&str>) -> Result<(), KmsError> {
    if name.is_none_or(|name| name == NAME) { Ok(()) } else { Err(KmsError::PolicyName) }
}

pub(crate) struct GetKeyPolicy;

impl Operation for GetKeyPolicy {
    const SHAPE: &'static OperationShape = &api::GET_KEY_POLICY;
    type Input = api::GetKeyPolicyInput;
    type Output = api::GetKeyPolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "GetKeyPolicy", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_name(input.policy_name.as_deref())?;
        let key = reference::own_key(cx, &input.key_id)?;
        let shown = cx.registry.ports.authorizer.shown_policy(cx.store(), &key.policy, &key.principals);
        Ok(api::GetKeyPolicyOutput { policy: Some(shown), policy_name: Some(NAME.to_owned()) })
    }
}

pub(crate) struct PutKeyPolicy;

impl Operation for PutKeyPolicy {
    const SHAPE: &'static OperationShape = &api::PUT_KEY_POLICY;
    type Input = api::PutKeyPolicyInput;
    type Output = api::PutKeyPolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let bypass = (input.bypass_policy_lockout_safety_check == Some(true)).to_string();
        on_key(cx, "PutKeyPolicy", &input.key_id).with("kms:BypassPolicyLockoutSafetyCheck", bypass).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_name(input.policy_name.as_deref())?;
        let mut key = reference::own_key(cx, &input.key_id)?;
        let may_lock_out = input.bypass_policy_lockout_safety_check == Some(true);
        policy::check(cx, &input.policy, &key.arn(&cx.scope), may_lock_out)?;
        key.principals = cx.registry.ports.authorizer.principal_ids(cx.store(), &input.policy);
        key.policy = input.policy;
        cx.put(&key.id.clone(), key);
        Ok(api::PutKeyPolicyOutput {})
    }
}

pub(crate) struct ListKeyPolicies;

impl Operation for ListKeyPolicies {
    const SHAPE: &'static OperationShape = &api::LIST_KEY_POLICIES;
    type Input = api::ListKeyPoliciesInput;
    type Output = api::ListKeyPoliciesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "ListKeyPolicies", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        reference::own_key(cx, &input.key_id)?;
        let page = page(vec![NAME.to_owned()], input.marker.as_deref(), input.limit, 100)?;
        Ok(api::ListKeyPoliciesOutput { policy_names: page.items, next_marker: page.next, truncated: page.truncated })
    }
}
