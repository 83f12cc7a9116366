//! A value given on the command line as text, or as `@FILE` in a file.
//!
//! Invariant: line breaks at a file's end, which editors add, are no part of the value.

use std::path::Path;

use neargate_base::Diagnostic;
use serde::de::IgnoredAny;

use crate::codes;
use crate::outcome::{Failure, Outcome};
use crate::places::read_text;
use crate::words::{json_problem, pointed};

/// A value and where it comes from.
#[derive(Debug)]
pub(crate) struct Given {
    /// The option, or the file.
    pub(crate) name: String,
    /// The value.
    pub(crate) text: String,
    is_file_name: bool,
}

impl Given {
    /// The value of an option.
    pub(crate) fn read(option: &str, value: &str) -> Outcome<Self> {
        match value.strip_prefix('@') {
            Some(file) => {
                let text = read_text(Path::new(file))?.trim_end_matches(['\n', '\r']).to_owned();
                Ok(Self { name: file.to_owned(), text, is_file_name: false })
            }
            None => {
                let is_file_name = Path::new(value).is_file();
                Ok(Self { name: option.to_owned(), text: value.to_owned(), is_file_name })
            }
        }
    }

    /// The text itself where it is JSON.
    pub(crate) fn json(&self, what: &str) -> Outcome<&str> {
        serde_json::from_str::<IgnoredAny>(&self.text).map(|_| self.text.as_str()).map_err(|error| {
            let message = format!("{what} is not readable as JSON: {}", json_problem(&error));
            let (line, column) = (error.line(), error.column().max(1));
            Failure::usage(self.point(Diagnostic::error(codes::EVENT, message), line, column))
        })
    }

    /// A finding about a place in the text, shown; lines and columns count from 1.
    pub(crate) fn point(&self, diagnostic: Diagnostic, line: usize, column: usize) -> Diagnostic {
        let shown = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let [shown, mark] = pointed(shown, column.saturating_sub(1), 1);
        let diagnostic = diagnostic.at(format!("{}:{line}:{column}", self.name)).detail(shown).detail(mark);
        if self.is_file_name {
            diagnostic.hint(format!("for what is in the file write `{} @{}`", self.name, self.text))
        } else {
            diagnostic
        }
    }
}
