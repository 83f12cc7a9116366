//! What the construct tree stores: nodes, and what a node may be (a stack, a resource or another element of a template).
//!
//! Plain types; the files beside this one say what they do. They stand together because each holds scopes, and a node holds them.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::AtomicU32;

use neargate_base::Diagnostic;
use neargate_l1::{Json, Resource, Value};
use serde_json::Value as Plain;

use super::RemovalPolicy;
use crate::synth::asset::{Asset, DockerAsset};

/// The index of a node in its tree.
pub(crate) type NodeId = u32;

/// What runs when the tree is synthesised and reports what it finds wrong.
pub(crate) type Validation = Rc<dyn Fn(&mut Vec<Diagnostic>)>;

#[derive(Default)]
pub(crate) struct Node {
    pub(super) id: String,
    /// The ids from the app (left out) down to here, joined with `/`; ids hold no `/`.
    pub(super) path: String,
    pub(super) parent: Option<NodeId>,
    /// The stack this is, or is in.
    pub(super) owner: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    /// Fully qualified name of the construct's kind, for `tree.json`.
    pub(crate) kind: &'static str,
    pub(super) context: BTreeMap<String, Plain>,
    pub(crate) tags: Vec<TagChange>,
    pub(crate) aspects: Vec<Rc<dyn Aspect>>,
    pub(crate) validations: Vec<Validation>,
    pub(crate) dependencies: Vec<NodeId>,
    pub(super) construct: Option<Rc<dyn Any>>,
    pub(crate) element: Option<Element>,
    pub(super) stack: Option<Rc<StackState>>,
}

/// A key that the app asked its context for and did not find, as the CDK command line expects to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MissingContext {
    pub(crate) key: String,
    pub(crate) provider: &'static str,
    pub(crate) props: Plain,
}

/// How many trees this program has made: tokens of one tree mean nothing in another.
pub(super) static TREES: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
pub(crate) struct Tree {
    pub(super) number: u32,
    pub(super) nodes: RefCell<Vec<Node>>,
    pub(crate) diagnostics: RefCell<Vec<Diagnostic>>,
    pub(crate) missing_context: RefCell<Vec<MissingContext>>,
}

impl Tree {
    /// Reads or changes a node. `f` must not reach back into the tree.
    pub(crate) fn with<R: Default>(&self, id: NodeId, f: impl FnOnce(&mut Node) -> R) -> R {
        usize::try_from(id).ok().and_then(|index| self.nodes.borrow_mut().get_mut(index).map(f)).unwrap_or_default()
    }

    pub(super) fn push(&self, node: Node) -> NodeId {
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

/// What is done to each construct.
pub trait Aspect {
    /// Sees one construct; parents come before children. It may report diagnostics, set tags and modify resources.
    fn visit(&self, scope: &Scope);
}

/// One `add` or `remove` on a scope.
#[derive(Clone, Debug)]
pub(crate) struct TagChange {
    pub(crate) key: String,
    /// `None` removes.
    pub(crate) value: Option<Value<String>>,
    pub(crate) options: TagOptions,
    pub(crate) priority: i32,
}

/// Which resources a tag reaches.
#[derive(Clone, Debug, Default)]
pub struct TagOptions {
    /// Only these types. Default: all.
    pub include_resource_types: Vec<String>,
    /// Not these types. Default: none left out.
    pub exclude_resource_types: Vec<String>,
    /// Where scopes disagree the higher priority wins, and of equal ones the scope nearest to the resource.
    /// Default: 100 to add, 200 to remove.
    pub priority: Option<i32>,
}

/// Where a stack is deployed. What is left out is decided by who deploys it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Twelve digits. Default: the account of whoever deploys.
    pub account: Option<String>,
    /// Such as `eu-west-1`. Default: the region of whoever deploys.
    pub region: Option<String>,
}

/// Properties of a [`Stack`].
#[derive(Clone, Debug, Default)]
pub struct StackProps {
    /// Where it is deployed. Default: anywhere, decided at deployment.
    pub env: Environment,
    /// The name in CloudFormation. Default: made of the path.
    pub stack_name: Option<String>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// Tags of the stack itself, which CloudFormation puts on its resources. Default: none.
    pub tags: BTreeMap<String, String>,
    /// Whether the stack refuses to be deleted. Default: no.
    pub termination_protection: bool,
}

#[derive(Default)]
pub(crate) struct StackState {
    pub(crate) props: StackProps,
    pub(crate) assets: RefCell<Vec<Asset>>,
    pub(crate) docker_assets: RefCell<Vec<DockerAsset>>,
    /// Stacks that must be deployed before.
    pub(crate) waits_for: RefCell<Vec<Stack>>,
    /// Outputs that other stacks read: by logical id.
    pub(crate) published: RefCell<BTreeMap<String, Plain>>,
}

/// A stack: the constructs below become one CloudFormation template.
///
/// ```
/// use neargate_constructs::{App, Environment, Stack, StackProps};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps {
///     env: Environment { region: Some("eu-west-1".into()), ..Default::default() },
///     description: Some("nightly jobs".into()),
///     ..Default::default()
/// });
/// assert_eq!(stack.format_arn("sns", "alerts").to_string().split(':').nth(3), Some("eu-west-1"));
/// ```
#[derive(Clone)]
pub struct Stack {
    pub(super) scope: Scope,
    pub(crate) state: Rc<StackState>,
}

/// What a node contributes to its stack's template.
#[derive(Clone)]
pub(crate) enum Element {
    Resource(Rc<ResourceState>),
    /// A section of the template (`Outputs`, `Parameters`, `Conditions`) and what stands there under the logical id.
    Other(&'static str, Rc<RefCell<Json>>),
}

/// Makes the properties of a resource when they are needed, so that a construct may still change after its resource was declared.
pub(crate) type Producer = Box<dyn Fn() -> Box<dyn Resource>>;

/// An entry of the template's `Conditions`.
#[derive(Clone, Debug)]
pub struct CfnCondition {
    pub(super) scope: Scope,
}

pub(super) type Modification = Rc<dyn Fn(&mut dyn Resource) -> bool>;

/// What is known about a resource before its properties are asked for.
pub(crate) struct ResourceState {
    pub(crate) produce: Producer,
    pub(crate) modifications: RefCell<Vec<(&'static str, Modification)>>,
    /// Path below the resource's definition, and the value; `None` deletes.
    pub(crate) overrides: RefCell<Vec<(Vec<String>, Option<Json>)>>,
    pub(crate) logical_id: RefCell<Option<String>>,
    pub(crate) removal: Cell<Option<(RemovalPolicy, RemovalPolicy)>>,
    pub(crate) metadata: RefCell<Vec<(String, Json)>>,
    pub(crate) condition: RefCell<Option<CfnCondition>>,
    /// Whether all values are written, empty lists and objects too.
    pub(crate) depends_on: RefCell<Vec<Scope>>,
}

impl TagOptions {
    pub(super) fn reaches(&self, cfn_type: &str) -> bool {
        let named = |types: &[String]| types.iter().any(|name| name == cfn_type);
        (self.include_resource_types.is_empty() || named(&self.include_resource_types))
            && !named(&self.exclude_resource_types)
    }
}
