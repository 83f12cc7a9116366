//! `AWS::EC2::EIP`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::{answer, delete, input, retag};
use crate::api;
use crate::kind::Kind;

/// `AWS::EC2::EIP`: `Ref` is the public address.
pub(crate) struct EipType;

impl ResourceType for EipType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_EIP
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("InstanceId", None), ("TransferAddress", None)]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let allocation = request.current.and_then(|state| state.attributes.get("AllocationId")).and_then(Value::as_str);
        match action {
            Action::Create => {
                let input = input::<api::AllocateAddressInput>(request.properties, Kind::Address, &[])?;
                let output = cx.call("ec2", "AllocateAddress", input)?;
                let id = answer(&output, &["AllocationId"]);
                Ok(done(&id, &answer(&output, &["PublicIp"])))
            }
            Action::Update if request.changed("Domain") => Ok(Progress::Replace),
            Action::Update => {
                let id = allocation.unwrap_or_default();
                retag(cx, request, id)?;
                Ok(done(id, request.physical_id()))
            }
            Action::Delete => {
                let by_address = json!({ "PublicIp": request.physical_id() });
                let input = allocation.map_or(by_address, |id| json!({ "AllocationId": id }));
                delete(cx, request, "ReleaseAddress", input)
            }
        }
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some("the address is recorded; nothing reaches it".to_owned())
    }
}

fn done(id: &str, public_ip: &str) -> Progress {
    Progress::Done(ResourceState::new(public_ip).with("AllocationId", id).with("PublicIp", public_ip))
}
