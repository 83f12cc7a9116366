//! rest-xml, and S3's dialect of it: members in the path, the query string and headers, the others in an XML body.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html> and `/customizations/s3-customizations.html`. S3 has its
//! errors without an element around them, other names for the request's id, and may send an error after the status of a success.
//!
//! Invariant: nothing reads more elements than are counted beforehand.

use neargate_base::BlobRef;
use neargate_shape::{Location, OperationShape, ServiceShape, Shape, Value};

use crate::codec::{Codec, DecodeError, Decoded};
use crate::message::{Answer, Body, Fault, Outgoing, Request, Response};
use crate::rest::{self, Members};
use crate::size::check_xml;
use crate::xml::{Element, Writer};
use crate::xml_value::{read_members, unknown_members, write_attributes, write_members};

const CONTENT_TYPE: &str = "application/xml";
const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    RestXml,
    S3,
}

#[derive(Debug)]
pub(crate) struct RestXml {
    pub(crate) dialect: Dialect,
}

impl Codec for RestXml {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        let mut unknown = Vec::new();
        let mut members = self.read_body((operation.input)(), request.body, &mut unknown)?;
        rest::read_request(operation, request, &mut members, &mut unknown)?;
        Ok(Decoded { value: Value::Structure(members), unknown })
    }

    fn decode_stored(
        &self,
        operation: &OperationShape,
        head: &Request<'_>,
        body: BlobRef,
    ) -> Result<Decoded, DecodeError> {
        let payload = rest::payload((operation.input)()).filter(|payload| payload.streaming);
        let payload = payload.ok_or(DecodeError::NotStreaming)?;
        let mut members = vec![(payload.name, Value::Stored(body.into()))];
        let mut unknown = Vec::new();
        rest::read_request(operation, head, &mut members, &mut unknown)?;
        Ok(Decoded { value: Value::Structure(members), unknown })
    }

    fn refusal(&self, error: &DecodeError) -> Fault {
        match (self.dialect, error) {
            (Dialect::S3, DecodeError::Malformed(_)) => Fault::sender(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            ),
            (Dialect::S3, DecodeError::Shape(error)) => Fault::sender("InvalidArgument", error.message()),
            (_, DecodeError::Malformed(text)) => Fault::sender("MalformedInput", text.clone()),
            (_, DecodeError::Shape(error)) => Fault::sender("MalformedInput", error.message()),
            (_, DecodeError::NotStreaming) => {
                Fault::sender("RequestEntityTooLarge", error.to_string()).with_status(413)
            }
        }
    }

    fn encode_response(
        &self,
        service: &ServiceShape,
        operation: &OperationShape,
        output: &Value,
        request_id: &str,
    ) -> Response {
        let body = self.write_body(service, operation, output);
        let mut headers = vec![self.request_id(request_id)];
        if body.is_xml {
            headers.insert(0, ("content-type".into(), CONTENT_TYPE.to_owned()));
        }
        let mut response = Response { status: operation.http_status, headers, body: body.body };
        rest::write_answer(operation, output, &mut response);
        response
    }

    fn encode_error(&self, service: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        let mut writer = Writer::default();
        writer.raw(PROLOGUE);
        match self.dialect {
            Dialect::RestXml => {
                writer.open("ErrorResponse", &namespace(service));
                writer.open("Error", "");
                writer.leaf("Type", if fault.is_sender() { "Sender" } else { "Receiver" });
                writer.leaf("Code", &fault.code);
                writer.leaf("Message", &fault.message);
                writer.close("Error");
                writer.leaf("RequestId", request_id);
                writer.close("ErrorResponse");
            }
            Dialect::S3 => {
                writer.open("Error", "");
                writer.leaf("Code", &fault.code);
                writer.leaf("Message", &fault.message);
                writer.leaf("RequestId", request_id);
                writer.close("Error");
            }
        }
        let headers = vec![("content-type".into(), CONTENT_TYPE.to_owned()), self.request_id(request_id)];
        Response { status: fault.status, headers, body: Body::Whole(writer.finish()) }
    }

    fn encode_request(&self, service: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        let shape = (operation.input)();
        let head = rest::write_request(operation, input);
        let payload = rest::payload(shape);
        let body = match (payload, payload.and_then(|payload| input.get(payload.name))) {
            (Some(_), None) => Vec::new(),
            (Some(payload), Some(value)) => match rest::write_raw(value) {
                Some(body) => body.whole().unwrap_or_default().to_vec(),
                None => document(root(payload), payload.shape.get(), value, &namespace(service)),
            },
            (None, _) if has_body(shape, input) => {
                let name = if operation.request_root.is_empty() { shape.name } else { operation.request_root };
                document(name, shape, input, &namespace(service))
            }
            (None, _) => Vec::new(),
        };
        let rest::Head { path, query, headers } = head;
        Outgoing { method: operation.http_method, path, query, headers, body }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        let mut members = self.read_body((operation.output)(), answer.body, &mut Vec::new())?;
        rest::read_answer(operation, answer, &mut members)?;
        Ok(Value::Structure(members))
    }

    fn decode_error(&self, answer: &Answer<'_>) -> Fault {
        let root = parse(answer.body).unwrap_or_default();
        let error = root.descendant("Error").unwrap_or(&root);
        let text = |name: &str| error.child(name).map(|child| child.text.clone());
        Fault {
            code: text("Code").unwrap_or_else(|| "Unknown".to_owned()),
            message: text("Message").unwrap_or_default(),
            status: answer.status,
        }
    }

    fn late_error(&self, answer: &Answer<'_>) -> Option<Fault> {
        let begin = answer.body.get(..1024).unwrap_or(answer.body);
        let is_error = begin.windows(7).any(|window| window == b"<Error>");
        let is_root = is_error && parse(answer.body).is_ok_and(|root| root.name == "Error");
        (self.dialect == Dialect::S3 && is_root).then(|| self.decode_error(answer))
    }
}

