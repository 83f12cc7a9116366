//! `CreateStack`, `UpdateStack`, `DeleteStack`: each checks, notes the goal and leaves the rest to the executor.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;
use neargate_template::Template;

use super::{access, pairs, preflight};
use crate::api;
use crate::errors::CloudFormationError;
use crate::executor::{principal, schedule};
use crate::state::{Goal, OnFailure, Resource, Source, Stack, find, log, resources};
use crate::world::in_use;

/// `CreateStack` begins to make a stack.
pub(crate) struct CreateStack;

impl Operation for CreateStack {
    const SHAPE: &'static OperationShape = &api::CREATE_STACK;
    type Input = api::CreateStackInput;
    type Output = api::CreateStackOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let asked = |access: Access| {
            let access = access
                .with_request_tags(pairs(input.tags.as_deref()))
                .with_option("cloudformation:RoleArn", input.role_arn.as_deref())
                .with_option("cloudformation:StackPolicyUrl", input.stack_policy_url.as_deref())
                .with_option("cloudformation:TemplateUrl", input.template_url.as_deref())
                .complete("cloudformation:ResourceTypes");
            match &input.resource_types {
                Some(types) => access.with_all("cloudformation:ResourceTypes", types.clone()),
                None => access,
            }
        };
        access(cx, "cloudformation:CreateStack", &input.stack_name).map(asked).and(pass_role(input.role_arn.as_deref()))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_name(&input.stack_name)?;
        if find(cx, &input.stack_name).is_ok() {
            return Err(CloudFormationError::StackExists(input.stack_name).into());
        }
        let text = preflight::text(cx, input.template_body, input.template_url.as_deref())?;
        let template = preflight::read(&text)?;
        let parameters = preflight::parameters(&template, input.parameters, &BTreeMap::new())?;
        let stack_arn = cx.scope.arn("cloudformation", &format!("stack/{}/*", input.stack_name));
        principal(cx, &cx.principal, input.role_arn.as_deref(), &stack_arn)?;
        let tags = input.tags.unwrap_or_default();
        let source = preflight::source(cx, text, &template, parameters, input.capabilities, tags)?;
        let key = cx.rng.uuid();
        let stack = Stack {
            arn: cx.scope.arn("cloudformation", &format!("stack/{}/{key}", input.stack_name)),
            name: input.stack_name,
            status: "CREATE_IN_PROGRESS".to_owned(),
            reason: None,
            goal: Goal::Create,
            turn: 1,
            source,
            before: None,
            principal: cx.principal.clone(),
            role_arn: input.role_arn,
            on_failure: on_failure(input.disable_rollback, input.on_failure.as_deref())?,
            termination_protection: input.enable_termination_protection.unwrap_or(false),
            timeout_in_minutes: input.timeout_in_minutes,
            notification_arns: input.notification_arns.unwrap_or_default(),
            retained: vec![],
            retains_except_on_create: input.retain_except_on_create.unwrap_or(false),
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
            (!stack.source.tags.is_empty(), "Tags"),
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

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let asked = |access: Access| {
            let access = access
                .with_request_tags(pairs(input.tags.as_deref()))
                .with_option("cloudformation:RoleArn", input.role_arn.as_deref())
                .with_option("cloudformation:StackPolicyUrl", input.stack_policy_url.as_deref())
                .with_option("cloudformation:TemplateUrl", input.template_url.as_deref())
                .complete("cloudformation:ResourceTypes");
            match &input.resource_types {
                Some(types) => access.with_all("cloudformation:ResourceTypes", types.clone()),
                None => access,
            }
        };
        access(cx, "cloudformation:UpdateStack", &input.stack_name).map(asked).and(pass_role(input.role_arn.as_deref()))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let missing = || CloudFormationError::Validation(format!("Stack [{}] does not exist", input.stack_name));
        let mut stack = find(cx, &input.stack_name).map_err(|_| missing())?;
        let complete =
            ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"].contains(&stack.status.as_str());
        if !complete && stack.status != "CREATE_FAILED" && stack.status != "UPDATE_FAILED" {
            let text = format!("Stack:{} is in {} state and can not be updated.", stack.arn, stack.status);
            return Err(CloudFormationError::Validation(text).into());
        }
        let text = match input.use_previous_template {
            Some(true) => stack.source.template.clone(),
            _ => preflight::text(cx, input.template_body, input.template_url.as_deref())?,
        };
        let template = preflight::read(&text)?;
        let parameters = preflight::parameters(&template, input.parameters, &stack.source.parameters)?;
        let role_arn = input.role_arn.or(stack.role_arn.take());
        principal(cx, &cx.principal, role_arn.as_deref(), &stack.arn)?;
        let tags = input.tags.unwrap_or_else(|| stack.source.tags.clone());
        let source = preflight::source(cx, text, &template, parameters, input.capabilities, tags)?;
        if complete && is_same(&stack.source, &source, &template) {
            return Err(CloudFormationError::Validation("No updates are to be performed.".to_owned()).into());
        }
        let old = std::mem::replace(&mut stack.source, source);
        preflight::check(cx, &stack, &template)?;
        preflight::check_same_types(cx, &stack, &template)?;
        // After an update that failed and stayed, the way back still leads to what was there before it.
        stack.before.get_or_insert(old);
        stack.goal = Goal::Update;
        stack.turn += 1;
        stack.on_failure =
            if input.disable_rollback == Some(true) { OnFailure::DoNothing } else { OnFailure::RollBack };
        stack.retains_except_on_create = input.retain_except_on_create.unwrap_or(false);
        stack.principal = cx.principal.clone();
        stack.role_arn = role_arn;
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

/// `UpdateTerminationProtection` keeps a stack from being deleted, or does so no more.
pub(crate) struct UpdateTerminationProtection;

impl Operation for UpdateTerminationProtection {
    const SHAPE: &'static OperationShape = &api::UPDATE_TERMINATION_PROTECTION;
    type Input = api::UpdateTerminationProtectionInput;
    type Output = api::UpdateTerminationProtectionOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:UpdateTerminationProtection", &input.stack_name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let stack = find(cx, &input.stack_name)?;
        if stack.deleted_at.is_some() || matches!(stack.goal, Goal::Delete | Goal::Discard) {
            let text = format!(
                "Termination protection cannot be updated on stack [{}] in status {}",
                stack.name, stack.status
            );
            return Err(CloudFormationError::Validation(text).into());
        }
        let protection = input.enable_termination_protection;
        cx.update::<Stack, _>(&stack.key, |stack| stack.termination_protection = protection);
        Ok(api::UpdateTerminationProtectionOutput { stack_id: Some(stack.arn) })
    }
}

/// `DeleteStack` begins to take a stack away; one that does not exist is no error.
pub(crate) struct DeleteStack;

impl Operation for DeleteStack {
    const SHAPE: &'static OperationShape = &api::DELETE_STACK;
    type Input = api::DeleteStackInput;
    type Output = api::DeleteStackOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "cloudformation:DeleteStack", &input.stack_name)
            .map(|access| access.with_option("cloudformation:RoleArn", input.role_arn.as_deref()))
            .and(pass_role(input.role_arn.as_deref()))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let Ok(mut stack) = find(cx, &input.stack_name) else { return Ok(api::DeleteStackOutput::default()) };
        if stack.deleted_at.is_some() || matches!(stack.goal, Goal::Delete | Goal::Discard) {
            return Ok(api::DeleteStackOutput::default());
        }
        if stack.termination_protection {
            let text = format!("Stack [{}] cannot be deleted while TerminationProtection is enabled", stack.name);
            return Err(CloudFormationError::Validation(text).into());
        }
        if matches!(stack.goal, Goal::Update | Goal::RollBackUpdate | Goal::CleanUp) {
            let text = format!("Stack [{}] cannot be deleted while in status {}", stack.name, stack.status);
            return Err(CloudFormationError::Validation(text).into());
        }
        let role_arn = input.role_arn.or(stack.role_arn.take());
        principal(cx, &cx.principal, role_arn.as_deref(), &stack.arn)?;
        let is_forced = input.deletion_mode.as_deref() == Some("FORCE_DELETE_STACK");
        stack.retained = retained(cx, &stack, input.retain_resources, is_forced)?;
        stack.principal = cx.principal.clone();
        stack.role_arn = role_arn;
        log(cx, &stack, None, "DELETE_IN_PROGRESS", Some("User Initiated"));
        let names: Vec<_> = stack.outputs.iter().filter_map(|output| output.export_name.as_deref()).collect();
        if let Some(text) = in_use(cx, &stack, names, "deleted") {
            // AWS begins, sees it, and leaves the stack as it was.
            let status = stack.status.clone();
            log(cx, &stack, None, &status, Some(&text));
            stack.reason = Some(text);
        } else {
            stack.goal = Goal::Delete;
            stack.turn += 1;
            stack.reason = None;
            "DELETE_IN_PROGRESS".clone_into(&mut stack.status);
            schedule(cx, &stack.key);
        }
        cx.put(&stack.key.clone(), stack);
        Ok(api::DeleteStackOutput::default())
    }
}

