//! Drivers: what carries out the core's effects and reports back.

mod tasks;

pub(crate) use tasks::{Shared, TaskDriver};
