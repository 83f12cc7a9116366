//! What every other crate agrees on: accounts, regions, ARNs, timestamps, references to blobs and diagnostics.
//!
//! Invariant: depends on no other crate of ours, does no IO, reads no clock.

mod arn;
mod blob_ref;
mod diagnostic;
mod region;
mod scope;
mod timestamp;
mod zone;

pub use arn::{Arn, ArnParseError};
pub use blob_ref::{BlobRef, Digest, DigestParseError};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use region::REGIONS;
pub use scope::{Account, DEFAULT_ACCOUNT, DEFAULT_REGION, Partition, Region, Scope};
pub use timestamp::Timestamp;
pub use zone::{Zone, zone_id, zone_names, zones};
