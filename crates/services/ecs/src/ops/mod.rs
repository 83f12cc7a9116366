//! The operations, one file for each noun or large verb.

use std::hash::Hash;

use neargate_kernel::Cx;
use neargate_kit::{ForeignToken, Pages};

use crate::errors::EcsError;

mod capacity_providers;
mod clusters;
mod definitions;
mod families;
mod register_task_definition;
mod run_task;
mod tags;
mod tasks;

pub(crate) use capacity_providers::{DescribeCapacityProviders, PutClusterCapacityProviders};
pub(crate) use clusters::{
    CreateCluster, DeleteCluster, DescribeClusters, ListClusters, UpdateCluster, UpdateClusterSettings,
};
pub(crate) use definitions::{DeregisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions};
pub(crate) use families::ListTaskDefinitionFamilies;
pub(crate) use register_task_definition::RegisterTaskDefinition;
pub(crate) use run_task::RunTask;
pub(crate) use tags::{ListTagsForResource, TagResource, UntagResource};
pub(crate) use tasks::{DescribeTasks, ListTasks, StopTask};

/// Where a call's page of a list begins. `filter` is what of the input decides what is listed.
fn pages(cx: &Cx<'_>, list: &str, filter: impl Hash, token: Option<&str>) -> Result<Pages, EcsError> {
    Pages::read(&cx.scope, list, filter, token)
        .map_err(|ForeignToken| EcsError::InvalidParameter("Invalid token.".to_owned()))
}

/// The most items of a page.
fn items_max(max: Option<i32>) -> usize {
    max.and_then(|max| usize::try_from(max).ok()).filter(|max| (1..=100).contains(max)).unwrap_or(100)
}
