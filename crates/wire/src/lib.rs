//! AWS protocols: bytes to [`neargate_shape::Value`] and back, and Signature Version 4.
//!
//! The way of a request at the endpoint:
//!
//! 1. [`identify`()] finds service and operation of a [`Request`] (plain parts, no HTTP crate's types);
//! 2. [`sigv4::verify`] (or [`sigv4::claim`], which believes) says who calls;
//! 3. [`codec`()] gives the protocol's [`Codec`]: `decode_request` → value → handler → value → `encode_response`,
//!    or a [`Fault`] → `encode_error`.
//!
//! A client (our command line, shipping to AWS) goes the other way: `encode_request`, [`sigv4::sign`], `decode_response`.
//!
//! A new protocol is one file with an impl of [`Codec`] and a line in [`codec`()].
//!
//! A body that is too large for memory is no [`Request`]'s: whoever receives it stores it and calls [`Codec::decode_stored`]; in
//! an answer it is a [`Body::Stored`].
//!
//! Invariant: no sockets, no clock, no services; every input is bounded in depth before anything recurses into it, and every
//! request's body in the number of values before any of them is made.

mod awsjson;
mod cbor;
mod checksum;
mod codec;
mod form;
mod identify;
mod message;
mod protocols;
mod query;
mod rest;
mod restjson;
mod restxml;
mod rpcv2cbor;
pub mod sigv4;
mod size;
mod spoken;
mod xml;
mod xml_value;

pub use checksum::{CHECKSUM_ALGORITHMS, Checksum, ChecksumAlgorithm};
pub use codec::{Codec, DecodeError, Decoded};
pub use form::{form_value, parse_form, percent_decode, percent_encode};
pub use identify::{Identified, identify};
pub use message::{Answer, Body, Fault, Outgoing, Request, Response};
pub use protocols::codec;
pub use spoken::{is_of_aws, refuse_in_kind};
pub use xml::{Element, XmlError};
