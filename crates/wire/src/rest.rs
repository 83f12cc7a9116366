//! What the rest protocols share: members in the path, the query string, headers and the status.
//!
//! Follows <https://smithy.io/2.0/spec/http-bindings.html>.
//!
//! Invariant: a member is read from and written to the one place that its descriptor names.

use std::borrow::Cow;

use neargate_shape::{Kind, Location, Member, OperationShape, Shape, ShapeError, TimestampFormat, Value};

use crate::codec::DecodeError;
use crate::form::{parse_form, percent_decode, percent_encode};
use crate::message::{Answer, Body, Request, Response};
use crate::xml_value::{from_text, to_text};

pub(crate) type Members = Vec<(&'static str, Value)>;

/// The parts of a request that lie outside its body.
pub(crate) struct Head {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Reads the members of a request that lie outside its body; parameters of the query string that nobody takes are unknown.
pub(crate) fn read_request(
    operation: &OperationShape,
    request: &Request<'_>,
    members: &mut Members,
    unknown: &mut Vec<String>,
) -> Result<(), DecodeError> {
    let all = (operation.input)().members();
    let labels = labels(operation.http_uri, request.path);
    let pairs = parse_form(request.query.as_bytes());
    let fixed = operation.http_uri.split_once('?').map_or("", |(_, query)| query);
    let fixed = parse_form(fixed.as_bytes());
    let named = |key: &str| all.iter().any(|m| m.location == Location::Query && m.message_name() == key);
    let is_free = |(key, text): &(String, String)| {
        let of_protocol = fixed.iter().any(|(fixed, value)| fixed == key && (value == text || value.is_empty()));
        !named(key) && !of_protocol && !key.starts_with("X-Amz-") && key != "x-id"
    };
    let mut takes_all = false;
    for member in all {
        let name = member.message_name();
        let texts: Vec<String> = match member.location {
            Location::Uri => labels.iter().filter(|(label, _)| *label == name).map(|(_, text)| text.clone()).collect(),
            Location::Query if matches!(member.shape.get().kind, Kind::Map { .. }) => {
                takes_all = true;
                let entries: Vec<_> = pairs.iter().filter(|pair| is_free(pair)).cloned().collect();
                let entries = entries.into_iter().map(|(key, text)| (key, Value::String(text))).collect::<Vec<_>>();
                members.extend((!entries.is_empty()).then_some((member.name, Value::Map(entries))));
                continue;
            }
            Location::Query => pairs.iter().filter(|(key, _)| key == name).map(|(_, text)| text.clone()).collect(),
            Location::Header => header_texts(member, request.header(name)),
            Location::Headers => {
                members.extend(prefixed(member, request.headers));
                continue;
            }
            Location::Body | Location::Payload | Location::StatusCode => continue,
        };
        let value = from_texts(member, &texts).map_err(|error| error.under(member.name))?;
        members.extend(value.map(|value| (member.name, value)));
    }
    if !takes_all {
        unknown.extend(pairs.iter().filter(|pair| is_free(pair)).map(|(key, _)| key.clone()));
    }
    Ok(())
}

/// Writes what lies outside the body of a request.
pub(crate) fn write_request(operation: &OperationShape, input: &Value) -> Head {
    let (template, fixed) = operation.http_uri.split_once('?').unwrap_or((operation.http_uri, ""));
    let mut path = template.to_owned();
    let mut query: Vec<String> = if fixed.is_empty() { vec![] } else { vec![fixed.to_owned()] };
    let mut headers = Vec::new();
    for member in (operation.input)().members() {
        let Some(value) = input.get(member.name) else { continue };
        let name = member.message_name();
        let pair = |key: &str, text: &str| format!("{}={}", percent_encode(key, ""), percent_encode(text, ""));
        match (member.location, value) {
            (Location::Uri, _) => {
                let text = to_texts(member, value).concat();
                path = path.replace(&format!("{{{name}}}"), &percent_encode(&text, ""));
                path = path.replace(&format!("{{{name}+}}"), &percent_encode(&text, "/"));
            }
            (Location::Query, Value::Map(entries)) => {
                query.extend(entries.iter().filter_map(|(key, value)| Some(pair(key, value.as_str()?))));
            }
            (Location::Query, _) => query.extend(to_texts(member, value).iter().map(|text| pair(name, text))),
            (Location::Header, _) => {
                headers.extend(header_text(member, value).map(|text| (name.to_owned(), text)));
            }
            (Location::Headers, Value::Map(entries)) => {
                headers.extend(
                    entries
                        .iter()
                        .filter_map(|(key, value)| Some((format!("{name}{key}"), value.as_str()?.to_owned()))),
                );
            }
            _ => {}
        }
    }
    Head { path, query: query.join("&"), headers }
}

/// Reads the members of an answer that lie outside its body.
pub(crate) fn read_answer(
    operation: &OperationShape,
    answer: &Answer<'_>,
    members: &mut Members,
) -> Result<(), ShapeError> {
    for member in (operation.output)().members() {
        let texts: Vec<String> = match member.location {
            Location::Header => header_texts(member, answer.header(member.message_name())),
            Location::StatusCode => vec![answer.status.to_string()],
            Location::Headers => {
                members.extend(prefixed(member, answer.headers));
                continue;
            }
            _ => continue,
        };
        let value = from_texts(member, &texts).map_err(|error| error.under(member.name))?;
        members.extend(value.map(|value| (member.name, value)));
    }
    Ok(())
}

/// Writes what lies outside the body of an answer.
pub(crate) fn write_answer(operation: &OperationShape, output: &Value, response: &mut Response) {
    for member in (operation.output)().members() {
        let Some(value) = output.get(member.name) else { continue };
        match (member.location, value) {
            (Location::Header, value) => {
                response.headers.extend(header_text(member, value).map(|text| (lower(member.message_name()), text)));
            }
            (Location::Headers, Value::Map(entries)) => {
                let prefix = member.message_name();
                response.headers.extend(entries.iter().filter_map(|(key, value)| {
                    let name = format!("{prefix}{key}").to_ascii_lowercase();
                    Some((Cow::Owned(name), value.as_str()?.to_owned()))
                }));
            }
            (Location::StatusCode, Value::Long(status)) => {
                response.status = u16::try_from(*status).unwrap_or(operation.http_status);
            }
            _ => {}
        }
    }
}

/// The member that is the whole body.
pub(crate) fn payload(shape: &Shape) -> Option<&'static Member> {
    shape.members().iter().find(|member| member.location == Location::Payload)
}

/// A payload that is bytes or text, as it is; `None` for one that has a structure.
pub(crate) fn read_raw(payload: &Member, bytes: &[u8]) -> Option<Value> {
    match payload.shape.get().kind {
        Kind::Blob => Some(Value::Blob(bytes.to_vec())),
        Kind::String => Some(Value::String(String::from_utf8_lossy(bytes).into_owned())),
        _ => None,
    }
}

/// The body of a payload that is bytes or text; `None` for one that has a structure.
pub(crate) fn write_raw(value: &Value) -> Option<Body> {
    match value {
        Value::Blob(bytes) => Some(Body::Whole(bytes.clone())),
        Value::String(text) => Some(Body::Whole(text.clone().into_bytes())),
        Value::Stored(stored) => Some(Body::Stored(stored.clone())),
        _ => None,
    }
}

fn lower(name: &'static str) -> Cow<'static, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The labels of a path template, and what stands in their places.
fn labels<'t>(template: &'t str, path: &str) -> Vec<(&'t str, String)> {
    let template = template.split('?').next().unwrap_or_default();
    let mut rest = path;
    let mut found = Vec::new();
    for wanted in template.split('/') {
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(label) = wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) {
            if let Some(label) = label.strip_suffix('+') {
                found.push((label, percent_decode(rest)));
                return found;
            }
            found.push((label, percent_decode(segment)));
        }
        rest = after;
    }
    found
}

