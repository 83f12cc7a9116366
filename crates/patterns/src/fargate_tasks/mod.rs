//! Tasks that run on a schedule.
//!
//! [`FargateTasksConstruct`] is a whole scheduled task: network, cluster, key, encrypted log group, secret, security group, roles and
//! rule, each given or made. [`ScheduledFargateTask`] is its core, a task definition and the rule that starts it, and
//! [`CronScheduleConstruct`] its schedule; both can be used alone.

mod cron;
mod scheduled;
mod tasks;

pub use cron::{CronScheduleConstruct, CronScheduleConstructProps};
pub use scheduled::{
    ScheduledFargateTask, ScheduledFargateTaskDefinitionOptions, ScheduledFargateTaskImageOptions,
    ScheduledFargateTaskProps,
};
pub use tasks::{FargateTasksConstruct, FargateTasksConstructProps, InboundRule};

pub mod codes {
    //! The codes of this pattern's diagnostics; `docs/errors/` has a page for each.

    use neargate_constructs::Code;

    /// Fewer than one task is asked for.
    pub const DESIRED_TASK_COUNT: Code = Code("NG-C0510");
    /// Neither or both of a task definition and an image are given.
    pub const TASK_SOURCE: Code = Code("NG-C0511");
    /// A required property is missing.
    pub const MISSING: Code = Code("NG-C0512");
    /// Not exactly one secret is named.
    pub const SECRET_SOURCE: Code = Code("NG-C0513");
    /// Days of the month and of the week at once.
    pub const CRON_DAYS: Code = Code("NG-C0514");
    /// The cluster is in another network than the one given.
    pub const NETWORKS: Code = Code("NG-C0515");
    /// A property is given that only counts for something else, which is given too.
    pub const UNUSED: Code = Code("NG-C0516");
}
