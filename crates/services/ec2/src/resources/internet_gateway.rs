//! `AWS::EC2::InternetGateway`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::ResourceShape;
use serde_json::{Value, json};

use super::{answer, delete, input, retag};
use crate::api;
use crate::kind::Kind;

/// `AWS::EC2::InternetGateway`: `Ref` is the id.
pub(crate) struct InternetGatewayType;

impl ResourceType for InternetGatewayType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EC2_INTERNET_GATEWAY
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        match action {
            Action::Create => {
                let input = input::<api::CreateInternetGatewayInput>(request.properties, Kind::InternetGateway, &[])?;
                let output = cx.call("ec2", "CreateInternetGateway", input)?;
                let id = answer(&output, &["InternetGateway", "InternetGatewayId"]);
                Ok(done(&id))
            }
            Action::Update => {
                retag(cx, request, request.physical_id())?;
                Ok(done(request.physical_id()))
            }
            Action::Delete => {
                delete(cx, request, "DeleteInternetGateway", json!({ "InternetGatewayId": request.physical_id() }))
            }
        }
    }

    fn not_simulated(&self, _: &Value) -> Option<String> {
        Some("recorded; no route leads outside yet".to_owned())
    }
}

fn done(id: &str) -> Progress {
    Progress::Done(ResourceState::new(id).with("InternetGatewayId", id))
}
