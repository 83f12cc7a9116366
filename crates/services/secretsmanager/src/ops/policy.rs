//! `GetResourcePolicy`, `PutResourcePolicy`, `DeleteResourcePolicy`, `ValidateResourcePolicy`.

use neargate_kernel::{Accesses, Cx, Fault, Operation, PolicyFlaw};
use neargate_shape::OperationShape;

use crate::access::{on_new, on_secret};
use crate::errors::SecretError;
use crate::{api, policy, state};

pub(crate) struct GetResourcePolicy;

impl Operation for GetResourcePolicy {
    const SHAPE: &'static OperationShape = &api::GET_RESOURCE_POLICY;
    type Input = api::GetResourcePolicyInput;
    type Output = api::GetResourcePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "GetResourcePolicy", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (_, secret) = state::find(cx, &input.secret_id).ok_or(SecretError::NotFound)?;
        let authorizer = cx.registry.ports.authorizer;
        let shown = |text: String| authorizer.shown_policy(cx.store(), &text, &secret.principals);
        let (arn, name, resource_policy) = (Some(secret.arn), Some(secret.name), secret.policy.map(shown));
        Ok(api::GetResourcePolicyOutput { arn, name, resource_policy, policy_name: None })
    }
}

pub(crate) struct PutResourcePolicy;

impl Operation for PutResourcePolicy {
    const SHAPE: &'static OperationShape = &api::PUT_RESOURCE_POLICY;
    type Input = api::PutResourcePolicyInput;
    type Output = api::PutResourcePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let blocks = (input.block_public_policy == Some(true)).to_string();
        let access = on_secret(cx, "PutResourcePolicy", &input.secret_id);
        access.with("secretsmanager:BlockPublicPolicy", blocks).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::living(cx, &input.secret_id)?;
        policy::check(cx, &input.resource_policy, input.block_public_policy == Some(true))?;
        secret.principals = cx.registry.ports.authorizer.principal_ids(cx.store(), &input.resource_policy);
        secret.policy = Some(input.resource_policy);
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        cx.put(&secret.name.clone(), secret);
        Ok(api::PutResourcePolicyOutput { arn, name, policy_name: None })
    }
}

pub(crate) struct DeleteResourcePolicy;

impl Operation for DeleteResourcePolicy {
    const SHAPE: &'static OperationShape = &api::DELETE_RESOURCE_POLICY;
    type Input = api::DeleteResourcePolicyInput;
    type Output = api::DeleteResourcePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "DeleteResourcePolicy", &input.secret_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::living(cx, &input.secret_id)?;
        secret.policy = None;
        let (arn, name) = (Some(secret.arn.clone()), Some(secret.name.clone()));
        cx.put(&secret.name.clone(), secret);
        Ok(api::DeleteResourcePolicyOutput { arn, name, policy_name: None })
    }
}

pub(crate) struct ValidateResourcePolicy;

impl Operation for ValidateResourcePolicy {
    const SHAPE: &'static OperationShape = &api::VALIDATE_RESOURCE_POLICY;
    type Input = api::ValidateResourcePolicyInput;
    type Output = api::ValidateResourcePolicyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let secret = input.secret_id.as_deref();
        let any = || on_new(cx, "secretsmanager:ValidateResourcePolicy", "*");
        secret.map_or_else(any, |secret| on_secret(cx, "ValidateResourcePolicy", secret)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if let Some(secret) = &input.secret_id {
            state::own(cx, secret)?;
        }
        let error = match policy::check(cx, &input.resource_policy, true) {
            Ok(()) => None,
            Err(error @ SecretError::PublicPolicy) => Some(("PUBLIC_POLICY", error)),
            Err(error @ SecretError::Policy(PolicyFlaw::Principal(_))) => Some(("UNSUPPORTED_PRINCIPAL", error)),
            Err(error) => Some(("POLICY_SYNTAX", error)),
        };
        let error = error.map(|(name, error)| api::ValidationErrorsEntry {
            check_name: Some(name.to_owned()),
            error_message: Some(Fault::from(error).message),
        });
        Ok(api::ValidateResourcePolicyOutput {
            policy_validation_passed: Some(error.is_none()),
            validation_errors: Some(error.into_iter().collect()),
        })
    }
}
