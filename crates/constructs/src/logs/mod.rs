//! Amazon CloudWatch Logs: where containers' output goes.
//!
//! Follows <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/WhatIsCloudWatchLogs.html>.

mod log_group;
mod retention;

pub use log_group::{LogGroup, LogGroupClass, LogGroupProps};
pub use retention::RetentionDays;
