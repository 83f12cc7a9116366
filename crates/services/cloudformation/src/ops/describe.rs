//! Stacks, looked at.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{access, page};
use crate::api;
use crate::errors::CloudFormationError;
use crate::secrets;
use crate::state::{OnFailure, Stack, StackEvent, find, resource_key};
use crate::world::exports;

/// `DescribeStacks` describes one stack, or all that are not deleted.
pub(crate) struct DescribeStacks;

impl Operation for DescribeStacks {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_STACKS;
    type Input = api::DescribeStacksInput;
    type Output = api::DescribeStacksOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:DescribeStacks", input.stack_name.as_deref().unwrap_or("*"))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let stacks = match input.stack_name {
            Some(name) => vec![view(&find(cx, &name)?)],
            None => newest_first(cx).into_iter().filter(|stack| stack.deleted_at.is_none()).map(view).collect(),
        };
        let (stacks, next_token) = page(stacks, input.next_token.as_deref());
        Ok(api::DescribeStacksOutput { stacks: Some(stacks), next_token })
    }
}

fn newest_first<'s>(cx: &'s Cx<'_>) -> Vec<&'s Stack> {
    let mut stacks: Vec<_> = cx.scan::<Stack>("").map(|(_, stack)| stack).collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.created_at));
    stacks
}

fn view(stack: &Stack) -> api::Stack {
    let source = &stack.source;
    let shown = |key: &String, value: &String| match source.no_echo.contains(key) {
        true => secrets::HIDDEN.to_owned(),
        false => value.clone(),
    };
    let parameter = |(key, value): (&String, &String)| api::Parameter {
        parameter_key: Some(key.clone()),
        parameter_value: Some(shown(key, value)),
        resolved_value: source.resolved.get(value).map(|resolved| shown(key, resolved)),
        ..api::Parameter::default()
    };
    api::Stack {
        stack_id: Some(stack.arn.clone()),
        stack_name: stack.name.clone(),
        parameters: Some(stack.source.parameters.iter().map(parameter).collect()),
        creation_time: stack.created_at,
        deletion_time: stack.deleted_at,
        last_updated_time: stack.updated_at,
        rollback_configuration: Some(api::RollbackConfiguration::default()),
        stack_status: stack.status.clone(),
        stack_status_reason: stack.reason.clone(),
        disable_rollback: Some(stack.on_failure == OnFailure::DoNothing),
        notification_arns: Some(stack.notification_arns.clone()),
        timeout_in_minutes: stack.timeout_in_minutes,
        capabilities: Some(stack.source.capabilities.clone()),
        outputs: Some(stack.outputs.clone()),
        role_arn: stack.role_arn.clone(),
        tags: Some(stack.source.tags.clone()),
        enable_termination_protection: Some(stack.termination_protection),
        drift_information: Some(api::StackDriftInformation {
            stack_drift_status: "NOT_CHECKED".to_owned(),
            last_check_timestamp: None,
        }),
        ..api::Stack::default()
    }
}

/// `ListStacks` lists stacks, deleted ones too, by status.
pub(crate) struct ListStacks;

impl Operation for ListStacks {
    const SHAPE: &'static OperationShape = &api::LIST_STACKS;
    type Input = api::ListStacksInput;
    type Output = api::ListStacksOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("cloudformation:ListStacks", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let wanted = input.stack_status_filter.unwrap_or_default();
        let fits = |stack: &&Stack| wanted.is_empty() || wanted.contains(&stack.status);
        let summary = |stack: &Stack| api::StackSummary {
            stack_id: Some(stack.arn.clone()),
            stack_name: stack.name.clone(),
            creation_time: stack.created_at,
            last_updated_time: stack.updated_at,
            deletion_time: stack.deleted_at,
            stack_status: stack.status.clone(),
            stack_status_reason: stack.reason.clone(),
            ..api::StackSummary::default()
        };
        let stacks = newest_first(cx).into_iter().filter(fits).map(summary).collect();
        let (summaries, next_token) = page(stacks, input.next_token.as_deref());
        Ok(api::ListStacksOutput { stack_summaries: Some(summaries), next_token })
    }
}

/// `DescribeStackEvents` lists a stack's history, newest first.
pub(crate) struct DescribeStackEvents;

impl Operation for DescribeStackEvents {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_STACK_EVENTS;
    type Input = api::DescribeStackEventsInput;
    type Output = api::DescribeStackEventsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:DescribeStackEvents", &input.stack_name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let missing = || CloudFormationError::Validation(format!("Stack [{}] does not exist", input.stack_name));
        let stack = find(cx, &input.stack_name).map_err(|_| missing())?;
        let mut events: Vec<_> =
            cx.scan::<StackEvent>(&resource_key(&stack.key, "")).map(|(_, event)| event.view.clone()).collect();
        events.reverse();
        let (events, next_token) = page(events, input.next_token.as_deref());
        Ok(api::DescribeStackEventsOutput { stack_events: Some(events), next_token })
    }
}

/// `ListExports` lists what the stacks of a region export.
pub(crate) struct ListExports;

impl Operation for ListExports {
    const SHAPE: &'static OperationShape = &api::LIST_EXPORTS;
    type Input = api::ListExportsInput;
    type Output = api::ListExportsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("cloudformation:ListExports", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let view = |(name, value, stack): (String, String, String)| api::Export {
            exporting_stack_id: Some(stack),
            name: Some(name),
            value: Some(value),
        };
        let (exports, next_token) = page(exports(cx, &cx.scope).map(view).collect(), input.next_token.as_deref());
        Ok(api::ListExportsOutput { exports: Some(exports), next_token })
    }
}
