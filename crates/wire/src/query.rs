//! The query protocol and EC2's dialect of it: a form in, XML out.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html> and `aws-ec2-query-protocol.html`. The dialects differ in
//! how a request names members, in that EC2's request lists are always flattened, and in the answer's envelope.
//!
//! Invariant: a request's keys are bounded in depth before they become a tree.

use std::collections::BTreeMap;

use neargate_shape::{Kind, Member, OperationShape, ServiceShape, Shape, ShapeError, Value};

use crate::codec::{Codec, DecodeError, Decoded};
use crate::form::{parse_form, percent_encode};
use crate::message::{Answer, Fault, Outgoing, Request, Response};
use crate::size::check_form;
use crate::xml::{Element, Writer};
use crate::xml_value::{from_text, read_members, to_text, write_members};

const DEPTH_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Query,
    Ec2,
}

#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) dialect: Dialect,
}

/// A form's keys, split at their dots.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Codec for Query {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        check_form(request.body)?;
        let mut pairs = parse_form(request.query.as_bytes());
        pairs.extend(parse_form(request.body));
        let mut root = Node::default();
        for (key, text) in pairs {
            if matches!(key.as_str(), "Action" | "Version") || key.starts_with("X-Amz-") {
                continue;
            }
            if key.split('.').count() > DEPTH_MAX {
                return Err(DecodeError::Malformed(format!("a parameter's name has more than {DEPTH_MAX} parts")));
            }
            let node = key.split('.').fold(&mut root, |node, part| node.children.entry(part.to_owned()).or_default());
            node.text = Some(text);
        }
        let value = self.read((operation.input)(), &mut root)?;
        let mut unknown = Vec::new();
        root.leaves("", &mut unknown);
        Ok(Decoded { value: value.unwrap_or(Value::Structure(Vec::new())), unknown })
    }

    fn refusal(&self, error: &DecodeError) -> Fault {
        match (self.dialect, error) {
            (_, DecodeError::Malformed(text)) => Fault::sender("MalformedQueryString", text.clone()),
            (_, DecodeError::NotStreaming) => {
                Fault::sender("RequestEntityTooLarge", error.to_string()).with_status(413)
            }
            (Dialect::Ec2, DecodeError::Shape(error)) => {
                Fault::sender("InvalidParameterValue", format!("{} for parameter {}", error.message(), error.path))
            }
            (Dialect::Query, DecodeError::Shape(error)) => Fault::sender("MalformedInput", error.message()),
        }
    }

    fn encode_response(
        &self,
        service: &ServiceShape,
        operation: &OperationShape,
        output: &Value,
        request_id: &str,
    ) -> Response {
        let mut writer = Writer::default();
        let name = operation.name;
        writer.open(&format!("{name}Response"), &namespace(service));
        match self.dialect {
            Dialect::Query => {
                writer.open(&format!("{name}Result"), "");
                write_members(&mut writer, (operation.output)(), output);
                writer.close(&format!("{name}Result"));
                writer.open("ResponseMetadata", "");
                writer.leaf("RequestId", request_id);
                writer.close("ResponseMetadata");
            }
            Dialect::Ec2 => {
                writer.leaf("requestId", request_id);
                write_members(&mut writer, (operation.output)(), output);
            }
        }
        writer.close(&format!("{name}Response"));
        response(200, writer, request_id)
    }

    fn encode_error(&self, service: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        let mut writer = Writer::default();
        match self.dialect {
            Dialect::Query => {
                writer.open("ErrorResponse", &namespace(service));
                writer.open("Error", "");
                writer.leaf("Type", if fault.is_sender() { "Sender" } else { "Receiver" });
                writer.leaf("Code", &fault.code);
                writer.leaf("Message", &fault.message);
                writer.close("Error");
                writer.leaf("RequestId", request_id);
                writer.close("ErrorResponse");
            }
            Dialect::Ec2 => {
                writer.open("Response", "");
                writer.open("Errors", "");
                writer.open("Error", "");
                writer.leaf("Code", &fault.code);
                writer.leaf("Message", &fault.message);
                writer.close("Error");
                writer.close("Errors");
                writer.leaf("RequestID", request_id);
                writer.close("Response");
            }
        }
        response(fault.status, writer, request_id)
    }

    fn encode_request(&self, service: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        let mut pairs = vec![
            ("Action".to_owned(), operation.name.to_owned()),
            ("Version".to_owned(), service.api_version.to_owned()),
        ];
        self.write_members((operation.input)(), input, "", &mut pairs);
        let pairs = pairs.iter().map(|(key, text)| format!("{}={}", percent_encode(key, ""), percent_encode(text, "")));
        Outgoing {
            method: "POST",
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
            body: pairs.collect::<Vec<_>>().join("&").into_bytes(),
        }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        let root = parse(answer.body)?;
        let wrapper = match self.dialect {
            Dialect::Query => root.child(&format!("{}Result", operation.name)),
            Dialect::Ec2 => Some(&root),
        };
        let nothing = Element::default();
        Ok(read_members((operation.output)(), wrapper.unwrap_or(&nothing))?)
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
}

