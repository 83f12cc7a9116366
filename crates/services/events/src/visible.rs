//! Events in the form that rules see, put on a bus as the service that they come from would.
//!
//! `PutEvents` refuses the sources `aws.…`, which are those of AWS's own services. Whoever tries a rule for such events needs
//! another way in; AWS has none, so this one is the engine's and not an operation.
//!
//! Follows <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>.
//!
//! Invariant: an event is checked before the first one is delivered; what is no event puts nothing on a bus.
//!
//! Invariant: a detail reaches rules and targets as it was given, digit for digit.

use neargate_base::{Account, Region, Scope, Timestamp};
use neargate_kernel::{Cx, Fault};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use crate::deliver::{Envelope, Matched, Outcome, deliver};
use crate::errors::EventsError;
use crate::state::bus_name;

/// Events of one call.
pub const EVENTS_MAX: usize = 1000;

/// Bytes of one event; what EventBridge carries at most.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// Characters of an event's id.
const ID_CHARS_MAX: usize = 256;

/// The members that an event has.
const MEMBERS: [&str; 10] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"];

/// An event as rules see it.
#[derive(Clone, Debug)]
pub struct VisibleEvent {
    source: String,
    detail_type: String,
    detail: String,
    resources: Vec<String>,
    scope: Scope,
    time: Option<Timestamp>,
    id: Option<String>,
}

/// An event as it is written.
#[derive(Deserialize)]
struct Written {
    source: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<Box<RawValue>>,
    #[serde(default)]
    resources: Vec<String>,
    account: Option<String>,
    region: Option<String>,
    time: Option<String>,
    id: Option<String>,
}

/// Reads a JSON list of events. Account and region of `here` stand for those that an event does not name. `Err` says which
/// event is none, and why.
pub fn read(body: &[u8], here: &Scope) -> Result<Vec<VisibleEvent>, String> {
    let events: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| format!("a JSON list of events is expected: {error}"))?;
    if events.is_empty() || events.len() > EVENTS_MAX {
        return Err(format!("got {} events, expected 1 to {EVENTS_MAX}", events.len()));
    }
    let numbered = events.iter().enumerate();
    numbered.map(|(at, text)| event(text.get(), here).map_err(|why| format!("event {}: {why}", at + 1))).collect()
}

fn event(text: &str, here: &Scope) -> Result<VisibleEvent, String> {
    if text.len() > EVENT_BYTES_MAX {
        return Err(format!("it has {} bytes, at most {EVENT_BYTES_MAX} are taken", text.len()));
    }
    let members: serde_json::Map<String, Json> =
        serde_json::from_str(text).map_err(|_| "it is no JSON object".to_owned())?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("events have no `{name}`, they have {}", MEMBERS.join(", ")));
    }
    let is_text = |json: &Json| json.is_string() || json.is_null();
    let texts = |json: &Json| json.as_array().is_some_and(|items| items.iter().all(Json::is_string));
    for (name, json) in &members {
        match name.as_str() {
            "detail" => {}
            "resources" if texts(json) => {}
            "resources" => return Err("`resources` is no list of texts".to_owned()),
            _ if is_text(json) => {}
            name => return Err(format!("`{name}` is no text")),
        }
    }
    let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let given = |name: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty()).ok_or_else(|| format!("`{name}` is missing"))
    };
    let detail = written.detail.map_or_else(|| "{}".to_owned(), |detail| detail.get().to_owned());
    if !detail.starts_with('{') {
        return Err("`detail` is no JSON object".to_owned());
    }
    let account = written.account.unwrap_or_else(|| here.account.as_str().to_owned());
    if !Account::is_valid(&account) {
        return Err(format!("`account` is `{account}`, expected twelve digits"));
    }
    let region = written.region.filter(|region| !region.is_empty()).unwrap_or_else(|| here.region.as_str().to_owned());
    if !Region::exists(&region) {
        return Err(format!("`region` is `{region}`, which AWS does not have"));
    }
    let time = written.time.map(|time| time.parse().map_err(|error| format!("`time`: {error}"))).transpose()?;
    let is_id = |id: &String| (1..=ID_CHARS_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control);
    if written.id.as_ref().is_some_and(|id| !is_id(id)) {
        return Err(format!("`id` is not of 1 to {ID_CHARS_MAX} characters"));
    }
    Ok(VisibleEvent {
        source: given("source", written.source)?,
        detail_type: given("detail-type", written.detail_type)?,
        detail,
        resources: written.resources,
        scope: Scope::new(&account, &region),
        time,
        id: written.id,
    })
}

/// Puts events on the bus of that name (or ARN) in the account and region of each, the default bus where none is named.
///
/// Answers for each event, in order: its `id`, account and region, the rules that it `matched` with their targets, and an
/// `error` for each target that refused it.
pub fn put(cx: &mut Cx<'_>, bus: Option<&str>, events: &[VisibleEvent]) -> Result<Json, Fault> {
    let here = cx.scope.clone();
    let answer = put_all(cx, bus, events);
    cx.scope = here;
    answer.map_err(Fault::from)
}

fn put_all(cx: &mut Cx<'_>, bus: Option<&str>, events: &[VisibleEvent]) -> Result<Json, EventsError> {
    let mut buses = vec![];
    for event in events {
        cx.scope = event.scope.clone();
        buses.push(bus_name(cx, bus)?);
    }
    let mut answers = vec![];
    for (event, bus) in events.iter().zip(buses) {
        cx.scope = event.scope.clone();
        let id = event.id.clone().unwrap_or_else(|| cx.rng.uuid());
        let envelope = Envelope {
            source: &event.source,
            detail_type: &event.detail_type,
            time: event.time.unwrap_or(cx.time()).to_iso_seconds(),
            resources: &event.resources,
            detail: &event.detail,
        };
        let request = cx.request_id.clone();
        cx.because(&request, "request", "an event in the form that rules see");
        let outcome = deliver(cx, &bus, &id, &envelope);
        cx.cause = None;
        answers.push(answer(event, &id, &bus, outcome));
    }
    Ok(json!({ "events": answers }))
}

fn answer(event: &VisibleEvent, id: &str, bus: &str, outcome: Outcome) -> Json {
    let target = |(id, result): (String, Result<(), Fault>)| match result {
        Ok(()) => json!({ "id": id }),
        Err(fault) => json!({ "id": id, "error": fault.to_string(), "hint": fault.hint }),
    };
    let rule = |matched: Matched| {
        let targets: Vec<_> = matched.targets.into_iter().map(target).collect();
        json!({ "rule": matched.name, "arn": matched.arn, "targets": targets })
    };
    json!({
        "id": id, "source": event.source, "detail-type": event.detail_type, "event-bus": bus,
        "account": event.scope.account.as_str(), "region": event.scope.region.as_str(),
        "matched": outcome.matched.into_iter().map(rule).collect::<Vec<_>>(), "undecided": outcome.undecided,
    })
}
