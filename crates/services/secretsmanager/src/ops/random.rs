//! `GetRandomPassword`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::{api, password};

pub(crate) struct GetRandomPassword;

impl Operation for GetRandomPassword {
    const SHAPE: &'static OperationShape = &api::GET_RANDOM_PASSWORD;
    type Input = api::GetRandomPasswordInput;
    type Output = api::GetRandomPasswordOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("secretsmanager:GetRandomPassword", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let password = password::make(cx, &input)?;
        Ok(api::GetRandomPasswordOutput { random_password: Some(password.to_string()) })
    }
}
