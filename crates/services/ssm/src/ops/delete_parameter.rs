//! `DeleteParameter`, `DeleteParameters`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::get_parameter::on_parameter;
use crate::api;
use crate::errors::SsmError;
use crate::name::Reference;
use crate::state;

pub(crate) struct DeleteParameter;

impl Operation for DeleteParameter {
    const SHAPE: &'static OperationShape = &api::DELETE_PARAMETER;
    type Input = api::DeleteParameterInput;
    type Output = api::DeleteParameterOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:DeleteParameter", &input.name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if !delete(cx, &input.name) {
            return Err(SsmError::NotFound(input.name).into());
        }
        Ok(api::DeleteParameterOutput {})
    }
}

pub(crate) struct DeleteParameters;

impl Operation for DeleteParameters {
    const SHAPE: &'static OperationShape = &api::DELETE_PARAMETERS;
    type Input = api::DeleteParametersInput;
    type Output = api::DeleteParametersOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Accesses::each(input.names.iter().map(|name| on_parameter(cx, "ssm:DeleteParameters", name)), || {
            Access::new("ssm:DeleteParameters", "*")
        })
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (deleted, invalid) = input.names.into_iter().partition(|name| delete(cx, name));
        Ok(api::DeleteParametersOutput { deleted_parameters: Some(deleted), invalid_parameters: Some(invalid) })
    }
}

fn delete(cx: &mut Cx<'_>, name: &str) -> bool {
    let found = state::find(cx, &Reference::read(name)).map(|record| record.latest.name.clone());
    found.inspect(|name| state::remove(cx, name)).is_some()
}
