//! Resources of stacks, looked at.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{access, page};
use crate::api;
use crate::errors::CloudFormationError;
use crate::state::{Resource, Stack, find, resources};

/// `DescribeStackResources` describes a stack's resources, or the one with a physical id and all beside it.
pub(crate) struct DescribeStackResources;

impl Operation for DescribeStackResources {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_STACK_RESOURCES;
    type Input = api::DescribeStackResourcesInput;
    type Output = api::DescribeStackResourcesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:DescribeStackResources", input.stack_name.as_deref().unwrap_or("*"))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let stack = match (&input.stack_name, &input.physical_resource_id) {
            (Some(name), _) => find(cx, name)?,
            (None, Some(id)) => owner(cx, id)?,
            (None, None) => {
                let text = "Either StackName or PhysicalResourceId must be specified.";
                return Err(CloudFormationError::Validation(text.to_owned()).into());
            }
        };
        let fits = |it: &Resource| input.logical_resource_id.as_ref().is_none_or(|id| *id == it.logical_id);
        let view = |it: Resource| api::StackResource {
            stack_name: Some(stack.name.clone()),
            stack_id: Some(stack.arn.clone()),
            physical_resource_id: it.state.map(|state| state.physical_id),
            logical_resource_id: it.logical_id,
            resource_type: it.type_name,
            timestamp: it.changed_at,
            resource_status: it.status,
            resource_status_reason: it.reason,
            ..api::StackResource::default()
        };
        let found = resources(cx, &stack.key).into_values().filter(|it| fits(it)).map(view).collect();
        Ok(api::DescribeStackResourcesOutput { stack_resources: Some(found) })
    }
}

/// The stack that a physical id belongs to.
fn owner(cx: &Cx<'_>, physical_id: &str) -> Result<Stack, CloudFormationError> {
    let owns = |stack: &Stack| {
        let mut all = resources(cx, &stack.key).into_values();
        all.any(|it| it.is_there() && it.state.is_some_and(|state| state.physical_id == physical_id))
    };
    let found = cx.scan::<Stack>("").map(|(_, stack)| stack).find(|stack| stack.deleted_at.is_none() && owns(stack));
    found.cloned().ok_or_else(|| CloudFormationError::Validation(format!("Stack for {physical_id} does not exist")))
}

/// `DescribeStackResource` describes one resource.
pub(crate) struct DescribeStackResource;

impl Operation for DescribeStackResource {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_STACK_RESOURCE;
    type Input = api::DescribeStackResourceInput;
    type Output = api::DescribeStackResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:DescribeStackResource", &input.stack_name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let nowhere = || CloudFormationError::Validation(format!("Stack '{}' does not exist", input.stack_name));
        let stack = find(cx, &input.stack_name).map_err(|_| nowhere())?;
        let missing = || {
            let text = format!("Resource {} does not exist for stack {}", input.logical_resource_id, input.stack_name);
            CloudFormationError::Validation(text)
        };
        let it = resources(cx, &stack.key).remove(&input.logical_resource_id).ok_or_else(missing)?;
        let template = crate::executor::template(&stack.source.template)?;
        let metadata = template.resources.get(&it.logical_id).map(|it| &it.metadata).filter(|it| !it.is_null());
        let detail = api::StackResourceDetail {
            metadata: metadata.map(ToString::to_string),
            stack_name: Some(stack.name),
            stack_id: Some(stack.arn),
            physical_resource_id: it.state.map(|state| state.physical_id),
            logical_resource_id: it.logical_id,
            resource_type: it.type_name,
            last_updated_timestamp: it.changed_at,
            resource_status: it.status,
            resource_status_reason: it.reason,
            ..api::StackResourceDetail::default()
        };
        Ok(api::DescribeStackResourceOutput { stack_resource_detail: Some(detail) })
    }
}

/// `ListStackResources` lists a stack's resources.
pub(crate) struct ListStackResources;

impl Operation for ListStackResources {
    const SHAPE: &'static OperationShape = &api::LIST_STACK_RESOURCES;
    type Input = api::ListStackResourcesInput;
    type Output = api::ListStackResourcesOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:ListStackResources", &input.stack_name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let stack = find(cx, &input.stack_name)?;
        let summary = |it: Resource| api::StackResourceSummary {
            physical_resource_id: it.state.map(|state| state.physical_id),
            logical_resource_id: it.logical_id,
            resource_type: it.type_name,
            last_updated_timestamp: it.changed_at,
            resource_status: it.status,
            resource_status_reason: it.reason,
            ..api::StackResourceSummary::default()
        };
        let all = resources(cx, &stack.key).into_values().map(summary).collect();
        let (summaries, next_token) = page(all, input.next_token.as_deref());
        Ok(api::ListStackResourcesOutput { stack_resource_summaries: Some(summaries), next_token })
    }
}
