//! Rules.

use neargate_event_pattern::Pattern;
use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_schedule::Dialect;
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::access::{TAGS, on_resource, pass_role, with_pattern, with_tags};
use crate::api;
use crate::errors::EventsError;
use crate::schedules;
use crate::state::{DEFAULT_BUS, Rule, bus_name, rule, rule_arn, rule_key};

/// `PutRule` makes a rule or replaces what it says; its targets stay.
pub(crate) struct PutRule;

impl Operation for PutRule {
    const SHAPE: &'static OperationShape = &api::PUT_RULE;
    type Input = api::PutRuleInput;
    type Output = api::PutRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let rule = access(cx, "events:PutRule", input.event_bus_name.as_deref(), &input.name);
        let asked = |access| with_pattern(with_tags(access, input.tags.as_deref()), input.event_pattern.as_deref());
        rule.map(asked).and(input.role_arn.iter().map(pass_role))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        check(&input, &bus)?;
        let key = rule_key(&bus, &input.name);
        let before = cx.get::<Rule>(&key).cloned();
        let state = input.state.unwrap_or_else(|| "ENABLED".to_owned());
        let enabled = state != "DISABLED";
        let was_enabled =
            before.as_ref().is_some_and(|rule| rule.enabled && rule.schedule == input.schedule_expression);
        let mut rule = Rule {
            name: input.name.clone(),
            pattern: input.event_pattern,
            schedule: input.schedule_expression,
            enabled,
            state,
            description: input.description,
            role_arn: input.role_arn,
            created_by: cx.scope.account.to_string(),
            tags: before.as_ref().map_or_else(|| input.tags.unwrap_or_default(), |rule| rule.tags.clone()),
            targets: before.as_ref().map(|rule| rule.targets.clone()).unwrap_or_default(),
            job: before.as_ref().and_then(|rule| rule.job.clone()),
            enabled_at: before.as_ref().filter(|_| was_enabled).map_or(cx.time(), |rule| rule.enabled_at),
            matched_events: before.as_ref().map_or(0, |rule| rule.matched_events),
            invocations: before.as_ref().map_or(0, |rule| rule.invocations),
            failed_invocations: before.as_ref().map_or(0, |rule| rule.failed_invocations),
            bus,
        };
        schedules::plan(cx, &mut rule);
        let arn = rule_arn(cx, &rule.bus, &rule.name);
        cx.put(&key, rule);
        Ok(api::PutRuleOutput { rule_arn: Some(arn) })
    }
}

fn check(input: &api::PutRuleInput, bus: &str) -> Result<(), Fault> {
    TAGS.check(input.tags.as_deref().unwrap_or_default()).map_err(EventsError::from)?;
    if input.event_pattern.is_none() && input.schedule_expression.is_none() {
        let text = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
        return Err(EventsError::Validation(text.to_owned()).into());
    }
    if let Some(pattern) = &input.event_pattern {
        Pattern::parse(pattern).map_err(|error| EventsError::InvalidPattern(error.to_string()))?;
    }
    if let Some(expression) = &input.schedule_expression {
        if bus != DEFAULT_BUS {
            let text = "ScheduleExpression is supported only on the default event bus.";
            return Err(EventsError::Validation(text.to_owned()).into());
        }
        // AWS says no more than that it is not valid.
        schedules::parse(expression).map_err(|error| {
            Fault::from(EventsError::Validation(error.aws_message(Dialect::Rule))).with_hint(error.to_string())
        })?;
    }
    Ok(())
}

/// `DescribeRule` describes a rule.
pub(crate) struct DescribeRule;

impl Operation for DescribeRule {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_RULE;
    type Input = api::DescribeRuleInput;
    type Output = api::DescribeRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:DescribeRule", input.event_bus_name.as_deref(), &input.name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let rule = rule(cx, &bus, &input.name)?;
        let created_by = Some(rule.created_by.clone());
        let api::Rule {
            name,
            arn,
            event_pattern,
            state,
            description,
            schedule_expression,
            role_arn,
            managed_by,
            event_bus_name,
        } = rule.to_api(cx);
        Ok(api::DescribeRuleOutput {
            name,
            arn,
            event_pattern,
            schedule_expression,
            state,
            description,
            role_arn,
            managed_by,
            event_bus_name,
            created_by,
        })
    }
}

/// `ListRules` lists the rules of a bus.
pub(crate) struct ListRules;

