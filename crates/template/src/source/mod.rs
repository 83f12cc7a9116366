//! Text to a JSON tree in CloudFormation's long form, from JSON or from YAML with short tags.
//!
//! Invariant: the tree is at most [`DEPTH_MAX`] mappings, lists and tags deep, so that whatever walks it may recurse.

mod locate;
mod scalar;
mod yaml;

use neargate_base::Diagnostic;
use serde_json::Value as Json;

use crate::codes;
use crate::finding::{Finding, Refusal};

pub(crate) use locate::Positions;
pub use locate::locate;

/// How deep a template may nest.
pub const DEPTH_MAX: usize = 100;

/// A place where reading had to stop; line and column count from one.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

/// A tree and what is odd about its text.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Json,
    pub(crate) warnings: Vec<Fault>,
}

/// Reads the text. As for CloudFormation, a text that begins with `{` is JSON and every other one is YAML.
pub(crate) fn read(text: &str, file: &str) -> Result<(Json, Vec<Finding>), Box<Finding>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let result = if text.trim_start().starts_with(['{', '[']) {
        read_json(text).map_err(|fault| ("JSON", fault))
    } else {
        yaml::read(text).map_err(|fault| ("YAML", fault))
    };
    match result {
        Ok(document) => {
            let warn = |fault: Fault| {
                let place = format!("{file}:{}:{}", fault.line, fault.column);
                Finding {
                    diagnostic: Diagnostic::warning(codes::DUPLICATE, fault.message).at(place),
                    refusal: Refusal::Accepted,
                }
            };
            Ok((document.root, document.warnings.into_iter().map(warn).collect()))
        }
        Err((language, fault)) => {
            let place = format!("{file}:{}:{}", fault.line, fault.column);
            let aws = format!(
                "Template format error: {language} not well-formed. (line {}, column {})",
                fault.line, fault.column
            );
            let message = format!("{} is not readable as {language}: {}", name_of(file), fault.message);
            Err(Box::new(Finding::error(codes::SYNTAX, message, aws).at(&place)))
        }
    }
}

fn name_of(file: &str) -> String {
    if file.is_empty() { "the template".to_owned() } else { format!("`{file}`") }
}

fn read_json(text: &str) -> Result<Document, Fault> {
    match serde_json::from_str::<Json>(text) {
        Ok(root) if depth_of(&root) > DEPTH_MAX => {
            Err(Fault { line: 1, column: 1, message: format!("nested more than {DEPTH_MAX} levels deep") })
        }
        Ok(root) => Ok(Document { root, warnings: vec![] }),
        Err(error) => {
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Err(Fault { line: error.line(), column: error.column(), message })
        }
    }
}

fn depth_of(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or_default(),
        Json::Object(members) => 1 + members.values().map(depth_of).max().unwrap_or_default(),
        _ => 0,
    }
}
