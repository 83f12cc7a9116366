//! `TagRole`, `UntagRole`, `ListRoleTags`.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::access::{on_role, pairs};
use crate::api;
use crate::errors::IamError;
use crate::state::{self, put_role};

const TAGS_MAX: usize = 50;

pub(crate) struct TagRole;

impl Operation for TagRole {
    const SHAPE: &'static OperationShape = &api::TAG_ROLE;
    type Input = api::TagRoleInput;
    type Output = api::TagRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:TagRole", &input.role_name).with_request_tags(pairs(Some(&input.tags))).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        role.tags.retain(|tag| !input.tags.iter().any(|new| new.key.eq_ignore_ascii_case(&tag.key)));
        role.tags.extend(input.tags);
        if role.tags.len() > TAGS_MAX {
            return Err(IamError::Quota { name: "TagsPerRole", max: TAGS_MAX }.into());
        }
        put_role(cx, role);
        Ok(api::TagRoleOutput {})
    }
}

pub(crate) struct UntagRole;

impl Operation for UntagRole {
    const SHAPE: &'static OperationShape = &api::UNTAG_ROLE;
    type Input = api::UntagRoleInput;
    type Output = api::UntagRoleOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:UntagRole", &input.role_name).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut role = state::role(cx, &input.role_name)?;
        role.tags.retain(|tag| !input.tag_keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
        put_role(cx, role);
        Ok(api::UntagRoleOutput {})
    }
}

pub(crate) struct ListRoleTags;

impl Operation for ListRoleTags {
    const SHAPE: &'static OperationShape = &api::LIST_ROLE_TAGS;
    type Input = api::ListRoleTagsInput;
    type Output = api::ListRoleTagsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_role(cx, "iam:ListRoleTags", &input.role_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut tags = state::role(cx, &input.role_name)?.tags;
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        let page = page(tags.into_iter().map(|tag| (tag.key.clone(), tag)), input.marker.as_deref(), input.max_items);
        Ok(api::ListRoleTagsOutput { tags: page.items, is_truncated: Some(page.marker.is_some()), marker: page.marker })
    }
}
