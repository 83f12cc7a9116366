//! Which thing may be deleted next: one that nothing else on its way out still needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::Resource;

/// What a deletion is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Delete this resource, or the last of those it took the place of.
    Delete {
        /// Which.
        resource: Box<Resource>,
        /// Whether the one it replaced is meant.
        of_replaced: bool,
    },
    /// Nothing until a deletion under way is done.
    Wait,
    /// Everything that is left could not be deleted, or is needed by what could not.
    Stuck,
    /// Nothing is left.
    Over,
}

/// The last in order of logical id among those that nothing else needs: the same on every run. Replaced ones go always, others
/// where `is_gone` says so.
pub(super) fn next(resources: &BTreeMap<String, Resource>, turn: u32, is_gone: &dyn Fn(&Resource) -> bool) -> Next {
    let mut left = vec![];
    let mut needed = BTreeSet::new();
    for resource in resources.values() {
        for replaced in &resource.replaced {
            left.push((resource, true));
            needed.extend(replaced.made_of.needs.iter().map(String::as_str));
        }
        let is_gone = is_gone(resource);
        if is_gone {
            left.push((resource, false));
        }
        if is_gone || resource.is_under_way() {
            needed.extend(resource.made_of.needs.iter().map(String::as_str));
        }
    }
    let has_given_up = |it: &Resource| it.status == "DELETE_FAILED" && it.turn == turn;
    let is_idle = |(it, _): &&(&Resource, bool)| !it.is_under_way() && !has_given_up(it);
    let free = left.iter().rev().filter(is_idle).find(|(it, _)| !needed.contains(it.logical_id.as_str()));
    // Two versions of a template can need each other's resources in a circle; then any order is as good.
    let waits = left.iter().any(|(it, _)| it.is_under_way());
    let is_stuck = left.iter().any(|(it, _)| has_given_up(it));
    let found = free.or_else(|| left.iter().rev().find(is_idle).filter(|_| !waits && !is_stuck));
    match found {
        Some((resource, of_replaced)) => {
            Next::Delete { resource: Box::new((*resource).clone()), of_replaced: *of_replaced }
        }
        None if waits => Next::Wait,
        None if is_stuck => Next::Stuck,
        None => Next::Over,
    }
}
