//! rest-json: members in the path, the query string and headers, the others in a JSON body.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>.
//!
//! Invariant: a member is read from and written to the one place that its descriptor names.

use neargate_shape::{
    Kind, Location, Member, OperationShape, ServiceShape, ShapeError, Value, from_message, to_message,
};
use serde_json::{Value as Json, json};

use crate::awsjson;
use crate::codec::{Codec, DecodeError, Decoded};
use crate::form::{parse_form, percent_decode, percent_encode};
use crate::message::{Answer, Fault, Outgoing, Request, Response};
use crate::size::check_json;
use crate::xml_value::{from_text, to_text};

const CONTENT_TYPE: &str = "application/json";

#[derive(Debug)]
pub(crate) struct RestJson;

impl Codec for RestJson {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        let shape = (operation.input)();
        let mut unknown = Vec::new();
        let mut members = body(operation.input, request.body, &mut unknown)?;
        let labels = labels(operation.http_uri, request.path);
        let pairs = parse_form(request.query.as_bytes());
        for member in shape.members() {
            let name = member.message_name();
            let texts: Vec<String> = match member.location {
                Location::Uri => {
                    labels.iter().filter(|(label, _)| *label == name).map(|(_, text)| text.clone()).collect()
                }
                Location::Query => pairs.iter().filter(|(key, _)| key == name).map(|(_, text)| text.clone()).collect(),
                Location::Header => request.header(name).into_iter().map(str::to_owned).collect(),
                Location::Headers => {
                    members.extend(prefixed(member, request.headers));
                    continue;
                }
                Location::Body | Location::Payload | Location::StatusCode => continue,
            };
            let value = from_texts(member, &texts).map_err(|error| error.under(member.name))?;
            members.extend(value.map(|value| (member.name, value)));
        }
        let asked =
            |key: &str| shape.members().iter().any(|m| m.location == Location::Query && m.message_name() == key);
        let fixed = operation.http_uri.split_once('?').map_or("", |(_, query)| query);
        let fixed = parse_form(fixed.as_bytes());
        let ignored =
            pairs.iter().filter(|pair| !asked(&pair.0) && !fixed.contains(pair) && !pair.0.starts_with("X-Amz-"));
        unknown.extend(ignored.map(|(key, _)| key.clone()));
        Ok(Decoded { value: Value::Structure(members), unknown })
    }

    fn refusal(&self, error: &DecodeError) -> Fault {
        awsjson::refusal(error)
    }

    fn encode_response(
        &self,
        _: &ServiceShape,
        operation: &OperationShape,
        output: &Value,
        request_id: &str,
    ) -> Response {
        let shape = (operation.output)();
        let mut response = Response {
            status: operation.http_status,
            headers: vec![("content-type", CONTENT_TYPE.to_owned()), ("x-amzn-requestid", request_id.to_owned())],
            body: write_body(operation.output, output),
        };
        for member in shape.members() {
            let Some(value) = output.get(member.name) else { continue };
            match (member.location, value) {
                (Location::Header, value) => {
                    response.headers.push((member.message_name(), to_texts(member, value).join(",")))
                }
                (Location::StatusCode, Value::Long(status)) => {
                    response.status = u16::try_from(*status).unwrap_or(operation.http_status);
                }
                _ => {}
            }
        }
        response
    }

    fn encode_error(&self, _: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        let kind = if fault.is_sender() { "User" } else { "Server" };
        Response {
            status: fault.status,
            headers: vec![
                ("content-type", CONTENT_TYPE.to_owned()),
                ("x-amzn-errortype", fault.code.clone()),
                ("x-amzn-requestid", request_id.to_owned()),
            ],
            body: json!({"Type": kind, "message": fault.message}).to_string().into_bytes(),
        }
    }

    fn encode_request(&self, _: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        let (template, fixed) = operation.http_uri.split_once('?').unwrap_or((operation.http_uri, ""));
        let mut path = template.to_owned();
        let mut query: Vec<String> = if fixed.is_empty() { vec![] } else { vec![fixed.to_owned()] };
        let mut headers = vec![("content-type".to_owned(), CONTENT_TYPE.to_owned())];
        for member in (operation.input)().members() {
            let Some(value) = input.get(member.name) else { continue };
            let name = member.message_name();
            let texts = to_texts(member, value);
            match (member.location, value) {
                (Location::Uri, _) => {
                    let text = texts.concat();
                    path = path.replace(&format!("{{{name}}}"), &percent_encode(&text, ""));
                    path = path.replace(&format!("{{{name}+}}"), &percent_encode(&text, "/"));
                }
                (Location::Query, _) => {
                    query.extend(
                        texts.iter().map(|text| format!("{}={}", percent_encode(name, ""), percent_encode(text, ""))),
                    );
                }
                (Location::Header, _) => headers.push((name.to_owned(), texts.join(","))),
                (Location::Headers, Value::Map(entries)) => headers.extend(
                    entries
                        .iter()
                        .filter_map(|(key, value)| Some((format!("{name}{key}"), value.as_str()?.to_owned()))),
                ),
                _ => {}
            }
        }
        let body = write_body(operation.input, input);
        Outgoing { method: operation.http_method, path, query: query.join("&"), headers, body }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        let mut members = body(operation.output, answer.body, &mut Vec::new())?;
        for member in (operation.output)().members() {
            let texts: Vec<String> = match member.location {
                Location::Header => answer.header(member.message_name()).into_iter().map(str::to_owned).collect(),
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
        Ok(Value::Structure(members))
    }

    fn decode_error(&self, answer: &Answer<'_>) -> Fault {
        awsjson::error(answer)
    }
}

type Members = Vec<(&'static str, Value)>;

/// The members that lie in the body.
fn body(
    shape: fn() -> &'static neargate_shape::Shape,
    bytes: &[u8],
    unknown: &mut Vec<String>,
) -> Result<Members, DecodeError> {
    let Some(payload) = shape().members().iter().find(|member| member.location == Location::Payload) else {
        check_json(bytes)?;
        let value = from_message(shape(), awsjson::parse(bytes)?, unknown)?;
        return Ok(if let Value::Structure(members) = value { members } else { Vec::new() });
    };
    let inner = payload.shape.get();
    let value = match inner.kind {
        _ if bytes.is_empty() => Value::Null,
        Kind::Blob => Value::Blob(bytes.to_vec()),
        Kind::String => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        _ => {
            check_json(bytes)?;
            from_message(inner, awsjson::parse(bytes)?, unknown)?
        }
    };
    Ok(if value.is_null() { Vec::new() } else { vec![(payload.name, value)] })
}

fn write_body(shape: fn() -> &'static neargate_shape::Shape, value: &Value) -> Vec<u8> {
    let payload = shape().members().iter().find(|member| member.location == Location::Payload);
    match (payload, payload.and_then(|payload| value.get(payload.name))) {
        (None, _) => match to_message(shape(), value) {
            Json::Object(object) if object.is_empty() => Vec::new(),
            json => json.to_string().into_bytes(),
        },
        (Some(_), None) => Vec::new(),
        (Some(_), Some(Value::Blob(bytes))) => bytes.clone(),
        (Some(_), Some(Value::String(text))) => text.clone().into_bytes(),
        (Some(payload), Some(value)) => to_message(payload.shape.get(), value).to_string().into_bytes(),
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
        (Kind::List { member, .. }, Value::List(items)) => {
            items.iter().map(|item| to_text(member.get().kind, item)).collect()
        }
        (kind, value) => vec![to_text(kind, value)],
    }
}
