//! Rules.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, events as l1};
use serde_json::{Value as Plain, json};

use super::input::RuleTargetInput;
use super::pattern::{self, EventPattern};
use super::schedule::Schedule;
use crate::iam::Role;
use crate::{CfnResource, Scope, Stack, codes, construct};

const TARGETS_MAX: usize = 5;

/// Something that a rule can start.
pub trait RuleTarget {
    /// What the rule says of it. `id` is the target's id in the rule.
    fn bind(&self, rule: &Rule, id: &str) -> RuleTargetConfig;
}

/// What a rule says of a target.
#[derive(Clone, Debug, Default)]
pub struct RuleTargetConfig {
    /// The target, its ARN and parameters; id, role and input are filled in from below.
    pub target: l1::rule::Target,
    /// The role that EventBridge assumes to start it. Default: none, the target lets EventBridge in by itself.
    pub role: Option<Role>,
    /// What it is passed. Default: the whole event.
    pub input: Option<RuleTargetInput>,
    /// The stack that the target is in. Default: that of the rule.
    pub stack: Option<Stack>,
}

/// Properties of a [`Rule`].
#[derive(Default)]
pub struct RuleProps {
    /// Which events it is for. Default: none; then it needs a schedule.
    pub event_pattern: Option<EventPattern>,
    /// When it fires by itself. Default: never; then it needs an event pattern.
    pub schedule: Option<Schedule>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// Whether it works. Default: yes.
    pub enabled: Option<bool>,
    /// The event bus; not with a schedule. Default: the account's.
    pub event_bus_name: Option<Value<String>>,
    /// Its name. Default: CloudFormation's choice.
    pub rule_name: Option<String>,
    /// The role that it has itself, for targets that are event buses. Default: none.
    pub role: Option<Role>,
    /// What it starts. Default: nothing yet.
    pub targets: Vec<Rc<dyn RuleTarget>>,
}

impl fmt::Debug for RuleProps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleProps")
            .field("event_pattern", &self.event_pattern)
            .field("schedule", &self.schedule)
            .field("rule_name", &self.rule_name)
            .field("targets", &self.targets.len())
            .finish_non_exhaustive()
    }
}

/// A rule: starts its targets on every event that matches its pattern, or on its schedule.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, events::{EventPattern, Rule, RuleProps}};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let rule = Rule::new(&stack, "Orders", RuleProps {
///     event_pattern: Some(EventPattern { source: vec!["com.corp.orders".into()], ..Default::default() }),
///     ..Default::default()
/// });
/// rule.add_event_pattern(EventPattern { detail: Some(serde_json::json!({"state": ["paid"]})), ..Default::default() });
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct Rule(Rc<State>);

construct!(Rule);

struct State {
    scope: Scope,
    arn: Value<String>,
    name: Value<String>,
    pattern: Rc<RefCell<Plain>>,
    targets: Rc<RefCell<Vec<l1::rule::Target>>>,
}

impl Rule {
    /// Declares a rule.
    pub fn new(scope: &Scope, id: &str, props: RuleProps) -> Self {
        let scope = scope.child(id);
        check(&scope, &props);
        let pattern = Rc::new(RefCell::new(json!({})));
        let targets: Rc<RefCell<Vec<l1::rule::Target>>> = Rc::default();
        let RuleProps {
            event_pattern,
            schedule,
            description,
            enabled,
            event_bus_name,
            rule_name,
            role,
            targets: first,
        } = props;
        let (shared_pattern, shared_targets) = (Rc::clone(&pattern), Rc::clone(&targets));
        let expression = schedule.as_ref().map(|schedule| schedule.expression_string().to_owned());
        let has_schedule = expression.is_some();
        let resource = CfnResource::lazy(&scope, "Resource", move || {
            let targets: Vec<Value<l1::rule::Target>> =
                shared_targets.borrow().iter().cloned().map(Value::Literal).collect();
            Box::new(l1::Rule {
                description: description.clone().map(Value::Literal),
                event_bus_name: event_bus_name.clone(),
                event_pattern: pattern::render(&shared_pattern.borrow()),
                name: rule_name.clone().map(Value::Literal),
                role_arn: role.as_ref().map(Role::role_arn),
                schedule_expression: expression.clone().map(Value::Literal),
                state: Some(if enabled == Some(false) { "DISABLED" } else { "ENABLED" }.into()),
                targets: (!targets.is_empty()).then(|| targets.into()),
                ..Default::default()
            })
        });
        let (arn, name) = (resource.attribute("Arn"), resource.reference());
        let rule = Self(Rc::new(State { scope, arn, name, pattern, targets }));
        rule.register("neargate.events.Rule", &rule);
        if let Some(event_pattern) = event_pattern {
            rule.add_event_pattern(event_pattern);
        }
        first.iter().for_each(|target| rule.add_target(target.as_ref()));
        let (pattern, targets) = (Rc::clone(&rule.0.pattern), Rc::clone(&rule.0.targets));
        rule.add_validation(move |found| validate(&pattern.borrow(), has_schedule, targets.borrow().len(), found));
        rule
    }

