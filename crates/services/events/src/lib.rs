//! Amazon EventBridge (Classic): buses, rules, targets.
//!
//! An event is matched against the rules of its bus and delivered to their targets in the same transaction in which it was
//! put; a rule with a schedule puts an event of its own when its time comes. Patterns, schedules and input transformation are
//! decided by `neargate-event-pattern`, `neargate-schedule` and `neargate-event-transform` and nothing else.
//!
//! Invariant: what goes wrong with a delivery never fails the call that put the event; it is counted, published and said.

mod access;
mod deliver;
mod errors;
mod ops;
mod resources;
mod schedules;
mod state;
pub mod visible;

use neargate_api::events as api;
use neargate_kernel::{OperationEntry, Service};

pub use deliver::Bus;
pub use schedules::{ScheduledRule, after_clock_was_set, scheduled};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::PutEvents>(),
            OperationEntry::of::<ops::TestEventPattern>(),
            OperationEntry::of::<ops::PutRule>(),
            OperationEntry::of::<ops::DescribeRule>(),
            OperationEntry::of::<ops::ListRules>(),
            OperationEntry::of::<ops::ListRuleNamesByTarget>(),
            OperationEntry::of::<ops::EnableRule>(),
            OperationEntry::of::<ops::DisableRule>(),
            OperationEntry::of::<ops::DeleteRule>(),
            OperationEntry::of::<ops::PutTargets>(),
            OperationEntry::of::<ops::RemoveTargets>(),
            OperationEntry::of::<ops::ListTargetsByRule>(),
            OperationEntry::of::<ops::CreateEventBus>(),
            OperationEntry::of::<ops::UpdateEventBus>(),
            OperationEntry::of::<ops::DescribeEventBus>(),
            OperationEntry::of::<ops::ListEventBuses>(),
            OperationEntry::of::<ops::DeleteEventBus>(),
            OperationEntry::of::<ops::TagResource>(),
            OperationEntry::of::<ops::UntagResource>(),
            OperationEntry::of::<ops::ListTagsForResource>(),
        ],
        resources: vec![&resources::RuleType, &resources::EventBusType],
        jobs: vec![
            (schedules::JOB, schedules::fire),
            (schedules::JOB_BY_HAND, schedules::fire_by_hand),
            (schedules::JOB_REPLAN, schedules::replan),
        ],
        reports: vec![],
        records: |store| {
            store.register::<state::EventBus>();
            store.register_with::<deliver::Patterns>();
        },
    }
}
