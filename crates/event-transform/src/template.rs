//! `InputTransformer`: variables taken from the event, and the template they are put into.
//!
//! A template that starts with `"` is text: quotes stay where they are and values go in bare, objects and arrays without
//! their inner quotes. Every other template is JSON: outside strings a value takes its JSON form, inside strings its bare
//! one, unescaped; what is then no longer JSON is not delivered. A path the event does not have gives an empty string.
//!
//! Invariant: a parsed transformer names only variables it can resolve.

use std::borrow::Cow;

use crate::{
    Context, Event, JsonPath, NotDelivered, PATHS_MAX, RENDERED_BYTES_MAX, TEXT_CHARS_MAX, TransformError, json::Json,
};

const VARIABLE_CHARS_MAX: usize = 256;

/// A checked `InputPathsMap` and `InputTemplate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputTransformer {
    template: String,
    kind: Kind,
    paths: Vec<(String, JsonPath)>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value { source: Source, in_string: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// An index into `paths`.
    Path(usize),
    RuleArn,
    RuleName,
    IngestionTime,
    Event,
    EventJson,
}

const PREDEFINED: [(&str, Source); 5] = [
    ("aws.events.rule-arn", Source::RuleArn),
    ("aws.events.rule-name", Source::RuleName),
    ("aws.events.event.ingestion-time", Source::IngestionTime),
    ("aws.events.event", Source::Event),
    ("aws.events.event.json", Source::EventJson),
];

impl InputTransformer {
    /// Checks a transformer as `PutTargets` does. `paths` are pairs of variable and JSONPath.
    pub fn parse<'a>(
        paths: impl IntoIterator<Item = (&'a str, &'a str)>,
        template: &str,
    ) -> Result<Self, TransformError> {
        let paths: Vec<_> = paths.into_iter().collect();
        if paths.len() > PATHS_MAX {
            return Err(TransformError::TooManyPaths { paths: paths.len() });
        }
        let paths = paths
            .into_iter()
            .map(|(name, path)| Ok((check_name(name)?, JsonPath::parse(path)?)))
            .collect::<Result<Vec<_>, TransformError>>()?;
        let chars = template.chars().count();
        if chars > TEXT_CHARS_MAX {
            return Err(TransformError::TooLong { member: "InputTemplate", chars, chars_max: TEXT_CHARS_MAX });
        }
        if template.is_empty() {
            return Err(TransformError::EmptyTemplate);
        }
        let kind = if template.trim_start().starts_with('"') { Kind::Text } else { Kind::Json };
        let pieces = split(template, &paths)?;
        let transformer = Self { template: template.to_owned(), kind, paths, pieces };
        transformer.check_form()?;
        Ok(transformer)
    }

    /// The template as it was given.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The variables and their paths, in the order given.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths.iter().map(|(name, path)| (name.as_str(), path.as_str()))
    }

    /// A template must be sound before anything is filled in: with `null` for every value, JSON or a quoted string.
    fn check_form(&self) -> Result<(), TransformError> {
        let mut probe = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => probe.push_str(text),
                Piece::Value { .. } => probe.push_str("null"),
            }
        }
        let result = match self.kind {
            Kind::Text => Json::skip_string(&probe).map(drop),
            Kind::Json => Json::parse(&probe).map(drop),
        };
        result.map_err(|error| TransformError::InvalidTemplate { reason: error.to_string() })
    }

    pub(crate) fn render(&self, event: &Event, context: &Context<'_>) -> Result<String, NotDelivered> {
        let mut out = String::with_capacity(self.template.len() * 2);
        let mut culprit = None;
        for piece in &self.pieces {
            let (source, in_string) = match piece {
                Piece::Literal(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Value { source, in_string } => (*source, *in_string),
            };
            let value = self.resolve(source, event, context);
            let value = value.as_deref();
            if self.kind == Kind::Json && in_string && culprit.is_none() {
                culprit = self.breaks_string(source, value);
            }
            write_value(value, self.kind, in_string, &mut out);
            if out.len() > RENDERED_BYTES_MAX {
                return Err(NotDelivered::TooLarge);
            }
        }
        match self.kind {
            Kind::Text => Ok(out),
            Kind::Json => match Json::parse(&out) {
                Ok(_) => Ok(out),
                Err(error) => Err(NotDelivered::NotJson { text: out, reason: error.to_string(), culprit }),
            },
        }
    }

    fn resolve<'a>(&self, source: Source, event: &'a Event, context: &Context<'_>) -> Option<Cow<'a, Json>> {
        let text = |text: &str| Some(Cow::Owned(Json::String(text.to_owned())));
        match source {
            Source::Path(index) => self.paths.get(index).and_then(|(_, path)| path.select(event.root())),
            Source::RuleArn => text(context.rule_arn),
            Source::RuleName => text(context.rule_name),
            Source::IngestionTime => text(context.ingestion_time),
            Source::Event => Some(Cow::Owned(event.envelope())),
            Source::EventJson => Some(Cow::Borrowed(event.root())),
        }
    }

    /// Says why a value is trouble inside a JSON string, if it is.
    fn breaks_string(&self, source: Source, value: Option<&Json>) -> Option<String> {
        let name = match source {
            Source::Path(index) => self.paths.get(index).map(|(name, _)| name.as_str()),
            source => PREDEFINED.iter().find(|(_, predefined)| *predefined == source).map(|(name, _)| *name),
        }?;
        match value? {
            value if value.is_container() => {
                let what = if matches!(value, Json::Array(_)) { "a list" } else { "an object" };
                Some(format!("`<{name}>` is {what} inside a string; take it out of the quotes"))
            }
            Json::String(text) if text.contains(|c: char| c == '"' || c == '\\' || c < ' ') => {
                Some(format!("`<{name}>` holds a quote, backslash or line break and is not escaped inside a string"))
            }
            _ => None,
        }
    }
}

