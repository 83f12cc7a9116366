//! rest-json: members in the path, the query string and headers, the others in a JSON body.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>.
//!
//! Invariant: a member is read from and written to the one place that its descriptor names.

use neargate_base::BlobRef;
use neargate_shape::{OperationShape, ServiceShape, Shape, Value, from_message, to_message};
use serde_json::{Value as Json, json};

use crate::awsjson;
use crate::codec::{Codec, DecodeError, Decoded};
use crate::message::{Answer, Body, Fault, Outgoing, Request, Response};
use crate::rest::{self, Members};
use crate::size::check_json;

const CONTENT_TYPE: &str = "application/json";

#[derive(Debug)]
pub(crate) struct RestJson;

impl Codec for RestJson {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        let mut unknown = Vec::new();
        let mut members = body(operation.input, request.body, &mut unknown)?;
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
        awsjson::refusal(error)
    }

    fn encode_response(
        &self,
        _: &ServiceShape,
        operation: &OperationShape,
        output: &Value,
        request_id: &str,
    ) -> Response {
        let mut response = Response {
            status: operation.http_status,
            headers: vec![
                ("content-type".into(), CONTENT_TYPE.to_owned()),
                ("x-amzn-requestid".into(), request_id.to_owned()),
            ],
            body: write_body(operation.output, output),
        };
        rest::write_answer(operation, output, &mut response);
        response
    }

    fn encode_error(&self, _: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        let kind = if fault.is_sender() { "User" } else { "Server" };
        Response {
            status: fault.status,
            headers: vec![
                ("content-type".into(), CONTENT_TYPE.to_owned()),
                ("x-amzn-errortype".into(), fault.code.clone()),
                ("x-amzn-requestid".into(), request_id.to_owned()),
            ],
            body: json!({"Type": kind, "message": fault.message}).to_string().into_bytes().into(),
        }
    }

    fn encode_request(&self, _: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        let rest::Head { path, query, mut headers } = rest::write_request(operation, input);
        headers.insert(0, ("content-type".to_owned(), CONTENT_TYPE.to_owned()));
        let body = write_body(operation.input, input).whole().unwrap_or_default().to_vec();
        Outgoing { method: operation.http_method, path, query, headers, body }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        let mut members = body(operation.output, answer.body, &mut Vec::new())?;
        rest::read_answer(operation, answer, &mut members)?;
        Ok(Value::Structure(members))
    }

    fn decode_error(&self, answer: &Answer<'_>) -> Fault {
        awsjson::error(answer)
    }
}

/// The members that lie in the body.
fn body(shape: fn() -> &'static Shape, bytes: &[u8], unknown: &mut Vec<String>) -> Result<Members, DecodeError> {
    let Some(payload) = rest::payload(shape()) else {
        check_json(bytes)?;
        let value = from_message(shape(), awsjson::parse(bytes)?, unknown)?;
        return Ok(if let Value::Structure(members) = value { members } else { Vec::new() });
    };
    let value = match rest::read_raw(payload, bytes) {
        _ if bytes.is_empty() => Value::Null,
        Some(value) => value,
        None => {
            check_json(bytes)?;
            from_message(payload.shape.get(), awsjson::parse(bytes)?, unknown)?
        }
    };
    Ok(if value.is_null() { Vec::new() } else { vec![(payload.name, value)] })
}

fn write_body(shape: fn() -> &'static Shape, value: &Value) -> Body {
    let payload = rest::payload(shape());
    match (payload, payload.and_then(|payload| value.get(payload.name))) {
        (None, _) => match to_message(shape(), value) {
            Json::Object(object) if object.is_empty() => Body::default(),
            json => Body::Whole(json.to_string().into_bytes()),
        },
        (Some(_), None) => Body::default(),
        (Some(payload), Some(value)) => rest::write_raw(value)
            .unwrap_or_else(|| Body::Whole(to_message(payload.shape.get(), value).to_string().into_bytes())),
    }
}
