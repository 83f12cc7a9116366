//! `AWS::Events::EventBus`.

use neargate_kernel::{Action, Cx, Fault, Progress, ResourceRequest, ResourceState, ResourceType};
use neargate_shape::{Value, Wire, from_properties};

use crate::api;
use crate::state::{EventBus, bus_arn};

/// `AWS::Events::EventBus`: `Ref` is the name.
pub(crate) struct EventBusType;

impl ResourceType for EventBusType {
    fn type_name(&self) -> &'static str {
        "AWS::Events::EventBus"
    }

    fn step(&self, cx: &mut Cx<'_>, action: Action, request: &ResourceRequest<'_>) -> Result<Progress, Fault> {
        let name = match action {
            Action::Create => {
                let input = from_properties(api::CreateEventBusInput::shape(), request.properties)
                    .map_err(|error| Fault::validation(error.to_string()))?;
                cx.call("events", "CreateEventBus", input)?;
                request.text("Name").unwrap_or_default().to_owned()
            }
            Action::Update if request.changed("Name") => return Ok(Progress::Replace),
            Action::Update => {
                let name = request.physical_id().to_owned();
                let input = from_properties(api::CreateEventBusInput::shape(), request.properties)
                    .map_err(|error| Fault::validation(error.to_string()))?;
                let input = api::CreateEventBusInput::from_value(input)
                    .map_err(|error| Fault::validation(error.to_string()))?;
                cx.update::<EventBus, _>(&name, |bus| {
                    bus.description = input.description;
                    bus.tags = input.tags.unwrap_or_default();
                });
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
