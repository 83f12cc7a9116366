//! References to bytes that are kept elsewhere: what records and messages hold in place of a large body.
//!
//! Invariant: a digest is of the bytes as they were given, before any encryption.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const PREFIX: &str = "sha256:";

/// A SHA-256 digest; as text `sha256:` and 64 lower-case hexadecimal digits, as container registries write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Bytes that are kept elsewhere, by their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many bytes there are.
    pub length: u64,
}

/// A text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `sha256:` and 64 hexadecimal digits in lower case")]
pub struct DigestParseError;

impl Digest {
    /// The digest whose bytes these are.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(PREFIX).ok_or(DigestParseError)?;
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestParseError);
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            let pair = digits.get(at..at + 2).ok_or(DigestParseError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestParseError)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{BlobRef, Digest, DigestParseError};

    #[test]
    fn text_and_back() {
        let digest = Digest::new(std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap()));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let blob = BlobRef { digest, length: 5 };
        let json = serde_json::to_string(&blob).unwrap();
        assert_eq!(json, format!(r#"{{"digest":"{digest}","length":5}}"#));
        assert_eq!(serde_json::from_str::<BlobRef>(&json).unwrap(), blob);
    }

    #[test]
    fn other_texts_are_no_digests() {
        let digits = "0".repeat(64);
        let cases = [
            String::new(),
            digits.clone(),
            format!("sha512:{digits}"),
            format!("sha256:{digits}0"),
            format!("sha256:{}", "0".repeat(63)),
            format!("sha256:{}A", "0".repeat(63)),
            format!("sha256:+{}", "0".repeat(63)),
            format!("sha256:{}é", "0".repeat(62)),
        ];
        for case in cases {
            assert_eq!(case.parse::<Digest>(), Err(DigestParseError), "{case}");
        }
    }
}
