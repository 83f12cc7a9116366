//! TOML read by hand, so that everything wrong is found at once and has a place.
//!
//! Invariant: a value of the wrong kind is a finding and counts as absent; no key goes unread without a finding.

use std::collections::BTreeMap;
use std::ops::Range;

use neargate_base::Diagnostic;
use neargate_template::nearest;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;

/// A value with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A file being read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    file: &'a str,
    /// What is wrong so far.
    pub(super) findings: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of this text; `file` is for messages.
    pub(super) fn new(text: &'a str, file: &'a str) -> Self {
        Self { text, file, findings: vec![] }
    }

    /// The whole file; what is no TOML is a finding.
    pub(super) fn document(&mut self) -> Option<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        // What comes after the first error is mostly a consequence of it.
        let Some(first) = errors.iter().min_by_key(|error| error.span().map_or(0, |span| span.start)) else {
            return Some(table.into_inner());
        };
        let at = first.span().map_or_else(|| self.file.to_owned(), |span| self.place(&span));
        let message = format!("not readable as TOML: {}", first.message().replace('\n', ": "));
        self.findings.push(Diagnostic::error(codes::CONFIG_SYNTAX, message).at(at));
        None
    }

    /// `file:line:column`, counted from 1, in characters.
    pub(super) fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.file)
    }

    /// A finding at a place.
    pub(super) fn wrong(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let at = self.place(span);
        self.findings.push(Diagnostic::error(codes::CONFIG, message).at(at));
        let last = self.findings.len() - 1;
        // Just pushed.
        #[expect(clippy::indexing_slicing, reason = "the index of the element pushed above")]
        &mut self.findings[last]
    }

    /// Finds every key of a table that is none of these.
    pub(super) fn only(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let message = match section {
                "" => format!("unknown key `{}`", key.get_ref()),
                _ => format!("unknown key `{}` in `{section}`", key.get_ref()),
            };
            let hint = match nearest(key.get_ref(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: `{}`", known.join("`, `")),
            };
            self.wrong(&key.span(), message).hints.push(hint);
        }
    }

    /// A finding about a value of the wrong kind; the value itself is not shown.
    pub(super) fn not<T>(&mut self, value: &Value<'_>, key: &str, expected: &str) -> Option<T> {
        self.wrong(&value.span(), format!("`{key}` must be {expected}, got {}", a(value.get_ref())));
        None
    }

    /// The text under a key.
    pub(super) fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.not(value, key, "a string"),
        }
    }

    /// The texts in the list under a key.
    pub(super) fn texts(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<String>> {
        let value = table.get(key)?;
        let Some(items) = value.get_ref().as_array() else { return self.not(value, key, "a list of strings") };
        let text = |item: &Value<'_>| item.get_ref().as_str().map(str::to_owned);
        if let Some(other) = items.iter().find(|item| text(item).is_none()) {
            return self.not(other, key, "a list of strings");
        }
        Some(items.iter().filter_map(text).collect())
    }

    /// The texts by name in the table under a key.
    pub(super) fn text_map(&mut self, table: &DeTable<'_>, key: &str) -> BTreeMap<String, String> {
        let Some(inner) = self.table(table, key) else { return BTreeMap::new() };
        inner.keys().filter_map(|name| Some((name.get_ref().to_string(), self.text(inner, name.get_ref())?))).collect()
    }

    /// The table under a key.
    pub(super) fn table<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
        let value = table.get(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(table),
            None => self.not(value, key, "a table"),
        }
    }
}

/// A TOML value as JSON; dates become text.
pub(super) fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Json::from(number.as_str()), Json::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Json::Null, Json::from),
        DeValue::Boolean(truth) => Json::from(*truth),
        DeValue::Datetime(time) => Json::from(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => Json::Object(object(table)),
    }
}

/// A TOML table as a JSON object.
pub(super) fn object(table: &DeTable<'_>) -> Map<String, Json> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
}

fn a(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(_) => "an integer".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        other => format!("a {}", other.type_str()),
    }
}
