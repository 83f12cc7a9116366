//! `GetFunction`.
//!
//! Follows <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::name_and_qualifier;
use crate::api;
use crate::errors::LambdaError;
use crate::state::{FunctionRecord, arn};

const LATEST: &str = "$LATEST";

pub(crate) struct GetFunction;

impl Operation for GetFunction {
    const SHAPE: &'static OperationShape = &api::GET_FUNCTION;
    type Input = api::GetFunctionInput;
    type Output = api::GetFunctionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let (name, _) = name_and_qualifier(&input.function_name);
        let tags = cx.get::<FunctionRecord>(name).map(|record| record.tags.clone()).unwrap_or_default();
        Access::new("lambda:GetFunction", arn(&cx.scope, name)).with_resource_tags(None, tags).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, qualifier) = name_and_qualifier(&input.function_name);
        let qualifier = input.qualifier.as_deref().or(qualifier).unwrap_or(LATEST);
        let Some(record) = cx.get::<FunctionRecord>(name).filter(|_| qualifier == LATEST) else {
            let qualifier = if qualifier == LATEST { String::new() } else { format!(":{qualifier}") };
            return Err(LambdaError::NotFound(arn(&cx.scope, name) + &qualifier).into());
        };
        let record = record.clone();
        let concurrency = record
            .reserved_concurrent_executions
            .map(|reserved| api::Concurrency { reserved_concurrent_executions: Some(reserved) });
        Ok(api::GetFunctionOutput {
            configuration: Some(record.configuration),
            code: Some(record.code),
            tags: Some(record.tags).filter(|tags| !tags.is_empty()),
            tags_error: None,
            concurrency,
        })
    }
}
