//! JSON lines: each line of stdin is an object and is answered with an object on a line of stdout, in order.
//!
//! Invariant: a member is looked at as the text it is, so a number reaches the answer digit for digit.
//!
//! Invariant: a line that cannot be answered is answered with an `error`, and the next one is taken.
//!
//! Invariant: answers leave when the buffer is full or there is nothing to read at once, never line by line; so a
//! program that waits for its answer gets it, and a million lines cost no million writes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;

use neargate_base::Diagnostic;
use serde::de::IgnoredAny;

use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::places::file_error;
use crate::screen::Screen;
use crate::words::{counted, json_problem};

/// A member's name and text.
pub(crate) type Pair<'l> = (Cow<'l, str>, Cow<'l, str>);

/// The longest line.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// What is read and written at once.
const BUFFER_BYTES: usize = 1 << 16;
/// Entries of a memo.
const MEMO_ENTRIES_MAX: usize = 10_000;

/// Answers every line of stdin.
pub(crate) fn answer_all(
    screen: &Screen,
    mut answer_one: impl FnMut(&Members<'_>, &mut Answer) -> Result<(), String>,
) -> Outcome {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
    let mut output = screen.bulk(BUFFER_BYTES);
    let (mut line, mut answer) = (vec![], Answer::default());
    let (mut number, mut asked, mut failed) = (0_usize, 0_usize, 0_usize);
    loop {
        // A reader that has gone away wants no more answers.
        if input.buffer().is_empty() && output.flush().is_err() {
            break;
        }
        line.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::failed(file_error("read", Path::new("stdin"), &error)))?;
        if read == 0 {
            break;
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        asked += 1;
        answer.begin();
        if let Err(error) = answer_line(&line, &mut answer, &mut answer_one) {
            failed += 1;
            answer.rewind();
            answer.raw("line", &number.to_string());
            answer.text("error", &error);
        }
        if output.write_all(answer.end().as_bytes()).and_then(|()| output.write_all(b"\n")).is_err() {
            break;
        }
    }
    let _ = output.flush();
    if failed == 0 {
        return Ok(Exit::Done);
    }
    let message = format!("{failed} of {} could not be answered", counted(asked, "line"));
    screen.diagnostic(&Diagnostic::error(codes::LINES, message).hint("the answers with an `error` say which and why"));
    Ok(Exit::Usage)
}

fn answer_line(
    line: &[u8],
    answer: &mut Answer,
    answer_one: &mut impl FnMut(&Members<'_>, &mut Answer) -> Result<(), String>,
) -> Result<(), String> {
    if line.len() as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
        return Err(format!("the line has more than {LINE_BYTES_MAX} bytes"));
    }
    let line = std::str::from_utf8(line).map_err(|error| format!("the line is not UTF-8: {error}"))?;
    let members = Members::read(line)?;
    if let Some(id) = members.get("id") {
        answer.id(id);
    }
    answer_one(&members, answer)
}

/// The members of an object, each with its value's own text.
#[derive(Debug)]
pub(crate) struct Members<'l>(Vec<(Cow<'l, str>, &'l str)>);

impl<'l> Members<'l> {
    /// Takes an object apart. All of it must be JSON.
    pub(crate) fn read(text: &'l str) -> Result<Self, String> {
        let mut cursor = Cursor { text, at: 0 };
        let mut members = vec![];
        if !cursor.take(b'{') {
            return Err("expected a JSON object".to_owned());
        }
        let mut is_over = cursor.take(b'}');
        while !is_over {
            let name = unescaped(cursor.value()?).ok_or_else(|| cursor.wrong("a member's name is no string"))?;
            if !cursor.take(b':') {
                return Err(cursor.wrong("expected `:`"));
            }
            members.push((name, cursor.value()?));
            is_over = cursor.take(b'}');
            if !is_over && !cursor.take(b',') {
                return Err(cursor.wrong("expected `,` or `}`"));
            }
        }
        cursor.skip_space();
        if cursor.at < text.len() { Err(cursor.wrong("expected the end of the line")) } else { Ok(Self(members)) }
    }

    /// A member as it is written. Of two with one name the last counts; `null` is none.
    pub(crate) fn get(&self, name: &str) -> Option<&'l str> {
        self.0.iter().rfind(|(key, _)| key == name).map(|(_, value)| *value).filter(|value| *value != "null")
    }

    /// Whether a member is written as a string.
    pub(crate) fn is_string(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.starts_with('"'))
    }

    /// A string.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'l, str>>, String> {
        let text = |value| unescaped(value).ok_or_else(|| format!("`{name}` must be a string"));
        self.get(name).map(text).transpose()
    }

    /// All members, each a string, in their order.
    pub(crate) fn texts(&self) -> Result<Vec<Pair<'l>>, String> {
        let pair = |(name, value): &(Cow<'l, str>, &'l str)| match unescaped(value) {
            Some(text) => Ok((name.clone(), text)),
            None => Err(format!("`{name}` must be a string")),
        };
        self.0.iter().map(pair).collect()
    }

    /// A JSON text: the value itself, or where it is a string what is in it.
    pub(crate) fn json(&self, name: &str) -> Result<Cow<'l, str>, String> {
        let value = self.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
        if self.is_string(name) {
            return unescaped(value).ok_or_else(|| format!("`{name}` is no text: it has half a surrogate pair"));
        }
        Ok(Cow::Borrowed(value))
    }
}

/// What a JSON string says; `None` where the value is no string, or none that Rust can hold.
fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

struct Cursor<'l> {
    text: &'l str,
    at: usize,
}

