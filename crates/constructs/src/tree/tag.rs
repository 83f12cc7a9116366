//! Tags: put on a scope, they reach every taggable resource below it.

use neargate_l1::Value;

use super::node::{Scope, TagChange, TagOptions};

/// The tags of a scope and all below.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, Tags, ecs};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Stack", StackProps::default());
/// ecs::Cluster::new(&stack, "Jobs", ecs::ClusterProps::default());
/// Tags::of(&stack).add("Team", "data");
/// let template = app.assemble().unwrap().stack("Stack").unwrap().template.clone();
/// let id = neargate_constructs::unique_id(&["Jobs", "Vpc", "Resource"]);
/// assert_eq!(template["Resources"][id]["Properties"]["Tags"][1]["Value"], "data");
/// ```
#[derive(Debug)]
pub struct Tags<'a> {
    scope: &'a Scope,
}

impl<'a> Tags<'a> {
    /// The tags of this scope.
    pub fn of(scope: &'a Scope) -> Self {
        Self { scope }
    }

    /// Adds a tag to every taggable resource here and below.
    pub fn add(&self, key: &str, value: impl Into<Value<String>>) {
        self.add_with(key, value, TagOptions::default());
    }

    /// Adds a tag to some of the resources here and below.
    pub fn add_with(&self, key: &str, value: impl Into<Value<String>>, options: TagOptions) {
        self.change(key, Some(value.into()), options, 100);
    }

    /// Takes a tag off every resource here and below.
    pub fn remove(&self, key: &str) {
        self.remove_with(key, TagOptions::default());
    }

    /// Takes a tag off some of the resources here and below.
    pub fn remove_with(&self, key: &str, options: TagOptions) {
        self.change(key, None, options, 200);
    }

    fn change(&self, key: &str, value: Option<Value<String>>, options: TagOptions, default_priority: i32) {
        let priority = options.priority.unwrap_or(default_priority);
        let change = TagChange { key: key.to_owned(), value, options, priority };
        self.scope.tree.with(self.scope.node, |node| node.tags.push(change));
    }
}

/// The tags that reach a resource, sorted by key; `own` are those its properties already have.
pub(crate) fn tags_for(
    scope: &Scope,
    cfn_type: &str,
    own: Vec<(String, Value<String>)>,
) -> Vec<(String, Value<String>)> {
    const OWN_PRIORITY: i32 = 50;
    let mut tags: Vec<(String, Option<Value<String>>, i32)> =
        own.into_iter().map(|(key, value)| (key, Some(value), OWN_PRIORITY)).collect();
    for scope in scope.scopes() {
        for change in scope.tree.with(scope.node, |node| node.tags.clone()) {
            if !change.options.reaches(cfn_type) {
                continue;
            }
            match tags.iter_mut().find(|(key, ..)| *key == change.key) {
                Some((_, _, priority)) if *priority > change.priority => {}
                Some((_, value, priority)) => (*value, *priority) = (change.value, change.priority),
                None => tags.push((change.key, change.value, change.priority)),
            }
        }
    }
    let mut tags: Vec<_> = tags.into_iter().filter_map(|(key, value, _)| Some((key, value?))).collect();
    tags.sort_by_cached_key(|(key, _)| (key.to_lowercase(), key.clone()));
    tags
}
