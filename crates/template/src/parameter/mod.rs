//! `Parameters`: what they declare, and the values given for them.

mod kind;
mod pattern;
mod read;
mod resolve;

pub use kind::{Parameter, ParameterType};
pub(crate) use read::read;
pub use resolve::{ParameterValue, ParameterValues, missing_ssm_parameters, resolve_parameters};
