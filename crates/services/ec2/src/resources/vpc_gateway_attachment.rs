//! `AWS::EC2::VPCGatewayAttachment`.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use serde_json::{Value, json};

use super::{delete, plain};
use crate::api;

/// `AWS::EC2::VPCGatewayAttachment` of an internet gateway: `Ref` is `IGW|` and the VPC's id.
pub(crate) struct VpcGatewayAttachmentType;

impl ResourceType for VpcGatewayAttachmentType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::VPCGatewayAttachment"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => attach(cx, request),
            Action::Update => match detach(cx, request, request.previous.unwrap_or(request.properties))? {
                Progress::Done(_) => attach(cx, request),
                other => Ok(other),
            },
            Action::Delete => detach(cx, request, request.properties),
        }
    }
}

fn attach(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    cx.call("ec2", "AttachInternetGateway", plain::<api::AttachInternetGatewayInput>(request.properties)?)?;
    let vpc = request.text("VpcId").unwrap_or_default();
    Ok(Progress::Done(ResourceState::new(format!("IGW|{vpc}")).with("AttachmentType", "IGW")))
}

fn detach(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, properties: &Value) -> Result<Progress, Fault> {
    let text = |property| properties.get(property).and_then(Value::as_str).unwrap_or_default();
    let input = json!({ "InternetGatewayId": text("InternetGatewayId"), "VpcId": text("VpcId") });
    delete(cx, request, "DetachInternetGateway", input)
}
