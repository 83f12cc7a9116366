//! What waits for what: resources of a stack, and stacks.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Diagnostic;

use crate::tree::codes;
use crate::tree::node::Scope;
use crate::tree::node::Stack;
use crate::tree::resource::CfnResource;

/// `DependsOn` by node: dependencies between constructs become dependencies between all their resources. Where the two are in
/// different stacks, the stacks wait instead.
pub(super) fn between_elements(scopes: &[Scope]) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut depends_on: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut add = |from: &Scope, on: &Scope| {
        let (ours, theirs) = (from.stack(), on.stack());
        if ours != theirs {
            ours.add_stack_dependency(&theirs);
        } else if from != on {
            depends_on.entry(from.node).or_default().insert(on.node);
        }
    };
    for scope in scopes {
        for on in scope.tree.with(scope.node, |node| node.dependencies.clone()) {
            let on = scope.at(on);
            for source in resources(scope) {
                for target in resources(&on) {
                    add(&source, &target);
                }
            }
        }
        if let Some(resource) = scope.construct::<CfnResource>() {
            for on in resource.state().depends_on.borrow().iter() {
                add(scope, on);
            }
        }
    }
    depends_on
}

fn resources(scope: &Scope) -> Vec<Scope> {
    scope.descendants().into_iter().filter(|scope| scope.construct::<CfnResource>().is_some()).collect()
}

/// The stacks, each after those it waits for; a circle is a diagnostic.
pub(super) fn deployment_order(stacks: &[Stack]) -> Vec<Stack> {
    let mut order: Vec<Stack> = Vec::new();
    let mut left: Vec<Stack> = stacks.to_vec();
    while !left.is_empty() {
        let ready = left.iter().position(|stack| {
            let waits_for = stack.state.waits_for.borrow();
            waits_for.iter().all(|other| order.contains(other) || !left.contains(other))
        });
        if ready.is_none()
            && let Some(stack) = left.first()
        {
            let names: Vec<String> = left.iter().map(|stack| format!("`{}`", stack.name())).collect();
            stack.report(
                Diagnostic::error(codes::STACK_CYCLE, format!("stacks wait for each other: {}", names.join(", ")))
                    .hint("move what both need into a stack of its own"),
            );
        }
        order.push(left.remove(ready.unwrap_or(0)));
    }
    order
}
