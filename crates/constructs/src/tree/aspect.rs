//! Aspects: something that is done to every construct below a scope, just before synthesis.

use std::fmt;
use std::rc::Rc;

use super::node::{Aspect, Scope};

impl<F: Fn(&Scope)> Aspect for F {
    fn visit(&self, scope: &Scope) {
        self(scope);
    }
}

/// The aspects of a scope.
///
/// ```
/// use neargate_constructs::{App, Aspects, CfnResource, Scope, Stack, StackProps, iam};
/// use neargate_l1::iam::Role;
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Stack", StackProps::default());
/// iam::Role::new(&stack, "Role", iam::RoleProps {
///     assumed_by: Some(iam::Principal::service("ecs-tasks.amazonaws.com")),
///     ..Default::default()
/// });
/// Aspects::of(&app).add(|scope: &Scope| {
///     if let Some(resource) = scope.construct::<CfnResource>().filter(|resource| resource.id() == "Resource") {
///         resource.modify(|role: &mut Role| role.path = Some("/jobs/".into()));
///     }
/// });
/// let template = app.assemble().unwrap().stack("Stack").unwrap().template.clone();
/// assert_eq!(template["Resources"]["Role1ABCC5F0"]["Properties"]["Path"], "/jobs/");
/// ```
pub struct Aspects<'a> {
    scope: &'a Scope,
}

impl fmt::Debug for Aspects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aspects({:?})", self.scope)
    }
}

impl<'a> Aspects<'a> {
    /// The aspects of this scope.
    pub fn of(scope: &'a Scope) -> Self {
        Self { scope }
    }

    /// Adds an aspect.
    pub fn add(&self, aspect: impl Aspect + 'static) {
        let aspect: Rc<dyn Aspect> = Rc::new(aspect);
        self.scope.tree.with(self.scope.node, |node| node.aspects.push(aspect));
    }
}

/// Lets every aspect see every construct below its scope once; constructs that an aspect makes are not visited again.
pub(crate) fn run(root: &Scope) {
    for scope in root.descendants() {
        for aspect in scope.tree.with(scope.node, |node| node.aspects.clone()) {
            for below in scope.descendants() {
                aspect.visit(&below);
            }
        }
    }
}
