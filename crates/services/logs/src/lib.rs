//! Amazon CloudWatch Logs: groups, streams, events, retention, filters.
//!
//! Events lie in append-only segments; a stream's records say what lies where, so that a read touches the chunks of its time only.
//!
//! Invariant: events are never in the state, only in segments; [`append`] alone writes them, [`read`] alone reads them.
//!
//! Invariant: events are encrypted wherever they lie, with the group's key or the installation's; [`frame`] and [`data_key`] do it.
//! Deliberately absent: metric and subscription filters, queries; each is refused by name.

mod access;
mod append;
mod data_key;
mod errors;
mod expire;
mod filter;
mod frame;
mod ops;
mod read;
mod resources;
mod state;

use neargate_api::logs as api;
use neargate_kernel::{OperationEntry, Service};

/// The service.
pub fn service() -> Service {
    let operations = vec![
        OperationEntry::of::<ops::CreateLogGroup>(),
        OperationEntry::of::<ops::DeleteLogGroup>(),
        OperationEntry::of::<ops::DescribeLogGroups>(),
        OperationEntry::of::<ops::AssociateKmsKey>(),
        OperationEntry::of::<ops::DisassociateKmsKey>(),
        OperationEntry::of::<ops::CreateLogStream>(),
        OperationEntry::of::<ops::DeleteLogStream>(),
        OperationEntry::of::<ops::DescribeLogStreams>(),
        OperationEntry::of::<ops::PutLogEvents>().taking_lines(ops::put_lines),
        OperationEntry::of::<ops::GetLogEvents>(),
        OperationEntry::of::<ops::FilterLogEvents>(),
        OperationEntry::of::<ops::PutLogGroupDeletionProtection>(),
        OperationEntry::of::<ops::PutRetentionPolicy>(),
        OperationEntry::of::<ops::DeleteRetentionPolicy>(),
        OperationEntry::of::<ops::TagResource>(),
        OperationEntry::of::<ops::UntagResource>(),
        OperationEntry::of::<ops::ListTagsForResource>(),
        OperationEntry::of::<ops::TagLogGroup>(),
        OperationEntry::of::<ops::ListTagsLogGroup>(),
    ];
    Service {
        shape: &api::SERVICE,
        operations: operations
            .into_iter()
            .map(|operation| operation.refusing_with("InvalidParameterException"))
            .collect(),
        resources: vec![&resources::LogGroupType, &resources::LogStreamType],
        jobs: vec![(expire::SWEEP, expire::sweep)],
        reports: vec![],
        records: |store| {
            store.register::<state::LogGroup>();
            store.register::<state::LogStream>();
            store.register::<state::Segment>();
            store.register::<state::Ledger>();
        },
    }
}

#[cfg(test)]
mod tests;
