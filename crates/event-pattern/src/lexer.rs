//! A strict pull reader of JSON for patterns.
//!
//! Tokens come one at a time, so a pattern's first mistake is the one reported, be it of syntax or of meaning, as
//! with Event Ruler. Numbers keep their spelling. Text after the outermost value is never looked at.
//!
//! Invariant: nesting costs one entry in a heap vector, never a stack frame; deeper than [`DEPTH_MAX`] is an error.

/// Deepest nesting of objects and arrays that a pattern may have.
pub(crate) const DEPTH_MAX: usize = 1000;

const VALUE_EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Name(String),
    Text(String),
    Number(String),
    True,
    False,
    Null,
    End,
}

impl Token {
    /// The token as it is quoted in messages.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::ObjectStart => "{",
            Self::ObjectEnd => "}",
            Self::ArrayStart => "[",
            Self::ArrayEnd => "]",
            Self::Name(text) | Self::Text(text) | Self::Number(text) => text,
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
            Self::End => "end of input",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    ObjectFirst,
    ObjectName,
    ObjectValue,
    ArrayFirst,
    ArrayNext,
}

#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    pos: usize,
    places: Vec<Place>,
}

type Lexed<T> = Result<T, String>;

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, pos: 0, places: Vec::new() }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn offset(&self) -> usize {
        self.pos
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.pos += 1;
        }
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.text.get(self.pos..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("Unexpected character ('{c}' (code {})): {expected}", u32::from(c)),
            None => {
                let open = match self.places.last() {
                    Some(Place::ArrayFirst | Place::ArrayNext) => "Array",
                    _ => "Object",
                };
                format!("Unexpected end-of-input: expected close marker for {open}")
            }
        }
    }

    pub(crate) fn next(&mut self) -> Lexed<Token> {
        self.blank();
        match self.places.last().copied() {
            None if self.peek().is_none() => Ok(Token::End),
            None | Some(Place::ObjectValue) => self.value(),
            Some(Place::ObjectFirst) if self.peek() == Some(b'}') => Ok(self.close(Token::ObjectEnd)),
            Some(Place::ObjectFirst) => self.name(),
            Some(Place::ObjectName) => match self.peek() {
                Some(b'}') => Ok(self.close(Token::ObjectEnd)),
                Some(b',') => {
                    self.pos += 1;
                    self.blank();
                    self.name()
                }
                _ => Err(self.unexpected("was expecting comma to separate Object entries")),
            },
            Some(Place::ArrayFirst) if self.peek() == Some(b']') => Ok(self.close(Token::ArrayEnd)),
            Some(Place::ArrayFirst) => self.value(),
            Some(Place::ArrayNext) => match self.peek() {
                Some(b']') => Ok(self.close(Token::ArrayEnd)),
                Some(b',') => {
                    self.pos += 1;
                    self.blank();
                    self.value()
                }
                _ => Err(self.unexpected("was expecting comma to separate Array entries")),
            },
        }
    }

    fn close(&mut self, token: Token) -> Token {
        self.pos += 1;
        self.places.pop();
        token
    }

    fn enter(&mut self, place: Place, token: Token) -> Lexed<Token> {
        self.pos += 1;
        self.places.push(place);
        if self.places.len() > DEPTH_MAX {
            return Err(format!(
                "Document nesting depth ({}) exceeds the maximum allowed ({DEPTH_MAX})",
                self.places.len()
            ));
        }
        Ok(token)
    }

    fn name(&mut self) -> Lexed<Token> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        let name = self.string()?;
        self.blank();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.pos += 1;
        if let Some(place) = self.places.last_mut() {
            *place = Place::ObjectValue;
        }
        Ok(Token::Name(name))
    }

    fn value(&mut self) -> Lexed<Token> {
        match self.places.last_mut() {
            Some(place @ Place::ObjectValue) => *place = Place::ObjectName,
            Some(place @ Place::ArrayFirst) => *place = Place::ArrayNext,
            _ => {}
        }
        match self.peek() {
            Some(b'{') => self.enter(Place::ObjectFirst, Token::ObjectStart),
            Some(b'[') => self.enter(Place::ArrayFirst, Token::ArrayStart),
            Some(b'"') => Ok(Token::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b) if b.is_ascii_alphabetic() || b == b'_' || b == b'$' || b >= 0x80 => self.word(),
            _ => Err(self.unexpected(&format!("expected a valid value {VALUE_EXPECTED}"))),
        }
    }

    fn word(&mut self) -> Lexed<Token> {
        let rest = self.text.get(self.pos..).unwrap_or("");
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or(rest);
        let token = match word {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            "NaN" | "Infinity" => {
                return Err(format!(
                    "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
                ));
            }
            _ => return Err(format!("Unrecognized token '{word}': was expecting {VALUE_EXPECTED}")),
        };
        self.pos += end;
        Ok(token)
    }

    fn number(&mut self) -> Lexed<Token> {
        let rest = self.text.as_bytes().get(self.pos..).unwrap_or(&[]);
        let Some(len) = crate::number::token_len(rest) else {
            let digits =
                rest.iter().take_while(|b| matches!(b, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E')).count();
            let seen = self.text.get(self.pos..self.pos + digits).unwrap_or("");
            return Err(format!("Invalid numeric value: `{seen}` is not a JSON number"));
        };
        let text = self.text.get(self.pos..self.pos + len).unwrap_or("").to_owned();
        self.pos += len;
        Ok(Token::Number(text))
    }

    /// Reads a string whose opening quote is at the position. A lone surrogate becomes `?`, as it does when Java
    /// turns it into bytes.
    fn string(&mut self) -> Lexed<String> {
        self.pos += 1;
        let rest = self.text.as_bytes().get(self.pos..).unwrap_or(&[]);
        let mut end = 0;
        loop {
            match rest.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b) if *b < 0x20 => {
                    self.pos += end;
                    return Err(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {b})): has to be escaped using backslash to be \
                         included in string value"
                    ));
                }
                Some(_) => end += 1,
                None => return Err("Unexpected end-of-input in a String value".to_owned()),
            }
        }
        let mut bytes = Vec::with_capacity(end);
        match crate::scan::unescape(rest.get(..end).unwrap_or(&[]), &mut bytes) {
            Ok(()) => self.pos += end + 1,
            Err(at) => {
                self.pos += at;
                return Err(self.unexpected("unrecognized character escape"));
            }
        }
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}
