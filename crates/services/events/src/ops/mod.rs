//! The operations, by noun.

mod buses;
mod put_events;
mod rules;
mod tags;
mod targets;
mod test_event_pattern;

pub(crate) use buses::{CreateEventBus, DeleteEventBus, DescribeEventBus, ListEventBuses, UpdateEventBus};
pub(crate) use put_events::PutEvents;
pub(crate) use rules::{DeleteRule, DescribeRule, DisableRule, EnableRule, ListRuleNamesByTarget, ListRules, PutRule};
pub(crate) use tags::{ListTagsForResource, TagResource, UntagResource};
pub(crate) use targets::{ListTargetsByRule, PutTargets, RemoveTargets};
pub(crate) use test_event_pattern::TestEventPattern;

/// One page: at most `limit` items after the token, and the token of the next page: how many items came before it.
fn page<T>(items: Vec<T>, token: Option<&str>, limit: Option<i32>) -> (Vec<T>, Option<String>) {
    let skipped = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100);
    let next = (items.len() > skipped + limit).then(|| (skipped + limit).to_string());
    (items.into_iter().skip(skipped).take(limit).collect(), next)
}
