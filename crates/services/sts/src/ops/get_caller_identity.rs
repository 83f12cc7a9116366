//! `GetCallerIdentity`.

use neargate_kernel::{Accesses, Cx, Fault, Operation, Principal};
use neargate_shape::OperationShape;

use crate::api;
use crate::errors::StsError;

pub(crate) struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    const SHAPE: &'static OperationShape = &api::GET_CALLER_IDENTITY;
    const READS: bool = true;
    type Input = api::GetCallerIdentityInput;
    type Output = api::GetCallerIdentityOutput;

    /// Nobody can be kept from asking who they are.
    fn access(_cx: &Cx<'_>, _input: &Self::Input) -> Accesses {
        Accesses::none("AWS lets every caller ask, an explicit deny notwithstanding")
    }

    fn apply(cx: &mut Cx<'_>, _input: Self::Input) -> Result<Self::Output, Fault> {
        let account = match &cx.principal {
            Principal::Root { account } | Principal::Role { account, .. } => account.to_string(),
            Principal::Service { .. } => cx.scope.account.to_string(),
        };
        let user_id = cx.registry.ports.authorizer.user_id(cx.store(), &cx.principal).ok_or(StsError::InvalidToken)?;
        Ok(api::GetCallerIdentityOutput {
            user_id: Some(user_id),
            account: Some(account),
            arn: Some(cx.principal.arn()),
        })
    }
}
