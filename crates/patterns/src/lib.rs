//! L3 patterns: whole workloads in one construct, a folder each.
//!
//! - [`fargate_tasks`]: a task that runs on a schedule, with its own key, log group and secret;
//! - [`triggered_fargate_task`]: a task that runs whenever an event matches.
//!
//! Invariant: made of the public L2 constructs only, so that a pattern can always be taken apart into them.

mod default_cluster;
pub mod fargate_tasks;
pub mod triggered_fargate_task;
