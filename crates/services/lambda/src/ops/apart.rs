//! What is said of functions apart from their configuration: tags and reserved concurrency.
//!
//! Follows <https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html> and
//! <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html>.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{found, on};
use crate::api;

/// `TagResource` adds or replaces tags by key.
pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "TagResource", &input.resource).with_request_tags(input.tags.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.resource)?;
        record.tags.extend(input.tags);
        cx.put(&name, record);
        Ok(api::TagResourceOutput::default())
    }
}

/// `UntagResource` takes tags away by key.
pub(crate) struct UntagResource;

impl Operation for UntagResource {
    const SHAPE: &'static OperationShape = &api::UNTAG_RESOURCE;
    type Input = api::UntagResourceInput;
    type Output = api::UntagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "UntagResource", &input.resource).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.resource)?;
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        cx.put(&name, record);
        Ok(api::UntagResourceOutput::default())
    }
}

/// `PutFunctionConcurrency` reserves concurrency for a function.
pub(crate) struct PutFunctionConcurrency;

impl Operation for PutFunctionConcurrency {
    const SHAPE: &'static OperationShape = &api::PUT_FUNCTION_CONCURRENCY;
    type Input = api::PutFunctionConcurrencyInput;
    type Output = api::PutFunctionConcurrencyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "PutFunctionConcurrency", &input.function_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.function_name)?;
        record.reserved_concurrent_executions = Some(input.reserved_concurrent_executions);
        cx.put(&name, record);
        let reserved_concurrent_executions = Some(input.reserved_concurrent_executions);
        Ok(api::PutFunctionConcurrencyOutput { reserved_concurrent_executions })
    }
}

/// `DeleteFunctionConcurrency` reserves none any more.
pub(crate) struct DeleteFunctionConcurrency;

impl Operation for DeleteFunctionConcurrency {
    const SHAPE: &'static OperationShape = &api::DELETE_FUNCTION_CONCURRENCY;
    type Input = api::DeleteFunctionConcurrencyInput;
    type Output = api::DeleteFunctionConcurrencyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteFunctionConcurrency", &input.function_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let (name, mut record) = found(cx, &input.function_name)?;
        record.reserved_concurrent_executions = None;
        cx.put(&name, record);
        Ok(api::DeleteFunctionConcurrencyOutput::default())
    }
}
