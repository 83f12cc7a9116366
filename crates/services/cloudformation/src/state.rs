//! What CloudFormation keeps: stacks, their resources, their events.
//!
//! Invariant: what may hold a `NoEcho` value or a secret that a template asked for, stacks and resources, is encrypted on disk.

use std::collections::{BTreeMap, BTreeSet};

use neargate_base::Timestamp;
use neargate_kernel::{Action, Cx, JobId, Principal, Record, ResourceState};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::api;
use crate::errors::CloudFormationError;

/// A stack, by the last part of its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stack {
    pub(crate) key: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) goal: Goal,
    /// How many operations have been begun on it: tells what this one has dealt with from what earlier ones have.
    pub(crate) turn: u32,
    /// What the stack is or becomes.
    pub(crate) source: Source,
    /// What it was when it was last as it should be: an update that fails goes back to it.
    pub(crate) before: Option<Source>,
    pub(crate) principal: Principal,
    pub(crate) role_arn: Option<String>,
    pub(crate) on_failure: OnFailure,
    pub(crate) termination_protection: bool,
    pub(crate) timeout_in_minutes: Option<i32>,
    pub(crate) notification_arns: Vec<String>,
    /// Logical ids that the deletion leaves alone.
    pub(crate) retained: Vec<String>,
    /// `RetainExceptOnCreate` for every resource that would be retained.
    pub(crate) retains_except_on_create: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) outputs: Vec<api::Output>,
}

impl Record for Stack {
    const TABLE: &'static str = "cloudformation.stack";
    const SEALED: bool = true;
}

/// A template with what was given to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) template: String,
    /// The value of every parameter that has one, given or by default.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Parameters that are never shown.
    pub(crate) no_echo: Vec<String>,
    /// What the SSM parameters that parameters name held when the operation began, by name.
    pub(crate) resolved: BTreeMap<String, String>,
    /// The exports of other stacks that it uses.
    pub(crate) imports: BTreeSet<String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) tags: Vec<api::Tag>,
}

/// Where a stack is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    Create,
    /// After a failed creation: everything made is deleted.
    RollBack,
    /// After a failed creation: everything made is deleted, and the stack with it.
    Discard,
    Update,
    /// After a failed update: everything is put back.
    RollBackUpdate,
    /// After an update or its rollback: what is not needed any more is deleted.
    CleanUp,
    Delete,
    /// It is there.
    None,
}

/// What a failed creation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OnFailure {
    RollBack,
    Delete,
    DoNothing,
}

/// A resource of a stack, by `stack/logical id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(crate) logical_id: String,
    pub(crate) type_name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) changed_at: Timestamp,
    /// The stack's operation that last dealt with it.
    pub(crate) turn: u32,
    /// The stack's operation that made it.
    pub(crate) made_in: u32,
    /// What it is, once it is; kept through a failed step that had come so far.
    pub(crate) state: Option<ResourceState>,
    /// What it is made of.
    pub(crate) made_of: MadeOf,
    /// The step that is to be taken up again, while one is under way.
    pub(crate) step: Option<Step>,
    /// What it was before the update under way; `None`: that has not dealt with it, or has put it back.
    pub(crate) before: Option<Box<Before>>,
    /// Those it took the place of, to be deleted when the update is done.
    pub(crate) replaced: Vec<Replaced>,
}

impl Record for Resource {
    const TABLE: &'static str = "cloudformation.resource";
    const SEALED: bool = true;
}

/// What a template says of a resource, evaluated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MadeOf {
    pub(crate) properties: Json,
    /// The properties as they are shown, where that is not all of them.
    #[serde(default)]
    pub(crate) shown: Option<Json>,
    /// The resources it needs.
    pub(crate) needs: Vec<String>,
    pub(crate) deletion: Deletion,
    /// Whether it stays when it is replaced.
    pub(crate) stays_when_replaced: bool,
}

/// What becomes of a resource that its stack has no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deletion {
    #[default]
    Delete,
    Retain,
    RetainExceptOnCreate,
}

