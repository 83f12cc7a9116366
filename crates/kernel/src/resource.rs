//! CloudFormation resource types as resumable steps.

use std::collections::BTreeMap;
use std::fmt;

use neargate_base::Scope;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Cx, Fault};

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
    /// The change cannot be made in place: make a new resource, then delete this one.
    Replace,
}

/// One type of resource. `Err` fails the step with the service's own text.
pub trait ResourceType: Sync {
    /// Such as `AWS::ECS::Cluster`.
    fn type_name(&self) -> &'static str;

    /// One step. Each is a transaction of its own.
    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault>;

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
