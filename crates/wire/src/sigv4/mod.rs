//! AWS Signature Version 4, made and checked.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>: header and query
//! (presigned) form, and bodies in signed chunks. Region and service come from the credential scope.
//!
//! Invariant: no clock and no key store in here; both come with the call. Signatures are compared in constant time.

mod body;
mod body_error;
mod canonical;
mod chunks;
mod claim;
mod sign;
mod verify;

pub use body::BodyReader;
pub use body_error::BodyError;
pub use claim::{Claim, claim};
pub use sign::{Credentials, Signing, presign, sign, sign_payload};
pub use verify::{Opened, SignatureError, Verified, open, verify};
