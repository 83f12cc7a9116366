//! Amazon EventBridge: rules that start targets on events or on a schedule.
//!
//! Follows <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html>.

mod field;
mod input;
mod pattern;
mod rule;
mod schedule;

pub use field::EventField;
pub use input::RuleTargetInput;
pub use pattern::{EventPattern, Match};
pub use rule::{Rule, RuleProps, RuleTarget, RuleTargetConfig};
pub use schedule::{CronDay, CronOptions, Schedule};
