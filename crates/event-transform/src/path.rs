//! The part of JSONPath that EventBridge evaluates: `$`, `.name`, `[0]`, `[*]` and `.*`.
//!
//! Names may have letters, digits, `-`, `_` and `/`. Quoted brackets, filters, slices, negative indices and `..` are refused,
//! as the API asks for "JSON dot notation, not bracket notation".
//!
//! Invariant: a path with a wildcard selects one array, a path without selects one value or none.

use std::borrow::Cow;

use crate::{PATH_CHARS_MAX, TransformError, json::Json};

/// A checked path into an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Wildcard,
}

impl JsonPath {
    /// Reads a path such as `$.detail.items[0].name`.
    pub fn parse(text: &str) -> Result<Self, TransformError> {
        let chars = text.chars().count();
        if chars > PATH_CHARS_MAX {
            return Err(TransformError::TooLong { member: "InputPath", chars, chars_max: PATH_CHARS_MAX });
        }
        let refuse = |rest: &str, reason| {
            let column = chars - rest.chars().count();
            Err(TransformError::InvalidPath { path: text.to_owned(), column, reason })
        };
        let Some(mut rest) = text.strip_prefix('$') else {
            return refuse(text, "a path starts with `$`");
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            match step(rest) {
                Ok((step, after)) => {
                    steps.push(step);
                    rest = after;
                }
                Err(reason) => return refuse(rest, reason),
            }
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value the path names, if the event has it.
    pub(crate) fn select<'a>(&self, root: &'a Json) -> Option<Cow<'a, Json>> {
        let Some(first_wildcard) = self.steps.iter().position(|step| *step == Step::Wildcard) else {
            return self.steps.iter().try_fold(root, descend).map(Cow::Borrowed);
        };
        let (plain, fanned) = self.steps.split_at(first_wildcard);
        let base = plain.iter().try_fold(root, descend)?;
        let mut found = vec![base];
        for step in fanned {
            found = match step {
                Step::Wildcard => found.into_iter().flat_map(children).collect(),
                step => found.into_iter().filter_map(|value| descend(value, step)).collect(),
            };
        }
        Some(Cow::Owned(Json::Array(found.into_iter().cloned().collect())))
    }
}

fn step(rest: &str) -> Result<(Step, &str), &'static str> {
    if let Some(after) = rest.strip_prefix(".*").or_else(|| rest.strip_prefix("[*]")) {
        return Ok((Step::Wildcard, after));
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let (index, after) = inner.split_once(']').ok_or("`[` is not closed")?;
        if index.starts_with(['\'', '"']) {
            return Err("names go in dot notation, not in brackets");
        }
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        let index = if digits { index.parse().ok() } else { None };
        return Ok((Step::Index(index.ok_or("expected an index or `*` in brackets")?), after));
    }
    let name = rest.strip_prefix('.').ok_or("expected `.` or `[`")?;
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
    let (name, after) = name.split_at(name.find(|c| !in_name(c)).unwrap_or(name.len()));
    if name.is_empty() {
        return Err("expected a name after `.`");
    }
    Ok((Step::Name(name.to_owned()), after))
}

fn descend<'a>(value: &'a Json, step: &Step) -> Option<&'a Json> {
    match (value, step) {
        (Json::Object(_), Step::Name(name)) => value.member(name),
        (Json::Array(items), Step::Index(index)) => items.get(*index),
        _ => None,
    }
}

fn children(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(items) => items.iter().collect(),
        Json::Object(members) => members.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}
