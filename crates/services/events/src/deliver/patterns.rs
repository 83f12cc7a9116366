//! The patterns of all enabled rules, compiled into one automaton for each bus.
//!
//! Invariant: worked out from the rules' rows alone, row by row as they change, so a failed command and a restart find it
//! right. What it answers is in order of the rules' names, whatever was put first.

use std::collections::BTreeMap;
use std::sync::Arc;

use neargate_base::Scope;
use neargate_event_pattern::{Decision, Pattern, RuleSet};
use neargate_kernel::Derived;

use crate::state::Rule;

/// The automata, by account, region and bus; those of buses without patterns are not there.
#[derive(Debug, Default)]
pub(crate) struct Patterns(BTreeMap<(Scope, String), RuleSet<Arc<str>>>);

impl Patterns {
    /// Which rules of a bus match an event, and which it is too complex for, by name. Nothing where no rule has a pattern.
    pub(super) fn decide(&self, scope: &Scope, bus: &str, event: &str) -> Option<Decision<Arc<str>>> {
        let rules = self.0.get(&(scope.clone(), bus.to_owned()))?;
        // The event was put together here, around a detail that was read as JSON: it is an object.
        let mut decision = rules.decide(event.as_bytes()).ok()?;
        decision.matched.sort_unstable();
        decision.undecided.sort_unstable();
        Some(decision)
    }
}

/// The pattern of a rule that takes events.
fn live(rule: &Rule) -> Option<&str> {
    rule.pattern.as_deref().filter(|_| rule.enabled)
}

impl Derived for Patterns {
    type Record = Rule;

    fn change(&mut self, scope: &Scope, _: &str, before: Option<&Rule>, after: Option<&Rule>) {
        let pattern = after.and_then(live);
        // Most changes are of counts and targets.
        if before.and_then(live) == pattern {
            return;
        }
        let Some(rule) = after.or(before) else { return };
        let (place, name) = ((scope.clone(), rule.bus.clone()), rule.name.as_str());
        match pattern.and_then(|text| Pattern::parse(text).ok()) {
            Some(pattern) => {
                self.0.entry(place).or_default().add(name.into(), &pattern);
            }
            None => {
                let Some(rules) = self.0.get(&place) else { return };
                rules.remove(&name.into());
                if rules.is_empty() {
                    self.0.remove(&place);
                }
            }
        }
    }
}
