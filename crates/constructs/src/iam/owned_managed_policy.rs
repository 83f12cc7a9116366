//! Managed policies that an app declares.

use neargate_l1::{Value, iam as l1};

use super::document::{PolicyDocument, PolicyStatement};
use super::managed_policy::ManagedPolicy;
use super::role::Role;
use crate::{CfnResource, Scope};

/// Properties of a [`ManagedPolicy`] of this app.
#[derive(Clone, Debug, Default)]
pub struct ManagedPolicyProps {
    /// What it allows; CloudFormation refuses an empty one.
    pub statements: Vec<PolicyStatement>,
    /// The roles that have it from the start. Default: none.
    pub roles: Vec<Role>,
    /// Its name. Default: CloudFormation's choice.
    pub managed_policy_name: Option<String>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// The path of its name. Default: `/`.
    pub path: Option<String>,
}

impl ManagedPolicy {
    /// Declares a managed policy.
    pub fn new(scope: &Scope, id: &str, props: ManagedPolicyProps) -> Self {
        let scope = scope.child(id);
        let place = scope.clone();
        let resource = CfnResource::lazy(&scope, "Resource", move || {
            let document = PolicyDocument { statements: props.statements.clone() };
            let roles: Vec<Value<String>> = props.roles.iter().map(Role::role_name).collect();
            Box::new(l1::ManagedPolicy {
                policy_document: Some(document.render(&place)),
                roles: (!roles.is_empty()).then(|| roles.into()),
                managed_policy_name: props.managed_policy_name.clone().map(Value::Literal),
                description: Some(props.description.clone().unwrap_or_default().into()),
                path: Some(props.path.clone().unwrap_or_else(|| "/".to_owned()).into()),
                ..Default::default()
            })
        });
        Self::Owned(resource)
    }
}
