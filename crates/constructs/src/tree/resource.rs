//! CloudFormation resources in the tree, and the ways to change what a construct made of them.

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Json, Resource, Target, Token, Value};

use super::node::{CfnCondition, Element, ResourceState, Scope};
use super::{RemovalPolicy, codes};

/// A resource in the tree: one entry of a template's `Resources`.
///
/// The struct of properties comes from `neargate_l1`, where every property of every type has its name and type:
///
/// ```
/// use neargate_constructs::{App, CfnResource, Stack, StackProps};
/// use neargate_l1::ecs;
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Stack", StackProps::default());
/// let cluster = CfnResource::new(&stack, "Cluster", ecs::Cluster { cluster_name: Some("jobs".into()), ..Default::default() });
/// cluster.modify(|cluster: &mut ecs::Cluster| cluster.cluster_name = None);
/// cluster.add_property_override("ClusterSettings.0", serde_json::json!({"Name": "containerInsights", "Value": "enabled"}).into());
/// let assembly = app.assemble().unwrap();
/// assert_eq!(
///     assembly.stack("Stack").unwrap().template["Resources"]["Cluster"]["Properties"],
///     serde_json::json!({"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]}),
/// );
/// ```
#[derive(Clone)]
pub struct CfnResource {
    scope: Scope,
    state: Rc<ResourceState>,
}

impl CfnResource {
    /// A resource whose properties are known.
    pub fn new<R: Resource + Clone>(scope: &Scope, id: &str, properties: R) -> Self {
        Self::lazy(scope, id, move || Box::new(properties.clone()))
    }

    /// A resource whose properties are asked for at synthesis, after everything else has happened.
    pub fn lazy(scope: &Scope, id: &str, produce: impl Fn() -> Box<dyn Resource> + 'static) -> Self {
        let scope = scope.child(id);
        let state = Rc::new(ResourceState {
            produce: Box::new(produce),
            modifications: RefCell::default(),
            overrides: RefCell::default(),
            logical_id: RefCell::default(),
            removal: Cell::default(),
            metadata: RefCell::default(),
            condition: RefCell::default(),
            depends_on: RefCell::default(),
        });
        scope.tree.with(scope.node, |node| node.element = Some(Element::Resource(Rc::clone(&state))));
        let resource = Self { scope, state };
        resource.scope.register("neargate.CfnResource", &resource);
        resource
    }

    /// `Ref`.
    pub fn reference(&self) -> Value<String> {
        Value::Token(Token::Ref(Target::Resource(self.scope.resource_id())))
    }

    /// `Fn::GetAtt`.
    pub fn attribute(&self, name: &'static str) -> Value<String> {
        Value::Token(Token::GetAtt(Target::Resource(self.scope.resource_id()), name.into()))
    }

    /// The typed escape hatch: changes the properties that the construct made, at synthesis.
    pub fn modify<R: Resource>(&self, change: impl Fn(&mut R) + 'static) {
        let modification = move |resource: &mut dyn Resource| match resource.as_any_mut().downcast_mut::<R>() {
            Some(resource) => {
                change(resource);
                true
            }
            None => false,
        };
        self.state.modifications.borrow_mut().push((type_name::<R>(), Rc::new(modification)));
    }

    /// Sets a property by path (`Tags.0.Value`); properties that no struct has yet, too.
    pub fn add_property_override(&self, path: &str, value: Json) {
        self.add_override(&format!("Properties.{path}"), value);
    }

    /// Sets anything of the resource's definition by path (`UpdatePolicy.UseOnlineResharding`).
    pub fn add_override(&self, path: &str, value: Json) {
        self.state.overrides.borrow_mut().push((path.split('.').map(str::to_owned).collect(), Some(value)));
    }

    /// Takes something out of the resource's definition by path.
    pub fn add_deletion_override(&self, path: &str) {
        self.state.overrides.borrow_mut().push((path.split('.').map(str::to_owned).collect(), None));
    }

    /// Replaces the logical id that the path would give.
    pub fn override_logical_id(&self, id: &str) {
        *self.state.logical_id.borrow_mut() = Some(id.to_owned());
    }

    /// What happens to the resource when it leaves the stack or must be replaced. Default: CloudFormation's, mostly deletion.
    pub fn apply_removal_policy(&self, policy: RemovalPolicy) {
        self.state.removal.set(Some((policy, policy)));
    }

    /// Adds an entry to the resource's `Metadata`.
    pub fn add_metadata(&self, key: &str, value: Json) {
        self.state.metadata.borrow_mut().push((key.to_owned(), value));
    }

    /// Makes the resource exist only under a condition.
    pub fn set_condition(&self, condition: &CfnCondition) {
        *self.state.condition.borrow_mut() = Some(condition.clone());
    }

    /// Makes this resource wait for another (`DependsOn`).
    pub fn add_depends_on(&self, on: &Self) {
        self.state.depends_on.borrow_mut().push(on.scope.clone());
    }

    /// The properties as they stand after all modifications.
    pub(crate) fn produce(&self) -> Box<dyn Resource> {
        let mut resource = (self.state.produce)();
        let modifications = self.state.modifications.borrow().clone();
        for (wanted, modification) in modifications {
            if !modification(resource.as_mut()) {
                self.scope.report(Diagnostic::error(
                    codes::BAD_MODIFICATION,
                    format!("a modification expects `{wanted}`, but the resource is `{}`", resource.cfn_type()),
                ));
            }
        }
        resource
    }

    pub(crate) fn state(&self) -> &ResourceState {
        &self.state
    }
}

impl Deref for CfnResource {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl fmt::Debug for CfnResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CfnResource({})", self.scope.path())
    }
}

/// A resource of a type that `neargate_l1` has no struct for, custom resources among them.
#[derive(Clone, Debug)]
pub struct UntypedResource {
    /// `AWS::Service::Type` or `Custom::Name`.
    pub r#type: String,
    /// The properties, named as CloudFormation names them.
    pub properties: Json,
    /// How the type writes tags.
    pub tag_style: neargate_l1::TagStyle,
}

impl neargate_l1::ToJson for UntypedResource {
    fn to_json(&self, _missing: &mut Vec<String>) -> Json {
        self.properties.clone()
    }
}

impl Resource for UntypedResource {
    fn cfn_type(&self) -> &str {
        &self.r#type
    }

    fn attributes(&self) -> &'static [&'static str] {
        &[]
    }

    fn tag_style(&self) -> neargate_l1::TagStyle {
        self.tag_style
    }

    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
