//! Tags of clusters, task definitions and tasks.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{TAGS, on_resource, with_tags};
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
        change(cx, &input.resource_arn, |tags| Ok(TAGS.add(tags, input.tags)?))?;
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
            TAGS.remove(tags, &input.tag_keys);
            Ok(())
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
        let tags = match tagged(cx, &input.resource_arn)? {
            Tagged::Cluster(name) => cx.get::<Cluster>(&name).map(|cluster| cluster.tags.clone()),
            Tagged::Task(id) => cx.get::<Task>(&id).map(|task| task.view.tags.clone().unwrap_or_default()),
            Tagged::Definition(key) => cx.get::<Definition>(&key).map(|definition| definition.tags.clone()),
        };
        Ok(api::ListTagsForResourceOutput { tags: Some(tags.ok_or(EcsError::ResourceNotFound)?) })
    }
}

/// What has tags, by the key of its record.
enum Tagged {
    Cluster(String),
    Task(String),
    Definition(String),
}

fn tagged(cx: &Cx<'_>, arn: &str) -> Result<Tagged, EcsError> {
    let parsed: Arn = arn.parse().map_err(|_| EcsError::InvalidParameter(format!("Invalid arn syntax: {arn}")))?;
    match parsed.resource.split_once('/') {
        Some(("cluster", name)) => Ok(Tagged::Cluster(name.to_owned())),
        Some(("task", _)) => Ok(Tagged::Task(task_id(arn).to_owned())),
        Some(("task-definition", _)) => {
            let view = definition(cx, arn)?.view;
            let (family, revision) = (view.family.unwrap_or_default(), view.revision.unwrap_or_default());
            Ok(Tagged::Definition(definition_key(&family, revision)))
        }
        _ => Err(EcsError::ResourceNotFound),
    }
}

/// Changes the tags of what an ARN names.
fn change(
    cx: &mut Cx<'_>,
    arn: &str,
    change: impl FnOnce(&mut Vec<api::Tag>) -> Result<(), EcsError>,
) -> Result<(), EcsError> {
    let changed = match tagged(cx, arn)? {
        Tagged::Cluster(name) => cx.update::<Cluster, _>(&name, |cluster| change(&mut cluster.tags)),
        Tagged::Task(id) => cx.update::<Task, _>(&id, |task| change(task.view.tags.get_or_insert_default())),
        Tagged::Definition(key) => cx.update::<Definition, _>(&key, |definition| change(&mut definition.tags)),
    };
    // A fault undoes the whole call.
    changed.ok_or(EcsError::ResourceNotFound)?
}
