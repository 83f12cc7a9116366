//! Targets of rules.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::rules::access;
use super::{items_max, pages};
use crate::access::pass_role;
use crate::api;
use crate::deliver::target_input;
use crate::errors::EventsError;
use crate::state::{bus_name, rule, rule_key};

/// Targets of one rule; AWS's default quota.
const TARGETS_MAX: usize = 5;

/// `PutTargets` adds or replaces targets by id.
pub(crate) struct PutTargets;

impl Operation for PutTargets {
    const SHAPE: &'static OperationShape = &api::PUT_TARGETS;
    type Input = api::PutTargetsInput;
    type Output = api::PutTargetsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let roles = input.targets.iter().filter_map(|target| target.role_arn.as_ref());
        let targets: Vec<_> = input.targets.iter().map(|target| target.arn.clone()).collect();
        access(cx, "events:PutTargets", input.event_bus_name.as_deref(), &input.rule)
            .map(|access| access.with_all("events:TargetArn", targets.clone()))
            .and(roles.map(pass_role))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let mut rule = rule(cx, &bus, &input.rule)?;
        for target in input.targets {
            check(&target)?;
            say_what_is_not_done(cx, &input.rule, &target);
            rule.targets.retain(|old| old.id != target.id);
            rule.targets.push(target);
        }
        if rule.targets.len() > TARGETS_MAX {
            let text = "The requested resource exceeds the maximum number allowed.";
            return Err(Fault::sender("LimitExceededException", text));
        }
        cx.put(&rule_key(&bus, &input.rule), rule);
        Ok(api::PutTargetsOutput { failed_entry_count: Some(0), failed_entries: Some(vec![]) })
    }
}

/// What is recorded of a target and changes nothing when its delivery fails, and targets that nothing is delivered to.
fn say_what_is_not_done(cx: &mut Cx<'_>, rule: &str, target: &api::Target) {
    let subject = format!("rule `{rule}`, target `{}`", target.id);
    if let Some(queue) = target.dead_letter_config.as_ref().and_then(|it| it.arn.as_deref()) {
        let text = format!("recorded; events that cannot be delivered do not go to `{queue}`, there are no queues");
        cx.not_simulated(format!("{subject} DeadLetterConfig"), text);
    }
    if target.retry_policy.is_some() {
        cx.not_simulated(format!("{subject} RetryPolicy"), "recorded; a delivery that fails is not tried again");
    }
    if target.ecs_parameters.is_none() {
        let text = format!("recorded; nothing is delivered to `{}`, only ECS tasks are", target.arn);
        cx.not_simulated(subject, text);
    }
}

fn check(target: &api::Target) -> Result<(), EventsError> {
    target_input(target).map_err(|error| EventsError::Validation(error.to_string()))?;
    if target.arn.parse::<Arn>().is_err() {
        let text = format!("Parameter {} is not valid. Reason: Provided Arn is not in correct format.", target.arn);
        return Err(EventsError::Validation(text));
    }
    if let Some(queue) = target.dead_letter_config.as_ref().and_then(|it| it.arn.as_deref())
        && queue.parse::<Arn>().map_or(true, |arn| arn.service != "sqs")
    {
        let text =
            format!("Parameter {queue} is not valid. Reason: Invalid DeadLetterQueue ARN, an SQS queue is expected.");
        return Err(EventsError::Validation(text));
    }
    let is_cluster = target.arn.split(':').nth(2) == Some("ecs") && target.arn.contains(":cluster/");
    let invalid = |reason: &str| {
        let text = format!("Parameter(s) EcsParameters not valid for target {}. Reason: {reason}", target.id);
        Err(EventsError::Validation(text))
    };
    match &target.ecs_parameters {
        None if is_cluster => invalid("ECS targets need EcsParameters."),
        Some(_) if !is_cluster => invalid("the target is no ECS cluster."),
        Some(_) if target.role_arn.is_none() => {
            let text = format!("RoleArn is required for target {}.", target.arn);
            Err(EventsError::Validation(text))
        }
        Some(ecs) if ecs.launch_type.as_deref() == Some("FARGATE") && ecs.network_configuration.is_none() => {
            invalid("NetworkConfiguration is required with launch type FARGATE.")
        }
        _ => Ok(()),
    }
}

/// `RemoveTargets` takes targets away by id.
pub(crate) struct RemoveTargets;

impl Operation for RemoveTargets {
    const SHAPE: &'static OperationShape = &api::REMOVE_TARGETS;
    type Input = api::RemoveTargetsInput;
    type Output = api::RemoveTargetsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:RemoveTargets", input.event_bus_name.as_deref(), &input.rule)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let mut rule = rule(cx, &bus, &input.rule)?;
        rule.targets.retain(|target| !input.ids.contains(&target.id));
        cx.put(&rule_key(&bus, &input.rule), rule);
        Ok(api::RemoveTargetsOutput { failed_entry_count: Some(0), failed_entries: Some(vec![]) })
    }
}

/// `ListTargetsByRule` lists a rule's targets.
pub(crate) struct ListTargetsByRule;

impl Operation for ListTargetsByRule {
    const SHAPE: &'static OperationShape = &api::LIST_TARGETS_BY_RULE;
    type Input = api::ListTargetsByRuleInput;
    type Output = api::ListTargetsByRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:ListTargetsByRule", input.event_bus_name.as_deref(), &input.rule)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let rule = rule(cx, &bus, &input.rule)?;
        let pages = pages(cx, "ListTargetsByRule", (&bus, &input.rule), input.next_token.as_deref())?;
        let id = |target: &api::Target| target.id.clone();
        let (targets, next_token) = pages.listed(rule.targets, id, items_max(input.limit));
        Ok(api::ListTargetsByRuleOutput { targets: Some(targets), next_token })
    }
}
