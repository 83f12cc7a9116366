//! L3 patterns: whole workloads in one construct, a folder each.
//!
//! - [`triggered_fargate_task`]: a task that runs whenever an event matches.
//!
//! Invariant: made of the public L2 constructs only, so that a pattern can always be taken apart into them.

pub mod triggered_fargate_task;
