//! YAML events to a JSON tree; short tags (`!Ref`, `!GetAtt` …) become their long form.
//!
//! Invariant: aliases and merge keys are refused, as CloudFormation refuses them, so a text cannot grow when read.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value as Json};

use super::scalar::plain;
use super::{DEPTH_MAX, Document, Fault};

/// Reads one YAML document.
pub(crate) fn read(text: &str) -> Result<Document, Fault> {
    let mut builder = Builder { parser: Parser::new_from_str(text), warnings: vec![] };
    let mut root = None;
    loop {
        let (event, span) = builder.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if root.is_some() => return Err(fault(&span, "a template is one YAML document, got a second one")),
            event => root = Some(builder.node(event, &span, 1)?),
        }
    }
    Ok(Document { root: root.unwrap_or(Json::Null), warnings: builder.warnings })
}

/// The long form's key for a short tag: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`; `None` for YAML's own tags.
pub(crate) fn long_key(tag: &Tag) -> Option<String> {
    if tag.handle != "!" || tag.suffix.is_empty() {
        return None;
    }
    match tag.suffix.as_str() {
        "Ref" | "Condition" => Some(tag.suffix.clone()),
        suffix => Some(format!("Fn::{suffix}")),
    }
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    warnings: Vec<Fault>,
}

fn fault(span: &Span, message: impl Into<String>) -> Fault {
    Fault { line: span.start.line(), column: span.start.col() + 1, message: message.into() }
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(Fault {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                message: error.info().to_owned(),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Json, Fault> {
        if depth > DEPTH_MAX {
            return Err(fault(span, format!("nested more than {DEPTH_MAX} levels deep")));
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = if is_text { Json::String(text.into_owned()) } else { plain(&text) };
                tagged(tag.as_deref(), value, span)
            }
            Event::SequenceStart(_, tag) => {
                let depth = depth + usize::from(tag.is_some());
                let mut items = vec![];
                loop {
                    let (event, span) = self.next()?;
                    match event {
                        Event::SequenceEnd => break,
                        Event::StreamEnd => return Err(fault(&span, "the text ends inside a list")),
                        event => items.push(self.node(event, &span, depth + 1)?),
                    }
                }
                tagged(tag.as_deref(), Json::Array(items), span)
            }
            Event::MappingStart(_, tag) => {
                let depth = depth + usize::from(tag.is_some());
                let members = self.mapping(depth)?;
                tagged(tag.as_deref(), Json::Object(members), span)
            }
            Event::Alias(_) => {
                Err(fault(span, "aliases (`*name`) are not supported by CloudFormation; write the value out"))
            }
            _ => Err(fault(span, "expected a value")),
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Map<String, Json>, Fault> {
        let mut members = Map::new();
        loop {
            let (event, key_span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(members),
                Event::StreamEnd => return Err(fault(&key_span, "the text ends inside a mapping")),
                Event::Scalar(key, _, _, None) => key.into_owned(),
                _ => return Err(fault(&key_span, "a key must be plain text")),
            };
            if key == "<<" {
                return Err(fault(&key_span, "merge keys (`<<`) are not supported by CloudFormation"));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            if members.contains_key(&key) {
                self.warnings.push(fault(&key_span, format!("`{key}` is given twice here; the last one counts")));
            }
            members.insert(key, value);
        }
    }
}

fn tagged(tag: Option<&Tag>, value: Json, span: &Span) -> Result<Json, Fault> {
    let Some(tag) = tag else { return Ok(value) };
    if let Some(key) = long_key(tag) {
        let value = match value {
            Json::String(text) if key == "Fn::GetAtt" => match text.split_once('.') {
                Some((resource, attribute)) => Json::Array(vec![resource.into(), attribute.into()]),
                None => Json::String(text),
            },
            value => value,
        };
        return Ok(Json::Object(Map::from_iter([(key, value)])));
    }
    match tag.suffix.as_str() {
        "" | "str" | "int" | "float" | "bool" | "null" | "map" | "seq" => Ok(value),
        _ => Err(fault(span, format!("the tag `{tag}` is not supported by CloudFormation"))),
    }
}
