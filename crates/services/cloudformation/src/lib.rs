//! AWS CloudFormation: stacks, made from templates one resource step at a time.
//!
//! A stack is a record that the [`executor`] moves on with jobs: each job takes one step of one resource in a transaction of
//! its own, so a crash in the middle resumes where it was. What a resource type does is in its own service; this crate knows
//! only [`neargate_kernel::ResourceType`]. Reading and evaluating templates is `neargate-template`'s.
//!
//! Invariant: a template with a resource type that nobody has is refused before anything is made.
//!
//! Invariant: every step runs as the principal that asked for the stack, or as the stack's role.

mod errors;
mod executor;
pub mod lacks;
mod ops;
mod properties;
mod resources;
mod secrets;
mod state;
pub mod uploads;
mod world;

pub use properties::knows_properties_of;

use neargate_api::cloudformation as api;
use neargate_kernel::{OperationEntry, Service};

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![
            OperationEntry::of::<ops::CreateStack>(),
            OperationEntry::of::<ops::UpdateStack>(),
            OperationEntry::of::<ops::DeleteStack>(),
            OperationEntry::of::<ops::DescribeStacks>(),
            OperationEntry::of::<ops::ListStacks>(),
            OperationEntry::of::<ops::DescribeStackEvents>(),
            OperationEntry::of::<ops::DescribeStackResources>(),
            OperationEntry::of::<ops::DescribeStackResource>(),
            OperationEntry::of::<ops::ListStackResources>(),
            OperationEntry::of::<ops::GetTemplate>(),
            OperationEntry::of::<ops::ValidateTemplate>(),
            OperationEntry::of::<ops::ListExports>(),
            OperationEntry::of::<ops::UpdateTerminationProtection>(),
            OperationEntry::of::<ops::GetTemplateSummary>(),
        ],
        resources: vec![&resources::CdkMetadata],
        jobs: vec![(executor::STEP, executor::step), (executor::RESUME, executor::resume)],
        reports: vec![],
        records: |store| {
            store.register::<state::Stack>();
            store.register::<state::Resource>();
            store.register::<state::StackEvent>();
            store.register::<uploads::Upload>();
        },
    }
}
