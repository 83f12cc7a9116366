//! The only printer: data to stdout, talk to stderr.
//!
//! Invariant: colour codes go only to terminals, and not where `NO_COLOR` is set.
//!
//! Invariant: once a reader of either stream has gone away, the command is to end ([`signals::reader_gone`]).
//!
//! Invariant: with `--format json` stdout carries one JSON document (or one a line, for streams) and nothing else.

use std::io::{BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use neargate_base::{Diagnostic, Severity};
use serde_json::{Value as Json, json};

use crate::outcome::{Exit, Failure};
use crate::signals;

/// What data looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// A colour or weight.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// For what stands out.
    Bold,
    /// For what steps back.
    Dim,
    /// For what went well.
    Green,
    /// For what did not.
    Red,
    /// For what may not have.
    Yellow,
    /// For names.
    Cyan,
    /// For further names.
    Magenta,
    /// For further names.
    Blue,
}

/// The two streams.
#[derive(Debug)]
pub(crate) struct Screen {
    /// How data is written.
    pub(crate) format: Format,
    colours: bool,
    data_colours: bool,
    lives: bool,
    /// Characters of the line that will be written over.
    live: Mutex<usize>,
}

const COLUMNS_MAX: usize = 110;

impl Screen {
    /// The process's own streams.
    pub(crate) fn new(format: Format) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let (talk, data) = (std::io::stderr().is_terminal(), std::io::stdout().is_terminal());
        let (colours, data_colours) = (talk && wanted && !is_dumb, data && wanted && !is_dumb);
        Self { format, colours, data_colours, lives: talk && !is_dumb, live: Mutex::new(0) }
    }

    /// Whether data goes out as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A line of data.
    pub(crate) fn data(&self, line: &str) {
        self.clear_live();
        written(writeln!(std::io::stdout().lock(), "{line}"));
    }

    /// Stdout for data in bulk: what is written leaves when so many bytes are there or when it is flushed.
    pub(crate) fn bulk(&self, bytes: usize) -> BufWriter<StdoutLock<'static>> {
        self.clear_live();
        BufWriter::with_capacity(bytes, std::io::stdout().lock())
    }

    /// A line that a container wrote, under its name.
    pub(crate) fn container_line(&self, name: &str, line: &str) {
        self.clear_live();
        let bar = self.data_paint(Paint::Cyan, &format!("{name:>12} │"));
        written(writeln!(std::io::stdout().lock(), "{bar} {line}"));
    }

    /// A document of data.
    pub(crate) fn json(&self, document: &Json) {
        self.data(&serde_json::to_string_pretty(document).unwrap_or_default());
    }

    /// A line of talk.
    pub(crate) fn say(&self, line: &str) {
        self.clear_live();
        written(writeln!(std::io::stderr().lock(), "{line}"));
    }

    /// A line of talk under a word that says what happens.
    pub(crate) fn step(&self, word: &str, text: &str) {
        self.step_in(Paint::Green, word, text);
    }

    /// The same in another colour.
    pub(crate) fn step_in(&self, paint: Paint, word: &str, text: &str) {
        self.say(&format!("{} {text}", self.word(paint, word)));
    }

    /// A line that the next one overwrites; nothing where stderr is no terminal.
    pub(crate) fn live(&self, word: &str, text: &str) {
        if !self.lives {
            return;
        }
        let text: String = text.chars().take(COLUMNS_MAX.saturating_sub(14)).collect();
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = text.chars().count();
        let blanks = " ".repeat(live.saturating_sub(shown));
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "\r{} {text}{blanks}", self.word(Paint::Cyan, word));
        let _ = stderr.flush();
        *live = shown.max(1);
    }

    fn clear_live(&self) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // The terminal has written `^C` where the next line is to begin.
        if self.lives && signals::take_echo() {
            *live = (*live).max(2);
        }
        if *live > 0 {
            let _ = write!(std::io::stderr().lock(), "\r{}\r", " ".repeat(*live + 13));
            *live = 0;
        }
    }

    fn word(&self, paint: Paint, word: &str) -> String {
        let padding = " ".repeat(12_usize.saturating_sub(word.chars().count()));
        format!("{padding}{}", self.paint(paint, &self.paint(Paint::Bold, word)))
    }

    /// Text for stderr in a colour.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        painted(self.colours, paint, text)
    }

    /// Text for stdout in a colour.
    pub(crate) fn data_paint(&self, paint: Paint, text: &str) -> String {
        painted(self.data_colours, paint, text)
    }

    /// A finding.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic) {
        let text = diagnostic.to_string();
        let (head, rest) = text.split_once(": ").unwrap_or((&text, ""));
        let paint = match diagnostic.severity {
            Severity::Error => Paint::Red,
            Severity::Warning => Paint::Yellow,
            Severity::Note => Paint::Cyan,
        };
        self.say(&format!("{}: {rest}", self.paint(paint, &self.paint(Paint::Bold, head))));
    }

    /// All there is to say about a failure; answers the exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        if self.is_json() {
            self.json(&json!({ "exit_code": failure.exit.number(), "diagnostics": failure.diagnostics }));
        }
        for (at, diagnostic) in failure.diagnostics.iter().enumerate() {
            if at > 0 {
                self.say("");
            }
            self.diagnostic(diagnostic);
        }
        failure.exit
    }

    /// Rows under headings, columns aligned; or, as JSON, a list of objects.
    pub(crate) fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        if self.is_json() {
            let keys = headings.iter().map(|heading| heading.to_lowercase().replace(' ', "_"));
            let keys: Vec<String> = keys.collect();
            let object = |row: &Vec<String>| keys.iter().cloned().zip(row.iter().map(|cell| json!(cell))).collect();
            let rows: Vec<Json> = rows.iter().map(|row| Json::Object(object(row))).collect();
            return self.json(&Json::Array(rows));
        }
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column).map(|cell| cell.chars().count()));
            cells.chain(headings.get(column).map(|heading| heading.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.data(&self.data_paint(Paint::Bold, &line(&mut headings.iter().copied())));
        for row in rows {
            self.data(&line(&mut row.iter().map(String::as_str)));
        }
    }
}

/// What cannot be written is lost, which is no error of the command's; a reader that has gone away is its end.
fn written(result: std::io::Result<()>) {
    if result.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        signals::reader_gone();
    }
}

fn painted(colours: bool, paint: Paint, text: &str) -> String {
    let code = match paint {
        Paint::Bold => 1,
        Paint::Dim => 2,
        Paint::Red => 31,
        Paint::Green => 32,
        Paint::Yellow => 33,
        Paint::Blue => 34,
        Paint::Magenta => 35,
        Paint::Cyan => 36,
    };
    if colours && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
