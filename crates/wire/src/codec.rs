//! The seam between protocols and everything else.
//!
//! Invariant: object-safe and without state; one static codec per protocol.

use std::fmt;

use neargate_base::BlobRef;
use neargate_shape::{OperationShape, ServiceShape, ShapeError, Value};

use crate::message::{Answer, Fault, Outgoing, Request, Response};

/// A request's value, and the paths of members that the operation does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The operation's input.
    pub value: Value,
    /// Members that were ignored because the operation does not have them.
    pub unknown: Vec<String>,
}

/// A message does not fit its protocol or its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no JSON, XML, CBOR or form.
    Malformed(String),
    /// A value does not fit.
    Shape(ShapeError),
    /// The body is too large for an operation that reads it as a whole.
    NotStreaming,
}

/// One protocol, both of its ends.
pub trait Codec: fmt::Debug + Sync {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it does not fit the protocol or the operation's input; [`Codec::refusal`] words the answer.
    fn decode_request(&self, operation: &OperationShape, request: &Request<'_>) -> Result<Decoded, DecodeError>;

    /// Reads a request whose body was stored, and is not in `head`.
    ///
    /// # Errors
    /// As [`Codec::decode_request`], and where the operation has no streaming body.
    fn decode_stored(&self, _: &OperationShape, _: &Request<'_>, _: BlobRef) -> Result<Decoded, DecodeError> {
        Err(DecodeError::NotStreaming)
    }

    /// The fault for a request that could not be read.
    fn refusal(&self, error: &DecodeError) -> Fault;

    /// Writes a success.
    fn encode_response(
        &self,
        service: &ServiceShape,
        operation: &OperationShape,
        output: &Value,
        request_id: &str,
    ) -> Response;

    /// Writes an error.
    fn encode_error(&self, service: &ServiceShape, fault: &Fault, request_id: &str) -> Response;

    /// Writes a request, as a client.
    fn encode_request(&self, service: &ServiceShape, operation: &OperationShape, input: &Value) -> Outgoing;

    /// Reads a success, as a client.
    ///
    /// # Errors
    /// Where the answer does not fit the protocol or the operation's output.
    fn decode_response(&self, operation: &OperationShape, answer: &Answer<'_>) -> Result<Value, DecodeError>;

    /// Reads an error, as a client. An answer that says nothing becomes a fault with the code `Unknown`.
    fn decode_error(&self, answer: &Answer<'_>) -> Fault;

    /// The error in an answer whose status says success; S3 sends such where it answers before it is done.
    fn late_error(&self, _: &Answer<'_>) -> Option<Fault> {
        None
    }
}

impl From<ShapeError> for DecodeError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => f.write_str(text),
            Self::Shape(error) => error.fmt(f),
            Self::NotStreaming => f.write_str("the body is too large for this operation"),
        }
    }
}

impl std::error::Error for DecodeError {}