impl<'l> Cursor<'l> {
    fn rest(&self) -> &'l str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_there = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// The text of the next value.
    fn value(&mut self) -> Result<&'l str, String> {
        self.skip_space();
        let rest = self.rest();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.at += end;
                Ok(rest.get(..end).unwrap_or_default())
            }
            Some(Err(error)) => {
                self.at += error.column().saturating_sub(1);
                Err(self.wrong(&json_problem(&error)))
            }
            None => Err(self.wrong("expected a value")),
        }
    }

    fn wrong(&self, what: &str) -> String {
        format!("not readable as JSON: {what} at byte {}", self.at + 1)
    }
}

/// The JSON object of an answer, written member by member.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    /// Where the members after the id begin.
    start: usize,
}

impl Answer {
    /// An answer to one question, without id.
    pub(crate) fn new() -> Self {
        let mut answer = Self::default();
        answer.begin();
        answer
    }

    fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.push(b'{');
        self.start = self.bytes.len();
    }

    fn id(&mut self, id: &str) {
        self.raw("id", id);
        self.start = self.bytes.len();
    }

    /// Forgets everything after the id.
    fn rewind(&mut self) {
        self.bytes.truncate(self.start);
    }

    fn name(&mut self, name: &str) {
        if self.bytes.len() > 1 {
            self.bytes.push(b',');
        }
        self.string(name);
        self.bytes.push(b':');
    }

    fn string(&mut self, text: &str) {
        // Writing a string to memory does not fail.
        let _ = serde_json::to_writer(&mut self.bytes, text);
    }

    /// A member whose value is JSON already. Line breaks in it can only lie between its parts.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.bytes.extend(json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    }

    /// A member whose value is a string.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    /// A member whose value is a list of strings.
    pub(crate) fn texts(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.name(name);
        self.bytes.push(b'[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.bytes.push(b',');
            }
            self.string(&value);
        }
        self.bytes.push(b']');
    }

    /// The whole object.
    pub(crate) fn end(&mut self) -> Cow<'_, str> {
        self.bytes.push(b'}');
        String::from_utf8_lossy(&self.bytes)
    }
}

/// What was made of a text, kept for the lines that bring it again.
#[derive(Debug)]
pub(crate) struct Memo<T>(HashMap<String, Rc<T>>);

impl<T> Memo<T> {
    /// Without entries.
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    /// What is made of the text, made now if it is new.
    pub(crate) fn get(&mut self, text: &str, make: impl FnOnce() -> T) -> Rc<T> {
        if let Some(made) = self.0.get(text) {
            return Rc::clone(made);
        }
        if self.0.len() >= MEMO_ENTRIES_MAX {
            self.0.clear();
        }
        let made = Rc::new(make());
        self.0.insert(text.to_owned(), Rc::clone(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{Answer, Members, Memo};

    fn check(line: &str, expected: Expect) {
        expected.assert_eq(&match Members::read(line) {
            Ok(members) => members.0.iter().map(|(name, value)| format!("{name}={value};")).collect(),
            Err(error) => error,
        });
    }

    #[test]
    fn lines() {
        check("{}", expect![""]);
        check(
            r#" {"a" : 1.50, "b":{"c":[1e3, "}"]} ,"\u0063":null}"#,
            expect![[r#"a=1.50;b={"c":[1e3, "}"]};c=null;"#]],
        );
        check("[]", expect!["expected a JSON object"]);
        check("{", expect!["not readable as JSON: expected a value at byte 2"]);
        check(r#"{"a":1,}"#, expect!["not readable as JSON: expected value at byte 8"]);
        check(r#"{"a" 1}"#, expect!["not readable as JSON: expected `:` at byte 6"]);
        check(r#"{"a":[1,2}"#, expect!["not readable as JSON: expected `,` or `]` at byte 10"]);
        check(r#"{"a":1}}"#, expect!["not readable as JSON: expected the end of the line at byte 8"]);
        check(r#"{1:1}"#, expect!["not readable as JSON: a member's name is no string at byte 3"]);
    }

    #[test]
    fn members_of_a_line() {
        let members = Members::read(r#"{"a":"x\"y","b":{"n":1.0},"c":null,"d":1,"d":"last","e":"\ud800"}"#).unwrap();
        assert_eq!(members.text("a").unwrap().as_deref(), Some("x\"y"));
        assert_eq!(members.json("b").unwrap(), r#"{"n":1.0}"#);
        assert_eq!(members.text("c"), Ok(None));
        assert_eq!(members.text("d").unwrap().as_deref(), Some("last"));
        assert_eq!(members.text("b"), Err("`b` must be a string".to_owned()));
        assert_eq!(members.json("c"), Err("`c` is missing".to_owned()));
        assert_eq!(members.json("e"), Err("`e` is no text: it has half a surrogate pair".to_owned()));
    }

    #[test]
    fn answers() {
        let mut answer = Answer::new();
        answer.id("7");
        answer.text("lost", "x");
        answer.rewind();
        answer.text("a\"", "b\n");
        answer.raw("c", "{\n\"d\": 1.0}");
        answer.texts("e", ["f".to_owned(), "g".to_owned()]);
        assert_eq!(answer.end(), r#"{"id":7,"a\"":"b\n","c":{ "d": 1.0},"e":["f","g"]}"#);
    }

    #[test]
    fn a_memo_makes_each_thing_once_and_stays_small() {
        let mut memo = Memo::new();
        assert_eq!((*memo.get("a", || 1), *memo.get("a", || 2)), (1, 1));
        for number in 0..super::MEMO_ENTRIES_MAX {
            memo.get(&number.to_string(), || 3);
        }
        assert_eq!(*memo.get("a", || 4), 4);
        assert!(memo.0.len() <= super::MEMO_ENTRIES_MAX);
    }
}
