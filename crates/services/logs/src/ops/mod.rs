//! The operations, by noun.

mod filter_log_events;
mod get_log_events;
mod groups;
mod kms_keys;
mod put_log_events;
mod retention;
mod streams;
mod tags;

pub(crate) use filter_log_events::FilterLogEvents;
pub(crate) use get_log_events::GetLogEvents;
pub(crate) use groups::{CreateLogGroup, DeleteLogGroup, DescribeLogGroups, PutLogGroupDeletionProtection};
pub(crate) use kms_keys::{AssociateKmsKey, DisassociateKmsKey};
pub(crate) use put_log_events::{PutLogEvents, put_lines};
pub(crate) use retention::{DeleteRetentionPolicy, PutRetentionPolicy};
pub(crate) use streams::{CreateLogStream, DeleteLogStream, DescribeLogStreams};
pub(crate) use tags::{ListTagsForResource, ListTagsLogGroup, TagLogGroup, TagResource, UntagResource};

use crate::errors::LogsError;

/// How many items a page of descriptions has unless the caller says.
const PAGE_DEFAULT: usize = 50;

/// The first `limit` of the items, and whether there are more.
fn cut<T>(items: impl Iterator<Item = T>, limit: Option<i32>) -> (Vec<T>, bool) {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_DEFAULT);
    let mut page: Vec<_> = items.take(limit + 1).collect();
    let has_more = page.len() > limit;
    page.truncate(limit);
    (page, has_more)
}

fn invalid(text: &str) -> LogsError {
    LogsError::InvalidParameter(text.to_owned())
}

/// AWS's word for a page token that it did not give.
fn invalid_token() -> LogsError {
    invalid("The specified nextToken is invalid.")
}
