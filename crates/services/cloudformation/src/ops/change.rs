//! `CreateStack`, `UpdateStack`, `DeleteStack`: each checks, notes the goal and leaves the rest to the executor.

use neargate_kernel::{Access, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{access, preflight};
use crate::api;
use crate::errors::CloudFormationError;
use crate::executor::schedule;
use crate::state::{Goal, OnFailure, Source, Stack, find, log};

/// `CreateStack` begins to make a stack.
pub(crate) struct CreateStack;

impl Operation for CreateStack {
    const SHAPE: &'static OperationShape = &api::CREATE_STACK;
    type Input = api::CreateStackInput;
    type Output = api::CreateStackOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Vec<Access> {
        let mut accesses = access(cx, "cloudformation:CreateStack", &input.stack_name);
        accesses.extend(pass_role(input.role_arn.as_deref()));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_name(&input.stack_name)?;
        if find(cx, &input.stack_name).is_ok() {
            return Err(CloudFormationError::StackExists(input.stack_name).into());
        }
        let text = preflight::text(input.template_body, input.template_url.as_deref())?;
        let template = preflight::read(&text)?;
        let parameters = preflight::parameters(&template, input.parameters, &std::collections::BTreeMap::new())?;
        let key = cx.rng.uuid();
        let stack = Stack {
            arn: cx.scope.arn("cloudformation", &format!("stack/{}/{key}", input.stack_name)),
            name: input.stack_name,
            status: "CREATE_IN_PROGRESS".to_owned(),
            reason: None,
            goal: Goal::Create,
            source: Source {
                template: text,
                parameters,
                capabilities: input.capabilities.unwrap_or_default(),
                tags: input.tags.unwrap_or_default(),
            },
            before: None,
            principal: cx.principal.clone(),
            role_arn: input.role_arn,
            on_failure: on_failure(input.disable_rollback, input.on_failure.as_deref())?,
            termination_protection: input.enable_termination_protection.unwrap_or(false),
            timeout_in_minutes: input.timeout_in_minutes,
            notification_arns: input.notification_arns.unwrap_or_default(),
            retained: vec![],
            created_at: cx.time(),
            updated_at: None,
            deleted_at: None,
            outputs: vec![],
            key,
        };
        preflight::check(cx, &stack, &template)?;
        for (is_set, what) in [
            (!stack.notification_arns.is_empty(), "NotificationARNs"),
            (stack.timeout_in_minutes.is_some(), "TimeoutInMinutes"),
            (input.stack_policy_body.is_some(), "StackPolicyBody"),
            (input.rollback_configuration.is_some(), "RollbackConfiguration"),
        ] {
            if is_set {
                cx.not_simulated(format!("cloudformation:CreateStack {what}"), "recorded; not acted on");
            }
        }
        log(cx, &stack, None, "CREATE_IN_PROGRESS", Some("User Initiated"));
        let stack_id = Some(stack.arn.clone());
        schedule(cx, &stack.key);
        cx.put(&stack.key.clone(), stack);
        Ok(api::CreateStackOutput { stack_id, operation_id: None })
    }
}

fn on_failure(disable_rollback: Option<bool>, on_failure: Option<&str>) -> Result<OnFailure, CloudFormationError> {
    match (disable_rollback, on_failure) {
        (Some(_), Some(_)) => {
            let text = "You may specify either DisableRollback or OnFailure, but not both.";
            Err(CloudFormationError::Validation(text.to_owned()))
        }
        (Some(true), None) | (None, Some("DO_NOTHING")) => Ok(OnFailure::DoNothing),
        (None, Some("DELETE")) => Ok(OnFailure::Delete),
        _ => Ok(OnFailure::RollBack),
    }
}

fn check_name(name: &str) -> Result<(), CloudFormationError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if letters && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 128 {
        return Ok(());
    }
    let text = format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    );
    Err(CloudFormationError::Validation(text))
}

fn pass_role(role: Option<&str>) -> Option<Access> {
    Some(Access::new("iam:PassRole", role?).with("iam:PassedToService", "cloudformation.amazonaws.com"))
}

/// `UpdateStack` begins to turn a stack into what another template says.
pub(crate) struct UpdateStack;