fn write_value(value: Option<&Json>, kind: Kind, in_string: bool, out: &mut String) {
    let bare = kind == Kind::Text || in_string;
    match value {
        None if bare => {}
        None => out.push_str("\"\""),
        Some(Json::String(text)) if bare => out.push_str(text),
        Some(value) if kind == Kind::Text && value.is_container() => {
            out.extend(value.to_text().chars().filter(|c| *c != '"'));
        }
        Some(value) => value.write(out),
    }
}

fn check_name(name: &str) -> Result<String, TransformError> {
    if name.starts_with("AWS") || PREDEFINED.iter().any(|(predefined, _)| *predefined == name) {
        return Err(TransformError::ReservedName { name: name.to_owned() });
    }
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > VARIABLE_CHARS_MAX || !name.bytes().all(in_name) {
        return Err(TransformError::InvalidName { name: name.to_owned() });
    }
    Ok(name.to_owned())
}

/// Cuts the template at its placeholders and notes which of them stand inside a quoted string.
fn split(template: &str, paths: &[(String, JsonPath)]) -> Result<Vec<Piece>, TransformError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if let Some((name, after)) = placeholder(rest) {
            let source = find_source(name, paths)?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Value { source, in_string });
            escaped = false;
            rest = after;
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        literal.push(c);
        rest = after;
    }
    pieces.push(Piece::Literal(literal));
    Ok(pieces)
}

/// The name of the placeholder that `text` starts with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!name.is_empty() && name.bytes().all(in_name)).then_some((name, after))
}

fn find_source(name: &str, paths: &[(String, JsonPath)]) -> Result<Source, TransformError> {
    // Of two entries with one name the later counts, as in the JSON object they come from.
    let defined = paths.iter().rposition(|(variable, _)| variable == name).map(Source::Path);
    let predefined = || PREDEFINED.iter().find(|(predefined, _)| *predefined == name).map(|(_, source)| *source);
    defined.or_else(predefined).ok_or_else(|| {
        let predefined = PREDEFINED.iter().map(|(name, _)| (*name).to_owned());
        let known = paths.iter().map(|(name, _)| name.clone()).chain(predefined).collect();
        TransformError::UndefinedPlaceholder { name: name.to_owned(), known }
    })
}
