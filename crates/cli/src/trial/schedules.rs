//! Letting rules with a schedule fire, each once.
//!
//! The clock is turned to a rule's next fire while all other rules with a schedule are disabled, for one that fires
//! every minute would otherwise fire thousands of times on the way to one that fires every month.

use neargate_api::events as api;
use neargate_base::{Diagnostic, Timestamp};
use neargate_schedule::{Dialect, Schedule};

use super::explain::rules;
use crate::codes;
use crate::endpoint::Endpoint;
use crate::endpoint::control::Turn;
use crate::outcome::{Failure, Outcome};

/// A rule with a schedule, and where it is.
#[derive(Clone, Debug)]
struct Scheduled {
    endpoint: Endpoint,
    name: String,
    expression: String,
}

/// One rule to fire.
#[derive(Debug)]
pub(super) struct OneTurn {
    rule: Scheduled,
    /// All others that are enabled.
    others: Vec<Scheduled>,
}

/// The rules that `name` means, each a turn.
pub(super) fn plan(endpoints: &[Endpoint], name: &str) -> Outcome<Vec<OneTurn>> {
    let all = scheduled(endpoints)?;
    let exact = |rule: &Scheduled| rule.name == name;
    let has_exact = all.iter().any(exact);
    let is_meant = |rule: &Scheduled| name == "all" || if has_exact { exact(rule) } else { rule.name.contains(name) };
    let turns = all.iter().filter(|rule| is_meant(rule)).map(|rule| {
        let others = all.iter().filter(|other| other.name != rule.name).cloned().collect();
        OneTurn { rule: rule.clone(), others }
    });
    let turns: Vec<_> = turns.collect();
    if turns.is_empty() {
        let message = match name {
            "all" => "no enabled rule has a schedule".to_owned(),
            _ => format!("no enabled rule with a schedule is called `{name}`"),
        };
        let names: Vec<_> = all.iter().map(|rule| format!("`{}`", rule.name)).collect();
        let diagnostic = Diagnostic::error(codes::NOTHING_TO_FIRE, message);
        let diagnostic = with_disabled(&disabled(endpoints)?, diagnostic);
        return Err(Failure::usage(match names.as_slice() {
            [] => diagnostic,
            [one] => diagnostic.hint(format!("there is {one}")),
            _ => diagnostic.hint(format!("there are {}", names.join(", "))),
        }));
    }
    Ok(turns)
}

/// Whether a rule has a schedule.
pub(super) fn are_there(endpoints: &[Endpoint]) -> Outcome<bool> {
    Ok(!scheduled(endpoints)?.is_empty())
}

/// Nobody said what to fire, and there is no schedule either.
pub(super) fn nothing_to_fire(endpoints: &[Endpoint]) -> Outcome<Failure> {
    let disabled = disabled(endpoints)?;
    let message = match disabled.is_empty() {
        true => "there is nothing to fire: no rule has a schedule, and no event was given",
        false => "there is nothing to fire: no enabled rule has a schedule, and no event was given",
    };
    let hint = "give an event with `--event FILE`, or `[event]` in `neargate.toml`";
    Ok(Failure::usage(with_disabled(&disabled, Diagnostic::error(codes::NOTHING_TO_FIRE, message).hint(hint))))
}

/// The names of rules with a schedule that do not fire.
fn disabled(endpoints: &[Endpoint]) -> Outcome<Vec<String>> {
    let mut names = vec![];
    for endpoint in endpoints {
        let of_schedules = rules(endpoint, None)?.into_iter().filter(|rule| rule.schedule_expression.is_some());
        names
            .extend(of_schedules.filter(|rule| rule.state.as_deref() == Some("DISABLED")).filter_map(|rule| rule.name));
    }
    Ok(names)
}

fn with_disabled(names: &[String], diagnostic: Diagnostic) -> Diagnostic {
    names.iter().fold(diagnostic, |diagnostic, name| diagnostic.detail(format!("rule `{name}` is disabled")))
}

fn scheduled(endpoints: &[Endpoint]) -> Outcome<Vec<Scheduled>> {
    let mut all = vec![];
    for endpoint in endpoints {
        for rule in rules(endpoint, None)? {
            let (Some(name), Some(expression)) = (rule.name, rule.schedule_expression) else { continue };
            if rule.state.as_deref() != Some("DISABLED") {
                all.push(Scheduled { endpoint: endpoint.clone(), name, expression });
            }
        }
    }
    Ok(all)
}

impl OneTurn {
    /// For people.
    pub(super) fn title(&self, control: &Endpoint) -> Outcome<String> {
        Ok(format!("{}  {} of rule `{}`", self.next(control)?.to_iso_seconds(), self.rule.expression, self.rule.name))
    }

    /// Disables the others and turns the clock.
    pub(super) fn begin(&self, control: &Endpoint) -> Outcome<()> {
        for other in &self.others {
            let input = api::DisableRuleInput { name: other.name.clone(), event_bus_name: None };
            let _: api::DisableRuleOutput = other.endpoint.call(&api::SERVICE, &api::DISABLE_RULE, input)?;
        }
        control.turn(&Turn::To(self.next(control)?.to_string()), true)?;
        Ok(())
    }

    /// Enables the others again.
    pub(super) fn end(&self) -> Outcome<()> {
        for other in &self.others {
            let input = api::EnableRuleInput { name: other.name.clone(), event_bus_name: None };
            let _: api::EnableRuleOutput = other.endpoint.call(&api::SERVICE, &api::ENABLE_RULE, input)?;
        }
        Ok(())
    }

    /// The rule's next fire. That of a rate is one interval away at the most; a whole interval holds exactly one.
    fn next(&self, control: &Endpoint) -> Outcome<Timestamp> {
        let wrong = |cause: String| {
            let message =
                format!("the schedule `{}` of rule `{}` does not fire: {cause}", self.rule.expression, self.rule.name);
            Failure::failed(Diagnostic::error(codes::NOTHING_TO_FIRE, message))
        };
        let now: Timestamp = control.status()?.text("service_time").parse().map_err(wrong)?;
        let schedule =
            Schedule::parse(&self.rule.expression, Dialect::Rule).map_err(|error| wrong(error.to_string()))?;
        schedule.next_fire(now.millis()).map(Timestamp).map_err(|error| wrong(error.to_string()))
    }
}
