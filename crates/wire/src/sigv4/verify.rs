//! Checking a signature.
//!
//! Invariant: times are process time; every failure has its own error, and none tells the signature that would have been right.

use neargate_base::Timestamp;
use neargate_shape::Protocol;

use crate::form::form_value;
use crate::message::{Fault, Request};
use crate::sigv4::body::BodyReader;
use crate::sigv4::body_error::BodyError;
use crate::sigv4::canonical::{Scope, UNSIGNED, canonical_request, same, sha256_hex};
use crate::sigv4::claim::{Claim, claim};
use crate::sigv4::sign::basic;

/// How far a client's clock may be off, as AWS allows.
const SKEW_MS_MAX: i64 = 5 * 60 * 1000;
/// A week, the longest a presigned request may be valid.
const EXPIRES_S_MAX: i64 = 7 * 24 * 3600;

/// A request whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who signed what.
    pub claim: Claim,
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature.
    Missing,
    /// There is one and a part of it is missing or malformed.
    Incomplete(String),
    /// Nobody has that access key, or the session token is not the one that belongs to it.
    UnknownKey,
    /// It was signed too long ago, or expired; in AWS's words.
    Expired(String),
    /// It was signed in the future; in AWS's words.
    NotYetCurrent(String),
    /// The body is not the one that was signed.
    PayloadDiffers,
    /// The signature is another than the request's.
    Differs,
    /// It was signed for a region that there is not.
    UnknownRegion(String),
    /// It was signed for another service than this one, the called.
    WrongService(String),
}

/// A request that a known key claims to have signed, as far as that can be told before its body is read.
#[derive(Clone)]
pub struct Opened {
    claim: Claim,
    secret: String,
    /// The payload's hash as the request's head says it: the signature over it holds.
    said: Option<String>,
}

/// Shows the claim only.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("claim", &self.claim).finish_non_exhaustive()
    }
}

/// Checks a request's signature with the secret that `secret` knows for its access key and session token.
///
/// `now` is process time, never service time. Without a clock (`None`) times are not looked at.
///
/// # Errors
/// Where the signature does not hold.
pub fn verify(
    request: &Request<'_>,
    now: Option<Timestamp>,
    secret: &dyn Fn(&Claim) -> Option<String>,
) -> Result<Verified, SignatureError> {
    open(request, now, secret)?.close(request)
}

/// Checks what can be checked before the body is read, which is not looked at: that there is a signature of a key that exists, made
/// at a time that counts, and, where the head says the payload's hash, that the signature holds. [`Opened::close`] checks the rest.
///
/// # Errors
/// Where the signature does not hold, whatever the body is.
pub fn open(
    head: &Request<'_>,
    now: Option<Timestamp>,
    secret: &dyn Fn(&Claim) -> Option<String>,
) -> Result<Opened, SignatureError> {
    let claimed = head.header("authorization").is_some() || head.query.contains("X-Amz-Signature=");
    let Some(claim) = claim(head) else {
        let text = head.header("authorization").unwrap_or_default();
        return Err(if claimed { SignatureError::Incomplete(text.to_owned()) } else { SignatureError::Missing });
    };
    current(&claim, now)?;
    if !claim.signed_headers.iter().any(|name| name == "host") {
        return Err(SignatureError::Incomplete("'Host' must be a signed header".to_owned()));
    }
    let secret = secret(&claim).ok_or(SignatureError::UnknownKey)?;
    let unsigned_by_default = claim.expires_s.is_some() && claim.service == "s3";
    let in_query = claim.expires_s.and_then(|_| form_value(head.query.as_bytes(), "X-Amz-Content-Sha256"));
    let said = head.header("x-amz-content-sha256").map(str::to_owned).or(in_query);
    let said = said.or(unsigned_by_default.then(|| UNSIGNED.to_owned()));
    let opened = Opened { claim, secret, said };
    if let Some(said) = &opened.said {
        opened.holds(head, said)?;
    }
    Ok(opened)
}

impl Opened {
    /// The region that it is signed for.
    pub fn region(&self) -> &str {
        &self.claim.region
    }

    /// Checks the rest, now that the body is there. The request is that of [`open`].
    ///
    /// # Errors
    /// Where the body is not the one that was signed, or the signature does not hold.
    pub fn close(self, request: &Request<'_>) -> Result<Verified, SignatureError> {
        match &self.said {
            Some(said) if said == UNSIGNED => {}
            Some(said) if said.starts_with("STREAMING-") => self.check_chunks(request)?,
            Some(said) if same(said, &sha256_hex(request.body)) => {}
            Some(_) => return Err(SignatureError::PayloadDiffers),
            None => self.holds(request, &sha256_hex(request.body))?,
        }
        Ok(Verified { claim: self.claim })
    }

    /// What takes the body off its framing and checks it, piece by piece, in place of [`Opened::close`]: for a head that says its
    /// payload's hash or framing, as those of S3's clients do. `None` where the signature needs the whole body.
    ///
    /// # Errors
    /// Where the head says of its body what there is not.
    pub fn body(&self, head: &Request<'_>) -> Option<Result<BodyReader, BodyError>> {
        let claim = &self.claim;
        let scope = Scope { time: &claim.time, region: &claim.region, service: &claim.service };
        let signer = scope.chunk_signer(&self.secret, &claim.signature);
        self.said.as_ref().map(|said| BodyReader::new(head, said, signer))
    }

