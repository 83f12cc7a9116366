//! Orders and circles of a graph that is given by its edges.
//!
//! Invariant: nothing here recurses, so a chain of any length is safe.

use std::collections::{BTreeMap, BTreeSet};

/// Each node after the nodes it points to; ties by index. Nodes on or behind a circle are left out.
pub(crate) fn order(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut users: Vec<Vec<usize>> = vec![vec![]; edges.len()];
    let mut missing: Vec<usize> = vec![];
    let mut ready = BTreeSet::new();
    for (from, to) in edges.iter().enumerate() {
        let to: BTreeSet<usize> = to.iter().copied().collect();
        missing.push(to.len());
        if to.is_empty() {
            ready.insert(from);
        }
        for node in to {
            if let Some(users) = users.get_mut(node) {
                users.push(from);
            }
        }
    }
    let mut order = vec![];
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for user in users.get(node).into_iter().flatten() {
            if let Some(missing) = missing.get_mut(*user) {
                *missing -= 1;
                if *missing == 0 {
                    ready.insert(*user);
                }
            }
        }
    }
    order
}

/// A circle, each node pointing to the next and the last to the first; the one with the smallest node found first.
pub(crate) fn circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let done: BTreeSet<usize> = order(edges).into_iter().collect();
    let mut node = (0..edges.len()).find(|node| !done.contains(node))?;
    let mut path: Vec<usize> = vec![];
    let mut seen = BTreeMap::new();
    // Every node left has an edge to another node left, so this walk must come back to one it has seen.
    loop {
        if let Some(start) = seen.insert(node, path.len()) {
            let mut circle = path.split_off(start);
            let least = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
            circle.rotate_left(least);
            return Some(circle);
        }
        path.push(node);
        node = edges.get(node)?.iter().copied().find(|to| !done.contains(to))?;
    }
}
