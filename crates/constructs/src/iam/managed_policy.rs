//! Managed policies: policies that roles share.

use std::fmt;

use neargate_l1::{Value, iam as l1};

use super::document::{PolicyDocument, PolicyStatement};
use super::role::Role;
use crate::{CfnResource, Scope, intrinsic};

/// A managed policy: AWS's own, one that exists, or one of this app.
///
/// ```
/// use neargate_constructs::iam::ManagedPolicy;
///
/// let policy = ManagedPolicy::from_aws_managed_policy_name("service-role/AmazonECSTaskExecutionRolePolicy");
/// assert!(policy.arn().to_string().ends_with(":iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"));
/// ```
#[derive(Clone)]
pub enum ManagedPolicy {
    /// One of AWS's, by its name with path: `service-role/AmazonECSTaskExecutionRolePolicy`.
    AwsManaged(String),
    /// One that exists, by its ARN.
    Arn(Value<String>),
    /// One of this app.
    Owned(CfnResource),
}

impl fmt::Debug for ManagedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwsManaged(name) => write!(f, "ManagedPolicy({name})"),
            Self::Arn(arn) => write!(f, "ManagedPolicy({arn})"),
            Self::Owned(resource) => write!(f, "ManagedPolicy({})", resource.path()),
        }
    }
}

/// Properties of a [`ManagedPolicy`] of this app.
#[derive(Clone, Debug, Default)]
pub struct ManagedPolicyProps {
    /// What it allows; CloudFormation refuses an empty one.
    pub statements: Vec<PolicyStatement>,
    /// The roles that have it from the start. Default: none.
    pub roles: Vec<Role>,
    /// Its name. Default: CloudFormation's choice.
    pub managed_policy_name: Option<String>,
    /// A word about it. Default: none.
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

    /// One of AWS's, by its name with path: `service-role/AmazonECSTaskExecutionRolePolicy`.
    pub fn from_aws_managed_policy_name(name: &str) -> Self {
        Self::AwsManaged(name.to_owned())
    }

    /// The ARN. That of AWS's own policies names the partition by `AWS::Partition` even where a stack knows its region.
    pub fn arn(&self) -> Value<String> {
        match self {
            Self::AwsManaged(name) => format!("arn:{}:iam::aws:policy/{name}", intrinsic::partition()).into(),
            Self::Arn(arn) => arn.clone(),
            Self::Owned(resource) => resource.reference(),
        }
    }
}