    /// The ARN.
    pub fn rule_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The name.
    pub fn rule_name(&self) -> Value<String> {
        self.0.name.clone()
    }

    /// Adds something that the rule starts.
    pub fn add_target(&self, target: &dyn RuleTarget) {
        let id = format!("Target{}", self.0.targets.borrow().len());
        let RuleTargetConfig { mut target, role, input, stack } = target.bind(self, &id);
        if let Some(stack) = stack {
            self.check_environment(&stack);
        }
        let mut found = Vec::new();
        let input = input.map(|input| input.bind(&mut found)).unwrap_or_default();
        found.into_iter().for_each(|diagnostic| self.report(diagnostic));
        target.id.get_or_insert_with(|| id.into());
        target.role_arn = role.as_ref().map(Role::role_arn).or(target.role_arn);
        target.input = input.input.or(target.input);
        target.input_path = input.input_path.or(target.input_path);
        target.input_transformer = input.input_transformer.or(target.input_transformer);
        self.0.targets.borrow_mut().push(target);
    }

    /// Narrows the pattern by fields that it has not, and widens the lists that it has.
    pub fn add_event_pattern(&self, pattern: EventPattern) {
        let Some(more) = pattern.to_json() else { return };
        let problems = pattern::merge(&mut self.0.pattern.borrow_mut(), more, "");
        problems.into_iter().for_each(|problem| self.error(codes::EVENT_PATTERN, problem));
    }

    fn check_environment(&self, stack: &Stack) {
        let ours = self.stack();
        let differ = |a: Value<String>, b: Value<String>| a.known().zip(b.known()).is_some_and(|(a, b)| a != b);
        if differ(ours.account(), stack.account()) || differ(ours.region(), stack.region()) {
            self.report(
                Diagnostic::error(
                    codes::TARGET,
                    format!("the target is in stack `{}`, of another account or region", stack.name()),
                )
                .hint("put the rule there, and send the events to that account's event bus"),
            );
        }
    }
}

fn check(scope: &Scope, props: &RuleProps) {
    let error = |message: String| scope.error(codes::RULE, message);
    if props.event_bus_name.is_some() && props.schedule.is_some() {
        error("cannot associate rule with 'eventBus' when using 'schedule'".to_owned());
    }
    if let Some(name) = &props.rule_name {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
            error(format!("`{name}` is no rule name: expected 1 to 64 letters, digits and `._-`"));
        }
    }
    if let Some(schedule) = &props.schedule {
        schedule.problems().into_iter().for_each(|problem| scope.report(problem));
    }
}

fn validate(pattern: &Plain, has_schedule: bool, targets: usize, found: &mut Vec<Diagnostic>) {
    let empty = pattern.as_object().is_none_or(serde_json::Map::is_empty);
    if empty && !has_schedule {
        found.push(
            Diagnostic::error(codes::RULE, "the rule has neither `event_pattern` nor `schedule`")
                .hint("give it one of them"),
        );
    }
    if !empty {
        found.extend(
            pattern::problems(pattern, "").into_iter().map(|problem| Diagnostic::error(codes::EVENT_PATTERN, problem)),
        );
    }
    if targets > TARGETS_MAX {
        let message = format!("the rule has {targets} targets: expected at most {TARGETS_MAX}");
        found.push(Diagnostic::error(codes::RULE, message).hint("make another rule with the same pattern"));
    }
}
