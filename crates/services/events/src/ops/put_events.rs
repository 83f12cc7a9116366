//! `PutEvents`: the way in for everybody's own events.
//!
//! Follows <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use crate::access::on_resource;
use crate::api;
use crate::deliver::{Envelope, deliver};
use crate::errors::EventsError;
use crate::state::{bus_arn, bus_name};

/// All entries of a request together.
const BYTES_MAX: usize = 1 << 20;

/// `PutEvents` puts each entry on its bus. Entries fail one by one; the call itself succeeds.
pub(crate) struct PutEvents;

impl Operation for PutEvents {
    const SHAPE: &'static OperationShape = &api::PUT_EVENTS;
    type Input = api::PutEventsInput;
    type Output = api::PutEventsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let bus = |entry: &api::PutEventsRequestEntry| {
            let reference = entry.event_bus_name.as_deref();
            bus_name(cx, reference).unwrap_or_else(|_| reference.unwrap_or_default().to_owned())
        };
        let access = |entry: &api::PutEventsRequestEntry| {
            on_resource(cx, "events:PutEvents", &bus_arn(cx, &bus(entry)))
                .with("events:eventBusInvocation", "false")
                .with("events:source", entry.source.clone().unwrap_or_default())
                .with("events:detail-type", entry.detail_type.clone().unwrap_or_default())
        };
        Accesses::each(input.entries.iter().map(access), || {
            on_resource(cx, "events:PutEvents", &bus_arn(cx, "default"))
        })
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let bytes: usize = input.entries.iter().map(size_bytes).sum();
        if bytes > BYTES_MAX {
            let text = "Total size of the entries in the request is over the limit.";
            let fault: Fault = EventsError::Validation(text.to_owned()).into();
            return Err(fault.with_hint(format!("got {bytes} bytes, at most {BYTES_MAX} go into one request")));
        }
        let request = cx.request_id.clone();
        cx.because(&request, "request", "events:PutEvents");
        let results: Vec<_> = input.entries.iter().map(|entry| put(cx, entry)).collect();
        let failed = results.iter().filter(|result| result.error_code.is_some()).count();
        Ok(api::PutEventsOutput { failed_entry_count: i32::try_from(failed).ok(), entries: Some(results) })
    }
}

/// An entry's size as AWS counts it.
fn size_bytes(entry: &api::PutEventsRequestEntry) -> usize {
    let texts = [&entry.source, &entry.detail_type, &entry.detail].into_iter().flatten();
    let resources = entry.resources.iter().flatten();
    texts.chain(resources).map(String::len).sum::<usize>() + if entry.time.is_some() { 14 } else { 0 }
}

fn put(cx: &mut Cx<'_>, entry: &api::PutEventsRequestEntry) -> api::PutEventsResultEntry {
    let refused = |code: &str, text: &str| api::PutEventsResultEntry {
        error_code: Some(code.to_owned()),
        error_message: Some(text.to_owned()),
        event_id: None,
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (source, detail_type, detail) = (given(&entry.source), given(&entry.detail_type), given(&entry.detail));
    let (Some(source), Some(detail_type), Some(detail)) = (&source, &detail_type, &detail) else {
        let missing = [("Source", &source), ("DetailType", &detail_type), ("Detail", &detail)];
        let name = missing.iter().find(|(_, value)| value.is_none()).map_or("", |(name, _)| name);
        return refused(
            "InvalidArgument",
            &format!("Parameter {name} is not valid. Reason: {name} is a required argument."),
        );
    };
    if source.starts_with("aws.") {
        return refused("NotAuthorizedForSourceException", "Not authorized for the source.");
    }
    if !matches!(serde_json::from_str(detail), Ok(serde_json::Value::Object(_))) {
        return refused("MalformedDetail", "Detail is malformed.");
    }
    let Ok(bus) = bus_name(cx, entry.event_bus_name.as_deref()) else {
        // AWS takes events for a bus that does not exist, and drops them.
        return api::PutEventsResultEntry { event_id: Some(cx.rng.uuid()), ..Default::default() };
    };
    let id = cx.rng.uuid();
    let envelope = Envelope {
        source,
        detail_type,
        time: entry.time.unwrap_or(cx.time()).to_iso_seconds(),
        resources: entry.resources.as_deref().unwrap_or_default(),
        detail,
    };
    deliver(cx, &bus, &id, &envelope);
    api::PutEventsResultEntry { event_id: Some(id), ..Default::default() }
}
