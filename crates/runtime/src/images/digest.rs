//! SHA-256 content digests, and a reader and a writer that compute them on the way.
//!
//! Invariant: a [`Digest`] is 64 lowercase hexadecimal digits, so it is safe as a file name.

use std::fmt;
use std::fmt::Write as _;
use std::io::{self, Read, Write};

use neargate_base::Diagnostic;
use sha2::{Digest as _, Sha256};

use super::codes;

/// The SHA-256 digest of some content, written `sha256:<64 hex digits>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    hex: String,
}

impl Digest {
    /// Reads `sha256:<64 hex digits>`.
    ///
    /// # Errors
    /// `NG-R0105` for any other form, `NG-R0110` for another algorithm.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        match text.split_once(':') {
            Some(("sha256", hex)) => Self::from_hex(hex).ok_or_else(|| {
                codes::corrupt(format!("`{text}` is no digest: expected `sha256:` and 64 lowercase hex digits"))
            }),
            Some((algorithm @ ("sha384" | "sha512" | "blake3"), _)) => {
                Err(Diagnostic::error(codes::UNSUPPORTED, format!("digest algorithm `{algorithm}` is not supported"))
                    .hint("save the image again with sha256 digests"))
            }
            _ => Err(codes::corrupt(format!("`{text}` is no digest: expected `sha256:` and 64 lowercase hex digits"))),
        }
    }

    /// The digest with these 64 lowercase hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let valid = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| Self { hex: hex.to_owned() })
    }

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// The 64 hexadecimal digits alone.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    fn finish(hash: Sha256) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        Self { hex }
    }
}

/// `sha256:<hex>`.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex)
    }
}

/// Digests, counts and bounds what is read through it.
pub(crate) struct HashingReader<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
    bytes_max: u64,
}

impl<R: Read> HashingReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self::limited(inner, u64::MAX)
    }

    /// Fails once more than `bytes_max` came through.
    pub(crate) fn limited(inner: R, bytes_max: u64) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0, bytes_max }
    }

    /// Whether more came than it may read.
    pub(crate) fn exceeded(&self) -> bool {
        self.bytes > self.bytes_max
    }

    /// Digest and number of the bytes read so far.
    pub(crate) fn finish(self) -> (Digest, u64) {
        (Digest::finish(self.hash), self.bytes)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        if self.exceeded() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {} bytes", self.bytes_max)));
        }
        Ok(count)
    }
}

/// Digests and counts what is written through it.
pub(crate) struct HashingWriter<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// The writer below, and digest and number of the bytes written.
    pub(crate) fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest::finish(self.hash), self.bytes)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
