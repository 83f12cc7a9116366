//! `neargate logs`.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, Subcommand};
use neargate_base::{Diagnostic, Timestamp};
use neargate_logs::api;
use serde_json::json;

use super::EngineArgs;
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// Write the lines of a log group, oldest first
    Tail(TailArgs),
}

/// Arguments of `logs tail`.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    engine: EngineArgs,
    /// The log group
    group: String,
    /// Go on until interrupted
    #[arg(short, long)]
    follow: bool,
}

/// Runs a subcommand.
pub(super) fn run(command: &LogsCommand, screen: &Screen) -> Outcome {
    let LogsCommand::Tail(args) = command;
    let endpoint = args.engine.endpoint();
    let mut seen = BTreeSet::new();
    // Lines of one millisecond may come late, so the last one is asked for again.
    let mut from = None;
    loop {
        for event in events(&endpoint, &args.group, from)? {
            if !seen.insert(event.event_id.clone().unwrap_or_default()) {
                continue;
            }
            let at = event.timestamp.unwrap_or_default();
            if from.is_none_or(|from| at > from) {
                from = Some(at);
            }
            let (stream, message) = (event.log_stream_name.unwrap_or_default(), event.message.unwrap_or_default());
            if screen.is_json() {
                screen.data(&json!({ "timestamp": at, "stream": stream, "message": message }).to_string());
            } else {
                let time = screen.data_paint(Paint::Dim, &Timestamp(at).to_string());
                screen.data(&format!("{time} {} {message}", screen.data_paint(Paint::Cyan, &stream)));
            }
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
        std::thread::sleep(PAUSE);
    }
}

fn events(endpoint: &Endpoint, group: &str, from: Option<i64>) -> Outcome<Vec<api::FilteredLogEvent>> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = api::FilterLogEventsInput {
            log_group_name: Some(group.to_owned()),
            start_time: from,
            next_token,
            ..api::FilterLogEventsInput::default()
        };
        let page: Result<api::FilterLogEventsOutput, CallError> =
            endpoint.call(&api::SERVICE, &api::FILTER_LOG_EVENTS, input);
        let page =
            page.map_err(
                |error| if error.is("ResourceNotFoundException") { unknown(endpoint, group) } else { error.into() },
            )?;
        all.extend(page.events.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

fn unknown(endpoint: &Endpoint, group: &str) -> Failure {
    let answer: Result<api::DescribeLogGroupsOutput, CallError> =
        endpoint.call(&api::SERVICE, &api::DESCRIBE_LOG_GROUPS, api::DescribeLogGroupsInput::default());
    let groups = answer.ok().and_then(|answer| answer.log_groups).into_iter().flatten();
    let names: Vec<String> = groups.filter_map(|group| group.log_group_name).collect();
    let diagnostic = Diagnostic::error(codes::NOT_FOUND, format!("there is no log group `{group}`"));
    Failure::usage(if names.is_empty() {
        diagnostic
    } else {
        diagnostic.hint(format!("there are `{}`", names.join("`, `")))
    })
}