/// A map of all headers with a member's prefix.
fn prefixed(member: &Member, headers: &[(&str, &str)]) -> Option<(&'static str, Value)> {
    let prefix = member.message_name();
    let entry = |(name, text): &(&str, &str)| {
        let (start, key) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then(|| (key.to_owned(), Value::String((*text).to_owned())))
    };
    let entries: Vec<_> = headers.iter().filter_map(entry).collect();
    (!entries.is_empty()).then_some((member.name, Value::Map(entries)))
}

/// The kind of a member's value, with the format that timestamps have in that place.
fn kind(kind: Kind, location: Location) -> Kind {
    match (kind, location) {
        (Kind::Timestamp(None), Location::Header) => Kind::Timestamp(Some(TimestampFormat::Rfc822)),
        (Kind::Timestamp(None), _) => Kind::Timestamp(Some(TimestampFormat::Iso8601)),
        (kind, _) => kind,
    }
}

/// A member outside the body; a list has a text for each item.
fn from_texts(member: &Member, texts: &[String]) -> Result<Option<Value>, ShapeError> {
    match (member.shape.get().kind, texts) {
        (_, []) => Ok(None),
        (Kind::List { member, .. }, texts) => texts
            .iter()
            .map(|text| from_text(member.get().kind, text))
            .collect::<Result<_, _>>()
            .map(|items| Some(Value::List(items))),
        (kind, [text, ..]) => from_text(kind, text).map(Some),
    }
}

