//! `neargate events`: putting events here, what needs no engine in the folder.

mod test_pattern;
mod transform;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use neargate_api::events as api;
use neargate_base::Diagnostic;
use serde_json::{Value as Json, json};

use super::EngineArgs;
use crate::app::event::{self, EventEntry};
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::words::json_problem;

/// Entries that one `PutEvents` takes.
const ENTRIES_PER_CALL_MAX: usize = 10;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Put events on a bus, and write their ids
    Put(PutArgs),
    /// Say whether an event pattern matches an event, and why not
    #[command(after_help = test_pattern::AFTER_HELP)]
    Test(test_pattern::TestArgs),
    /// Show what a target receives for an event
    #[command(after_help = transform::AFTER_HELP)]
    Transform(transform::TransformArgs),
}

/// Arguments of `events put`.
#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// A JSON file with an event or a list of events; `-` for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "detail_type", "detail"], required_unless_present = "source")]
    event: Option<PathBuf>,
    /// The event's source
    #[arg(long, requires = "detail_type")]
    source: Option<String>,
    /// The event's detail type
    #[arg(long, value_name = "TYPE", requires = "source")]
    detail_type: Option<String>,
    /// The event's detail, a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}", hide_default_value = true)]
    detail: String,
    /// The event bus [default: `default`]
    #[arg(long, value_name = "NAME")]
    bus: Option<String>,
}

/// Runs a subcommand.
pub(super) fn run(command: &EventsCommand, screen: &Screen) -> Outcome {
    match command {
        EventsCommand::Put(args) => put_given(args, screen),
        EventsCommand::Test(args) => test_pattern::run(args, screen),
        EventsCommand::Transform(args) => transform::run(args, screen),
    }
}

fn put_given(args: &PutArgs, screen: &Screen) -> Outcome {
    let mut events = match (&args.event, &args.source, &args.detail_type) {
        (Some(file), _, _) => event::read(file)?,
        (None, Some(source), Some(detail_type)) => vec![EventEntry {
            source: source.clone(),
            detail_type: detail_type.clone(),
            detail: object(&args.detail)?,
            bus: None,
            resources: vec![],
            time: None,
            id: None,
            place: [None, None],
        }],
        _ => vec![],
    };
    if let Some(bus) = &args.bus {
        events.iter_mut().for_each(|event| event.bus = Some(bus.clone()));
    }
    let ids = put(screen, &args.engine.endpoint()?, &events)?;
    if screen.is_json() {
        screen.json(&json!({ "event_ids": ids }));
    } else {
        ids.iter().for_each(|id| screen.data(id));
    }
    Ok(Exit::Done)
}

fn object(text: &str) -> Outcome<String> {
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(_)) => Ok(text.to_owned()),
        Ok(other) => {
            let message = format!("`--detail` must be a JSON object, got `{other}`");
            Err(Failure::usage(Diagnostic::error(codes::EVENT, message)))
        }
        Err(error) => {
            let message = format!("`--detail` is not readable as JSON: {}", json_problem(&error));
            Err(Failure::usage(
                Diagnostic::error(codes::EVENT, message)
                    .hint("quote it for the shell: `--detail '{\"key\": \"value\"}'`"),
            ))
        }
    }
}

/// Puts events in their order; answers their ids. One that is not accepted fails all that follow.
pub(crate) fn put(screen: &Screen, endpoint: &Endpoint, events: &[EventEntry]) -> Outcome<Vec<String>> {
    let mut ids = vec![];
    for some in events.chunk_by(|one, next| one.is_of_service() == next.is_of_service()) {
        match some.first().is_some_and(EventEntry::is_of_service) {
            true => ids.extend(put_as_service(screen, endpoint, some)?),
            false => ids.extend(put_as_caller(endpoint, some)?),
        }
    }
    Ok(ids)
}

/// Puts events of AWS services, which reach rules as from the services and through no `PutEvents`.
fn put_as_service(screen: &Screen, endpoint: &Endpoint, events: &[EventEntry]) -> Outcome<Vec<String>> {
    let mut ids = vec![];
    for event in events {
        let here = [endpoint.account(), endpoint.region()];
        let words = ["account", "region"].iter().zip(&event.place).zip(here);
        for ((word, written), here) in words {
            if let Some(written) = written.as_deref().filter(|written| *written != here) {
                let text = format!("{word} {here} in the event {}, not {written}: it takes place here", event.title());
                screen.step_in(Paint::Yellow, "with", &text);
            }
        }
        let seen = event.as_rules_see_it(endpoint.account(), endpoint.region());
        ids.extend(endpoint.put_event_of_service(event.bus.as_deref(), &seen).map_err(|error| match error {
            CallError::Fault { message, .. } => {
                let message = format!("the event {} was not accepted: {message}", event.title());
                Failure::failed(Diagnostic::error(codes::EVENT, message))
            }
            error => error.into(),
        })?);
    }
    Ok(ids)
}

fn put_as_caller(endpoint: &Endpoint, events: &[EventEntry]) -> Outcome<Vec<String>> {
    let mut ids = vec![];
    for chunk in events.chunks(ENTRIES_PER_CALL_MAX) {
        let entries = chunk.iter().map(EventEntry::to_request).collect();
        let input = api::PutEventsInput { entries, endpoint_id: None };
        let answer: api::PutEventsOutput = endpoint.call(&api::SERVICE, &api::PUT_EVENTS, input)?;
        for (event, result) in chunk.iter().zip(answer.entries.into_iter().flatten()) {
            match result.event_id {
                Some(id) => ids.push(id),
                None => {
                    let (code, text) =
                        (result.error_code.unwrap_or_default(), result.error_message.unwrap_or_default());
                    let message = format!("the event {} was not accepted: {code}: {text}", event.title());
                    return Err(Failure::failed(Diagnostic::error(codes::EVENT, message)));
                }
            }
        }
    }
    Ok(ids)
}
