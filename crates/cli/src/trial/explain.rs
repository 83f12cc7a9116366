//! Which events no rule took, and why.

use neargate_api::events as api;
use neargate_base::{Code, Diagnostic};
use neargate_event_pattern::{Explanation, Pattern};

use crate::app::event::EventEntry;
use crate::endpoint::Endpoint;
use crate::outcome::Outcome;

/// For each event that no rule took a diagnostic, which says rule by rule why.
pub(super) fn unmatched(endpoints: &[Endpoint], events: &[EventEntry], code: Code) -> Outcome<Vec<Diagnostic>> {
    let mut found = vec![];
    for (at, event) in events.iter().enumerate() {
        let Some(reasons) = reasons(endpoints, event)? else { continue };
        let which = match events.len() {
            1 => "the event".to_owned(),
            all => format!("event {} of {all},", at + 1),
        };
        let message = format!("{which} {} matched no rule", event.title());
        let diagnostic = reasons.iter().fold(Diagnostic::error(code, message), Diagnostic::detail);
        found.push(match reasons.is_empty() {
            true => diagnostic.detail("there is no rule with an event pattern on the event's bus"),
            false => diagnostic.hint("is the event the one that the rule is for? give another with `--event FILE`"),
        });
    }
    Ok(found)
}

/// Why each rule did not take the event; `None` where one took it.
fn reasons(endpoints: &[Endpoint], event: &EventEntry) -> Outcome<Option<Vec<String>>> {
    let mut reasons = vec![];
    for endpoint in endpoints {
        let seen = envelope(endpoint, event);
        for rule in rules(endpoint, event.bus.as_deref())? {
            let Some(pattern) = rule.event_pattern.as_deref() else { continue };
            let Some(reason) = reason(pattern, &seen, rule.state.as_deref()) else { return Ok(None) };
            reasons.push(format!("rule `{}`: {reason}", rule.name.as_deref().unwrap_or_default()));
        }
    }
    Ok(Some(reasons))
}

fn reason(pattern: &str, seen: &str, state: Option<&str>) -> Option<String> {
    match Pattern::parse(pattern).map(|pattern| pattern.explain(seen.as_bytes())) {
        Ok(Explanation::Match) if state == Some("DISABLED") => Some("it matches, and is disabled".to_owned()),
        Ok(Explanation::Match) => None,
        Ok(other) => Some(other.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// The rules of a bus.
pub(super) fn rules(endpoint: &Endpoint, bus: Option<&str>) -> Outcome<Vec<api::Rule>> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = api::ListRulesInput {
            event_bus_name: bus.map(str::to_owned),
            next_token,
            ..api::ListRulesInput::default()
        };
        let page: api::ListRulesOutput = endpoint.call(&api::SERVICE, &api::LIST_RULES, input)?;
        all.extend(page.rules.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

/// The event as rules see it; id and time are those of no real event where none are given.
fn envelope(endpoint: &Endpoint, event: &EventEntry) -> String {
    let mut event = event.clone();
    event.id.get_or_insert_with(|| "00000000-0000-0000-0000-000000000000".to_owned());
    event.time.get_or_insert_default();
    event.as_rules_see_it(endpoint.account(), endpoint.region())
}
