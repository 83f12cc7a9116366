//! Smithy's RPC v2 over CBOR: a path for each operation, CBOR both ways.
//!
//! Follows <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.
//!
//! Invariant: a message says by a header which protocol it speaks.

use neargate_shape::{OperationShape, ServiceShape, Value};

use crate::awsjson;
use crate::cbor;
use crate::codec::{Codec, DecodeError, Decoded};
use crate::message::{Answer, Body, Fault, Outgoing, Request, Response};

/// The header that says so, and what it says.
pub(crate) const PROTOCOL: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");
const CONTENT_TYPE: &str = "application/cbor";

#[derive(Debug)]
pub(crate) struct RpcV2Cbor;

impl Codec for RpcV2Cbor {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        let mut unknown = Vec::new();
        let value = match request.body {
            // An operation without input has no body.
            [] => Value::Structure(Vec::new()),
            body => cbor::read((operation.input)(), body, &mut unknown)?,
        };
        Ok(Decoded { value, unknown })
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
        let mut body = Vec::new();
        cbor::write((operation.output)(), output, &mut body);
        response(operation.http_status, body, request_id)
    }

    fn encode_error(&self, _: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        let body = cbor::error(&fault.code, &fault.message);
        response(fault.status, body, request_id)
    }

    fn encode_request(&self, service: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        let mut body = Vec::new();
        cbor::write((operation.input)(), input, &mut body);
        let headers = [PROTOCOL, ("content-type", CONTENT_TYPE), ("accept", CONTENT_TYPE)];
        Outgoing {
            method: "POST",
            path: format!("/service/{}/operation/{}", service.target_prefix, operation.name),
            query: String::new(),
            headers: headers.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
            body,
        }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        match answer.body {
            [] => Ok(Value::Structure(Vec::new())),
            body => cbor::read((operation.output)(), body, &mut Vec::new()),
        }
    }

    fn decode_error(&self, answer: &Answer<'_>) -> Fault {
        let texts = cbor::texts(answer.body).unwrap_or_default();
        let text = |names: &[&str]| texts.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, text)| text);
        let code = text(&["__type"]).map_or("Unknown", |code| code.as_str());
        let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or(code);
        let message = text(&["message", "Message"]).cloned().unwrap_or_default();
        Fault { code: code.to_owned(), message, status: answer.status }
    }
}

fn response(status: u16, body: Vec<u8>, request_id: &str) -> Response {
    let (protocol, spoken) = PROTOCOL;
    let headers = vec![
        ("content-type".into(), CONTENT_TYPE.to_owned()),
        (protocol.into(), spoken.to_owned()),
        ("x-amzn-requestid".into(), request_id.to_owned()),
    ];
    Response { status, headers, body: Body::Whole(body) }
}
