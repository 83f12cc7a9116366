//! Descriptions of AWS inputs and outputs, and the dynamic values that fit them.
//!
//! Three views of one thing, and the ways between them:
//!
//! ```text
//!   bytes  ── neargate-wire's codecs ──▶  Value  ── Wire::from_value ──▶  struct RunTaskInput { .. }
//!   CloudFormation properties ── from_properties ──▶ Value        (and Wire::into_value back)
//!   serde_json::Value  ── from_json / to_json ──▶ Value
//! ```
//!
//! - [`shape!`] declares a struct with its static descriptor, its [`Wire`] impl and serde impls that go through a JSON
//!   value, so that services can keep API structs in their state.
//! - [`Shape`] describes a value: [`Kind`], constraints, members. Links between shapes are lazy, so shapes may be recursive.
//! - [`Value`] is any value of any shape. Structures are keyed by the *model's* member names; what a protocol calls
//!   a member is the codec's affair.
//! - [`ServiceShape`] and [`OperationShape`] are what an edge needs to route and to decode.
//! - [`validate`] finds what AWS would refuse before the service sees a request, in AWS's words.
//!
//! ```
//! use neargate_shape::{Value, Wire, shape};
//! shape! {
//!     /// A tag.
//!     pub struct Tag as "Tag" {
//!         key: String = "key",
//!         value: Option<String> = "value",
//!     }
//! }
//! let tag = Tag { key: "stage".into(), value: None };
//! assert_eq!(tag.clone().into_value(), Value::Structure(vec![("key", Value::String("stage".into()))]));
//! assert_eq!(Tag::from_value(tag.clone().into_value()).unwrap(), tag);
//! ```
//!
//! Invariant: no bytes, no protocol, no IO, no clock.
//!
//! Invariant: a value of `Value::Null` in a structure means the same as its absence.

mod declare;
mod descriptor;
mod error;
mod json;
mod operation;
mod pattern;
mod properties;
mod resource;
mod validate;
mod value;
mod wire;

pub use descriptor::{Constraints, Kind, Link, Location, Member, Shape, TimestampFormat};
pub use error::ShapeError;
pub use json::{from_json, from_message, to_json, to_message};
pub use operation::{OperationShape, Protocol, ServiceShape};
pub use properties::from_properties;
pub use resource::{Property, ResourceShape};
pub use validate::{Rule, Shown, Violation, describe, finds_pattern, refusal, supports_pattern, validate};
pub use value::{Blob, Document, Stored, StreamingBlob, Value};
pub use wire::{Fields, Wire};

#[doc(hidden)]
pub use {json::debug, json::equal, serde, wire::put};

/// The tables behind [`from_json`] and [`to_json`], for codecs that keep JSON's rules for scalars.
pub mod scalar {
    pub use crate::json::{base64_decode, base64_encode, timestamp_from_seconds};
}
