//! Conditions on fields: comparisons joined by `&&` and `||`, with parentheses.
//!
//! Invariant: knows what a field's value is, not where it comes from; the caller finds the values of a selector.

use super::terms::phrase;
use super::{REGEX, invalid};
use crate::errors::LogsError;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test { selector: String, test: Test },
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Equal(Operand),
    NotEqual(Operand),
    Less(f64),
    AtMost(f64),
    Greater(f64),
    AtLeast(f64),
    True,
    False,
    Null,
    NotExists,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Number(f64),
    /// `*` stands for any characters.
    Text(String),
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(&'a str),
    Number(f64),
    Bool(bool),
    Null,
    /// An object or a list.
    Other,
}

/// Gives every value that a selector stands for, none where there is no such field.
pub(super) type Find<'a> = dyn Fn(&str, &mut Found<'_>) + 'a;
/// Takes one value.
pub(super) type Found<'a> = dyn FnMut(Scalar<'_>) + 'a;

impl Condition {
    /// Reads a condition that is all of `text`.
    pub(super) fn parse(text: &str) -> Result<Self, LogsError> {
        let mut reader = Reader { rest: text };
        let condition = reader.any()?;
        if reader.skip().is_empty() { Ok(condition) } else { Err(reader.unexpected()) }
    }

    /// Whether it holds for the fields that `find` finds.
    pub(super) fn holds(&self, find: &Find<'_>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|condition| condition.holds(find)),
            Self::Any(any) => any.iter().any(|condition| condition.holds(find)),
            Self::Test { selector, test } => {
                let (mut exists, mut passes) = (false, false);
                find(selector, &mut |value| {
                    exists = true;
                    passes |= test.passes(value);
                });
                if *test == Test::NotExists { !exists } else { passes }
            }
        }
    }

    /// Every selector in it, in order.
    pub(super) fn selectors(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::selectors).collect(),
            Self::Test { selector, .. } => vec![selector],
        }
    }
}

impl Test {
    fn passes(&self, value: Scalar<'_>) -> bool {
        let number = || match value {
            Scalar::Number(number) => Some(number),
            Scalar::Text(text) => text.parse::<f64>().ok(),
            _ => None,
        };
        match self {
            Self::Equal(operand) => operand.equals(value),
            Self::NotEqual(operand) => !operand.equals(value),
            Self::Less(bound) => number().is_some_and(|number| number < *bound),
            Self::AtMost(bound) => number().is_some_and(|number| number <= *bound),
            Self::Greater(bound) => number().is_some_and(|number| number > *bound),
            Self::AtLeast(bound) => number().is_some_and(|number| number >= *bound),
            Self::True => value == Scalar::Bool(true),
            Self::False => value == Scalar::Bool(false),
            Self::Null => value == Scalar::Null,
            Self::NotExists => false,
        }
    }
}

impl Operand {
    fn equals(&self, value: Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Number(wanted), Scalar::Number(number)) => number == *wanted,
            (Self::Number(wanted), Scalar::Text(text)) => text.parse::<f64>().is_ok_and(|number| number == *wanted),
            (Self::Text(pattern), Scalar::Text(text)) => like(pattern, text),
            (Self::Text(pattern), Scalar::Number(number)) => like(pattern, &number.to_string()),
            (Self::Text(pattern), Scalar::Bool(truth)) => like(pattern, if truth { "true" } else { "false" }),
            // A lone star asks whether the field is there.
            (Self::Text(pattern), _) => pattern == "*",
            _ => false,
        }
    }
}

/// Whether text fits a pattern in which `*` stands for any characters.
fn like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(tail)
}

/// Reads a condition from the left.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Condition, LogsError> {
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, LogsError> {
        let mut parts = vec![self.unit()?];
        while self.takes("&&") {
            parts.push(self.unit()?);
        }
        Ok(joined(parts, Condition::All))
    }

    fn unit(&mut self) -> Result<Condition, LogsError> {
        if !self.takes("(") {
            let selector = self.selector()?;
            return Ok(Condition::Test { selector, test: self.test()? });
        }
        let inner = self.any()?;
        if self.takes(")") { Ok(inner) } else { Err(self.unexpected()) }
    }

    fn selector(&mut self) -> Result<String, LogsError> {
        let word = self.word(|letter| letter.is_whitespace() || "=!<>()&|".contains(letter));
        if word.is_empty() { Err(self.unexpected()) } else { Ok(word.to_owned()) }
    }

    fn test(&mut self) -> Result<Test, LogsError> {
        for (operator, test) in
            [("<=", Test::AtMost as fn(f64) -> Test), (">=", Test::AtLeast), ("<", Test::Less), (">", Test::Greater)]
        {
            if self.takes(operator) {
                return match self.operand()? {
                    Operand::Number(number) => Ok(test(number)),
                    Operand::Text(text) => Err(invalid(&format!("'{text}' is not a number"))),
                };
            }
        }
        if self.takes("!=") {
            return self.operand().map(Test::NotEqual);
        }
        if self.takes("=") {
            return self.operand().map(Test::Equal);
        }
        let words = (self.keyword(), self.keyword());
        match (words.0.as_str(), words.1.as_str()) {
            ("IS", "TRUE") => Ok(Test::True),
            ("IS", "FALSE") => Ok(Test::False),
            ("IS", "NULL") => Ok(Test::Null),
            ("NOT", "EXISTS") => Ok(Test::NotExists),
            _ => Err(invalid(&format!("'{} {}' is not an operator", words.0, words.1))),
        }
    }

    fn operand(&mut self) -> Result<Operand, LogsError> {
        if self.skip().starts_with('%') {
            return Err(LogsError::NotImplemented(REGEX));
        }
        if let Some(quoted) = self.skip().strip_prefix('"') {
            let (text, rest) = phrase(quoted).ok_or_else(|| self.unexpected())?;
            self.rest = rest;
            return Ok(Operand::Text(text));
        }
        let word = self.word(|letter| letter.is_whitespace() || "=!<>()&|\"".contains(letter));
        if word.is_empty() {
            return Err(self.unexpected());
        }
        Ok(word.parse().map_or_else(|_| Operand::Text(word.to_owned()), Operand::Number))
    }

    fn keyword(&mut self) -> String {
        self.word(|letter| !letter.is_alphabetic()).to_ascii_uppercase()
    }

    fn word(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.skip();
        let (word, rest) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.rest = rest;
        word
    }

    fn takes(&mut self, token: &str) -> bool {
        let after = self.skip().strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn skip(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn unexpected(&self) -> LogsError {
        match self.rest.trim() {
            "" => invalid("the pattern ends too early"),
            rest => invalid(&format!("Invalid character(s) in term '{rest}'")),
        }
    }
}

fn joined(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}
