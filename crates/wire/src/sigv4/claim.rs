//! Who a request says it comes from, before anything is believed.
//!
//! Invariant: nothing is checked here but form.

use neargate_base::Timestamp;

use crate::form::parse_form;
use crate::message::Request;
use crate::sigv4::canonical::ALGORITHM;

/// The parts of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `AKIA…`, or whatever the client was given.
    pub access_key: String,
    /// From the credential scope.
    pub region: String,
    /// From the credential scope: the service's signing name.
    pub service: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// When it was signed, as sent: `20261121T100000Z`; empty where it is not said.
    pub time: String,
    /// How long it is valid, for presigned requests.
    pub expires_s: Option<i64>,
    /// The names of the signed headers, lower case, as sent.
    pub signed_headers: Vec<String>,
    /// The signature in hexadecimal.
    pub signature: String,
    /// The date of the credential scope.
    pub(super) date: String,
}

impl Claim {
    /// When it was signed.
    pub fn signed_at(&self) -> Option<Timestamp> {
        let part = |from: usize, to: usize| self.time.get(from..to);
        if self.time.len() != 16 {
            return None;
        }
        let (date, time) = (part(0, 8)?, part(9, 15)?);
        let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
        let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
        format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
    }
}

/// Reads the signature's parts from the `Authorization` header or the query string; `None` where there is none, or it is malformed.
pub fn claim(request: &Request<'_>) -> Option<Claim> {
    match request.header("authorization") {
        Some(header) => from_header(request, header),
        None => from_query(request),
    }
}

fn from_header(request: &Request<'_>, header: &str) -> Option<Claim> {
    let parts = header.strip_prefix(ALGORITHM)?;
    let part = |name: &str| parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let mut claim = from_credential(part("Credential")?)?;
    claim.time = request.header("x-amz-date").unwrap_or_default().to_owned();
    claim.session_token = request.header("x-amz-security-token").map(str::to_owned);
    claim.signed_headers = part("SignedHeaders")?.split(';').map(str::to_owned).collect();
    claim.signature = part("Signature")?.to_owned();
    Some(claim)
}

fn from_query(request: &Request<'_>) -> Option<Claim> {
    let pairs = parse_form(request.query.as_bytes());
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, text)| text.clone());
    if get("X-Amz-Algorithm")? != ALGORITHM {
        return None;
    }
    let mut claim = from_credential(&get("X-Amz-Credential")?)?;
    claim.time = get("X-Amz-Date").unwrap_or_default();
    claim.session_token = get("X-Amz-Security-Token");
    claim.expires_s = Some(get("X-Amz-Expires").and_then(|text| text.parse().ok()).unwrap_or(0));
    claim.signed_headers = get("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect();
    claim.signature = get("X-Amz-Signature")?;
    Some(claim)
}

/// `AKIA…/20261121/eu-west-1/ecs/aws4_request`; the access key may contain slashes.
fn from_credential(credential: &str) -> Option<Claim> {
    let mut parts = credential.rsplitn(5, '/');
    if parts.next()? != "aws4_request" {
        return None;
    }
    let mut next = || parts.next().map(str::to_owned);
    Some(Claim {
        service: next()?,
        region: next()?,
        date: next()?,
        access_key: next()?,
        session_token: None,
        time: String::new(),
        expires_s: None,
        signed_headers: Vec::new(),
        signature: String::new(),
    })
}
