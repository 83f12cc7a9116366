//! `AWS::Events::EventBus`.

use neargate_api::resources;
use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{ResourceShape, Value, Wire, from_properties};
use serde_json::{Value as Json, json};

use super::retag;
use crate::api;
use crate::state::bus_arn;

/// `AWS::Events::EventBus`: `Ref` is the name.
pub(crate) struct EventBusType;

impl ResourceType for EventBusType {
    fn shape(&self) -> &'static ResourceShape {
        &resources::EVENTS_EVENT_BUS
    }

    fn renamed(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("Policy", None)]
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let name = match action {
            Action::Create => {
                let input = from_properties(api::CreateEventBusInput::shape(), request.properties)
                    .map_err(|error| Fault::validation(error.to_string()))?;
                cx.call("events", "CreateEventBus", input)?;
                request.text("Name").unwrap_or_default().to_owned()
            }
            Action::Update => {
                let name = request.physical_id().to_owned();
                if request.changed_but(&["Name", "Tags"]) {
                    let mut properties = request.properties.as_object().cloned().unwrap_or_default();
                    properties.shift_remove("Tags");
                    properties.insert("Name".to_owned(), json!(name));
                    let input = from_properties(api::UpdateEventBusInput::shape(), &Json::Object(properties))
                        .map_err(|error| Fault::validation(error.to_string()))?;
                    cx.call("events", "UpdateEventBus", input)?;
                }
                retag(cx, request, &bus_arn(cx, &name))?;
                name
            }
            Action::Delete => {
                let name = request.physical_id().to_owned();
                cx.call("events", "DeleteEventBus", Value::Structure(vec![("Name", Value::from(name.as_str()))]))?;
                name
            }
        };
        let arn = bus_arn(cx, &name);
        Ok(Progress::Done(ResourceState::new(&name).with("Arn", arn).with("Name", name)))
    }
}
