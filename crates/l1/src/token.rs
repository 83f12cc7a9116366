//! Tokens: values that only deployment knows, and how they travel inside ordinary strings.
//!
//! A token is pure data, so its text form (`${Token[Ref:12]}`) carries all of it: `format!("{arn}/*")` works on tokens, needs no
//! registry and no global state, and [`parts`] finds the tokens again.
//!
//! JSON that may hold tokens is declared here too, since a token may hold it in turn.
//!
//! Invariant: `parts(&token.to_string())` is that token, for every token.

use std::borrow::Cow;
use std::fmt;

const OPEN: &str = "${Token[";
const CLOSE: &str = "]}";

/// A JSON value in which any value may be a [`Token`] and any string may embed tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// Left out where it stands in an object.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string, maybe with embedded tokens.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; the order is kept.
    Map(Vec<(String, Json)>),
    /// A value that only deployment knows.
    Token(Token),
}

/// A resource of the tree the token was made in. Opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub u64);

/// What a `Ref` or `Fn::GetAtt` points at.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A resource whose logical id is not known before synthesis.
    Resource(ResourceId),
    /// A logical id or pseudo parameter, as it stands in the template.
    Name(Cow<'static, str>),
}

/// A value that only deployment knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `{"Ref": target}`.
    Ref(Target),
    /// `{"Fn::GetAtt": [target, attribute]}`.
    GetAtt(Target, Cow<'static, str>),
    /// `{"Fn::Name": argument}`; the name is complete (`Fn::Select`).
    Call(Cow<'static, str>, Box<Json>),
    /// A path into the event that a rule passes to its target (`$.detail.command`). It has a value only inside a target's input.
    EventPath(Cow<'static, str>),
}

impl Token {
    /// A pseudo parameter such as `AWS::Region`.
    pub const fn pseudo(name: &'static str) -> Self {
        Self::Ref(Target::Name(Cow::Borrowed(name)))
    }

    /// An intrinsic function.
    pub fn call(name: &'static str, argument: Json) -> Self {
        Self::Call(Cow::Borrowed(name), Box::new(argument))
    }

    /// The token whose text is exactly this.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
        let mut fields = body.split(':');
        let kind = fields.next()?;
        let first = unescape(fields.next()?)?;
        let token = match kind {
            "Ref" => Self::Ref(target(&first)?),
            "GetAtt" => Self::GetAtt(target(&first)?, unescape(fields.next()?)?.into()),
            "Call" => {
                let argument = serde_json::from_str(&unescape(fields.next()?)?).ok()?;
                Self::Call(first.into(), Box::new(Json::from_plain(argument)))
            }
            "EventPath" => Self::EventPath(first.into()),
            _ => return None,
        };
        fields.next().is_none().then_some(token)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ref(target) => write!(f, "{OPEN}Ref:{}{CLOSE}", escape(&target_text(target))),
            Self::GetAtt(target, attribute) => {
                write!(f, "{OPEN}GetAtt:{}:{}{CLOSE}", escape(&target_text(target)), escape(attribute))
            }
            Self::Call(name, argument) => {
                write!(f, "{OPEN}Call:{}:{}{CLOSE}", escape(name), escape(&argument.to_plain().to_string()))
            }
            Self::EventPath(path) => write!(f, "{OPEN}EventPath:{}{CLOSE}", escape(path)),
        }
    }
}

fn target_text(target: &Target) -> String {
    match target {
        Target::Resource(id) => format!("#{}", id.0),
        Target::Name(name) => name.to_string(),
    }
}

fn target(text: &str) -> Option<Target> {
    Some(match text.strip_prefix('#') {
        Some(id) => Target::Resource(ResourceId(id.parse().ok()?)),
        None => Target::Name(text.to_owned().into()),
    })
}

/// Percent-encodes all but letters, digits and a few harmless marks, so that no escaped text holds `:`, `]` or `"`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'$' | b'#') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

/// A piece of a string: text, or a token that was embedded in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'a> {
    /// Plain text, not empty.
    Text(&'a str),
    /// An embedded token.
    Token(Token),
}

/// Takes a string apart into text and embedded tokens.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    while let Some(at) = rest.get(searched..).and_then(|tail| tail.find(OPEN)).map(|at| at + searched) {
        let end = rest.get(at..).and_then(|tail| tail.find(CLOSE)).map(|end| at + end + CLOSE.len());
        let token = end.and_then(|end| Some((end, Token::parse(rest.get(at..end)?)?)));
        let Some((end, token)) = token else {
            searched = at + OPEN.len();
            continue;
        };
        let (before, _) = rest.split_at(at);
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Token(token));
        rest = rest.get(end..).unwrap_or_default();
        searched = 0;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Part, ResourceId, Target, Token, parts};
    use crate::Json;

    fn samples() -> Vec<Token> {
        let reference = Token::Ref(Target::Resource(ResourceId(7)));
        vec![
            reference.clone(),
            Token::pseudo("AWS::Region"),
            Token::GetAtt(Target::Resource(ResourceId(0)), "Outputs.a:b]}".into()),
            Token::EventPath("$.detail['a b'].${Token[".into()),
            Token::call("Fn::Select", Json::list([Json::from(1), Json::Token(reference.clone())])),
            Token::call("Fn::Sub", Json::from(format!("a-{reference}-ä"))),
        ]
    }

    #[test]
    fn every_token_survives_its_text() {
        for token in samples() {
            assert_eq!(parts(&token.to_string()), vec![Part::Token(token)]);
        }
    }

    #[test]
    fn tokens_are_found_between_text_and_false_openings_are_text() {
        let region = Token::pseudo("AWS::Region");
        assert_eq!(
            parts(&format!("${{Token[nonsense]}}:{region}{region}/x")),
            vec![Part::Text("${Token[nonsense]}:"), Part::Token(region.clone()), Part::Token(region), Part::Text("/x")]
        );
        assert_eq!(parts("${Token["), vec![Part::Text("${Token[")]);
        assert_eq!(parts(""), vec![]);
    }
}
