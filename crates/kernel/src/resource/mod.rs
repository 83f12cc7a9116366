//! CloudFormation resource types as resumable steps.

mod adapt;

use std::collections::BTreeMap;
use std::fmt;

use neargate_base::Scope;
use neargate_shape::ResourceShape;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use adapt::adapted;

use crate::{Cx, Fault, Registry};

/// What CloudFormation wants of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Take it away. A resource that is gone already is no error.
    Delete,
}

/// One step for one resource.
#[derive(Clone, Debug)]
pub struct ResourceRequest<'a> {
    /// The stack's scope.
    pub scope: &'a Scope,
    /// The stack's name.
    pub stack_name: &'a str,
    /// The stack's ARN.
    pub stack_id: &'a str,
    /// The logical id in the template.
    pub logical_id: &'a str,
    /// The resource's type, for types that serve several (custom resources).
    pub type_name: &'a str,
    /// The properties, all intrinsics evaluated.
    pub properties: &'a Value,
    /// The properties before, for updates.
    pub previous: Option<&'a Value>,
    /// What the resource became so far: set for updates, deletes and resumed steps that returned it.
    pub current: Option<&'a ResourceState>,
    /// What the last step left for this one.
    pub callback: Option<&'a Value>,
}

impl ResourceRequest<'_> {
    /// Takes a step of this resource. A change of what the type's schema says cannot be changed is a replacement, without a
    /// question to the type; the type gets the properties as its operations name them. What it makes meanwhile gets the tags that
    /// CloudFormation puts on a stack's resources.
    pub fn take(&self, cx: &mut Cx<'_>, resource: &dyn ResourceType, action: Action) -> Result<Progress, Fault> {
        if let (Action::Update, Some(previous), None) = (action, self.previous, self.callback) {
            let mut fixed = resource.shape().changes_of_fixed(previous, self.properties);
            if fixed.any(|path| !resource.changes_in_place().contains(&path)) {
                return Ok(Progress::Replace);
            }
        }
        let (properties, _) = adapted(resource, self.properties);
        let previous = self.previous.map(|it| adapted(resource, it).0);
        let request = ResourceRequest { properties: &properties, previous: previous.as_ref(), ..self.clone() };
        let tags = [("stack-name", self.stack_name), ("stack-id", self.stack_id), ("logical-id", self.logical_id)];
        let tags =
            tags.into_iter().map(|(key, value)| (format!("aws:cloudformation:{key}"), value.to_owned())).collect();
        cx.marking(tags, |cx| resource.step(cx, action, &request))
    }

    /// A name made as CloudFormation makes it: `stack-logicalId-RANDOM12`, cut to `length_max`.
    pub fn generated_name(&self, cx: &mut Cx<'_>, length_max: usize) -> String {
        let suffix = cx.rng.upper_alphanumeric(12);
        let room = length_max.saturating_sub(suffix.len() + 1);
        let stem: String = format!("{}-{}", self.stack_name, self.logical_id).chars().take(room).collect();
        format!("{stem}-{suffix}")
    }

    /// A property as text.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// The physical id, where there is one yet.
    pub fn physical_id(&self) -> &str {
        self.current.map_or("", |state| state.physical_id.as_str())
    }

    /// Whether any property but these differs between `previous` and `properties`.
    pub fn changed_but(&self, these: &[&str]) -> bool {
        let names = |properties: Option<&'_ Value>| -> Vec<String> {
            properties.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        let all = names(self.previous).into_iter().chain(names(Some(self.properties)));
        all.into_iter().any(|name| !these.contains(&name.as_str()) && self.changed(&name))
    }

    /// For a property that lists tags: the keys that are not in it any more, and the tags that are.
    pub fn changed_tags(&self, property: &str) -> (Vec<String>, Vec<Value>) {
        let tags = |properties: Option<&Value>| -> Vec<Value> {
            let tags = properties.and_then(|properties| properties.get(property)).and_then(Value::as_array);
            tags.cloned().unwrap_or_default()
        };
        let key = |tag: &Value| tag.get("Key").and_then(Value::as_str).map(str::to_owned);
        let wanted = tags(Some(self.properties));
        let is_left = |gone: &String| wanted.iter().any(|tag| key(tag).as_ref() == Some(gone));
        let gone = tags(self.previous).iter().filter_map(key).filter(|gone| !is_left(gone)).collect();
        (gone, wanted)
    }

    /// Refuses to make what is there already, made by another stack or a user: CloudFormation must not take it for the stack's.
    pub fn already_exists(&self, identifier: &str) -> Fault {
        let text = format!("Resource of type '{}' with identifier '{identifier}' already exists.", self.type_name);
        Fault::sender("AlreadyExists", text)
    }

    /// Whether a property differs between `previous` and `properties`.
    pub fn changed(&self, property: &str) -> bool {
        self.previous.and_then(|previous| previous.get(property)) != self.properties.get(property)
    }
}

/// What a made resource is to its template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceState {
    /// What `Ref` gives and what the API calls it.
    pub physical_id: String,
    /// What `Fn::GetAtt` gives, by attribute.
    pub attributes: BTreeMap<String, Value>,
}

impl ResourceState {
    /// A resource without attributes yet.
    pub fn new(physical_id: impl Into<String>) -> Self {
        Self { physical_id: physical_id.into(), attributes: BTreeMap::new() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }
}

/// How far a step came.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The resource is as it should be; for a delete the state does not matter.
    Done(ResourceState),
    /// Come back.
    InProgress {
        /// Handed to the next step.
        callback: Value,
        /// When to come back, in milliseconds of process time.
        delay_ms: i64,
        /// Known already, so that a rollback can find it.
        state: Option<ResourceState>,
    },
    /// The change cannot be made in place: make a new resource, then delete this one. For what the type's schema does not say:
    /// a property that it has for one that cannot be changed does not come to the type.
    Replace,
}

/// Something that a template asks for and Neargate cannot do, and without which the resource would be another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Where among the properties, such as `ContainerDefinitions[0].MountPoints`.
    pub path: String,
    /// What is not done.
    pub text: String,
}

/// One type of resource. `Err` fails the step with the service's own text.
pub trait ResourceType: Sync {
    /// What its schema says.
    fn shape(&self) -> &'static ResourceShape;

    /// Such as `AWS::ECS::Cluster`.
    fn type_name(&self) -> &'static str {
        self.shape().name
    }

    /// One step. Each is a transaction of its own.
    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault>;

    /// What Neargate cannot do of these properties: a stack with any of it is refused before anything is made. Parts that are
    /// not known before resources are made are null.
    fn lacks(&self, _properties: &Value) -> Vec<Lack> {
        vec![]
    }

    /// The same for types whose properties name services and operations: `registry` has those that there are. For custom resources
    /// (`Custom::…`) texts of which parts are not known are there without them.
    fn lacks_among(&self, _registry: &Registry, properties: &Value) -> Vec<Lack> {
        self.lacks(properties)
    }

    /// Properties that the type's operations name otherwise, or (`None`) do not take, so that they are recorded and not acted
    /// on: a path of names, with `*` for each item of a list, and the operation's name for its last part.
    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[]
    }

    /// Properties that CloudFormation changes in place though the type's schema says that they cannot be changed.
    fn changes_in_place(&self) -> &'static [&'static str] {
        &[]
    }

    /// What Neargate records for these properties but does not act on, if anything; said once per resource.
    fn not_simulated(&self, _properties: &Value) -> Option<String> {
        None
    }
}

impl fmt::Debug for dyn ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}
