//! Event buses.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::access::{TAGS, on_resource, with_tags};
use crate::api;
use crate::errors::EventsError;
use crate::state::{DEFAULT_BUS, EventBus, Rule, bus_arn, bus_name, rule_key};

/// `CreateEventBus` makes a bus.
pub(crate) struct CreateEventBus;

impl Operation for CreateEventBus {
    const SHAPE: &'static OperationShape = &api::CREATE_EVENT_BUS;
    type Input = api::CreateEventBusInput;
    type Output = api::CreateEventBusOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_tags(on_resource(cx, "events:CreateEventBus", &bus_arn(cx, &input.name)), input.tags.as_deref()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.name == DEFAULT_BUS || cx.get::<EventBus>(&input.name).is_some() {
            return Err(EventsError::BusExists(input.name).into());
        }
        for (is_set, what) in [
            (input.kms_key_identifier.is_some(), "KmsKeyIdentifier"),
            (input.dead_letter_config.is_some(), "DeadLetterConfig"),
            (input.event_source_name.is_some(), "EventSourceName"),
            (input.log_config.is_some(), "LogConfig"),
        ] {
            if is_set {
                cx.not_simulated(format!("events:CreateEventBus {what}"), "accepted; not acted on");
            }
        }
        TAGS.check(input.tags.as_deref().unwrap_or_default()).map_err(EventsError::from)?;
        let bus = EventBus {
            name: input.name.clone(),
            description: input.description.clone(),
            created_at: cx.time(),
            tags: input.tags.unwrap_or_default(),
        };
        cx.put(&input.name, bus);
        let event_bus_arn = Some(bus_arn(cx, &input.name));
        Ok(api::CreateEventBusOutput { event_bus_arn, description: input.description, ..Default::default() })
    }
}

/// `UpdateEventBus` changes a bus's description; one that is not given is taken away.
pub(crate) struct UpdateEventBus;

impl Operation for UpdateEventBus {
    const SHAPE: &'static OperationShape = &api::UPDATE_EVENT_BUS;
    type Input = api::UpdateEventBusInput;
    type Output = api::UpdateEventBusOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let name = bus_name(cx, input.name.as_deref()).unwrap_or_default();
        on_resource(cx, "events:UpdateEventBus", &bus_arn(cx, &name)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = bus_name(cx, input.name.as_deref())?;
        let given = [
            (input.kms_key_identifier.is_some(), "KmsKeyIdentifier"),
            (input.dead_letter_config.is_some(), "DeadLetterConfig"),
            (input.log_config.is_some(), "LogConfig"),
        ];
        for (_, what) in given.into_iter().filter(|(is_given, _)| *is_given) {
            cx.not_simulated(format!("events:UpdateEventBus {what}"), "accepted; not acted on");
        }
        let made = EventBus { name: name.clone(), description: None, created_at: cx.time(), tags: vec![] };
        let bus = cx.get::<EventBus>(&name).cloned().unwrap_or(made);
        cx.put(&name, EventBus { description: input.description.clone(), ..bus });
        Ok(api::UpdateEventBusOutput {
            arn: Some(bus_arn(cx, &name)),
            description: input.description,
            name: Some(name),
            ..Default::default()
        })
    }
}

/// `DescribeEventBus` describes a bus, the default one unless named.
pub(crate) struct DescribeEventBus;

impl Operation for DescribeEventBus {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_EVENT_BUS;
    type Input = api::DescribeEventBusInput;
    type Output = api::DescribeEventBusOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let name = bus_name(cx, input.name.as_deref()).unwrap_or_default();
        on_resource(cx, "events:DescribeEventBus", &bus_arn(cx, &name)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let name = bus_name(cx, input.name.as_deref())?;
        let bus = cx.get::<EventBus>(&name);
        Ok(api::DescribeEventBusOutput {
            arn: Some(bus_arn(cx, &name)),
            description: bus.and_then(|bus| bus.description.clone()),
            creation_time: bus.map(|bus| bus.created_at),
            last_modified_time: bus.map(|bus| bus.created_at),
            name: Some(name),
            ..Default::default()
        })
    }
}

/// `ListEventBuses` lists buses, the default one first.
pub(crate) struct ListEventBuses;

impl Operation for ListEventBuses {
    const SHAPE: &'static OperationShape = &api::LIST_EVENT_BUSES;
    type Input = api::ListEventBusesInput;
    type Output = api::ListEventBusesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("events:ListEventBuses", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let prefix = input.name_prefix.as_deref().unwrap_or_default();
        let default = DEFAULT_BUS.starts_with(prefix).then_some(DEFAULT_BUS);
        let view = |name: &str| api::EventBus {
            name: Some(name.to_owned()),
            arn: Some(bus_arn(cx, name)),
            ..Default::default()
        };
        let named = cx.scan::<EventBus>(prefix).map(|(name, _)| name).filter(|name| *name != DEFAULT_BUS);
        let names = default.into_iter().chain(named).collect();
        let pages = pages(cx, "ListEventBuses", prefix, input.next_token.as_deref())?;
        let (names, next_token) = pages.listed(names, |name| (*name).to_owned(), items_max(input.limit));
        let buses = names.into_iter().map(view).collect();
        Ok(api::ListEventBusesOutput { event_buses: Some(buses), next_token })
    }
}

/// `DeleteEventBus` deletes a bus that has no rules; one that does not exist is no error.
pub(crate) struct DeleteEventBus;

impl Operation for DeleteEventBus {
    const SHAPE: &'static OperationShape = &api::DELETE_EVENT_BUS;
    type Input = api::DeleteEventBusInput;
    type Output = api::DeleteEventBusOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_resource(cx, "events:DeleteEventBus", &bus_arn(cx, &input.name)).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.name == DEFAULT_BUS {
            return Err(EventsError::Validation("Cannot delete event bus default.".to_owned()).into());
        }
        if cx.scan::<Rule>(&rule_key(&input.name, "")).next().is_some() {
            return Err(EventsError::Validation("Event bus can't be deleted since it has rules.".to_owned()).into());
        }
        cx.delete::<EventBus>(&input.name);
        Ok(api::DeleteEventBusOutput::default())
    }
}
