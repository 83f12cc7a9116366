//! The body of a request whose head holds, piece by piece: its framing taken off, and all that the head says of it checked.
//!
//! Invariant: nothing is to be believed before [`BodyReader::finish`] has returned.

use sha2::{Digest as _, Sha256};

use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::message::Request;
use crate::sigv4::body_error::BodyError;
use crate::sigv4::canonical::{ChunkSigner, UNSIGNED, hex, same};
use crate::sigv4::chunks::{Chunks, Framing};

/// Takes a body off its framing and checks it.
#[derive(Debug)]
pub struct BodyReader {
    chunks: Option<Chunks>,
    /// The hash that the whole must have.
    hash: Option<(Sha256, String)>,
    /// Checksums, and what the head says that they are; those of trailers are said at the end.
    checksums: Vec<(Checksum, Option<String>)>,
    /// The trailers that the head announces.
    announced: Vec<String>,
    /// How many bytes there must be.
    length: Option<u64>,
    read: u64,
}

impl BodyReader {
    /// A reader for the body that a head announces; `said` is its payload's hash, or the word in its place.
    pub(super) fn new(head: &Request<'_>, said: &str, signer: ChunkSigner) -> Result<Self, BodyError> {
        let framing = Framing::of(said);
        let is_hash = said.len() == 64 && said.bytes().all(|digit| digit.is_ascii_hexdigit());
        if framing.is_none() && !is_hash && said != UNSIGNED {
            return Err(BodyError::Unknown(said.to_owned()));
        }
        let length = match (framing, head.header("x-amz-decoded-content-length").map(str::parse)) {
            (None, _) => None,
            (Some(_), Some(Ok(length))) => Some(length),
            (Some(_), _) => return Err(BodyError::LengthMissing),
        };
        let has_trailer = framing.is_some_and(|framing| framing.has_trailer);
        let announced =
            head.headers.iter().filter(|(name, _)| has_trailer && name.eq_ignore_ascii_case("x-amz-trailer"));
        let announced = announced.flat_map(|(_, names)| names.split(',')).map(|name| name.trim().to_ascii_lowercase());
        let announced: Vec<String> = announced.filter(|name| !name.is_empty()).collect();
        let in_head = head.headers.iter().filter_map(|(name, value)| {
            Some((Checksum::new(ChecksumAlgorithm::of_header(name)?), Some(value.trim().to_owned())))
        });
        let in_trailer = announced.iter().filter_map(|name| ChecksumAlgorithm::of_header(name));
        Ok(Self {
            chunks: framing.map(|framing| Chunks::new(framing, signer)),
            hash: is_hash.then(|| (Sha256::new(), said.to_ascii_lowercase())),
            checksums: in_head.chain(in_trailer.map(|algorithm| (Checksum::new(algorithm), None))).collect(),
            announced,
            length,
            read: 0,
        })
    }

    /// How many bytes come out, where the head says it.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes of the body, taken from the front of `input`; `None` when there is nothing left of it.
    ///
    /// # Errors
    /// Where the body is not the one that its head announces.
    pub fn next<'b>(&mut self, input: &mut &'b [u8]) -> Result<Option<&'b [u8]>, BodyError> {
        let bytes = match &mut self.chunks {
            Some(chunks) => chunks.next(input)?,
            None => Some(std::mem::take(input)).filter(|bytes| !bytes.is_empty()),
        };
        let Some(bytes) = bytes else { return Ok(None) };
        self.read += bytes.len() as u64;
        if self.length.is_some_and(|length| self.read > length) {
            return Err(BodyError::Incomplete);
        }
        if let Some((hash, _)) = &mut self.hash {
            hash.update(bytes);
        }
        self.checksums.iter_mut().for_each(|(checksum, _)| checksum.update(bytes));
        Ok(Some(bytes))
    }

    /// Checks the whole, and gives the checksums that held, by algorithm.
    ///
    /// # Errors
    /// Where the body is not the one that its head announces.
    pub fn finish(self) -> Result<Vec<(ChecksumAlgorithm, String)>, BodyError> {
        let trailers = self.chunks.map_or(Ok(Vec::new()), Chunks::finish)?;
        if self.length.is_some_and(|length| self.read != length) {
            return Err(BodyError::Incomplete);
        }
        if let Some((hash, said)) = self.hash
            && !same(&hex(&hash.finalize()), &said)
        {
            return Err(BodyError::PayloadDiffers);
        }
        let mut sent: Vec<&String> = trailers.iter().map(|(name, _)| name).collect();
        let mut announced: Vec<&String> = self.announced.iter().collect();
        sent.sort();
        announced.sort();
        if sent != announced {
            return Err(BodyError::MalformedTrailer);
        }
        let mut held = Vec::new();
        for (checksum, said) in self.checksums {
            let algorithm = checksum.algorithm();
            let in_trailer = || trailers.iter().find(|(name, _)| name == algorithm.header()).map(|(_, value)| value);
            let said = said.or_else(|| in_trailer().cloned()).ok_or(BodyError::MalformedTrailer)?;
            if checksum.finish() != said {
                return Err(BodyError::ChecksumDiffers(algorithm));
            }
            held.push((algorithm, said));
        }
        Ok(held)
    }
}
