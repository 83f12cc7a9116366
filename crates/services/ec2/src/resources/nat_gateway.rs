//! `AWS::EC2::NatGateway`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::{answer, delete, input, retag};
use crate::api;
use crate::kind::Kind;

/// `AWS::EC2::NatGateway`: `Ref` is the id. Made in two steps: ordered, then looked at.
pub(crate) struct NatGatewayType;

const POLL_MS: i64 = 100;

impl ResourceType for NatGatewayType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_NAT_GATEWAY
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("MaxDrainDurationSeconds", None)]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let id = request.physical_id();
        match action {
            Action::Create => match request.callback.and_then(|callback| callback.get("id")).and_then(Value::as_str) {
                None => create(cx, request),
                Some(id) => look(cx, id),
            },
            Action::Update => {
                retag(cx, request, id)?;
                look(cx, id)
            }
            Action::Delete => delete(cx, request, "DeleteNatGateway", json!({ "NatGatewayId": id })),
        }
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some("recorded; no route leads outside yet".to_owned())
    }
}

fn create(cx: &mut Cx<'_>, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
    let input = input::<api::CreateNatGatewayInput>(request.properties, Kind::NatGateway, &[])?;
    let output = cx.call("ec2", "CreateNatGateway", input)?;
    let id = answer(&output, &["NatGateway", "NatGatewayId"]);
    let state = Some(ResourceState::new(&*id).with("NatGatewayId", &*id));
    Ok(Progress::InProgress { callback: json!({ "id": id }), delay_ms: POLL_MS, state })
}

fn look(cx: &mut Cx<'_>, id: &str) -> Result<Progress, Fault> {
    let output = cx.call_json("ec2", "DescribeNatGateways", json!({ "NatGatewayIds": [id] }))?;
    let text = |member: &str| answer(&output, &["NatGateways", "0", member]);
    if text("State") == "failed" {
        let text = format!(
            "NatGateway {id} is in state failed and hence failed to stabilize. Detailed failure message: {}",
            text("FailureMessage")
        );
        return Err(Fault::sender("NotStabilized", text));
    }
    let interface = answer(&output, &["NatGateways", "0", "NatGatewayAddresses", "0", "NetworkInterfaceId"]);
    Ok(Progress::Done(ResourceState::new(id).with("NatGatewayId", id).with("EniId", interface)))
}
