//! The operations, a file each.

pub(crate) mod assume_role;
pub(crate) mod get_caller_identity;
