//! Tags of log groups, in the old spelling and the new.

use std::collections::BTreeMap;

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{on_group, with_group_tags, with_request_tags};
use crate::api;
use crate::errors::LogsError;
use crate::state::{LogGroup, group, group_name};

type Tags = BTreeMap<String, String>;

/// The most tags of a group.
const TAGS_MAX: usize = 50;

/// `TagResource` adds or replaces tags by key.
pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_request_tags(on_plain(cx, "logs:TagResource", &input.resource_arn), &input.tags).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = group_name(cx, &input.resource_arn);
        add(cx, &name, input.tags, LogsError::ResourceNotFound)?;
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
        on_plain(cx, "logs:UntagResource", &input.resource_arn).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = group_name(cx, &input.resource_arn);
        cx.update::<LogGroup, _>(&name, |group| group.tags.retain(|key, _| !input.tag_keys.contains(key)))
            .ok_or(LogsError::ResourceNotFound)?;
        Ok(api::UntagResourceOutput::default())
    }
}

/// `ListTagsForResource` lists a group's tags.
pub(crate) struct ListTagsForResource;

impl Operation for ListTagsForResource {
    const SHAPE: &'static OperationShape = &api::LIST_TAGS_FOR_RESOURCE;
    type Input = api::ListTagsForResourceInput;
    type Output = api::ListTagsForResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_plain(cx, "logs:ListTagsForResource", &input.resource_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let group = cx.get::<LogGroup>(&group_name(cx, &input.resource_arn)).ok_or(LogsError::ResourceNotFound)?;
        Ok(api::ListTagsForResourceOutput { tags: Some(group.tags.clone()) })
    }
}

/// `TagLogGroup` is the old `TagResource`.
pub(crate) struct TagLogGroup;

impl Operation for TagLogGroup {
    const SHAPE: &'static OperationShape = &api::TAG_LOG_GROUP;
    type Input = api::TagLogGroupInput;
    type Output = api::TagLogGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_request_tags(on_group(cx, "logs:TagLogGroup", &input.log_group_name), &input.tags).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        add(cx, &input.log_group_name, input.tags, LogsError::GroupNotFound)?;
        Ok(api::TagLogGroupOutput::default())
    }
}

/// `ListTagsLogGroup` is the old `ListTagsForResource`.
pub(crate) struct ListTagsLogGroup;

impl Operation for ListTagsLogGroup {
    const SHAPE: &'static OperationShape = &api::LIST_TAGS_LOG_GROUP;
    type Input = api::ListTagsLogGroupInput;
    type Output = api::ListTagsLogGroupOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_group(cx, "logs:ListTagsLogGroup", &input.log_group_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        Ok(api::ListTagsLogGroupOutput { tags: Some(group(cx, &input.log_group_name)?.tags) })
    }
}

fn on_plain(cx: &Cx<'_>, action: &str, arn: &str) -> Access {
    with_group_tags(cx, Access::new(action, arn), &group_name(cx, arn))
}

fn add(cx: &mut Cx<'_>, name: &str, tags: Tags, missing: LogsError) -> Result<(), LogsError> {
    let mut group = cx.get::<LogGroup>(name).cloned().ok_or(missing)?;
    group.tags.extend(tags);
    if group.tags.len() > TAGS_MAX {
        return Err(LogsError::TooManyTags);
    }
    cx.put(name, group);
    Ok(())
}
