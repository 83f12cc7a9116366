//! What changes between two templates, resource by resource.

use std::collections::BTreeMap;

use crate::evaluate::{EvalError, Evaluator, Partial};
use crate::expr::Expr;
use crate::template::{Resource, Template};

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The logical id.
    pub logical_id: String,
    /// The type; for a change of type, the new one.
    pub resource_type: String,
    /// What happens to it.
    pub action: Action,
}

/// What happens to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Add,
    /// It stays and changes.
    Modify {
        /// The names of the top-level properties that differ, in the new template's order, removed ones last.
        properties: Vec<String>,
        /// The resource attributes that differ, such as `DeletionPolicy`; `Type` among them means another resource.
        attributes: Vec<&'static str>,
    },
    /// It goes.
    Remove,
}

/// What changes, by the templates' text alone: both branches of conditions, no parameters' values. Additions and
/// modifications in the new template's creation order, then removals in the old one's deletion order.
pub fn plan(old: &Template, new: &Template) -> Vec<Change> {
    let mut changes = vec![];
    for id in new.graph().creation_order() {
        let Some(resource) = new.resources.get(id) else { continue };
        let properties = |before: &Resource| differing(members(&before.properties), members(&resource.properties));
        changes.extend(change(id, old.resources.get(id), resource, properties));
    }
    let removed = old.graph().deletion_order().into_iter().filter(|id| !new.resources.contains_key(*id));
    changes.extend(removed.filter_map(|id| Some(removal(id, old.resources.get(id)?))));
    changes
}

/// What changes once conditions, parameters and the environment are taken into account. What is unknown for the same
/// reason on both sides counts as equal. A resource whose condition is unknown counts as present.
pub fn plan_evaluated(old: &Evaluator<'_>, new: &Evaluator<'_>) -> Result<Vec<Change>, EvalError> {
    let mut changes = vec![];
    for id in new.graph().creation_order() {
        let Some(resource) = new.template().resources.get(id) else { continue };
        let present = old.includes(id) != Some(false);
        let before = old.template().resources.get(id).filter(|_| present);
        let mut names = vec![];
        if let Some(before) = before {
            let (before, after) = (old.partial(&before.properties)?, new.partial(&resource.properties)?);
            names = differing(partial_members(before.as_ref()), partial_members(after.as_ref()));
        }
        changes.extend(change(id, before, resource, |_| names));
    }
    for id in old.graph().deletion_order() {
        let goes = new.includes(id) == Some(false) || !new.template().resources.contains_key(id);
        changes.extend(old.template().resources.get(id).filter(|_| goes).map(|resource| removal(id, resource)));
    }
    Ok(changes)
}

fn change(
    id: &str,
    before: Option<&Resource>,
    after: &Resource,
    properties: impl FnOnce(&Resource) -> Vec<String>,
) -> Option<Change> {
    let action = match before {
        None => Action::Add,
        Some(before) => {
            let (properties, attributes) = (properties(before), attributes(before, after));
            if properties.is_empty() && attributes.is_empty() {
                return None;
            }
            Action::Modify { properties, attributes }
        }
    };
    Some(Change { logical_id: id.to_owned(), resource_type: after.resource_type.clone(), action })
}

fn removal(id: &str, resource: &Resource) -> Change {
    Change { logical_id: id.to_owned(), resource_type: resource.resource_type.clone(), action: Action::Remove }
}

fn attributes(before: &Resource, after: &Resource) -> Vec<&'static str> {
    let differs = [
        ("Type", before.resource_type != after.resource_type),
        ("DependsOn", before.depends_on != after.depends_on),
        ("Condition", before.condition != after.condition),
        ("DeletionPolicy", before.deletion_policy != after.deletion_policy),
        ("UpdateReplacePolicy", before.update_replace_policy != after.update_replace_policy),
        ("CreationPolicy", before.creation_policy != after.creation_policy),
        ("UpdatePolicy", before.update_policy != after.update_policy),
        ("Metadata", before.metadata != after.metadata),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn members(properties: &Expr) -> BTreeMap<&str, (usize, &Expr)> {
    match properties {
        Expr::Object(members) => numbered(members.iter()),
        _ => BTreeMap::new(),
    }
}

fn partial_members(properties: Option<&Partial>) -> BTreeMap<&str, (usize, &Partial)> {
    match properties {
        Some(Partial::Object(members)) => numbered(members.iter()),
        _ => BTreeMap::new(),
    }
}

fn numbered<'a, T>(members: impl Iterator<Item = (&'a String, &'a T)>) -> BTreeMap<&'a str, (usize, &'a T)> {
    members.enumerate().map(|(at, (key, value))| (key.as_str(), (at, value))).collect()
}

fn differing<T: PartialEq>(before: BTreeMap<&str, (usize, &T)>, after: BTreeMap<&str, (usize, &T)>) -> Vec<String> {
    let changed = after.iter().filter(|(key, (_, value))| before.get(*key).is_none_or(|(_, old)| old != value));
    let mut changed: Vec<_> = changed.map(|(key, (at, _))| (*at, *key)).collect();
    changed.sort_unstable();
    let removed = before.keys().filter(|key| !after.contains_key(*key)).copied();
    changed.into_iter().map(|(_, key)| key).chain(removed).map(str::to_owned).collect()
}
