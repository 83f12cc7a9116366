//! `TagResource`, `UntagResource`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::{on_secret, with_tags};
use crate::api::{self, Tag};
use crate::errors::SecretError;
use crate::state;

const TAGS_MAX: usize = 50;

/// Refuses tags that a secret cannot have beside those it keeps.
pub(super) fn check_tags(new: &[Tag], kept: &[Tag]) -> Result<(), SecretError> {
    let is_reserved = |key: &String| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if new.iter().filter_map(|tag| tag.key.as_ref()).any(is_reserved) {
        return Err(SecretError::TagReserved);
    }
    if new.iter().enumerate().any(|(at, tag)| new.iter().skip(at + 1).any(|other| other.key == tag.key)) {
        return Err(SecretError::TagTwice);
    }
    if new.len() + kept.len() > TAGS_MAX { Err(SecretError::TagLimit) } else { Ok(()) }
}

pub(crate) struct TagResource;

impl Operation for TagResource {
    const SHAPE: &'static OperationShape = &api::TAG_RESOURCE;
    type Input = api::TagResourceInput;
    type Output = api::TagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_tags(on_secret(cx, "TagResource", &input.secret_id), &input.tags).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::living(cx, &input.secret_id)?;
        secret.tags.retain(|tag| !input.tags.iter().any(|new| new.key == tag.key));
        check_tags(&input.tags, &secret.tags)?;
        secret.tags.extend(input.tags);
        secret.changed = cx.time();
        cx.put(&secret.name.clone(), secret);
        Ok(api::TagResourceOutput {})
    }
}

pub(crate) struct UntagResource;

impl Operation for UntagResource {
    const SHAPE: &'static OperationShape = &api::UNTAG_RESOURCE;
    type Input = api::UntagResourceInput;
    type Output = api::UntagResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_secret(cx, "UntagResource", &input.secret_id).with_all("aws:TagKeys", input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut secret = state::living(cx, &input.secret_id)?;
        secret.tags.retain(|tag| !tag.key.as_ref().is_some_and(|key| input.tag_keys.contains(key)));
        secret.changed = cx.time();
        cx.put(&secret.name.clone(), secret);
        Ok(api::UntagResourceOutput {})
    }
}
