//! A JSON value that forgets nothing the transformer must pass on: member order and the spelling of numbers.
//!
//! Invariant: the written form is compact, non-ASCII stays as it is, and only what JSON demands is escaped.
//!
//! Invariant: input nested deeper than [`DEPTH_MAX`] is refused, so recursion is bounded.

use std::{collections::BTreeSet, fmt};

/// How deep arrays and objects may nest.
pub(crate) const DEPTH_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As written in the source.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Where and why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    line: usize,
    column: usize,
    expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at line {}, column {}", self.expected, self.line, self.column)
    }
}

impl Json {
    pub(crate) fn parse(text: &str) -> Result<Self, JsonError> {
        let mut parser = Parser { text, at: 0 };
        let result = parser.value(0).and_then(|value| {
            parser.skip_space();
            if parser.rest().is_empty() { Ok(value) } else { Err("the end") }
        });
        result.map_err(|expected| parser.error(expected))
    }

    /// The text after a JSON string that `text` starts with. Raw line breaks are let through.
    pub(crate) fn skip_string(text: &str) -> Result<&str, JsonError> {
        let mut parser = Parser { text, at: 0 };
        parser.skip_space();
        match parser.string(true) {
            Ok(_) => Ok(parser.rest()),
            Err(expected) => Err(parser.error(expected)),
        }
    }

    pub(crate) fn from_value(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from_value).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone(), Self::from_value(value))).collect())
            }
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn is_container(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, expected: &'static str) -> JsonError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        JsonError { line: before.matches('\n').count() + 1, column, expected }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    fn value(&mut self, depth: usize) -> Parsed<Json> {
        if depth > DEPTH_MAX {
            return Err("fewer than 256 levels");
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(false).map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
                let found = words.into_iter().find(|(word, _)| self.rest().starts_with(word));
                let (word, value) = found.ok_or("a value")?;
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<Json> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err("`,` or `]`");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Json> {
        self.at += 1;
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string(false)?;
            if !self.take(b':') {
                return Err("`:`");
            }
            members.push((name, self.value(depth + 1)?));
            if self.take(b'}') {
                keep_last(&mut members);
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err("`,` or `}`");
            }
        }
    }

    fn digits(&mut self) -> Parsed<()> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err("a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Parsed<Json> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn string(&mut self, raw_controls: bool) -> Parsed<String> {
        if self.peek() != Some(b'"') {
            return Err("`\"`");
        }
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').ok_or("`\"` at the end of the string")?;
            let (text, stop) = rest.split_at(plain);
            out.push_str(text);
            self.at += plain;
            match stop.as_bytes().first() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(control) if raw_controls => {
                    out.push(char::from(*control));
                    self.at += 1;
                }
                _ => return Err("no raw control character in a string"),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let simple = match letter {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err("an escape such as `\\n`"),
        };
        self.at += 2;
        Ok(simple)
    }

    /// `\uXXXX`, or a pair of them. A lone surrogate becomes U+FFFD: no Rust string can hold it.
    fn unicode_escape(&mut self) -> Parsed<char> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex { u32::from_str_radix(digits, 16).ok() } else { None }
        };
        let first = unit(self.at).ok_or("four hex digits")?;
        let second = unit(self.at + 6).filter(|second| (0xdc00..0xe000).contains(second));
        if let (0xd800..0xdc00, Some(second)) = (first, second) {
            self.at += 12;
            return Ok(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or('\u{fffd}'));
        }
        self.at += 6;
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }
}

/// Of members with one name, the last stays.
fn keep_last(members: &mut Vec<(String, Json)>) {
    let distinct = members.iter().map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>().len();
    if distinct == members.len() {
        return;
    }
    let mut seen = BTreeSet::new();
    members.reverse();
    members.retain(|(name, _)| seen.insert(name.clone()));
    members.reverse();
}
