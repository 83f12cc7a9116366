//! Making a signature.
//!
//! Invariant: the secret key never appears in what is returned, nor in `Debug`.

use neargate_base::Timestamp;

use crate::form::percent_encode;
use crate::message::Request;
use crate::sigv4::canonical::{ALGORITHM, Scope, UNSIGNED, canonical_request, sha256_hex};

/// A key pair, and a session token where it is temporary.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA…`.
    pub access_key: String,
    /// Never shown.
    pub secret_key: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
}

/// Shows the access key only.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// What to sign for.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// `eu-west-1`.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The time of signing.
    pub now: Timestamp,
}

/// The headers that sign a request; they are to be added to it. All headers it already has are signed, `host` must be among them.
pub fn sign(request: &Request<'_>, signing: &Signing<'_>) -> Vec<(&'static str, String)> {
    headers(request, signing, &sha256_hex(request.body), signing.service == "s3")
}

/// The same for S3 with another word in place of the payload's hash, such as `UNSIGNED-PAYLOAD`; it is among the headers.
pub fn sign_payload(request: &Request<'_>, signing: &Signing<'_>, said: &str) -> Vec<(&'static str, String)> {
    headers(request, signing, said, true)
}

fn headers(
    request: &Request<'_>,
    signing: &Signing<'_>,
    payload_hash: &str,
    is_said: bool,
) -> Vec<(&'static str, String)> {
    let Signing { credentials, region, service, now } = *signing;
    let time = basic(now);
    let mut added = vec![("x-amz-date", time.clone())];
    if is_said {
        added.push(("x-amz-content-sha256", payload_hash.to_owned()));
    }
    added.extend(credentials.session_token.clone().map(|token| ("x-amz-security-token", token)));
    let headers: Vec<(&str, &str)> =
        request.headers.iter().copied().chain(added.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scope = Scope { time: &time, region, service };
    let canonical = canonical_request(&Request { headers: &headers, ..*request }, service, &names, payload_hash, "");
    let signature = scope.signature(&credentials.secret_key, &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.access_key,
        scope.text(),
        names.join(";")
    );
    added.push(("authorization", authorization));
    added
}

/// The query string that lets anyone send the request for a while; it replaces the request's own.
pub fn presign(request: &Request<'_>, signing: &Signing<'_>, expires_s: i64) -> String {
    let Signing { credentials, region, service, now } = *signing;
    let time = basic(now);
    let scope = Scope { time: &time, region, service };
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut query = request.query.to_owned();
    let mut add = |name: &str, value: &str| {
        let joint = if query.is_empty() { "" } else { "&" };
        query.extend([joint, name, "=", &percent_encode(value, "")]);
    };
    add("X-Amz-Algorithm", ALGORITHM);
    add("X-Amz-Credential", &format!("{}/{}", credentials.access_key, scope.text()));
    add("X-Amz-Date", &time);
    add("X-Amz-Expires", &expires_s.to_string());
    add("X-Amz-SignedHeaders", &names.join(";"));
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    let payload_hash = if service == "s3" { UNSIGNED.to_owned() } else { sha256_hex(request.body) };
    let canonical = canonical_request(&Request { query: &query, ..*request }, service, &names, &payload_hash, "");
    format!("{query}&X-Amz-Signature={}", scope.signature(&credentials.secret_key, &canonical))
}

/// `20261121T100000Z`.
pub(super) fn basic(time: Timestamp) -> String {
    time.to_iso_seconds().replace(['-', ':'], "")
}
