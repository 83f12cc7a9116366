//! `TagResource`, `UntagResource`, `ListResourceTags`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::on_key;
use crate::api::{self, Tag};
use crate::errors::KmsError;
use crate::reference;

const TAGS_MAX: usize = 50;

/// Refuses tags that a key cannot have beside those it keeps.
pub(super) fn check_tags(new: &[Tag], kept: &[Tag]) -> Result<(), KmsError> {
    if new.iter().any(|tag| tag.tag_key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))) {
        return Err(KmsError::TagKeyReserved);
    }
    if new.iter().enumerate().any(|(at, tag)| new.iter().skip(at + 1).any(|other| other.tag_key == tag.tag_key)) {
        return Err(KmsError::TagKeyTwice);
    }
    if new.len() + kept.len() > TAGS_MAX { Err(KmsError::TagLimit) } else { Ok(()) }
}

pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let tags = input.tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone()));
        on_key(cx, "TagResource", &input.key_id).with_request_tags(tags).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        key.tags.retain(|tag| !input.tags.iter().any(|new| new.tag_key == tag.tag_key));
        check_tags(&input.tags, &key.tags)?;
        key.tags.extend(input.tags);
        cx.put(&key.id.clone(), key);
        Ok(api::TagResourceOutput {})
    }
}

pub(crate) struct UntagResource;

impl Operation for UntagResource {
    const SHAPE: &'static OperationShape = &api::UNTAG_RESOURCE;
    type Input = api::UntagResourceInput;
    type Output = api::UntagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "UntagResource", &input.key_id).with_all("aws:TagKeys", input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut key = reference::own_key(cx, &input.key_id)?;
        key.lasting(&cx.scope)?;
        key.tags.retain(|tag| !input.tag_keys.contains(&tag.tag_key));
        cx.put(&key.id.clone(), key);
        Ok(api::UntagResourceOutput {})
    }
}

pub(crate) struct ListResourceTags;

impl Operation for ListResourceTags {
    const SHAPE: &'static OperationShape = &api::LIST_RESOURCE_TAGS;
    type Input = api::ListResourceTagsInput;
    type Output = api::ListResourceTagsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_key(cx, "ListResourceTags", &input.key_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let key = reference::own_key(cx, &input.key_id)?;
        let page = page(key.tags, input.marker.as_deref(), input.limit, 50)?;
        Ok(api::ListResourceTagsOutput { tags: page.items, next_marker: page.next, truncated: page.truncated })
    }
}
