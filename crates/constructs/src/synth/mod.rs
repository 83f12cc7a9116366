//! Synthesis: from a construct tree to the templates and the cloud assembly.
//!
//! The order: aspects, validations, then every stack's template; references between stacks are found while resolving, so their
//! outputs are added last. Nothing stops at the first error.

mod assembly;
pub(crate) mod asset;
mod dependency;
mod ignore;
pub(crate) mod resolve;
mod template;
mod tree_file;

use std::collections::BTreeMap;

use neargate_base::{Diagnostic, Severity};
use serde_json::Value as Plain;

pub use assembly::{Assembly, CloudAssembly, StackArtifact};

use crate::tree::app::App;
use crate::tree::aspect;
use crate::tree::node::Scope;
use crate::tree::node::Stack;

impl App {
    /// Makes all templates, and writes nothing. Whatever is wrong anywhere in the app comes back at once.
    pub fn assemble(&self) -> Result<Assembly, Vec<Diagnostic>> {
        assemble(self)
    }

    /// Makes the cloud assembly and writes it to the app's output directory.
    pub fn synth(&self) -> Result<CloudAssembly, Vec<Diagnostic>> {
        self.assemble()?.write(&self.out_dir)
    }
}

/// Makes all templates of an app.
fn assemble(app: &App) -> Result<Assembly, Vec<Diagnostic>> {
    // An app may be assembled more than once; what synthesis itself reported the last time is reported again.
    let before = app.tree.diagnostics.borrow().len();
    aspect::run(app);
    let scopes = app.descendants();
    validate(&scopes);
    let depends_on = dependency::between_elements(&scopes);
    let stacks = by_stack(&scopes);
    let mut templates = Vec::new();
    for (stack, scopes) in &stacks {
        templates.push((stack.clone(), template::render(stack, scopes, &depends_on)));
    }
    for (stack, template) in &mut templates {
        template::publish(stack, template);
    }
    let order = dependency::deployment_order(&stacks.iter().map(|(stack, _)| stack.clone()).collect::<Vec<_>>());
    let tree = tree_file::render(app);
    let templates = templates.into_iter().map(|(stack, template)| (stack, Plain::Object(template))).collect();
    let mut diagnostics = app.tree.diagnostics.borrow_mut();
    let found = diagnostics.clone();
    diagnostics.truncate(before);
    if found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(sorted(found));
    }
    Ok(Assembly::new(templates, &order, tree, app.tree.missing_context.borrow().clone(), sorted(found)))
}

/// Errors first; otherwise in the order they were found, each once.
fn sorted(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut once: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        if !once.contains(&diagnostic) {
            once.push(diagnostic);
        }
    }
    once.sort_by_key(|diagnostic| diagnostic.severity);
    once
}

fn validate(scopes: &[Scope]) {
    for scope in scopes {
        let mut found = Vec::new();
        for validation in scope.tree.with(scope.node, |node| node.validations.clone()) {
            validation(&mut found);
        }
        found.into_iter().for_each(|diagnostic| scope.report(diagnostic));
    }
}

/// The stacks in the order they were made, each with its scopes (those of nested stacks left out).
fn by_stack(scopes: &[Scope]) -> Vec<(Stack, Vec<Scope>)> {
    let mut order: Vec<(Stack, Vec<Scope>)> = Vec::new();
    let mut owner: BTreeMap<u32, usize> = BTreeMap::new();
    for scope in scopes {
        let parent = scope.parent().and_then(|parent| owner.get(&parent.node).copied());
        let index = match scope.construct::<Stack>() {
            Some(stack) => {
                order.push((stack, vec![]));
                Some(order.len() - 1)
            }
            None => parent,
        };
        match index.and_then(|index| Some((index, order.get_mut(index)?))) {
            Some((index, (_, members))) => {
                members.push(scope.clone());
                owner.insert(scope.node, index);
            }
            None => {
                if scope.tree.with(scope.node, |node| node.element.is_some()) {
                    scope.report_no_stack();
                }
            }
        }
    }
    order
}