struct Written {
    body: Body,
    is_xml: bool,
}

impl RestXml {
    fn request_id(&self, request_id: &str) -> (std::borrow::Cow<'static, str>, String) {
        let name = if self.dialect == Dialect::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
        (name.into(), request_id.to_owned())
    }

    /// The members that lie in the body.
    fn read_body(&self, shape: &Shape, bytes: &[u8], unknown: &mut Vec<String>) -> Result<Members, DecodeError> {
        let payload = rest::payload(shape);
        if bytes.is_empty() {
            // An empty body is an empty blob where there is one at all.
            return Ok(Vec::new());
        }
        if let Some(value) = payload.and_then(|payload| Some((payload.name, rest::read_raw(payload, bytes)?))) {
            return Ok(vec![value]);
        }
        if payload.is_none() && !shape.members().iter().any(|member| member.location == Location::Body) {
            return Ok(Vec::new());
        }
        check_xml(bytes)?;
        let root = parse(bytes)?;
        let inner = payload.map_or(shape, |payload| payload.shape.get());
        if self.is_unwrapped(inner, &root) {
            return Ok(unwrapped(inner, &root).into_iter().collect());
        }
        let value = read_members(inner, &root)?;
        unknown_members(inner, &root, "", unknown);
        Ok(match (payload, value) {
            (Some(payload), value) => vec![(payload.name, value)],
            (None, Value::Structure(members)) => members,
            (None, _) => Vec::new(),
        })
    }

    fn write_body(&self, service: &ServiceShape, operation: &OperationShape, output: &Value) -> Written {
        let shape = (operation.output)();
        let payload = rest::payload(shape);
        let (name, inner, value) = match (payload, payload.and_then(|payload| output.get(payload.name))) {
            (Some(_), None) => return Written { body: Body::default(), is_xml: false },
            (Some(payload), Some(value)) => match rest::write_raw(value) {
                Some(body) => return Written { body, is_xml: false },
                None => (root(payload).to_owned(), payload.shape.get(), value),
            },
            (None, _) if !shape.members().iter().any(|member| member.location == Location::Body) => {
                return Written { body: Body::default(), is_xml: false };
            }
            (None, _) if operation.response_root.is_empty() => (format!("{}Response", operation.name), shape, output),
            (None, _) => (operation.response_root.to_owned(), shape, output),
        };
        let mut body = PROLOGUE.as_bytes().to_vec();
        body.extend(match self.only_member(inner, &name) {
            Some(member) => {
                let mut writer = Writer::default();
                writer.open(&name, &namespace(service));
                writer.text(value.get(member).and_then(Value::as_str).unwrap_or_default());
                writer.close(&name);
                writer.finish()
            }
            None => document(&name, inner, value, &namespace(service)),
        });
        Written { body: Body::Whole(body), is_xml: true }
    }

    /// In S3's dialect, the member of a structure whose root element has that member's name and text: GetBucketLocation's.
    fn only_member(&self, shape: &Shape, root: &str) -> Option<&'static str> {
        match shape.members() {
            [member] if self.dialect == Dialect::S3 && member.message_name() == root => Some(member.name),
            _ => None,
        }
    }

    fn is_unwrapped(&self, shape: &Shape, root: &Element) -> bool {
        root.children.is_empty() && self.only_member(shape, &root.name).is_some()
    }
}

fn unwrapped(shape: &Shape, root: &Element) -> Option<(&'static str, Value)> {
    let member = shape.members().first()?;
    (!root.text.is_empty()).then(|| (member.name, Value::String(root.text.clone())))
}

/// The root element of a payload.
fn root(payload: &neargate_shape::Member) -> &'static str {
    payload.location_name.unwrap_or(payload.shape.get().name)
}

fn has_body(shape: &Shape, value: &Value) -> bool {
    let mut in_body = shape.members().iter().filter(|member| member.location == Location::Body);
    in_body.any(|member| value.get(member.name).is_some())
}

fn document(name: &str, shape: &Shape, value: &Value, namespace: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    let attributes = write_attributes(shape, value);
    let joint = if attributes.is_empty() || namespace.is_empty() { "" } else { " " };
    writer.open(name, &format!("{namespace}{joint}{attributes}"));
    write_members(&mut writer, shape, value);
    writer.close(name);
    writer.finish()
}

fn namespace(service: &ServiceShape) -> String {
    if service.xml_namespace.is_empty() { String::new() } else { format!("xmlns=\"{}\"", service.xml_namespace) }
}

fn parse(body: &[u8]) -> Result<Element, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::Malformed("the body is no UTF-8".to_owned()))?;
    Element::parse(text).map_err(|error| DecodeError::Malformed(error.to_string()))
}