impl Operation for ListRules {
    const SHAPE: &'static OperationShape = &api::LIST_RULES;
    type Input = api::ListRulesInput;
    type Output = api::ListRulesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("events:ListRules", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let pages = pages(cx, "ListRules", (&bus, &input.name_prefix), input.next_token.as_deref())?;
        let prefix = rule_key(&bus, input.name_prefix.as_deref().unwrap_or_default());
        let rules = cx.scan::<Rule>(&prefix).map(|(_, rule)| rule);
        let (rules, next_token) = pages.sorted(rules, |rule| &rule.name, items_max(input.limit));
        let rules = rules.into_iter().map(|rule| rule.to_api(cx)).collect();
        Ok(api::ListRulesOutput { rules: Some(rules), next_token })
    }
}

/// `ListRuleNamesByTarget` lists the rules that call a target.
pub(crate) struct ListRuleNamesByTarget;

impl Operation for ListRuleNamesByTarget {
    const SHAPE: &'static OperationShape = &api::LIST_RULE_NAMES_BY_TARGET;
    type Input = api::ListRuleNamesByTargetInput;
    type Output = api::ListRuleNamesByTargetOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("events:ListRuleNamesByTarget", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let filter = (&bus, &input.target_arn);
        let pages = pages(cx, "ListRuleNamesByTarget", filter, input.next_token.as_deref())?;
        let calls = |rule: &Rule| rule.targets.iter().any(|target| target.arn == input.target_arn);
        let rules = cx.scan::<Rule>(&rule_key(&bus, "")).filter(|(_, rule)| calls(rule));
        let names = rules.map(|(_, rule)| rule.name.clone());
        let (names, next_token) = pages.sorted(names, String::as_str, items_max(input.limit));
        Ok(api::ListRuleNamesByTargetOutput { rule_names: Some(names), next_token })
    }
}

/// `EnableRule` lets a rule match and fire.
pub(crate) struct EnableRule;

impl Operation for EnableRule {
    const SHAPE: &'static OperationShape = &api::ENABLE_RULE;
    type Input = api::EnableRuleInput;
    type Output = api::EnableRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:EnableRule", input.event_bus_name.as_deref(), &input.name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        switch(cx, input.event_bus_name.as_deref(), &input.name, true)?;
        Ok(api::EnableRuleOutput::default())
    }
}

/// `DisableRule` keeps a rule from matching and firing.
pub(crate) struct DisableRule;

impl Operation for DisableRule {
    const SHAPE: &'static OperationShape = &api::DISABLE_RULE;
    type Input = api::DisableRuleInput;
    type Output = api::DisableRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:DisableRule", input.event_bus_name.as_deref(), &input.name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        switch(cx, input.event_bus_name.as_deref(), &input.name, false)?;
        Ok(api::DisableRuleOutput::default())
    }
}

fn switch(cx: &mut Cx<'_>, bus: Option<&str>, name: &str, enabled: bool) -> Result<(), Fault> {
    let bus = bus_name(cx, bus)?;
    let mut rule = rule(cx, &bus, name)?;
    if rule.enabled != enabled {
        rule.enabled = enabled;
        rule.state = if enabled { "ENABLED" } else { "DISABLED" }.to_owned();
        rule.enabled_at = cx.time();
        schedules::plan(cx, &mut rule);
        cx.put(&rule_key(&bus, name), rule);
    }
    Ok(())
}

/// `DeleteRule` deletes a rule without targets; one that does not exist is no error.
pub(crate) struct DeleteRule;

impl Operation for DeleteRule {
    const SHAPE: &'static OperationShape = &api::DELETE_RULE;
    type Input = api::DeleteRuleInput;
    type Output = api::DeleteRuleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        access(cx, "events:DeleteRule", input.event_bus_name.as_deref(), &input.name)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bus = bus_name(cx, input.event_bus_name.as_deref())?;
        let key = rule_key(&bus, &input.name);
        if let Some(mut rule) = cx.get::<Rule>(&key).cloned() {
            if !rule.targets.is_empty() {
                return Err(EventsError::HasTargets.into());
            }
            rule.enabled = false;
            schedules::plan(cx, &mut rule);
            cx.delete::<Rule>(&key);
        }
        Ok(api::DeleteRuleOutput::default())
    }
}

/// The access to one rule.
pub(super) fn access(cx: &Cx<'_>, action: &str, bus: Option<&str>, name: &str) -> Accesses {
    let bus = bus_name(cx, bus).unwrap_or_default();
    on_resource(cx, action, &rule_arn(cx, &bus, name)).into()
}
