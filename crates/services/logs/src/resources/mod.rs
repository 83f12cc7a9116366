//! CloudFormation types of CloudWatch Logs.

mod log_group;
mod log_stream;

pub(crate) use log_group::LogGroupType;
pub(crate) use log_stream::LogStreamType;
