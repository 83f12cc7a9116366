//! `AWS::EC2::VPCGatewayAttachment`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::{answer, delete, plain};
use crate::api;

/// `AWS::EC2::VPCGatewayAttachment` of an internet gateway: `Ref` is `IGW|` and the VPC's id.
pub(crate) struct VpcGatewayAttachmentType;

impl ResourceType for VpcGatewayAttachmentType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_VPC_GATEWAY_ATTACHMENT
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => attach(cx, request),
            // A change that failed has left what was attached.
            Action::Update if is_attached(cx, request)? => Ok(done(request)),
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
    Ok(done(request))
}

fn is_attached(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<bool, Fault> {
    let input = json!({ "InternetGatewayIds": [request.text("InternetGatewayId")] });
    let found = cx.call_json("ec2", "DescribeInternetGateways", input)?;
    let vpc = answer(&found, &["InternetGateways", "0", "Attachments", "0", "VpcId"]);
    Ok(!vpc.is_empty() && request.text("VpcId") == Some(&vpc))
}

fn done(request: &ResourceRequest<'_>) -> Progress {
    let vpc = request.text("VpcId").unwrap_or_default();
    Progress::Done(ResourceState::new(format!("IGW|{vpc}")).with("AttachmentType", "IGW"))
}

fn detach(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, properties: &Value) -> Result<Progress, Fault> {
    let text = |property| properties.get(property).and_then(Value::as_str).unwrap_or_default();
    let input = json!({ "InternetGatewayId": text("InternetGatewayId"), "VpcId": text("VpcId") });
    delete(cx, request, "DetachInternetGateway", input)
}