impl Operation for UpdateStack {
    const SHAPE: &'static OperationShape = &api::UPDATE_STACK;
    type Input = api::UpdateStackInput;
    type Output = api::UpdateStackOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Vec<Access> {
        let mut accesses = access(cx, "cloudformation:UpdateStack", &input.stack_name);
        accesses.extend(pass_role(input.role_arn.as_deref()));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut stack = find(cx, &input.stack_name)?;
        let can = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"];
        if !can.contains(&stack.status.as_str()) {
            let text = format!("Stack:{} is in {} state and can not be updated.", stack.arn, stack.status);
            return Err(CloudFormationError::Validation(text).into());
        }
        let text = match input.use_previous_template {
            Some(true) => stack.source.template.clone(),
            _ => preflight::text(input.template_body, input.template_url.as_deref())?,
        };
        let template = preflight::read(&text)?;
        let parameters = preflight::parameters(&template, input.parameters, &stack.source.parameters)?;
        let tags = input.tags.unwrap_or_else(|| stack.source.tags.clone());
        let capabilities = input.capabilities.unwrap_or_default();
        let is_same = text == stack.source.template && parameters == stack.source.parameters && tags == stack.source.tags;
        if is_same {
            return Err(CloudFormationError::Validation("No updates are to be performed.".to_owned()).into());
        }
        let before = std::mem::replace(&mut stack.source, Source { template: text, parameters, capabilities, tags });
        stack.before = Some(before);
        preflight::check(cx, &stack, &template)?;
        stack.goal = Goal::Update;
        stack.on_failure = if input.disable_rollback == Some(true) { OnFailure::DoNothing } else { OnFailure::RollBack };
        stack.principal = cx.principal.clone();
        stack.role_arn = input.role_arn.or(stack.role_arn);
        "UPDATE_IN_PROGRESS".clone_into(&mut stack.status);
        stack.reason = None;
        stack.updated_at = Some(cx.time());
        log(cx, &stack, None, "UPDATE_IN_PROGRESS", Some("User Initiated"));
        let stack_id = Some(stack.arn.clone());
        schedule(cx, &stack.key);
        cx.put(&stack.key.clone(), stack);
        Ok(api::UpdateStackOutput { stack_id, operation_id: None })
    }
}

/// `DeleteStack` begins to take a stack away; one that does not exist is no error.
pub(crate) struct DeleteStack;

impl Operation for DeleteStack {
    const SHAPE: &'static OperationShape = &api::DELETE_STACK;
    type Input = api::DeleteStackInput;
    type Output = api::DeleteStackOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Vec<Access> {
        let mut accesses = access(cx, "cloudformation:DeleteStack", &input.stack_name);
        accesses.extend(pass_role(input.role_arn.as_deref()));
        accesses
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let Ok(mut stack) = find(cx, &input.stack_name) else { return Ok(api::DeleteStackOutput::default()) };
        if stack.deleted_at.is_some() || stack.goal == Goal::Delete {
            return Ok(api::DeleteStackOutput::default());
        }
        if stack.termination_protection {
            let text = format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            );
            return Err(CloudFormationError::Validation(text).into());
        }
        stack.goal = Goal::Delete;
        stack.principal = cx.principal.clone();
        stack.role_arn = input.role_arn.or(stack.role_arn);
        stack.retained = input.retain_resources.unwrap_or_default();
        "DELETE_IN_PROGRESS".clone_into(&mut stack.status);
        forget_failures(cx, &stack);
        log(cx, &stack, None, "DELETE_IN_PROGRESS", Some("User Initiated"));
        schedule(cx, &stack.key);
        cx.put(&stack.key.clone(), stack);
        Ok(api::DeleteStackOutput::default())
    }
}

/// A resource that could not be deleted is tried again.
fn forget_failures(cx: &mut Cx<'_>, stack: &Stack) {
    for (id, mut resource) in crate::state::resources(cx, &stack.key) {
        if resource.status == "DELETE_FAILED" {
            "UPDATE_COMPLETE".clone_into(&mut resource.status);
            cx.put(&crate::state::resource_key(&stack.key, &id), resource);
        }
    }
}
