//! The operations, a file each.

pub(crate) mod get_function;
pub(crate) mod list_functions;