fn to_texts(member: &Member, value: &Value) -> Vec<String> {
    match (member.shape.get().kind, value) {
        (Kind::List { member: item, .. }, Value::List(items)) => {
            items.iter().map(|value| to_text(kind(item.get().kind, member.location), value)).collect()
        }
        (of, value) => vec![to_text(kind(of, member.location), value)],
    }
}

/// A header's text; `None` for an empty list, which has no header.
fn header_text(member: &Member, value: &Value) -> Option<String> {
    let texts = to_texts(member, value);
    let Kind::List { member: item, .. } = member.shape.get().kind else { return texts.into_iter().next() };
    let of_text = matches!(item.get().kind, Kind::String);
    let quoted = texts.into_iter().map(|text| {
        let plain = !of_text || !text.contains(['"', ',']);
        if plain { text } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
    });
    let quoted: Vec<String> = quoted.collect();
    (!quoted.is_empty()).then(|| quoted.join(","))
}

/// The items of a header that is a list, or the whole header.
fn header_texts(member: &Member, text: Option<&str>) -> Vec<String> {
    let Some(text) = text else { return Vec::new() };
    let Kind::List { member: item, .. } = member.shape.get().kind else { return vec![text.to_owned()] };
    let mut items = split_header(text);
    if matches!(kind(item.get().kind, Location::Header), Kind::Timestamp(Some(TimestampFormat::Rfc822))) {
        // Each of these has a comma of its own.
        items = items.chunks(2).map(|halves| halves.join(", ")).collect();
    }
    items
}

/// Splits at commas outside quotes; quotes and the backslashes inside them go.
fn split_header(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        match letter {
            ',' if !quoted => {
                items.push(String::new());
                continue;
            }
            '"' if !escaped => {
                quoted = !quoted;
                continue;
            }
            '\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            _ => escaped = false,
        }
        if let Some(item) = items.last_mut() {
            item.push(letter);
        }
    }
    items.iter().map(|item| item.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{labels, split_header};

    #[test]
    fn lists_in_headers_are_split_outside_quotes() {
        let cases: &[(&str, &[&str])] = &[
            ("a", &["a"]),
            ("a,b , c", &["a", "b", "c"]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""a\"b", "c\\d""#, &["a\"b", "c\\d"]),
            ("a,,b", &["a", "", "b"]),
            (r#""a,b"#, &["a,b"]),
        ];
        for (text, expected) in cases {
            assert_eq!(split_header(text), *expected, "{text}");
        }
    }

    #[test]
    fn a_greedy_label_takes_the_rest_as_it_is() {
        let found = labels("/{Bucket}/{Key+}?x", "/b%2Fc//a/../b%20/");
        assert_eq!(found, [("Bucket", "b/c".to_owned()), ("Key", "/a/../b /".to_owned())]);
    }
}
