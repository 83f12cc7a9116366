//! Managed policies: policies that roles share.

use std::fmt;

use neargate_l1::Value;

use crate::{CfnResource, intrinsic};

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

impl ManagedPolicy {
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
