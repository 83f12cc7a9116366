//! `AWS::EC2::Subnet`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::json;

use super::{answer, delete, input, retag, truth};
use crate::api;
use crate::kind::Kind;
use crate::state::{Subnet, known};
use neargate_base::zone_id;

/// `AWS::EC2::Subnet`: `Ref` is the id.
pub(crate) struct SubnetType;

impl ResourceType for SubnetType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_SUBNET
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[
            ("AssignIpv6AddressOnCreation", None),
            ("EnableDns64", None),
            ("EnableLniAtDeviceIndex", None),
            ("PrivateDnsNameOptionsOnLaunch", None),
        ]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let input =
                    input::<api::CreateSubnetInput>(request.properties, Kind::Subnet, &["MapPublicIpOnLaunch"])?;
                let output = cx.call("ec2", "CreateSubnet", input)?;
                let id = answer(&output, &["Subnet", "SubnetId"]);
                map_public_ip(cx, request, &id)?;
                done(cx, &id)
            }
            Action::Update => {
                let id = request.physical_id();
                retag(cx, request, id)?;
                map_public_ip(cx, request, id)?;
                done(cx, id)
            }
            Action::Delete => delete(cx, request, "DeleteSubnet", json!({ "SubnetId": request.physical_id() })),
        }
    }
}

fn map_public_ip(cx: &mut Cx<'_>, request: &ResourceRequest<'_>, id: &str) -> Result<(), Fault> {
    let wanted = truth(request.properties, "MapPublicIpOnLaunch").unwrap_or(false);
    if known::<Subnet>(cx, id)?.maps_public_ip != wanted {
        let input = json!({ "SubnetId": id, "MapPublicIpOnLaunch": { "Value": wanted } });
        cx.call_json("ec2", "ModifySubnetAttribute", input)?;
    }
    Ok(())
}

fn done(cx: &Cx<'_>, id: &str) -> Result<Progress, Fault> {
    let subnet = known::<Subnet>(cx, id)?;
    let zone_id = zone_id(cx.scope.region.as_str(), &subnet.zone).unwrap_or_default();
    let state = ResourceState::new(id)
        .with("SubnetId", id)
        .with("AvailabilityZone", subnet.zone)
        .with("AvailabilityZoneId", zone_id)
        .with("CidrBlock", subnet.cidr.to_string())
        .with("Ipv6CidrBlocks", json!([]))
        .with("NetworkAclAssociationId", subnet.acl_association)
        .with("OutpostArn", "")
        .with("VpcId", subnet.vpc);
    Ok(Progress::Done(state))
}
