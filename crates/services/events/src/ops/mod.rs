//! The operations, by noun.

use std::hash::Hash;

use neargate_kernel::Cx;
use neargate_kit::{ForeignToken, Pages};

use crate::errors::EventsError;

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

/// Where a call's page of a list begins. `filter` is what of the input decides what is listed.
fn pages(cx: &Cx<'_>, list: &str, filter: impl Hash, token: Option<&str>) -> Result<Pages, EventsError> {
    Pages::read(&cx.scope, list, filter, token).map_err(|ForeignToken| EventsError::NextToken)
}

/// The most items of a page.
fn items_max(limit: Option<i32>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100)
}
