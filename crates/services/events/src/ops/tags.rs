//! Tags of rules and buses.

use neargate_base::Arn;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{TAGS, on_resource, with_tags};
use crate::api;
use crate::errors::EventsError;
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
        on_resource(cx, "events:UntagResource", &input.resource_arn).with_tag_keys(input.tag_keys.clone()).into()
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
        on_resource(cx, "events:ListTagsForResource", &input.resource_arn).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let tags = match tagged(&input.resource_arn) {
            Some(Tagged::Rule(key)) => cx.get::<Rule>(&key).map(|rule| rule.tags.clone()),
            Some(Tagged::Bus(name)) => cx.get::<EventBus>(&name).map(|bus| bus.tags.clone()),
            None => None,
        };
        Ok(api::ListTagsForResourceOutput { tags: Some(tags.ok_or_else(|| missing(&input.resource_arn))?) })
    }
}

/// What has tags, by the key of its record.
enum Tagged {
    Rule(String),
    Bus(String),
}

fn tagged(arn: &str) -> Option<Tagged> {
    let resource = arn.parse::<Arn>().map(|arn| arn.resource).unwrap_or_default();
    match resource.split_once('/')? {
        ("rule", name) => {
            let (bus, name) = name.split_once('/').unwrap_or((DEFAULT_BUS, name));
            Some(Tagged::Rule(rule_key(bus, name)))
        }
        ("event-bus", name) => Some(Tagged::Bus(name.to_owned())),
        _ => None,
    }
}

fn missing(arn: &str) -> Fault {
    Fault::sender("ResourceNotFoundException", format!("Resource {arn} does not exist."))
}

/// Changes the tags of what an ARN names.
fn change(
    cx: &mut Cx<'_>,
    arn: &str,
    change: impl FnOnce(&mut Vec<api::Tag>) -> Result<(), EventsError>,
) -> Result<(), Fault> {
    let changed = match tagged(arn) {
        Some(Tagged::Rule(key)) => cx.update::<Rule, _>(&key, |rule| change(&mut rule.tags)),
        Some(Tagged::Bus(name)) => cx.update::<EventBus, _>(&name, |bus| change(&mut bus.tags)),
        None => None,
    };
    // A fault undoes the whole call.
    Ok(changed.ok_or_else(|| missing(arn))??)
}
