//! The CloudFormation types, a file each.
//!
//! Invariant: every change goes through IAM's own operations, as the stack's principal.

mod managed_policy;
mod policy;
mod role;
mod role_policy;

use neargate_kernel::{Cx, Fault, ResourceType};
use neargate_shape::{OperationShape, Value, from_properties};
use serde_json::Value as Json;

use crate::state;

/// Every type.
pub(crate) fn all() -> Vec<&'static dyn ResourceType> {
    vec![&managed_policy::ManagedPolicy, &policy::Policy, &role::Role, &role_policy::RolePolicy]
}

/// Calls an operation with an input written as JSON.
fn call(cx: &mut Cx<'_>, operation: &OperationShape, input: &Json) -> Result<Value, Fault> {
    let input = from_properties((operation.input)(), input).map_err(|error| Fault::validation(error.to_string()))?;
    cx.call("iam", operation.name, input)
}

/// The same, where what it takes away may be gone already.
fn call_to_remove(cx: &mut Cx<'_>, operation: &OperationShape, input: &Json) -> Result<(), Fault> {
    match call(cx, operation, input) {
        Err(fault) if fault.code != "NoSuchEntity" => Err(fault),
        _ => Ok(()),
    }
}

/// Whether a role has an inline policy of this name: a second stack must not take it for its own.
fn has_inline(cx: &mut Cx<'_>, role: &str, policy: &str) -> bool {
    state::role(cx, role).is_ok_and(|role| role.inline.contains_key(policy))
}

/// The texts in a list property; none where the property is absent.
fn texts<'p>(properties: Option<&'p Json>, property: &str) -> Vec<&'p str> {
    let list = properties.and_then(|properties| properties.get(property)).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(Json::as_str).collect()
}

/// Refuses properties that name users or groups.
fn refuse_users_and_groups(properties: &Json) -> Result<(), Fault> {
    for (name, operation) in [("Users", "AttachUserPolicy"), ("Groups", "AttachGroupPolicy")] {
        let says_nothing = |value: &Json| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if properties.get(name).is_some_and(|value| !says_nothing(value)) {
            return Err(Fault::not_implemented("iam", operation)
                .with_hint(format!("property `{name}`: Neargate has roles only; attach the policy to roles")));
        }
    }
    Ok(())
}
