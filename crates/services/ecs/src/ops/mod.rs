//! The operations, one file for each noun or large verb.

mod capacity_providers;
mod clusters;
mod definitions;
mod register_task_definition;
mod run_task;
mod tags;
mod tasks;

pub(crate) use capacity_providers::{DescribeCapacityProviders, PutClusterCapacityProviders};
pub(crate) use clusters::{
    CreateCluster, DeleteCluster, DescribeClusters, ListClusters, UpdateCluster, UpdateClusterSettings,
};
pub(crate) use definitions::{DeregisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions};
pub(crate) use register_task_definition::RegisterTaskDefinition;
pub(crate) use run_task::{RunTask, TOKEN_MS};
pub(crate) use tags::{ListTagsForResource, TagResource, UntagResource};
pub(crate) use tasks::{DescribeTasks, ListTasks, StopTask};

/// One page of ARNs: at most `max` after the token, and the token of the next page. A token is the last ARN of the page before.
fn page(arns: Vec<String>, token: Option<&str>, max: Option<i32>) -> (Vec<String>, Option<String>) {
    let max = max.and_then(|max| usize::try_from(max).ok()).filter(|max| (1..=100).contains(max)).unwrap_or(100);
    let skipped = token.map_or(0, |token| arns.iter().position(|arn| arn == token).map_or(arns.len(), |at| at + 1));
    let rest = arns.len().saturating_sub(skipped);
    let page: Vec<_> = arns.into_iter().skip(skipped).take(max).collect();
    let next = if rest > max { page.last().cloned() } else { None };
    (page, next)
}
