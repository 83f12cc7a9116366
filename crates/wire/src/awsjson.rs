//! AWS JSON 1.0 and 1.1: one path, the operation in `X-Amz-Target`, JSON both ways.
//!
//! Follows <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>.
//!
//! Invariant: location names play no part in these protocols.

use neargate_shape::{OperationShape, ServiceShape, Value, from_json};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::codec::{Codec, DecodeError, Decoded};
use crate::message::{Answer, Fault, Outgoing, Request, Response};
use crate::size::check_json;

#[derive(Debug)]
pub(crate) struct AwsJson {
    /// `1.0` or `1.1`, which differ in the content type only.
    pub(crate) version: &'static str,
}

impl AwsJson {
    fn content_type(&self) -> String {
        format!("application/x-amz-json-{}", self.version)
    }

    fn response(&self, status: u16, body: &impl Serialize, request_id: &str) -> Response {
        Response {
            status,
            headers: vec![
                ("content-type".into(), self.content_type()),
                ("x-amzn-requestid".into(), request_id.to_owned()),
            ],
            body: text(body).into(),
        }
    }
}

impl Codec for AwsJson {
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError> {
        let mut unknown = Vec::new();
        check_json(request.body)?;
        let json = parse(request.body)?;
        let value = from_json((operation.input)(), json, &mut unknown)?;
        Ok(Decoded { value, unknown })
    }

    fn refusal(&self, error: &DecodeError) -> Fault {
        refusal(error)
    }

    fn encode_response(&self, _: &ServiceShape, _: &OperationShape, output: &Value, request_id: &str) -> Response {
        self.response(200, output, request_id)
    }

    fn encode_error(&self, _: &ServiceShape, fault: &Fault, request_id: &str) -> Response {
        self.response(fault.status, &json!({"__type": fault.code, "message": fault.message}), request_id)
    }

    fn encode_request(&self, service: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing {
        Outgoing {
            method: "POST",
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![
                ("content-type".to_owned(), self.content_type()),
                ("x-amz-target".to_owned(), format!("{}.{}", service.target_prefix, operation.name)),
            ],
            body: text(input),
        }
    }

    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError> {
        Ok(from_json((operation.output)(), parse(answer.body)?, &mut Vec::new())?)
    }

    fn decode_error(&self, answer: &Answer<'_>) -> Fault {
        error(answer)
    }
}

fn text(body: &impl Serialize) -> Vec<u8> {
    // Only maps with keys that are no text fail, and there are none.
    serde_json::to_vec(body).unwrap_or_default()
}

/// The error of an answer, from the header that names it or from the body.
pub(crate) fn error(answer: &Answer<'_>) -> Fault {
    let json = parse(answer.body).unwrap_or_default();
    let text = |keys: &[&str]| keys.iter().find_map(|key| json.get(*key)?.as_str());
    let code = answer.header("x-amzn-errortype").or_else(|| text(&["__type", "code", "Code"])).unwrap_or("Unknown");
    // `com.amazonaws.x#CodeException:http://..` names the code between the hash and the colon.
    let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or(code);
    let message = text(&["message", "Message"]).unwrap_or_default();
    Fault { code: code.to_owned(), message: message.to_owned(), status: answer.status }
}

/// The fault for a request that could not be read.
pub(crate) fn refusal(error: &DecodeError) -> Fault {
    let message = match error {
        DecodeError::Malformed(text) => text.clone(),
        DecodeError::Shape(error) => error.message(),
        DecodeError::NotStreaming => {
            return Fault::sender("RequestEntityTooLargeException", error.to_string()).with_status(413);
        }
    };
    Fault::sender("SerializationException", message)
}

/// The JSON value of a body; an empty body is an empty object.
pub(crate) fn parse(body: &[u8]) -> Result<Json, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    match serde_json::from_slice(body) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(DecodeError::Malformed("Start of structure or map expected".to_owned())),
        Err(_) => Err(DecodeError::Malformed("Unable to parse the request body as JSON".to_owned())),
    }
}
