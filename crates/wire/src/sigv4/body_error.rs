//! What can be wrong with a body, and S3's answer to it.
//!
//! Invariant: none tells the hash, checksum or signature that would have been right.

use std::fmt;

use crate::checksum::ChecksumAlgorithm;
use crate::message::Fault;

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// The head says a framing or a hash that there is not.
    Unknown(String),
    /// A framed body whose head does not say how long it is without the framing.
    LengthMissing,
    /// The framing is not that of `aws-chunked`.
    Malformed(&'static str),
    /// A trailer that the head does not announce, or one that is announced and missing.
    MalformedTrailer,
    /// It ends too early, or has more or fewer bytes than the head says.
    Incomplete,
    /// A chunk or the trailers have another signature.
    SignatureDiffers,
    /// The whole has another hash.
    PayloadDiffers,
    /// The whole has another checksum.
    ChecksumDiffers(ChecksumAlgorithm),
}

impl BodyError {
    /// S3's answer.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unknown(_) => Fault::sender(
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
            ),
            Self::LengthMissing => {
                Fault::sender("MissingContentLength", "You must provide the Content-Length HTTP header.")
                    .with_status(411)
            }
            Self::Malformed(_) | Self::Incomplete => Fault::sender(
                "IncompleteBody",
                "The request body terminated unexpectedly, or is not framed as its header says",
            ),
            Self::MalformedTrailer => Fault::sender(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
            Self::SignatureDiffers => Fault::sender(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            )
            .with_status(403),
            Self::PayloadDiffers => Fault::sender(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Self::ChecksumDiffers(algorithm) => Fault::sender(
                "BadDigest",
                format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
            ),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(said) => write!(f, "`{said}` is no hash of a payload"),
            Self::LengthMissing => f.write_str("`x-amz-decoded-content-length` is missing or no number"),
            Self::Malformed(what) => f.write_str(what),
            Self::MalformedTrailer => f.write_str("the trailers are not those that the head announces"),
            Self::Incomplete => f.write_str("the body has another length than its head says"),
            Self::SignatureDiffers => f.write_str("a chunk has another signature"),
            Self::PayloadDiffers => f.write_str("the body has another hash than its head says"),
            Self::ChecksumDiffers(algorithm) => write!(f, "the body has another {}", algorithm.name()),
        }
    }
}

impl std::error::Error for BodyError {}
