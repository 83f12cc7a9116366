//! `AWS::SecretsManager::ResourcePolicy`: `Ref` is the secret's ARN.
//!
//! Follows <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html>.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};
use serde_json::json;

use crate::{api, state};

pub(crate) struct ResourcePolicy;

impl ResourceType for ResourcePolicy {
    fn shape(&self) -> &'static ResourceShape {
        &resources::SECRETSMANAGER_RESOURCE_POLICY
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create | Action::Update => {
                let secret = request.text("SecretId").unwrap_or_default();
                let has_policy = action == Action::Create && state::own(cx, secret).is_ok_and(|it| it.policy.is_some());
                let input = from_properties(api::PutResourcePolicyInput::shape(), request.properties);
                let input = input.map_err(|error| Fault::validation(error.to_string()))?;
                let put = cx.call("secretsmanager", "PutResourcePolicy", input)?;
                if has_policy {
                    return Err(request.already_exists(secret));
                }
                let arn = put.get("ARN").and_then(Value::as_str).unwrap_or_default().to_owned();
                Ok(Progress::Done(ResourceState::new(&arn).with("Id", arn)))
            }
            Action::Delete => {
                let input = json!({"SecretId": request.physical_id()});
                match cx.call_json("secretsmanager", "DeleteResourcePolicy", input) {
                    Err(fault)
                        if !matches!(fault.code, "ResourceNotFoundException" | "InvalidRequestException")
                            && !request.physical_id().is_empty() =>
                    {
                        Err(fault)
                    }
                    _ => Ok(Progress::Done(ResourceState::default())),
                }
            }
        }
    }
}
