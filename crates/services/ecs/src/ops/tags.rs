//! Tags of clusters, task definitions and tasks.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{on_resource, with_tags};
use crate::api;
use crate::errors::EcsError;
use crate::state::{Cluster, Definition, Task, definition, definition_key, task_id};

/// `TagResource` adds or replaces tags by key.
pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_tags(on_resource(cx, "ecs:TagResource", &input.resource_arn), Some(&input.tags)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        change(cx, &input.resource_arn, |tags| {
            tags.retain(|old| input.tags.iter().all(|new| new.key != old.key));
            tags.extend(input.tags.iter().cloned());
        })?;
        Ok(api::TagResourceOutput::default())
    }
}

/// `UntagResource` takes tags away by key.
pub(crate) struct UntagResource;

impl Operation for UntagResource {
    const SHAPE: &'static OperationShape = &api::UNTAG_RESOURCE;
    type Input = api::UntagResourceInput;
    type Output = api::UntagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_resource(cx, "ecs:UntagResource", &input.resource_arn).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        change(cx, &input.resource_arn, |tags| {
            tags.retain(|tag| !input.tag_keys.iter().any(|key| tag.key.as_ref() == Some(key)))
        })?;
        Ok(api::UntagResourceOutput::default())
    }
}

/// `ListTagsForResource` lists a resource's tags.
pub(crate) struct ListTagsForResource;

impl Operation for ListTagsForResource {
    const SHAPE: &'static OperationShape = &api::LIST_TAGS_FOR_RESOURCE;
    type Input = api::ListTagsForResourceInput;
    type Output = api::ListTagsForResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_resource(cx, "ecs:ListTagsForResource", &input.resource_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let tags = change(cx, &input.resource_arn, |tags| tags.clone())?;
        Ok(api::ListTagsForResourceOutput { tags: Some(tags) })
    }
}

/// Changes the tags of whatever the ARN names.
fn change<T>(cx: &mut Cx<'_>, arn: &str, change: impl FnOnce(&mut Vec<api::Tag>) -> T) -> Result<T, Fault> {
    let parsed: Arn = arn.parse().map_err(|_| EcsError::InvalidParameter(format!("Invalid arn syntax: {arn}")))?;
    let answer = match parsed.resource.split_once('/') {
        Some(("cluster", name)) => cx.update::<Cluster, _>(name, |cluster| change(&mut cluster.tags)),
        Some(("task", _)) => cx.update::<Task, _>(task_id(arn), |task| change(task.view.tags.get_or_insert_default())),
        Some(("task-definition", _)) => {
            let view = definition(cx, arn)?.view;
            let key = definition_key(view.family.as_deref().unwrap_or_default(), view.revision.unwrap_or_default());
            cx.update::<Definition, _>(&key, |definition| change(&mut definition.tags))
        }
        _ => None,
    };
    answer.ok_or_else(|| EcsError::ResourceNotFound.into())
}
