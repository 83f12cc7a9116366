//! `cdk.json` and `cdk.context.json`, as far as they say how to synthesise.

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use serde_json::{Map, Value as Json};

use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::read_text;
use crate::words::json_problem;

/// What a CDK app says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CdkJson {
    /// The command.
    pub(crate) app: Option<String>,
    /// Where it writes the cloud assembly.
    pub(crate) output: Option<PathBuf>,
    /// Context, that of `cdk.context.json` included.
    pub(crate) context: Map<String, Json>,
}

/// Reads both files of a directory; those that are not there say nothing.
pub(crate) fn read(directory: &Path) -> Outcome<CdkJson> {
    let main = object(&directory.join("cdk.json"))?;
    let mut found = CdkJson::default();
    if let Some(mut main) = main {
        found.app = main.get("app").and_then(Json::as_str).map(str::to_owned);
        found.output = main.get("output").and_then(Json::as_str).map(PathBuf::from);
        if let Some(Json::Object(context)) = main.get_mut("context") {
            found.context = std::mem::take(context);
        }
    }
    // What was looked up earlier; `cdk.json` wins.
    for (key, value) in object(&directory.join("cdk.context.json"))?.unwrap_or_default() {
        found.context.entry(key).or_insert(value);
    }
    Ok(found)
}

fn object(file: &Path) -> Outcome<Option<Map<String, Json>>> {
    if !file.is_file() {
        return Ok(None);
    }
    let shown = file.display();
    let wrong = |at: String, message: String| Failure::usage(Diagnostic::error(codes::CDK_JSON, message).at(at));
    match serde_json::from_str(&read_text(file)?) {
        Ok(Json::Object(object)) => Ok(Some(object)),
        Ok(other) => Err(wrong(shown.to_string(), format!("expected an object, got `{other}`"))),
        Err(error) => {
            let at = format!("{shown}:{}:{}", error.line(), error.column());
            Err(wrong(at, format!("not readable as JSON: {}", json_problem(&error))))
        }
    }
}
