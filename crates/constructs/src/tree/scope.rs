//! The construct tree: an arena of nodes, and [`Scope`], the handle that everything in it is addressed by.
//!
//! Invariant: a node's place and id never change once it exists.
//! Invariant: no borrow of the arena is held while code of a construct runs.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use neargate_base::{Code, Diagnostic};
use neargate_l1::ResourceId;
use serde_json::Value as Plain;

use super::aspect::Aspect;
use super::element::Element;
use super::stack::{Stack, StackState};
use super::tag::TagChange;
use super::{codes, logical_id};

/// The index of a node in its tree.
pub(crate) type NodeId = u32;

/// What runs when the tree is synthesised and reports what it finds wrong.
pub(crate) type Validation = Rc<dyn Fn(&mut Vec<Diagnostic>)>;

#[derive(Default)]
pub(crate) struct Node {
    id: String,
    /// The ids from the app (left out) down to here, joined with `/`; ids hold no `/`.
    path: String,
    parent: Option<NodeId>,
    /// The stack this is, or is in.
    owner: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    /// Fully qualified name of the construct's kind, for `tree.json`.
    pub(crate) kind: &'static str,
    context: BTreeMap<String, Plain>,
    pub(crate) tags: Vec<TagChange>,
    pub(crate) aspects: Vec<Rc<dyn Aspect>>,
    pub(crate) validations: Vec<Validation>,
    pub(crate) dependencies: Vec<NodeId>,
    construct: Option<Rc<dyn Any>>,
    pub(crate) element: Option<Element>,
    stack: Option<Rc<StackState>>,
}

/// A key that the app asked its context for and did not find, as the CDK command line expects to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MissingContext {
    pub(crate) key: String,
    pub(crate) provider: &'static str,
    pub(crate) props: Plain,
}

/// How many trees this program has made: tokens of one tree mean nothing in another.
static TREES: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
pub(crate) struct Tree {
    number: u32,
    nodes: RefCell<Vec<Node>>,
    pub(crate) diagnostics: RefCell<Vec<Diagnostic>>,
    pub(crate) missing_context: RefCell<Vec<MissingContext>>,
}

impl Tree {
    /// Reads or changes a node. `f` must not reach back into the tree.
    pub(crate) fn with<R: Default>(&self, id: NodeId, f: impl FnOnce(&mut Node) -> R) -> R {
        usize::try_from(id).ok().and_then(|index| self.nodes.borrow_mut().get_mut(index).map(f)).unwrap_or_default()
    }

    fn push(&self, node: Node) -> NodeId {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        u32::try_from(nodes.len() - 1).unwrap_or(u32::MAX)
    }
}

/// A place in the construct tree: a construct seen as the parent of others.
///
/// Cheap to clone; two scopes are equal when they are the same place of the same tree. Every construct dereferences to its scope,
/// so a construct can be given wherever a `&Scope` is asked for.
#[derive(Clone)]
pub struct Scope {
    pub(crate) tree: Rc<Tree>,
    pub(crate) node: NodeId,
}

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

    /// The stack this is, or is in.
    ///
    /// Outside of any stack this is a diagnostic, and a stack named `Default` is made in the app so that work can go on.
    pub fn stack(&self) -> Stack {
        if let Some(owner) = self.tree.with(self.node, |node| node.owner)
            && let Some(state) = self.tree.with(owner, |node| node.stack.clone())
        {
            return Stack::of_state(self.at(owner), state);
        }
        self.report_no_stack();
        let root = self.at(0);
        match root.try_find_child("Default").and_then(|scope| scope.construct::<Stack>()) {
            Some(stack) => stack,
            None => Stack::new(&root, "Default", super::stack::StackProps::default()),
        }
    }

    /// Makes this the scope of a stack.
    pub(crate) fn set_stack(&self, state: &Rc<StackState>) {
        self.tree.with(self.node, |node| {
            node.owner = Some(self.node);
            node.stack = Some(Rc::clone(state));
        });
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
