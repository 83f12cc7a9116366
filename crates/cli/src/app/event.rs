//! Events that a user writes down: in a JSON file, in `neargate.toml`, on the command line.
//!
//! Invariant: a detail written as text, as `PutEvents` takes it, stays as it is, digit for digit.

use std::path::Path;

use neargate_api::events::PutEventsRequestEntry;
use neargate_base::{Diagnostic, Timestamp};
use serde_json::Value as Json;

use crate::codes;
use crate::lines::Answer;
use crate::outcome::{Failure, Outcome};
use crate::places::{read_stdin, read_text};
use crate::words::json_problem;

/// One event to put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventEntry {
    pub(crate) source: String,
    pub(crate) detail_type: String,
    /// A JSON object.
    pub(crate) detail: String,
    pub(crate) bus: Option<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) id: Option<String>,
    /// The account and region that are written down; where the event is put decides.
    pub(crate) place: [Option<String>; 2],
}

impl EventEntry {
    /// As `PutEvents` takes it.
    pub(crate) fn to_request(&self) -> PutEventsRequestEntry {
        PutEventsRequestEntry {
            source: Some(self.source.clone()),
            detail_type: Some(self.detail_type.clone()),
            detail: Some(self.detail.clone()),
            event_bus_name: self.bus.clone(),
            resources: (!self.resources.is_empty()).then(|| self.resources.clone()),
            time: self.time,
            ..PutEventsRequestEntry::default()
        }
    }

    /// Whether it is an event of an AWS service, which `PutEvents` takes from nobody.
    pub(crate) fn is_of_service(&self) -> bool {
        self.source.starts_with("aws.")
    }

    /// The event as rules see it where it takes place in this account and region.
    pub(crate) fn as_rules_see_it(&self, account: &str, region: &str) -> String {
        let mut event = Answer::new();
        event.text("version", "0");
        if let Some(id) = &self.id {
            event.text("id", id);
        }
        event.text("detail-type", &self.detail_type);
        event.text("source", &self.source);
        event.text("account", account);
        if let Some(time) = self.time {
            event.text("time", &time.to_string());
        }
        event.text("region", region);
        event.texts("resources", self.resources.iter().cloned());
        event.raw("detail", &self.detail);
        event.end().into_owned()
    }

    /// For people.
    pub(crate) fn title(&self) -> String {
        format!("`{}` from `{}`", self.detail_type, self.source)
    }
}

/// Reads a file with one event or a list of them, written as rules see them (`detail-type`), as `PutEvents` takes
/// them (`DetailType`), or as `aws events put-events --cli-input-json` does (`Entries`). `-` is stdin.
pub(crate) fn read(path: &Path) -> Outcome<Vec<EventEntry>> {
    let (text, file) = match path.as_os_str() == "-" {
        true => (read_stdin()?, "stdin".to_owned()),
        false => (read_text(path)?, path.display().to_string()),
    };
    parse(&text).map_err(|(place, message)| {
        let at = place.map_or_else(|| file.clone(), |place| format!("{file}:{place}"));
        let hint = "an event is `{\"source\": \"…\", \"detail-type\": \"…\", \"detail\": {…}}`, or a list of such";
        Failure::usage(Diagnostic::error(codes::EVENT, message).at(at).hint(hint))
    })
}

type Problem = (Option<String>, String);

fn parse(text: &str) -> Result<Vec<EventEntry>, Problem> {
    let document: Json = serde_json::from_str(text).map_err(|error| {
        let place = format!("{}:{}", error.line(), error.column());
        (Some(place), format!("the event is not readable as JSON: {}", json_problem(&error)))
    })?;
    let entries = match &document {
        Json::Array(items) => items.iter().collect(),
        Json::Object(object) => match object.get("Entries") {
            Some(Json::Array(items)) => items.iter().collect(),
            _ => vec![&document],
        },
        _ => vec![&document],
    };
    if entries.is_empty() {
        return Err((None, "there is no event in the list".to_owned()));
    }
    entries.into_iter().map(entry).collect()
}

fn entry(json: &Json) -> Result<EventEntry, Problem> {
    let wrong = |message: String| (None, message);
    if !json.is_object() {
        return Err(wrong(format!("an event must be an object, got `{json}`")));
    }
    let member = |names: &[&str]| names.iter().find_map(|name| json.get(*name)).filter(|value| !value.is_null());
    let text = |names: &[&str]| match member(names) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(format!("`{}` must be a string, got `{other}`", names.join("` or `")))),
    };
    let required =
        |names: &[&str]| text(names)?.ok_or_else(|| wrong(format!("the event lacks `{}`", names.join("` or `"))));
    let detail = match member(&["detail", "Detail"]) {
        None => "{}".to_owned(),
        Some(Json::String(detail)) => detail.clone(),
        Some(object @ Json::Object(_)) => object.to_string(),
        Some(other) => return Err(wrong(format!("`detail` must be an object, got `{other}`"))),
    };
    let resources = member(&["resources", "Resources"]).and_then(Json::as_array).into_iter().flatten();
    let time = text(&["time", "Time"])?.map(|time| time.parse::<Timestamp>()).transpose();
    Ok(EventEntry {
        source: required(&["source", "Source"])?,
        detail_type: required(&["detail-type", "DetailType"])?,
        detail,
        bus: text(&["event-bus-name", "EventBusName"])?,
        resources: resources.filter_map(Json::as_str).map(str::to_owned).collect(),
        time: time.map_err(|error| wrong(error.to_string()))?,
        id: text(&["id"])?,
        place: [text(&["account"])?, text(&["region"])?],
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let shown = match super::parse(text) {
            Ok(entries) => {
                entries.iter().map(|it| format!("{} {}", it.title(), it.detail)).collect::<Vec<_>>().join("; ")
            }
            Err((place, message)) => format!("{} {message}", place.unwrap_or_default()),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn forms() {
        check(r#"{"source":"a","detail-type":"b","detail":{"n":1}}"#, expect![[r#"`b` from `a` {"n":1}"#]]);
        check(r#"{"Source":"a","DetailType":"b","Detail":"{\"n\": 1.0}"}"#, expect![[r#"`b` from `a` {"n": 1.0}"#]]);
        check(
            r#"{"Entries":[{"Source":"a","DetailType":"b"},{"Source":"c","DetailType":"d"}]}"#,
            expect!["`b` from `a` {}; `d` from `c` {}"],
        );
        check(r#"[{"source":"a","detail-type":"b"}]"#, expect!["`b` from `a` {}"]);
    }

    #[test]
    fn what_is_no_event() {
        check("{", expect!["1:1 the event is not readable as JSON: EOF while parsing an object"]);
        check("[]", expect![" there is no event in the list"]);
        check("3", expect![" an event must be an object, got `3`"]);
        check(r#"{"source":"a"}"#, expect![" the event lacks `detail-type` or `DetailType`"]);
        check(r#"{"source":1,"detail-type":"b"}"#, expect![" `source` or `Source` must be a string, got `1`"]);
        check(r#"{"source":"a","detail-type":"b","detail":[1]}"#, expect![" `detail` must be an object, got `[1]`"]);
        check(
            r#"{"source":"a","detail-type":"b","time":"yesterday"}"#,
            expect![" `yesterday` is no time: expected RFC 3339 such as `2026-11-21T10:00:00Z`"],
        );
    }
}
