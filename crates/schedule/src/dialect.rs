//! The two APIs that read expressions.

/// Which API decides what is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// EventBridge rules (`events:PutRule`): cron and rate, in UTC, the rate's unit held to its number.
    Rule,
    /// EventBridge Scheduler (`scheduler:CreateSchedule`): also `at(...)`, zones, start, end and flexible windows.
    Scheduler,
}
