//! The CloudFormation types, a file each.

mod resource_policy;
mod secret;

pub(crate) use resource_policy::ResourcePolicy;
pub(crate) use secret::Secret;
