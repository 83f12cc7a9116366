//! The texts that are signed, and the key that signs them.
//!
//! Invariant: signing and checking go through the same functions here.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::form::{percent_encode, percent_recode};
use crate::message::Request;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a signature depends on beside the request.
pub(super) struct Scope<'a> {
    /// `20261121T100000Z`.
    pub(super) time: &'a str,
    /// `eu-west-1`.
    pub(super) region: &'a str,
    /// `ecs`.
    pub(super) service: &'a str,
}

impl Scope<'_> {
    /// `20261121/eu-west-1/ecs/aws4_request`.
    pub(super) fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }

    fn date(&self) -> &str {
        self.time.get(..8).unwrap_or(self.time)
    }

    /// The signature of a canonical request.
    pub(super) fn signature(&self, secret: &str, canonical_request: &str) -> String {
        let text = format!("{ALGORITHM}\n{}\n{}\n{}", self.time, self.text(), sha256_hex(canonical_request.as_bytes()));
        hex(&hmac(&self.key(secret), &text))
    }

    fn key(&self, secret: &str) -> Vec<u8> {
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), self.date());
        for part in [self.region, self.service, "aws4_request"] {
            key = hmac(&key, part);
        }
        key
    }

    /// What signs the chunks of the body of a request with this signature.
    pub(super) fn chunk_signer(&self, secret: &str, signature: &str) -> ChunkSigner {
        let scope = format!("{}\n{}", self.time, self.text());
        ChunkSigner { key: self.key(secret), scope, previous: signature.to_owned() }
    }
}

/// Signs chunk after chunk, each over the signature before it.
pub(super) struct ChunkSigner {
    key: Vec<u8>,
    scope: String,
    previous: String,
}

/// Shows nothing of the key.
impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl ChunkSigner {
    /// The signature of the next chunk, whose bytes have this SHA-256.
    pub(super) fn chunk(&mut self, hash: &[u8]) -> String {
        let hashes = format!("{}\n{}", sha256_hex(b""), hex(hash));
        self.next("PAYLOAD", &hashes)
    }

    /// The signature of the trailers, in their order.
    pub(super) fn trailers(&mut self, trailers: &[(String, String)]) -> String {
        let text: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        self.next("TRAILER", &sha256_hex(text.as_bytes()))
    }

    fn next(&mut self, what: &str, hashes: &str) -> String {
        let text = format!("{ALGORITHM}-{what}\n{}\n{}\n{hashes}", self.scope, self.previous);
        self.previous = hex(&hmac(&self.key, &text));
        self.previous.clone()
    }
}

/// The canonical request over the given signed headers (lower case, sorted) and the payload's hash.
///
/// `leave_out` names a query parameter that is not signed: the signature of a presigned request.
pub(super) fn canonical_request(
    request: &Request<'_>,
    service: &str,
    signed_headers: &[&str],
    payload_hash: &str,
    leave_out: &str,
) -> String {
    let headers: String =
        signed_headers.iter().map(|name| format!("{name}:{}\n", header_values(request, name))).collect();
    let (path, query) = (canonical_path(request.path, service), canonical_query(request.query, leave_out));
    format!("{}\n{path}\n{query}\n{headers}\n{}\n{payload_hash}", request.method, signed_headers.join(";"))
}

/// S3 signs the path as it is sent; everyone else normalises it and encodes it once more.
fn canonical_path(path: &str, service: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    if matches!(service, "s3" | "s3express" | "s3-object-lambda" | "s3-outposts") {
        return percent_recode(path, "/");
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let tail = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    percent_encode(&format!("/{}{tail}", kept.join("/")), "/")
}

fn canonical_query(query: &str, leave_out: &str) -> String {
    let encode = |part: &str| percent_recode(part, "");
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| *key != leave_out)
        .map(|(key, value)| (encode(key), encode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// All values of a header, joined by commas, inner runs of spaces made one.
fn header_values(request: &Request<'_>, name: &str) -> String {
    let values = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    values.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(",")
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken, so there is always a result.
    Hmac::<Sha256>::new_from_slice(key)
        .map_or_else(|_| Vec::new(), |mac| mac.chain_update(text).finalize().into_bytes().to_vec())
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Whether two texts are equal, in a time that depends on their length only.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}
