//! The construct tree: an arena of nodes, and [`Scope`], the handle that everything in it is addressed by.
//!
//! Invariant: a node's place and id never change once it exists.
//!
//! Invariant: no borrow of the arena is held while code of a construct runs.

use std::fmt;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use neargate_base::{Code, Diagnostic};
use neargate_l1::ResourceId;
use serde_json::Value as Plain;

use super::node::{Element, Node, NodeId, Scope, TREES, Tree};
use super::{codes, logical_id};

impl Scope {
    pub(crate) fn root() -> Self {
        let number = TREES.fetch_add(1, Ordering::Relaxed);
        let tree = Rc::new(Tree { number, ..Tree::default() });
        let node = tree.push(Node { kind: "neargate.App", ..Node::default() });
        Self { tree, node }
    }

    pub(crate) fn at(&self, node: NodeId) -> Self {
        Self { tree: Rc::clone(&self.tree), node }
    }

    /// Makes a child. The id must be new in this scope: a second construct of one id is a diagnostic, and gets an id of its own so
    /// that everything else can still be looked at.
    #[must_use]
    pub fn child(&self, id: &str) -> Self {
        let mut id = id.replace('/', "--");
        if id.is_empty() || self.try_find_child(&id).is_some() {
            let message = if id.is_empty() {
                "a construct has an empty id".to_owned()
            } else {
                format!("there is already a construct `{id}` in `{}`", self.display_path())
            };
            self.report(
                Diagnostic::error(codes::DUPLICATE_ID, message).hint("give each construct of a scope an id of its own"),
            );
            let count = self.tree.with(self.node, |node| node.children.len());
            id = format!("{id}{count}");
        }
        let (above, owner) = self.tree.with(self.node, |parent| (parent.path.clone(), parent.owner));
        let path = if above.is_empty() { id.clone() } else { format!("{above}/{id}") };
        let kind = "constructs.Construct";
        let node = self.tree.push(Node { id, path, parent: Some(self.node), owner, kind, ..Node::default() });
        self.tree.with(self.node, |parent| parent.children.push(node));
        self.at(node)
    }

    /// The id in its scope.
    pub fn id(&self) -> String {
        self.tree.with(self.node, |node| node.id.clone())
    }

    /// The ids from the app (left out) down to here, joined with `/`.
    pub fn path(&self) -> String {
        self.tree.with(self.node, |node| node.path.clone())
    }

    fn display_path(&self) -> String {
        let path = self.path();
        if path.is_empty() { "the app".to_owned() } else { path }
    }

    /// The ids from the app (left out) down to here.
    pub(crate) fn path_ids(&self) -> Vec<String> {
        self.path().split('/').filter(|id| !id.is_empty()).map(str::to_owned).collect()
    }

    /// From the app down to here.
    pub(crate) fn scopes(&self) -> Vec<Self> {
        let mut scopes = vec![self.clone()];
        let mut at = self.clone();
        while let Some(parent) = at.parent() {
            scopes.push(parent.clone());
            at = parent;
        }
        scopes.reverse();
        scopes
    }

    /// The scope that this one is a child of; none for the app.
    pub fn parent(&self) -> Option<Self> {
        self.tree.with(self.node, |node| node.parent).map(|node| self.at(node))
    }

    /// The children, in the order they were made.
    pub fn children(&self) -> Vec<Self> {
        self.tree.with(self.node, |node| node.children.clone()).into_iter().map(|node| self.at(node)).collect()
    }

    /// The child with this id.
    pub fn try_find_child(&self, id: &str) -> Option<Self> {
        let children = self.tree.with(self.node, |node| node.children.clone());
        children.into_iter().find(|child| self.tree.with(*child, |node| node.id == id)).map(|child| self.at(child))
    }

    /// Everything below, this scope first, parents before children.
    pub fn descendants(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        for child in self.children() {
            all.extend(child.descendants());
        }
        all
    }

