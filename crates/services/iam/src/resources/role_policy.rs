//! `AWS::IAM::RolePolicy`: one inline policy in one role.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-rolepolicy.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value as Json, json};

use super::{call, call_to_remove, has_inline};
use crate::api;

pub(super) struct RolePolicy;

impl ResourceType for RolePolicy {
    fn shape(&self) -> &'static ResourceShape {
        &resources::IAM_ROLE_POLICY
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let text = |property: &str| request.text(property).unwrap_or_default().to_owned();
        let (policy, role) = (text("PolicyName"), text("RoleName"));
        match action {
            Action::Create | Action::Update => {
                let is_taken = action == Action::Create && has_inline(cx, &role, &policy);
                let document = request.properties.get("PolicyDocument").cloned().unwrap_or(Json::Null);
                let input = json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": document});
                call(cx, &api::PUT_ROLE_POLICY, &input)?;
                if is_taken {
                    return Err(request.already_exists(&format!("{policy}|{role}")));
                }
                Ok(Progress::Done(ResourceState::new(format!("{policy}|{role}"))))
            }
            Action::Delete => {
                call_to_remove(cx, &api::DELETE_ROLE_POLICY, &json!({"RoleName": role, "PolicyName": policy}))?;
                Ok(Progress::Done(ResourceState::default()))
            }
        }
    }
}
