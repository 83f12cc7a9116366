//! The CloudFormation types, a file each.

mod alias;
mod key;

pub(crate) use alias::Alias;
pub(crate) use key::Key;
