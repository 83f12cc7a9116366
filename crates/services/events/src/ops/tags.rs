//! Tags of rules and buses.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{on_resource, with_tags};
use crate::api;
use crate::state::{DEFAULT_BUS, EventBus, Rule, rule_key};

/// `TagResource` adds or replaces tags by key.
pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_tags(on_resource(cx, "events:TagResource", &input.resource_arn), Some(&input.tags)).into()
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
        on_resource(cx, "events:UntagResource", &input.resource_arn).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        change(cx, &input.resource_arn, |tags| tags.retain(|tag| !input.tag_keys.contains(&tag.key)))?;
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
        on_resource(cx, "events:ListTagsForResource", &input.resource_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let tags = change(cx, &input.resource_arn, |tags| tags.clone())?;
        Ok(api::ListTagsForResourceOutput { tags: Some(tags) })
    }
}

fn change<T>(cx: &mut Cx<'_>, arn: &str, change: impl FnOnce(&mut Vec<api::Tag>) -> T) -> Result<T, Fault> {
    let resource = arn.parse::<Arn>().map(|arn| arn.resource).unwrap_or_default();
    let answer = match resource.split_once('/') {
        Some(("rule", name)) => {
            let (bus, name) = name.split_once('/').unwrap_or((DEFAULT_BUS, name));
            cx.update::<Rule, _>(&rule_key(bus, name), |rule| change(&mut rule.tags))
        }
        Some(("event-bus", name)) => cx.update::<EventBus, _>(name, |bus| change(&mut bus.tags)),
        _ => None,
    };
    answer.ok_or_else(|| Fault::sender("ResourceNotFoundException", format!("Resource {arn} does not exist.")))
}
