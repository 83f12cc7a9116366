//! The content encoding `aws-chunked`: a body in chunks, each with a signature where the head says so, and trailers behind them.
//!
//! Follows <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and `sigv4-streaming-trailers.html`.
//!
//! ```text
//! HEX-LENGTH[;chunk-signature=HEX] CRLF bytes CRLF … 0[;chunk-signature=HEX] CRLF
//! [name:value CRLF …] [x-amz-trailer-signature:HEX CRLF] CRLF
//! ```
//!
//! Invariant: what is held is one line, the trailers and the state of a hash, all bounded; the bytes of a chunk pass through.
//!
//! Invariant: the bytes of a chunk leave before its signature is checked, so nothing is to be believed before [`Chunks::finish`].

use sha2::{Digest as _, Sha256};

use crate::sigv4::body_error::BodyError;
use crate::sigv4::canonical::{ChunkSigner, same};

const LINE_BYTES_MAX: usize = 1024;
const TRAILERS_MAX: usize = 8;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// The framing that a request's head announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    pub(super) is_signed: bool,
    pub(super) has_trailer: bool,
}

impl Framing {
    /// The framing of an `x-amz-content-sha256`; `None` where it is another or none.
    pub(super) fn of(said: &str) -> Option<Self> {
        let (is_signed, has_trailer) = match said {
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => (true, false),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => (true, true),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => (false, true),
            _ => return None,
        };
        Some(Self { is_signed, has_trailer })
    }
}

/// Takes the framing off, piece by piece.
#[derive(Debug)]
pub(super) struct Chunks {
    framing: Framing,
    signer: Option<ChunkSigner>,
    state: State,
    line: Vec<u8>,
    /// The signature that the current chunk's head gave.
    signature: String,
    hash: Sha256,
    trailers: Vec<(String, String)>,
    trailer_signature: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Bytes(u64),
    /// After a chunk's bytes: this many of its two last bytes were read.
    End(u8),
    Trailer,
    Done,
}

impl Chunks {
    pub(super) fn new(framing: Framing, signer: ChunkSigner) -> Self {
        Self {
            framing,
            signer: framing.is_signed.then_some(signer),
            state: State::Head,
            line: Vec::new(),
            signature: String::new(),
            hash: Sha256::new(),
            trailers: Vec::new(),
            trailer_signature: None,
        }
    }

    /// The next bytes of the body, taken from the front of `input`; `None` when there is nothing left of it.
    pub(super) fn next<'b>(&mut self, input: &mut &'b [u8]) -> Result<Option<&'b [u8]>, BodyError> {
        loop {
            match self.state {
                State::Bytes(0) => self.end_chunk()?,
                State::Bytes(left) if !input.is_empty() => {
                    let fits = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let (now, later) = input.split_at(fits);
                    *input = later;
                    if self.signer.is_some() {
                        self.hash.update(now);
                    }
                    self.state = State::Bytes(left - fits as u64);
                    return Ok(Some(now));
                }
                _ => {
                    let Some((byte, later)) = input.split_first() else { return Ok(None) };
                    *input = later;
                    self.step(*byte)?;
                }
            }
        }
    }

    /// Takes a byte that is none of a chunk's.
    fn step(&mut self, byte: u8) -> Result<(), BodyError> {
        match self.state {
            State::End(read) => {
                if Some(&byte) != b"\r\n".get(usize::from(read)) {
                    return Err(malformed("a chunk is longer than it says"));
                }
                self.state = if read == 0 { State::End(1) } else { State::Head };
            }
            State::Head | State::Trailer if byte == b'\n' => {
                let line = std::mem::take(&mut self.line);
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                let line = std::str::from_utf8(line).map_err(|_| malformed("a line that is no text"))?;
                if self.state == State::Head { self.head(line)? } else { self.trailer(line)? }
            }
            State::Head | State::Trailer => {
                self.line.push(byte);
                if self.line.len() > LINE_BYTES_MAX {
                    return Err(malformed("a line without an end"));
                }
            }
            State::Done => return Err(malformed("bytes follow the last chunk")),
            State::Bytes(_) => {}
        }
        Ok(())
    }

    fn head(&mut self, line: &str) -> Result<(), BodyError> {
        let (length, extension) = line.split_once(';').unwrap_or((line, ""));
        let is_hex = !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_hexdigit());
        let length = u64::from_str_radix(length, 16).ok().filter(|_| is_hex);
        let length = length.ok_or_else(|| malformed("a chunk without a length"))?;
        self.signature = match (self.framing.is_signed, extension.strip_prefix("chunk-signature=")) {
            (true, None) => return Err(malformed("a chunk without a signature")),
            (true, Some(signature)) => signature.to_owned(),
            (false, _) => String::new(),
        };
        self.hash = Sha256::new();
        if length > 0 {
            self.state = State::Bytes(length);
            return Ok(());
        }
        self.check_chunk()?;
        self.state = State::Trailer;
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), BodyError> {
        self.check_chunk()?;
        self.state = State::End(0);
        Ok(())
    }

    fn check_chunk(&mut self) -> Result<(), BodyError> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        let hash = std::mem::take(&mut self.hash).finalize();
        let expected = signer.chunk(&hash);
        if same(&expected, &self.signature) { Ok(()) } else { Err(BodyError::SignatureDiffers) }
    }

    fn trailer(&mut self, line: &str) -> Result<(), BodyError> {
        if line.is_empty() {
            self.check_trailers()?;
            self.state = State::Done;
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or(BodyError::MalformedTrailer)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if !self.framing.has_trailer || self.trailers.len() == TRAILERS_MAX || self.trailer_signature.is_some() {
            return Err(BodyError::MalformedTrailer);
        }
        if name == TRAILER_SIGNATURE {
            self.trailer_signature = Some(value);
        } else {
            self.trailers.push((name, value));
        }
        Ok(())
    }

    fn check_trailers(&mut self) -> Result<(), BodyError> {
        let Some(signer) = self.signer.as_mut().filter(|_| self.framing.has_trailer) else { return Ok(()) };
        let Some(signature) = &self.trailer_signature else { return Err(BodyError::MalformedTrailer) };
        let expected = signer.trailers(&self.trailers);
        if same(&expected, signature) { Ok(()) } else { Err(BodyError::SignatureDiffers) }
    }

    /// The trailers, when everything has come.
    pub(super) fn finish(self) -> Result<Vec<(String, String)>, BodyError> {
        match self.state {
            State::Done => Ok(self.trailers),
            _ => Err(BodyError::Incomplete),
        }
    }
}

fn malformed(what: &'static str) -> BodyError {
    BodyError::Malformed(what)
}
