//! A Fargate task that runs whenever an event matches, with what the event says in its environment.
//!
//! [`TriggeredTaskBase`] is what all triggered tasks share: the cluster, the rule, the number of tasks and the wiring between them.
//! [`TriggeredFargateTask`] adds the task definition. To make a kind of your own, put a base into a struct of yours; see the base's
//! example, which makes a scheduled one.

mod base;
mod task;

pub use base::{TaskTarget, TriggeredTaskBase, TriggeredTaskBaseProps};
pub use task::{
    TriggeredFargateTask, TriggeredFargateTaskDefinitionOptions, TriggeredFargateTaskImageOptions,
    TriggeredFargateTaskProps,
};

pub mod codes {
    //! The codes of this pattern's diagnostics; `docs/errors/` has a page for each.

    use neargate_constructs::Code;

    /// Fewer than one task is asked for.
    pub const DESIRED_TASK_COUNT: Code = Code("NG-C0500");
    /// Neither or both of a task definition and an image are given.
    pub const TASK_SOURCE: Code = Code("NG-C0501");
    /// A required property is missing.
    pub const MISSING: Code = Code("NG-C0502");
}
