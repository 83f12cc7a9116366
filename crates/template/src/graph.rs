//! Which resource needs which, and the orders that follow.
//!
//! Invariant: every order is a function of the template alone: ties go by template order. Nothing here recurses, so a
//! chain of any length is safe.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::Reference;
use crate::order::{circle, order};
use crate::template::Template;

/// Why one resource needs another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// `Ref`, or a name in `Fn::Sub`.
    Ref,
    /// `Fn::GetAtt` of this attribute, or `Name.Attribute` in `Fn::Sub`; empty where the attribute is computed.
    Attribute(String),
    /// `DependsOn`.
    DependsOn,
}

/// The resources of a template, or of the part of it that conditions leave, and what they need.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    ids: Vec<&'a str>,
    index: BTreeMap<&'a str, usize>,
    /// For each resource, what it needs and why.
    needs: Vec<BTreeMap<usize, BTreeSet<Edge>>>,
    /// References to resources that the conditions exclude: from, to.
    dangling: Vec<(&'a str, &'a str)>,
}

impl Template {
    /// All resources and what they need, whatever the conditions.
    pub fn graph(&self) -> Graph<'_> {
        Graph::of(self)
    }
}

impl<'a> Graph<'a> {
    /// All resources and both branches of every `Fn::If`.
    pub fn of(template: &'a Template) -> Self {
        Self::pruned(template, &|_| None)
    }

    /// The resources whose condition is not known to be false, with the branches that conditions leave.
    pub fn pruned(template: &'a Template, decide: &dyn Fn(&str) -> Option<bool>) -> Self {
        let included = |condition: &Option<String>| condition.as_deref().and_then(decide) != Some(false);
        let kept: Vec<_> = template.resources.iter().filter(|(_, resource)| included(&resource.condition)).collect();
        let ids: Vec<&str> = kept.iter().map(|(id, _)| id.as_str()).collect();
        let index: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut needs = vec![];
        let mut dangling = vec![];
        for (id, resource) in &kept {
            let mut edges: BTreeMap<usize, BTreeSet<Edge>> = BTreeMap::new();
            let mut found = |reference: Reference<'a>| {
                let (name, edge) = match reference {
                    Reference::Ref(name) => (name, Edge::Ref),
                    Reference::GetAtt(name, attribute) => {
                        (name, Edge::Attribute(attribute.unwrap_or_default().to_owned()))
                    }
                    Reference::Condition(_) => return,
                };
                if let Some(to) = index.get(name) {
                    edges.entry(*to).or_default().insert(edge);
                } else if template.resources.contains_key(name) {
                    dangling.push((id.as_str(), name));
                }
            };
            resource.properties.references(decide, &mut found);
            for policy in [&resource.creation_policy, &resource.update_policy].into_iter().flatten() {
                policy.references(decide, &mut found);
            }
            for to in resource.depends_on.iter().filter_map(|name| index.get(name.as_str())) {
                edges.entry(*to).or_default().insert(Edge::DependsOn);
            }
            needs.push(edges);
        }
        Self { ids, index, needs, dangling }
    }

    /// The logical ids, in template order.
    pub fn ids(&self) -> &[&'a str] {
        &self.ids
    }

    /// What a resource needs directly, and why, in template order.
    pub fn needs(&self, id: &str) -> impl Iterator<Item = (&'a str, &BTreeSet<Edge>)> {
        let edges = self.index.get(id).and_then(|at| self.needs.get(*at)).into_iter().flatten();
        edges.filter_map(|(to, edges)| self.ids.get(*to).map(|id| (*id, edges)))
    }

    /// What needs a resource directly, in template order.
    pub fn needed_by(&self, id: &str) -> impl Iterator<Item = &'a str> {
        let at = self.index.get(id).copied();
        let users = self.ids.iter().zip(&self.needs);
        users.filter(move |(_, needs)| at.is_some_and(|at| needs.contains_key(&at))).map(|(id, _)| *id)
    }

    /// References (from, to) whose target the conditions exclude. CloudFormation refuses such a stack.
    pub fn dangling(&self) -> &[(&'a str, &'a str)] {
        &self.dangling
    }

    /// Groups that can be made one after the other, each group at once. Resources on a circle, and what needs
    /// them, are absent.
    pub fn levels(&self) -> Vec<Vec<&'a str>> {
        let mut level_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut levels: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for at in order(&self.edges()) {
            let below = self.needs.get(at).into_iter().flatten().filter_map(|(to, _)| level_of.get(to));
            let level = below.max().map_or(0, |level| level + 1);
            level_of.insert(at, level);
            levels.entry(level).or_default().insert(at);
        }
        let ids = |group: BTreeSet<usize>| group.into_iter().filter_map(|at| self.ids.get(at).copied()).collect();
        levels.into_values().map(ids).collect()
    }

    /// Every resource after all it needs, otherwise in template order.
    pub fn creation_order(&self) -> Vec<&'a str> {
        order(&self.edges()).into_iter().filter_map(|at| self.ids.get(at).copied()).collect()
    }

    /// The reverse of the creation order.
    pub fn deletion_order(&self) -> Vec<&'a str> {
        let mut order = self.creation_order();
        order.reverse();
        order
    }

    /// One circle of resources that need each other, if there is any, each needing the next.
    pub fn circle(&self) -> Option<Vec<&'a str>> {
        Some(circle(&self.edges())?.into_iter().filter_map(|at| self.ids.get(at).copied()).collect())
    }

    fn edges(&self) -> Vec<Vec<usize>> {
        self.needs.iter().map(|needs| needs.keys().copied().collect()).collect()
    }
}
