//! The CloudFormation types, a file each.

mod parameter;

pub(crate) use parameter::Parameter;
