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
        // All of them first: how a line is headed depends on who else writes.
        let mut fresh = Fresh::default();
        events(&endpoint, &group, args, from, |event| {
            let at = event.timestamp.unwrap_or_default();
            // What was read once comes again only where it is read again.
            if began.is_none() || seen.insert(event.event_id.clone().unwrap_or_default(), at).is_none() {
                fresh.take(&event);
            }
        })?;
        fresh.streams.iter().for_each(|stream| labels.meet(stream));
        let is_any = !fresh.lines.is_empty();
        show(args, screen, &group, &labels, &fresh);
        let Some(began) = began else {
            if !is_any {
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

/// How much is written at once.
const WRITE_BYTES: usize = 64 << 10;

/// Lines that were read, their texts in a row: there may be millions.
#[derive(Default)]
struct Fresh {
    text: String,
    lines: Vec<Line>,
    /// In the order in which they were met.
    streams: Vec<String>,
    places: BTreeMap<String, usize>,
}

struct Line {
    at: i64,
    /// Which of the streams.
    stream: usize,
    /// Where its text ends.
    end: usize,
}

impl Fresh {
    fn take(&mut self, event: &api::FilteredLogEvent) {
        let name = event.log_stream_name.as_deref().unwrap_or_default();
        let stream = match self.places.get(name) {
            Some(place) => *place,
            None => {
                self.places.insert(name.to_owned(), self.streams.len());
                self.streams.push(name.to_owned());
                self.streams.len() - 1
            }
        };
        self.text.push_str(event.message.as_deref().unwrap_or_default());
        self.lines.push(Line { at: event.timestamp.unwrap_or_default(), stream, end: self.text.len() });
    }
}

fn show(args: &TailArgs, screen: &Screen, group: &str, labels: &Labels, fresh: &Fresh) {
    let heads: Vec<_> = fresh.streams.iter().map(|stream| head(screen, labels, stream)).collect();
    let (mut text, mut begin) = (String::new(), 0);
    for line in &fresh.lines {
        if text.len() >= WRITE_BYTES {
            screen.data(&std::mem::take(&mut text));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let message = fresh.text.get(begin..line.end).unwrap_or_default();
        begin = line.end;
        if screen.is_json() {
            let stream = fresh.streams.get(line.stream).map(String::as_str).unwrap_or_default();
            text.push_str(&document(group, stream, line.at, message));
            continue;
        }
        if args.time {
            text.push_str(&screen.data_paint(Paint::Dim, &Timestamp(line.at).to_string()));
            text.push(' ');
        }
        text.push_str(heads.get(line.stream).map(String::as_str).unwrap_or_default());
        text.push_str(message.trim_end_matches(['\n', '\r']));
    }
    if !text.is_empty() {
        screen.data(&text);
    }
}

/// What stands before a stream's lines.
fn head(screen: &Screen, labels: &Labels, stream: &str) -> String {
    let (label, paint) = labels.head(stream);
    format!("{} ", screen.data_paint(paint, &format!("{label} │")))
}

/// A line for programs.
fn document(group: &str, stream: &str, at: i64, message: &str) -> String {
    let origin = Origin::of(stream);
    let line = json!({
        "timestamp": at, "time": Timestamp(at).to_string(), "group": group, "stream": stream,
        "container": origin.container(), "task": origin.task(), "message": message,
    });
    line.to_string()
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

fn events(
    endpoint: &Endpoint,
    group: &str,
    args: &TailArgs,
    from: Option<i64>,
    mut take: impl FnMut(api::FilteredLogEvent),
) -> Outcome<()> {
    let mut next_token = None;
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
        page.events.into_iter().flatten().for_each(&mut take);
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(());
        }
    }
}