/// A step that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// The properties before, for updates.
    pub(crate) previous: Option<Json>,
    /// Whether what is created takes the place of another.
    pub(crate) replaces: bool,
    /// Whether it deletes the last of those replaced, not the resource itself.
    pub(crate) of_replaced: bool,
    pub(crate) callback: Option<Json>,
    pub(crate) job: Option<JobId>,
}

/// A resource before an update.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Before {
    /// `None`: it was not there.
    pub(crate) state: Option<ResourceState>,
    pub(crate) made_of: MadeOf,
    pub(crate) made_in: u32,
}

/// A resource in the world that another has taken the place of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Replaced {
    pub(crate) state: ResourceState,
    pub(crate) made_of: MadeOf,
    pub(crate) stays: bool,
}

/// One line of a stack's history, by `stack/number`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StackEvent {
    pub(crate) view: api::StackEvent,
}

impl Record for StackEvent {
    const TABLE: &'static str = "cloudformation.event";
}

impl Resource {
    /// Whether there is something in the world for it.
    pub(crate) fn is_there(&self) -> bool {
        self.state.is_some() && !matches!(self.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
    }

    /// Whether a step of it is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.step.is_some()
    }

    /// Whether its last step failed, and the operation took that step.
    pub(crate) fn has_failed_in(&self, turn: u32) -> bool {
        self.turn == turn && self.status.ends_with("_FAILED")
    }
}

/// The key of a resource.
pub(crate) fn resource_key(stack: &str, logical_id: &str) -> String {
    format!("{stack}/{logical_id}")
}

/// The resources of a stack, by logical id.
pub(crate) fn resources(cx: &Cx<'_>, stack: &str) -> BTreeMap<String, Resource> {
    let all = cx.scan::<Resource>(&resource_key(stack, ""));
    all.map(|(_, resource)| (resource.logical_id.clone(), resource.clone())).collect()
}

/// The stack that a name or ARN means: by name one that is not deleted, by ARN any.
pub(crate) fn find(cx: &Cx<'_>, reference: &str) -> Result<Stack, CloudFormationError> {
    let is_arn = reference.starts_with("arn:");
    let fits = |stack: &Stack| {
        if is_arn { stack.arn == reference } else { stack.name == reference && stack.deleted_at.is_none() }
    };
    let found = cx.scan::<Stack>("").map(|(_, stack)| stack).find(|stack| fits(stack));
    found.cloned().ok_or_else(|| CloudFormationError::StackMissing(reference.to_owned()))
}

/// Writes a line into a stack's history: of a resource, or of the stack itself.
pub(crate) fn log(cx: &mut Cx<'_>, stack: &Stack, resource: Option<&Resource>, status: &str, reason: Option<&str>) {
    let number = cx.scan::<StackEvent>(&resource_key(&stack.key, "")).count();
    let (logical_id, physical_id, type_name) = match resource {
        None => (stack.name.clone(), Some(stack.arn.clone()), "AWS::CloudFormation::Stack".to_owned()),
        Some(it) => {
            let physical_id = it.state.as_ref().map(|state| state.physical_id.clone());
            (it.logical_id.clone(), physical_id, it.type_name.clone())
        }
    };
    let properties = resource.map(|it| it.made_of.shown.as_ref().unwrap_or(&it.made_of.properties).to_string());
    let view = api::StackEvent {
        stack_id: stack.arn.clone(),
        event_id: cx.rng.uuid(),
        stack_name: stack.name.clone(),
        logical_resource_id: Some(logical_id),
        physical_resource_id: physical_id,
        resource_type: Some(type_name),
        timestamp: cx.time(),
        resource_status: Some(status.to_owned()),
        resource_status_reason: reason.map(str::to_owned),
        resource_properties: properties,
        ..api::StackEvent::default()
    };
    cx.put(&resource_key(&stack.key, &format!("{number:08}")), StackEvent { view });
}
