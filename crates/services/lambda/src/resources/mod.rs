//! The CloudFormation types, a file each.

mod function;

pub(crate) use function::Function;
