//! `neargate logs`.

mod label;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand};
use neargate_api::logs as api;
use neargate_base::{Diagnostic, Timestamp};
use serde_json::json;

use self::label::{Labels, Origin};
use super::EngineArgs;
use super::clock::{duration_ms, moment};
use crate::codes;
use crate::endpoint::{CallError, Endpoint};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};

const PAUSE: Duration = Duration::from_millis(200);

/// How long before a read a line may have been written that the read did not find yet.
const LATE_MS: i64 = 10_000;

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
    /// The log group: its name, or a part that no other has
    group: String,
    /// Go on until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Only what is younger: `10m`, `2h30m`, or a time such as `2026-12-01T04:00:00Z` [default: everything]
    #[arg(long, value_name = "AGE|TIME")]
    since: Option<String>,
    /// Only lines that a filter pattern of CloudWatch Logs matches: `ERROR`, `?WARN ?ERROR`, `{ $.level = "error" }`
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Only streams whose names begin so
    #[arg(long, value_name = "PREFIX")]
    stream: Option<String>,
    /// Show the time of each line
    #[arg(short, long)]
    time: bool,
}

/// Runs a subcommand.
pub(super) fn run(command: &LogsCommand, screen: &Screen) -> Outcome {
    let LogsCommand::Tail(args) = command;
    tail(args, screen)
}

fn tail(args: &TailArgs, screen: &Screen) -> Outcome {
    let endpoint = args.engine.endpoint()?;
    let group = find_group(&endpoint, &args.group)?;
    let since = args.since.as_deref().map(|since| since_ms(&endpoint, since)).transpose()?;
    let mut from = since;
    let (mut seen, mut labels) = (BTreeMap::new(), Labels::default());
    loop {
        let began = if args.follow { Some(now(&endpoint)?) } else { None };
        let mut fresh = events(&endpoint, &group, args, from)?;
        fresh.retain(|event| {
            let at = event.timestamp.unwrap_or_default();
            seen.insert(event.event_id.clone().unwrap_or_default(), at).is_none()
        });
        // All of them first: how a line is headed depends on who else writes.
        fresh.iter().for_each(|event| labels.meet(event.log_stream_name.as_deref().unwrap_or_default()));
        for event in fresh {
            show(args, screen, &group, &labels, event);
        }
        let Some(began) = began else {
            if seen.is_empty() {
                let is_any_wanted = args.since.is_none() && args.filter.is_none() && args.stream.is_none();
                let what = if is_any_wanted { "no line yet" } else { "no such line" };
                screen.step_in(Paint::Yellow, "nothing", &format!("{what} in `{group}`"));
            }
            return Ok(Exit::Done);
        };
        // Whether anything matched or not, the group has been read up to here.
        let again = began - LATE_MS;
        from = Some(since.map_or(again, |since| since.max(again)));
        seen.retain(|_, at| *at >= again);
        std::thread::sleep(PAUSE);
    }
}

fn show(args: &TailArgs, screen: &Screen, group: &str, labels: &Labels, event: api::FilteredLogEvent) {
    let at = event.timestamp.unwrap_or_default();
    let (stream, message) = (event.log_stream_name.unwrap_or_default(), event.message.unwrap_or_default());
    let time = Timestamp(at).to_string();
    if screen.is_json() {
        let origin = Origin::of(&stream);
        let line = json!({
            "timestamp": at, "time": time, "group": group, "stream": stream, "container": origin.container(),
            "task": origin.task(), "message": message,
        });
        return screen.data(&line.to_string());
    }
    let (label, paint) = labels.head(&stream);
    let time = if args.time { format!("{} ", screen.data_paint(Paint::Dim, &time)) } else { String::new() };
    let bar = screen.data_paint(paint, &format!("{label} │"));
    screen.data(&format!("{time}{bar} {}", message.trim_end_matches(['\n', '\r'])));
}

/// The moment from which on, in milliseconds; an age counts back from the engine's time, not the machine's.
fn since_ms(endpoint: &Endpoint, since: &str) -> Outcome<i64> {
    let Some(age) = duration_ms(since) else {
        return moment(since).map(Timestamp::millis).map_err(|mut failure| {
            for diagnostic in &mut failure.diagnostics {
                diagnostic.hints =
                    vec!["write an age such as `10m`, or a time such as `2026-12-01T04:00:00Z`".to_owned()];
            }
            failure
        });
    };
    Ok(now(endpoint)?.saturating_sub(age))
}

/// The engine's time in milliseconds.
fn now(endpoint: &Endpoint) -> Outcome<i64> {
    Ok(endpoint.status()?.text("service_time").parse::<Timestamp>().unwrap_or_default().millis())
}

/// The group of that name, or the only one that has it in its name.
fn find_group(endpoint: &Endpoint, wanted: &str) -> Outcome<String> {
    let groups = groups(endpoint)?;
    if groups.iter().any(|name| name == wanted) {
        return Ok(wanted.to_owned());
    }
    let like: Vec<&String> = groups.iter().filter(|name| name.contains(wanted)).collect();
    let (message, choice): (_, Vec<&String>) = match like.as_slice() {
        [one] => return Ok((*one).clone()),
        [] => (format!("there is no log group `{wanted}`"), groups.iter().collect()),
        several => (format!("`{wanted}` may mean {} log groups", several.len()), like.clone()),
    };
    let names: Vec<String> = choice.iter().map(|name| format!("`{name}`")).collect();
    let diagnostic = Diagnostic::error(codes::NOT_FOUND, message);
    Err(Failure::usage(match names.is_empty() {
        true => diagnostic.hint("there is none at all: tasks make theirs when they start, or their stacks do"),
        false => diagnostic.hint(format!("there are {}", names.join(", "))),
    }))
}

fn groups(endpoint: &Endpoint) -> Outcome<Vec<String>> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = api::DescribeLogGroupsInput { next_token, ..api::DescribeLogGroupsInput::default() };
        let page: api::DescribeLogGroupsOutput = endpoint.call(&api::SERVICE, &api::DESCRIBE_LOG_GROUPS, input)?;
        all.extend(page.log_groups.into_iter().flatten().filter_map(|group| group.log_group_name));
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}

fn events(endpoint: &Endpoint, group: &str, args: &TailArgs, from: Option<i64>) -> Outcome<Vec<api::FilteredLogEvent>> {
    let (mut all, mut next_token) = (vec![], None);
    loop {
        let input = api::FilterLogEventsInput {
            log_group_name: Some(group.to_owned()),
            log_stream_name_prefix: args.stream.clone(),
            filter_pattern: args.filter.clone(),
            start_time: from,
            next_token,
            ..api::FilterLogEventsInput::default()
        };
        let page: Result<api::FilterLogEventsOutput, CallError> =
            endpoint.call(&api::SERVICE, &api::FILTER_LOG_EVENTS, input);
        let page = page.map_err(|error| match (&args.filter, &error) {
            (Some(filter), CallError::Fault { code, message, .. }) if code == "InvalidParameterException" => {
                let message = format!("`{filter}` is no filter pattern: {message}");
                let hint = match filter.starts_with('{') {
                    true => "a pattern for JSON lines is such as `{ $.level = \"error\" }`",
                    false => "quote terms with other characters than letters and digits: `--filter '\"GET /\"'`",
                };
                Failure::usage(Diagnostic::error(codes::ARGUMENT, message).hint(hint))
            }
            _ => error.into(),
        })?;
        all.extend(page.events.into_iter().flatten());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(all);
        }
    }
}
