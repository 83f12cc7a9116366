//! The operations.

mod change;
mod describe;
mod preflight;
mod resources;
mod templates;

pub(crate) use change::{CreateStack, DeleteStack, UpdateStack, UpdateTerminationProtection};
pub(crate) use describe::{DescribeStackEvents, DescribeStacks, ListExports, ListStacks};
pub(crate) use resources::{DescribeStackResource, DescribeStackResources, ListStackResources};
pub(crate) use templates::{GetTemplate, GetTemplateSummary, ValidateTemplate};

use neargate_kernel::{Access, Accesses, Cx};

use crate::api;
use crate::state::find;

/// The access to one stack.
fn access(cx: &Cx<'_>, action: &str, reference: &str) -> Accesses {
    let found = find(cx, reference).ok();
    let tags = found.as_ref().map(|stack| pairs(Some(&stack.source.tags))).unwrap_or_default();
    let arn = found.map_or_else(|| cx.scope.arn("cloudformation", &format!("stack/{reference}/*")), |it| it.arn);
    Access::new(action, arn).with_resource_tags(None, tags).into()
}

/// Tags as condition keys take them.
fn pairs(tags: Option<&[api::Tag]>) -> Vec<(String, String)> {
    tags.unwrap_or_default().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// One page of 100 items, and the token of the next.
fn page<T>(items: Vec<T>, token: Option<&str>) -> (Vec<T>, Option<String>) {
    let skipped = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let next = (items.len() > skipped + 100).then(|| (skipped + 100).to_string());
    (items.into_iter().skip(skipped).take(100).collect(), next)
}