impl Query {
    /// How a request names a member.
    fn name(&self, member: &Member) -> String {
        match self.dialect {
            Dialect::Query => crate::xml_value::member_name(member).to_owned(),
            Dialect::Ec2 => match (member.query_name, member.location_name) {
                (Some(name), _) => name.to_owned(),
                (None, Some(name)) => {
                    let mut letters = name.chars();
                    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
                }
                (None, None) => member.name.to_owned(),
            },
        }
    }

    /// Takes what a shape knows out of a node; `None` where there is nothing.
    fn read(&self, shape: &Shape, node: &mut Node) -> Result<Option<Value>, ShapeError> {
        match shape.kind {
            Kind::Structure { members } => {
                let mut values = Vec::new();
                for member in members {
                    let name = self.name(member);
                    let Some(child) = node.children.get_mut(&name) else { continue };
                    let value = self.read(member.shape.get(), child).map_err(|error| error.under(member.name))?;
                    values.extend(value.map(|value| (member.name, value)));
                }
                // A structure without any known member is still present where something names it.
                Ok((!values.is_empty() || node.text.take().is_some()).then_some(Value::Structure(values)))
            }
            Kind::List { member, member_name, flattened } => {
                let flattened = flattened || self.dialect == Dialect::Ec2;
                let emptied = node.text.take_if(|text| text.is_empty()).is_some();
                let items = if flattened { Some(node) } else { node.children.get_mut(member_name) };
                let mut list = Vec::new();
                for (index, item) in items.map(Node::numbered).unwrap_or_default().into_iter().enumerate() {
                    list.extend(self.read(member.get(), item).map_err(|error| error.under_index(index))?);
                }
                Ok((emptied || !list.is_empty()).then_some(Value::List(list)))
            }
            Kind::Map { value: shape, key_name, value_name, flattened, .. } => {
                let emptied = node.text.take_if(|text| text.is_empty()).is_some();
                let items = if flattened { Some(node) } else { node.children.get_mut("entry") };
                let mut entries = Vec::new();
                for item in items.map(Node::numbered).unwrap_or_default() {
                    let key = item.children.get_mut(key_name).and_then(|node| node.text.take());
                    let (Some(key), Some(value)) = (key, item.children.get_mut(value_name)) else { continue };
                    let value = self.read(shape.get(), value).map_err(|error| error.under(&key))?;
                    entries.extend(value.map(|value| (key, value)));
                }
                Ok((emptied || !entries.is_empty()).then_some(Value::Map(entries)))
            }
            kind => node.text.take().map(|text| from_text(kind, &text)).transpose(),
        }
    }

    fn write_members(&self, shape: &Shape, value: &Value, prefix: &str, pairs: &mut Vec<(String, String)>) {
        for member in shape.members() {
            if let Some(value) = value.get(member.name) {
                self.write(member.shape.get(), value, format!("{prefix}{}", self.name(member)), pairs);
            }
        }
    }

    fn write(&self, shape: &Shape, value: &Value, key: String, pairs: &mut Vec<(String, String)>) {
        match (shape.kind, value) {
            (Kind::Structure { .. }, value) => self.write_members(shape, value, &format!("{key}."), pairs),
            (Kind::List { member, member_name, flattened }, Value::List(items)) => {
                let flattened = flattened || self.dialect == Dialect::Ec2;
                if items.is_empty() && self.dialect == Dialect::Query {
                    pairs.push((key, String::new()));
                    return;
                }
                let key = if flattened { key } else { format!("{key}.{member_name}") };
                for (index, item) in items.iter().enumerate() {
                    self.write(member.get(), item, format!("{key}.{}", index + 1), pairs);
                }
            }
            (Kind::Map { value: shape, key_name, value_name, flattened, .. }, Value::Map(entries)) => {
                let prefix = if flattened { key } else { format!("{key}.entry") };
                for (index, (key, value)) in entries.iter().enumerate() {
                    pairs.push((format!("{prefix}.{}.{key_name}", index + 1), key.clone()));
                    self.write(shape.get(), value, format!("{prefix}.{}.{value_name}", index + 1), pairs);
                }
            }
            (kind, value) => pairs.push((key, to_text(kind, value))),
        }
    }
}

impl Node {
    /// The children that are numbers, in their order.
    fn numbered(&mut self) -> Vec<&mut Self> {
        let mut items: Vec<(u32, &mut Self)> =
            self.children.iter_mut().filter_map(|(key, node)| Some((key.parse().ok()?, node))).collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }

    /// The keys of all texts that nobody took.
    fn leaves(&self, prefix: &str, found: &mut Vec<String>) {
        if self.text.is_some() {
            found.push(prefix.to_owned());
        }
        for (key, node) in &self.children {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            node.leaves(&path, found);
        }
    }
}

fn namespace(service: &ServiceShape) -> String {
    format!("xmlns=\"{}/\"", service.xml_namespace.trim_end_matches('/'))
}

fn response(status: u16, writer: Writer, request_id: &str) -> Response {
    let headers =
        vec![("content-type".into(), "text/xml".to_owned()), ("x-amzn-requestid".into(), request_id.to_owned())];
    Response { status, headers, body: writer.finish().into() }
}

fn parse(body: &[u8]) -> Result<Element, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::Malformed("the body is no UTF-8".to_owned()))?;
    Element::parse(text).map_err(|error| DecodeError::Malformed(error.to_string()))
}