    /// Who signed what: to be believed of the body when [`BodyReader::finish`] has returned.
    pub fn into_verified(self) -> Verified {
        Verified { claim: self.claim }
    }

    fn check_chunks(&self, request: &Request<'_>) -> Result<(), SignatureError> {
        let differs = |_| SignatureError::PayloadDiffers;
        let Some(reader) = self.body(request) else { return Err(SignatureError::PayloadDiffers) };
        let (mut reader, mut input) = (reader.map_err(differs)?, request.body);
        while reader.next(&mut input).map_err(differs)?.is_some() {}
        reader.finish().map(drop).map_err(differs)
    }

    fn holds(&self, request: &Request<'_>, payload_hash: &str) -> Result<(), SignatureError> {
        let claim = &self.claim;
        let headers: Vec<&str> = claim.signed_headers.iter().map(String::as_str).collect();
        let canonical = canonical_request(request, &claim.service, &headers, payload_hash, "X-Amz-Signature");
        let scope = Scope { time: &claim.time, region: &claim.region, service: &claim.service };
        let holds = same(&scope.signature(&self.secret, &canonical), &claim.signature);
        if holds { Ok(()) } else { Err(SignatureError::Differs) }
    }
}

fn current(claim: &Claim, now: Option<Timestamp>) -> Result<(), SignatureError> {
    let signed_at = claim.signed_at();
    let signed_at =
        signed_at.ok_or_else(|| SignatureError::Incomplete("'X-Amz-Date' is missing or malformed".to_owned()))?;
    if !claim.time.starts_with(&claim.date) {
        return Err(SignatureError::Incomplete(format!(
            "Date in Credential scope does not match YYYYMMDD from {}",
            claim.time
        )));
    }
    let Some(now) = now else { return Ok(()) };
    let valid_ms = match claim.expires_s {
        Some(expires_s) if !(0..=EXPIRES_S_MAX).contains(&expires_s) => {
            return Err(SignatureError::Incomplete("X-Amz-Expires must be between 0 and 604800 seconds".to_owned()));
        }
        Some(expires_s) => expires_s * 1000,
        None => SKEW_MS_MAX,
    };
    if now.millis() > signed_at.millis() + valid_ms {
        let (limit, now) = (basic(now.plus_ms(-valid_ms)), basic(now));
        let text = format!("{} is now earlier than {limit} ({now} - {} min.)", claim.time, valid_ms / 60_000);
        return Err(SignatureError::Expired(text));
    }
    if signed_at.millis() > now.millis() + SKEW_MS_MAX {
        let (limit, now) = (basic(now.plus_ms(SKEW_MS_MAX)), basic(now));
        let text = format!("{} is still later than {limit} ({now} + {} min.)", claim.time, SKEW_MS_MAX / 60_000);
        return Err(SignatureError::NotYetCurrent(text));
    }
    Ok(())
}

impl SignatureError {
    /// The fault that a service of this protocol answers.
    pub fn fault(&self, protocol: Protocol) -> Fault {
        let json =
            matches!(protocol, Protocol::AwsJson10 | Protocol::AwsJson11 | Protocol::RestJson | Protocol::RpcV2Cbor);
        let pick = |of_json: &str, of_query: &str| match protocol {
            Protocol::Ec2 => "AuthFailure".to_owned(),
            _ if json => of_json.to_owned(),
            _ => of_query.to_owned(),
        };
        let (code, message) = match self {
            Self::Missing => (
                if json { "MissingAuthenticationTokenException" } else { "MissingAuthenticationToken" }.to_owned(),
                "Request is missing Authentication Token".to_owned(),
            ),
            Self::Incomplete(text) => (
                if json { "IncompleteSignatureException" } else { "IncompleteSignature" }.to_owned(),
                format!("Authorization header is incomplete or malformed: {text}"),
            ),
            Self::UnknownKey => (
                pick("UnrecognizedClientException", "InvalidClientTokenId"),
                "The security token included in the request is invalid.".to_owned(),
            ),
            Self::Expired(_) if protocol == Protocol::Ec2 => ("RequestExpired".to_owned(), "Request has expired.".to_owned()),
            Self::Expired(text) => {
                (pick("InvalidSignatureException", "SignatureDoesNotMatch"), format!("Signature expired: {text}"))
            }
            Self::NotYetCurrent(text) => {
                (pick("InvalidSignatureException", "SignatureDoesNotMatch"), format!("Signature not yet current: {text}"))
            }
            Self::PayloadDiffers => (
                "XAmzContentSHA256Mismatch".to_owned(),
                "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
            ),
            Self::Differs => (
                pick("InvalidSignatureException", "SignatureDoesNotMatch"),
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                 Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ),
            Self::UnknownRegion(region) => (
                pick("InvalidSignatureException", "SignatureDoesNotMatch"),
                format!("Credential should be scoped to a valid region, not '{region}'."),
            ),
            Self::WrongService(called) => (
                pick("InvalidSignatureException", "SignatureDoesNotMatch"),
                // AWS adds what else is wrong, each as a sentence with a blank behind it.
                format!("Credential should be scoped to correct service: '{called}'. "),
            ),
        };
        let status = match (self, protocol) {
            (_, Protocol::RestJson) => 403,
            _ if json => 400,
            (Self::Incomplete(_) | Self::PayloadDiffers, _) | (Self::Expired(_), Protocol::Ec2) => 400,
            (_, Protocol::Ec2) => 401,
            _ => 403,
        };
        Fault::sender(code, message).with_status(status)
    }
}
