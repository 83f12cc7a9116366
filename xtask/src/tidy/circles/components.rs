//! The circles of a graph: its strongly connected parts of more than one node.

use std::collections::BTreeSet;

use super::Ties;

/// Each circle once, in order.
pub(super) fn circles(ties: &Ties) -> Vec<BTreeSet<String>> {
    let nodes: BTreeSet<&String> = ties.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached: Vec<(&String, BTreeSet<&String>)> = nodes.iter().map(|node| (*node, reach(node, ties))).collect();
    let mut circles = BTreeSet::new();
    for (node, ahead) in &reached {
        let back = reached.iter().filter(|(other, theirs)| ahead.contains(*other) && theirs.contains(*node));
        let circle: BTreeSet<String> = back.map(|(other, _)| (*other).clone()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// What can be reached from a node.
fn reach<'a>(node: &String, ties: &'a Ties) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![node];
    while let Some(node) = ahead.pop() {
        for (_, to) in ties.keys().filter(|(from, _)| from == node) {
            if reached.insert(to) {
                ahead.push(to);
            }
        }
    }
    reached
}