/// Whether an update would change nothing.
fn is_same(old: &Source, new: &Source, template: &Template) -> bool {
    let same_template = || {
        old.template == new.template
            || crate::executor::template(&old.template).is_ok_and(|old| old.document == template.document)
    };
    old.parameters == new.parameters && old.resolved == new.resolved && old.tags == new.tags && same_template()
}

/// What a deletion is to leave alone: only for stacks that could not be deleted before.
fn retained(cx: &Cx<'_>, stack: &Stack, wanted: Option<Vec<String>>, is_forced: bool) -> Result<Vec<String>, Fault> {
    let refuse = |text: &str| {
        let text = format!("Invalid operation on stack [{}]. {text}", stack.arn);
        Err(CloudFormationError::Validation(text).into())
    };
    let mut retained = wanted.unwrap_or_default();
    let has_failed = stack.status == "DELETE_FAILED";
    if is_forced && !has_failed {
        return refuse(
            "You can activate DeletionMode FORCE_DELETE_STACK in a delete stack operation only when the stack is in the \
             DELETE_FAILED state.",
        );
    }
    if !retained.is_empty() && !has_failed {
        return refuse(
            "When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.",
        );
    }
    let held = resources(cx, &stack.key);
    if !retained.iter().all(|id| held.get(id).is_some_and(Resource::is_there)) {
        let text = "The specified resources to retain must be in a valid state. Do not specify resources that are in the \
                    DELETE_COMPLETE state.";
        return Err(CloudFormationError::Validation(text.to_owned()).into());
    }
    if is_forced {
        retained.extend(held.into_values().filter(|it| it.status == "DELETE_FAILED").map(|it| it.logical_id));
    }
    Ok(retained)
}
