//! Why no rule took an event.

use neargate_base::{DEFAULT_ACCOUNT, Diagnostic};
use neargate_event_pattern::{Explanation, Pattern};
use neargate_events::api;
use serde_json::{Value as Json, json};

use crate::app::event::EventEntry;
use crate::endpoint::Endpoint;
use crate::outcome::Outcome;

/// Adds, rule by rule, why the events did not start anything.
pub(super) fn unmatched(
    endpoints: &[Endpoint],
    events: &[EventEntry],
    mut diagnostic: Diagnostic,
) -> Outcome<Diagnostic> {
    let mut rules_with_pattern = 0;
    for endpoint in endpoints {
        for event in events {
            let envelope = envelope(endpoint, event);
            for rule in rules(endpoint, event.bus.as_deref())? {
                let Some(pattern) = rule.event_pattern.as_deref() else { continue };
                rules_with_pattern += 1;
                let name = rule.name.as_deref().unwrap_or_default();
                diagnostic =
                    diagnostic.detail(format!("rule `{name}`: {}", verdict(pattern, &envelope, rule.state.as_deref())));
            }
        }
    }
    Ok(match rules_with_pattern {
        0 => diagnostic.detail("there is no rule with an event pattern on the event's bus"),
        _ => diagnostic.hint("is the event the one that the rule is for? give another with `--event FILE`"),
    })
}

fn verdict(pattern: &str, envelope: &str, state: Option<&str>) -> String {
    match Pattern::parse(pattern) {
        Ok(_) if state == Some("DISABLED") => "it is disabled".to_owned(),
        Ok(pattern) => match pattern.explain(envelope.as_bytes()) {
            Explanation::Match => "it matches, and none of its targets started a task".to_owned(),
            other => other.to_string(),
        },
        Err(error) => error.to_string(),
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

/// The event as rules see it; id, account and time are those of no real event.
fn envelope(endpoint: &Endpoint, event: &EventEntry) -> String {
    let detail: Json = serde_json::from_str(&event.detail).unwrap_or_default();
    json!({
        "version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": event.detail_type,
        "source": event.source, "account": DEFAULT_ACCOUNT, "time": "1970-01-01T00:00:00Z", "region": endpoint.region(),
        "resources": event.resources, "detail": detail,
    })
    .to_string()
}
