//! `AWS::EC2::VPC`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::json;

use super::{answer, delete, input, retag, truth};
use crate::api;
use crate::kind::Kind;
use crate::state::{Vpc, known};

/// `AWS::EC2::VPC`: `Ref` is the id.
pub(crate) struct VpcType;

/// The properties that are attributes of a VPC once it is made.
const ATTRIBUTES: [&str; 2] = ["EnableDnsSupport", "EnableDnsHostnames"];

impl ResourceType for VpcType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_VPC
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let input = input::<api::CreateVpcInput>(request.properties, Kind::Vpc, &ATTRIBUTES)?;
                let output = cx.call("ec2", "CreateVpc", input)?;
                let id = answer(&output, &["Vpc", "VpcId"]);
                set_attributes(cx, request, &id)?;
                done(cx, &id)
            }
            Action::Update if request.changed("InstanceTenancy") => Ok(Progress::Replace),
            Action::Update => {
                let id = request.physical_id();
                retag(cx, request, id)?;
                set_attributes(cx, request, id)?;
                done(cx, id)
            }
            Action::Delete => delete(cx, request, "DeleteVpc", json!({ "VpcId": request.physical_id() })),
        }
    }
}

/// Sets the attributes that differ from what they were; a VPC begins with DNS support and without host names.
fn set_attributes(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, id: &str) -> Result<(), Fault> {
    let vpc = known::<Vpc>(cx, id)?;
    for (attribute, is, default) in
        [("EnableDnsSupport", vpc.dns_support, true), ("EnableDnsHostnames", vpc.dns_hostnames, false)]
    {
        let wanted = truth(request.properties, attribute).unwrap_or(default);
        if wanted != is {
            cx.call_json("ec2", "ModifyVpcAttribute", json!({ "VpcId": id, attribute: { "Value": wanted } }))?;
        }
    }
    Ok(())
}

fn done(cx: &Cx<'_>, id: &str) -> Result<Progress, Fault> {
    let vpc = known::<Vpc>(cx, id)?;
    let state = ResourceState::new(id)
        .with("VpcId", id)
        .with("CidrBlock", vpc.cidr.to_string())
        .with("DefaultSecurityGroup", vpc.default_group)
        .with("DefaultNetworkAcl", vpc.network_acl)
        .with("CidrBlockAssociations", vec![vpc.cidr_association])
        .with("Ipv6CidrBlocks", json!([]));
    Ok(Progress::Done(state))
}
