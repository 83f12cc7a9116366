//! `neargate events test`: whether an event pattern matches an event, and why not.

use std::cell::Cell;

use clap::Args;
use neargate_base::Diagnostic;
use neargate_event_pattern::{EventError, Explanation, Pattern, PatternError};
use serde::de::IgnoredAny;

use crate::codes;
use crate::given::Given;
use crate::lines::{self, Answer, Members, Memo};
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::words::json_problem;

/// Said after the help.
pub(super) const AFTER_HELP: &str = "\
Exit codes: 0 match, 1 no match, 2 the pattern or the event is not valid.

With --stdin a line is `{\"id\": …, \"pattern\": …, \"event\": …}`, pattern and event as JSON or as strings of JSON text. Its
answer is `{\"id\": …, \"verdict\": \"match|no_match|invalid\"}` and, but for a match, `why`; a line that is not readable has an
`error` instead of a verdict. Then the exit code is 0 when every line has a verdict, or else 2.

Example:
  neargate events test --pattern '{\"detail\": {\"state\": [\"stopped\"]}}' --event @event.json";

/// Arguments of `events test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The event pattern: JSON, or `@FILE`
    #[arg(long, value_name = "JSON", required_unless_present = "stdin", conflicts_with = "stdin")]
    pattern: Option<String>,
    /// The event as rules see it: JSON, or `@FILE`
    #[arg(long, value_name = "JSON", required_unless_present = "stdin", conflicts_with = "stdin")]
    event: Option<String>,
    /// Answer each line of stdin, a JSON object, with a line on stdout
    #[arg(long)]
    stdin: bool,
}

/// Tests a pattern, or many.
pub(super) fn run(args: &TestArgs, screen: &Screen) -> Outcome {
    match (&args.pattern, &args.event) {
        (Some(pattern), Some(event)) => {
            one(&Given::read("--pattern", pattern)?, &Given::read("--event", event)?, screen)
        }
        _ => {
            let mut memo = Memo::new();
            lines::answer_all(screen, |members, answer| line(members, &mut memo, answer))
        }
    }
}

fn one(pattern: &Given, event: &Given, screen: &Screen) -> Outcome {
    let parsed = Pattern::parse(&pattern.text);
    let (verdict, exit) = match &parsed {
        Err(_) => (None, Exit::Usage),
        Ok(parsed) => {
            let (name, event) = (event.name.as_str(), event.json("the event")?);
            let verdict = decide(parsed, event, true)
                .map_err(|error| Failure::usage(Diagnostic::error(codes::EVENT, error.to_string()).at(name)))?;
            let exit = if verdict == Explanation::Match { Exit::Done } else { Exit::Failed };
            (Some(verdict), exit)
        }
    };
    if screen.is_json() {
        let mut answer = Answer::new();
        write(parsed.as_ref().err(), verdict.as_ref(), &mut answer);
        screen.data(&answer.end());
    } else if let Some(verdict) = &verdict {
        show(verdict, screen);
    }
    if let Err(error) = &parsed {
        screen.diagnostic(&refused(error, pattern));
    }
    Ok(exit)
}

/// The pattern's verdict on an event that is JSON. The matcher is many times faster than the explanation once it is
/// built, which pays from the second event on; a mismatch is explained in any case.
fn decide(pattern: &Pattern, event: &str, is_first: bool) -> Result<Explanation, EventError> {
    if !is_first && pattern.matches(event.as_bytes())? {
        return Ok(Explanation::Match);
    }
    match pattern.explain(event.as_bytes()) {
        Explanation::Event(error) => Err(error),
        verdict => Ok(verdict),
    }
}

/// A pattern that lines have brought.
struct Known {
    pattern: Result<Pattern, PatternError>,
    is_used: Cell<bool>,
}

fn line(members: &Members<'_>, memo: &mut Memo<Result<Known, String>>, answer: &mut Answer) -> Result<(), String> {
    // The written form is the key, so that a pattern seen before is not even unescaped.
    let written = members.get("pattern").ok_or("`pattern` is missing")?;
    let known = memo.get(written, || {
        let text = members.json("pattern")?;
        Ok(Known { pattern: Pattern::parse(&text), is_used: Cell::new(false) })
    });
    let known = known.as_ref().as_ref().map_err(Clone::clone)?;
    let event = members.json("event")?;
    let verdict = match &known.pattern {
        Ok(pattern) => {
            // What stands in the line as JSON has been read with the line.
            if members.is_string("event") {
                check_json(&event)?;
            }
            let is_first = !known.is_used.replace(true);
            Some(decide(pattern, &event, is_first).map_err(|error| error.to_string())?)
        }
        Err(_) => None,
    };
    write(known.pattern.as_ref().err(), verdict.as_ref(), answer);
    Ok(())
}

/// A matcher reads no further than it must; whether the rest is JSON is seen here.
fn check_json(event: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(event).map(drop).map_err(|error| {
        let (line, column, problem) = (error.line(), error.column(), json_problem(&error));
        format!("`event` is not readable as JSON: {problem} at line {line}, column {column}")
    })
}

fn write(error: Option<&PatternError>, verdict: Option<&Explanation>, answer: &mut Answer) {
    match (error, verdict) {
        (Some(error), _) => {
            answer.text("verdict", "invalid");
            answer.text("why", &error.to_string());
            answer.text("place", &format!("{}:{}", error.line(), error.column()));
        }
        (None, Some(Explanation::Match)) => answer.text("verdict", "match"),
        (None, Some(verdict)) => {
            answer.text("verdict", "no_match");
            answer.text("why", &why(verdict));
            if let Explanation::Field { path, wanted, got } = verdict {
                answer.text("field", path);
                answer.text("wanted", wanted);
                answer.texts("got", got.iter().cloned());
            }
        }
        (None, None) => {}
    }
}

fn why(verdict: &Explanation) -> String {
    let text = verdict.to_string();
    text.strip_prefix("no match: ").map_or(text.clone(), str::to_owned)
}

fn show(verdict: &Explanation, screen: &Screen) {
    let no_match = || screen.data_paint(Paint::Red, "no match");
    match verdict {
        Explanation::Match => screen.data(&screen.data_paint(Paint::Green, "match")),
        Explanation::Field { path, wanted, got } => {
            let got = if got.is_empty() { "nothing: it is absent".to_owned() } else { got.join(", ") };
            screen.data(&format!("{}: {}", no_match(), screen.data_paint(Paint::Bold, path)));
            screen.data(&format!("  wanted  {wanted}"));
            screen.data(&format!("  got     {got}"));
        }
        other => screen.data(&format!("{}: {}", no_match(), why(other))),
    }
}

fn refused(error: &PatternError, pattern: &Given) -> Diagnostic {
    let place = if error.path().is_empty() { String::new() } else { format!(" in `{}`", error.path()) };
    let message = format!("the event pattern is not valid{place}: {}", error.reason());
    pattern.point(Diagnostic::error(codes::PATTERN, message), error.line(), error.column())
}
