//! `AddTagsToResource`, `RemoveTagsFromResource`, `ListTagsForResource`, for parameters.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::get_parameter::{on_parameter, pairs};
use crate::api;
use crate::errors::SsmError;
use crate::name::Reference;
use crate::state::{self, ParameterRecord};

pub(crate) struct AddTagsToResource;

impl Operation for AddTagsToResource {
    const SHAPE: &'static OperationShape = &api::ADD_TAGS_TO_RESOURCE;
    type Input = api::AddTagsToResourceInput;
    type Output = api::AddTagsToResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:AddTagsToResource", &input.resource_id).with_request_tags(pairs(&input.tags)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut record = tagged(cx, "AddTagsToResource", &input.resource_type, &input.resource_id)?;
        record.tags.retain(|tag| !input.tags.iter().any(|new| new.key == tag.key));
        record.tags.extend(input.tags);
        cx.put(&record.latest.name.clone(), record);
        Ok(api::AddTagsToResourceOutput {})
    }
}

pub(crate) struct RemoveTagsFromResource;

impl Operation for RemoveTagsFromResource {
    const SHAPE: &'static OperationShape = &api::REMOVE_TAGS_FROM_RESOURCE;
    type Input = api::RemoveTagsFromResourceInput;
    type Output = api::RemoveTagsFromResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:RemoveTagsFromResource", &input.resource_id).with_tag_keys(input.tag_keys.clone()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let mut record = tagged(cx, "RemoveTagsFromResource", &input.resource_type, &input.resource_id)?;
        record.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
        cx.put(&record.latest.name.clone(), record);
        Ok(api::RemoveTagsFromResourceOutput {})
    }
}

pub(crate) struct ListTagsForResource;

impl Operation for ListTagsForResource {
    const SHAPE: &'static OperationShape = &api::LIST_TAGS_FOR_RESOURCE;
    type Input = api::ListTagsForResourceInput;
    type Output = api::ListTagsForResourceOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_parameter(cx, "ssm:ListTagsForResource", &input.resource_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let record = tagged(cx, "ListTagsForResource", &input.resource_type, &input.resource_id)?;
        Ok(api::ListTagsForResourceOutput { tag_list: Some(record.tags) })
    }
}

/// A copy of the parameter whose tags are meant. Other types of resources do not exist here.
fn tagged(cx: &Cx<'_>, operation: &str, kind: &str, name: &str) -> Result<ParameterRecord, Fault> {
    if kind != "Parameter" {
        return Err(Fault::not_implemented("ssm", &format!("{operation} with ResourceType {kind}")));
    }
    Ok(state::find(cx, &Reference::read(name)).cloned().ok_or(SsmError::ResourceId)?)
}