    /// Once for everything that is in the same child of the app.
    pub(crate) fn report_no_stack(&self) {
        let top = self.scopes().get(1).unwrap_or(self).path();
        self.report(
            Diagnostic::error(codes::NO_STACK, "a construct that needs a stack is not in one")
                .at(top)
                .hint("make a `Stack` in the app and give it as the scope"),
        );
    }

    /// A name that is unique in the app, made of the whole path.
    pub fn unique_id(&self) -> String {
        logical_id::unique_id(&self.path_ids())
    }

    /// The logical id that an element here has in its stack's template.
    pub(crate) fn logical_id(&self) -> String {
        let element = self.tree.with(self.node, |node| node.element.clone());
        if let Some(Element::Resource(state)) = element
            && let Some(id) = state.logical_id.borrow().clone()
        {
            return id;
        }
        let depth = self.stack().path_ids().len();
        logical_id::unique_id(self.path_ids().get(depth..).unwrap_or_default())
    }

    /// The context value of the nearest scope that has one.
    pub fn try_get_context(&self, key: &str) -> Option<Plain> {
        self.scopes().iter().rev().find_map(|scope| scope.tree.with(scope.node, |node| node.context.get(key).cloned()))
    }

    /// Sets a context value for this scope and all below.
    pub fn set_context(&self, key: &str, value: Plain) {
        self.tree.with(self.node, |node| node.context.insert(key.to_owned(), value));
    }

    /// Says what construct this scope belongs to, so that [`Scope::construct`] finds it; `kind` names it in `tree.json`.
    pub fn register<T: Clone + 'static>(&self, kind: &'static str, construct: &T) {
        let construct = Rc::new(construct.clone());
        self.tree.with(self.node, |node| {
            node.kind = kind;
            node.construct = Some(construct);
        });
    }

    /// The construct whose scope this is, where it is a `T`.
    pub fn construct<T: Clone + 'static>(&self) -> Option<T> {
        self.tree.with(self.node, |node| node.construct.clone())?.downcast_ref::<T>().cloned()
    }

    /// Adds a check that runs at synthesis.
    pub fn add_validation(&self, validation: impl Fn(&mut Vec<Diagnostic>) + 'static) {
        self.tree.with(self.node, |node| node.validations.push(Rc::new(validation)));
    }

    /// Reports something about this construct; synthesis fails if it is an error. The path is filled in where it is empty.
    pub fn report(&self, mut diagnostic: Diagnostic) {
        if diagnostic.path.is_empty() {
            diagnostic.path = self.path();
        }
        self.tree.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Reports an error about this construct.
    pub fn error(&self, code: Code, message: impl Into<String>) {
        self.report(Diagnostic::error(code, message));
    }

    /// Makes all resources of this construct wait for all resources of the other.
    pub fn add_dependency(&self, on: &Self) {
        self.tree.with(self.node, |node| node.dependencies.push(on.node));
    }

    pub(crate) fn resource_id(&self) -> ResourceId {
        ResourceId(u64::from(self.tree.number) << 32 | u64::from(self.node))
    }

    /// The element that a token of this tree names.
    pub(crate) fn element(&self, id: ResourceId) -> Option<Self> {
        let node = u32::try_from(id.0 & u64::from(u32::MAX)).ok()?;
        let ours = id.0 >> 32 == u64::from(self.tree.number);
        (ours && self.tree.with(node, |node| node.element.is_some())).then(|| self.at(node))
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.tree, &other.tree) && self.node == other.node
    }
}

impl Eq for Scope {}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.display_path())
    }
}

/// Gives a construct, a tuple struct around an `Rc` whose target has a `scope`, what every construct has.
macro_rules! construct {
    ($name:ident) => {
        impl std::ops::Deref for $name {
            type Target = $crate::Scope;

            fn deref(&self) -> &$crate::Scope {
                &self.0.scope
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.scope.path())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.scope == other.0.scope
            }
        }

        impl Eq for $name {}
    };
}
pub(crate) use construct;
