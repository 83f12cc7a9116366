//! `AWS::KMS::Alias`: `Ref` is the alias's name.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Wire, from_properties};
use serde_json::json;

use crate::api;

pub(crate) struct Alias;

impl ResourceType for Alias {
    fn shape(&self) -> &'static ResourceShape {
        &resources::KMS_ALIAS
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let input = || {
            from_properties(api::CreateAliasInput::shape(), request.properties)
                .map_err(|error| Fault::validation(error.to_string()))
        };
        match action {
            Action::Create => cx.call("kms", "CreateAlias", input()?)?,
            Action::Update => cx.call("kms", "UpdateAlias", input()?)?,
            Action::Delete => {
                let name = request.physical_id();
                return match cx.call_json("kms", "DeleteAlias", json!({"AliasName": name})) {
                    Err(fault) if fault.code != "NotFoundException" && !name.is_empty() => Err(fault),
                    _ => Ok(Progress::Done(ResourceState::default())),
                };
            }
        };
        Ok(Progress::Done(ResourceState::new(request.text("AliasName").unwrap_or_default())))
    }
}
