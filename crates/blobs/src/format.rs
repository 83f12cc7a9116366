//! A blob's file: a header and sealed chunks.
//!
//! ```text
//! header  magic (8) | nonce (12) | sealed under the store's key: the blob's key (32), digest (32), length (8) | tag (16)
//! chunk   64 KiB of the blob, or what is left at its end, sealed under the blob's key, its number as nonce | tag (16)
//! ```
//!
//! Invariant: every blob has a key of its own, which seals no two chunks under one number.
//!
//! Invariant: the header is authentic for one digest and length, so a file that was cut off, swapped or taken from another
//! store is known as such before any of its bytes leaves.

use aes_gcm::aead::{AeadInPlace as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hmac::{Hmac, Mac};
use neargate_base::{BlobRef, Digest};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) const CHUNK_BYTES: usize = 64 << 10;
pub(crate) const TAG_BYTES: usize = 16;
const SEALED_CHUNK_BYTES: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;
const MAGIC: &[u8; 8] = b"NGBLOB\x00\x01";
const NONCE_BYTES: usize = 12;
const SEALED_BYTES: usize = 32 + 32 + 8;
pub(crate) const HEADER_BYTES: usize = MAGIC.len() + NONCE_BYTES + SEALED_BYTES + TAG_BYTES;

/// The key of a store, 256 bits. Wiped when dropped, never shown.
pub struct StoreKey(Zeroizing<[u8; 32]>);

impl StoreKey {
    /// The key of these bytes, which whoever keeps them has sealed.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        keyed(&self.0, purpose)
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey")
    }
}

/// What is derived from a store's key.
pub(crate) struct Keys {
    naming: Zeroizing<[u8; 32]>,
    headers: Aes256Gcm,
}

impl Keys {
    pub(crate) fn new(key: &StoreKey) -> Self {
        let headers = key.derive(b"neargate blobs: headers");
        Self { naming: key.derive(b"neargate blobs: names"), headers: cipher(&headers) }
    }

    /// The name of a blob's file, which tells nobody without the key what is in it.
    pub(crate) fn name(&self, digest: &Digest) -> Name {
        Name(*keyed(&self.naming, digest.bytes()))
    }

    /// The header of a blob.
    pub(crate) fn header(&self, nonce: [u8; NONCE_BYTES], key: &[u8; 32], blob: BlobRef) -> [u8; HEADER_BYTES] {
        let mut sealed = Zeroizing::new([0; SEALED_BYTES]);
        let length = blob.length.to_be_bytes();
        let parts = key.iter().chain(blob.digest.bytes()).chain(&length);
        sealed.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        // Fails only beyond 64 GiB.
        let tag = self.headers.encrypt_in_place_detached(Nonce::from_slice(&nonce), MAGIC, &mut sealed[..]);
        let tag = tag.unwrap_or_default();
        let mut header = [0; HEADER_BYTES];
        let parts = MAGIC.iter().chain(&nonce).chain(sealed.iter()).chain(&tag);
        header.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        header
    }

    /// A header's blob and the key of its chunks; `None` where the header was not written by this store.
    pub(crate) fn open(&self, header: &[u8; HEADER_BYTES]) -> Option<(BlobRef, ChunkKey)> {
        let (magic, rest) = header.split_first_chunk::<8>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let (sealed, tag) = rest.split_first_chunk::<SEALED_BYTES>()?;
        if magic != MAGIC {
            return None;
        }
        let mut plain = Zeroizing::new(*sealed);
        let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
        self.headers.decrypt_in_place_detached(nonce, MAGIC, &mut plain[..], tag).ok()?;
        let (key, rest) = plain.split_first_chunk::<32>()?;
        let (digest, length) = rest.split_first_chunk::<32>()?;
        let length = u64::from_be_bytes(length.try_into().ok()?);
        Some((BlobRef { digest: Digest::new(*digest), length }, ChunkKey::new(key)))
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// The name of a blob's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name([u8; 32]);

impl Name {
    /// The folder that holds it, and the file.
    pub(crate) fn path(&self) -> String {
        let mut path = format!("{:02x}/", self.0[0]);
        self.0.iter().for_each(|byte| path.push_str(&format!("{byte:02x}")));
        path
    }

    /// A name from a file's; `None` for a file that no store has written.
    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let digest: Digest = format!("sha256:{file_name}").parse().ok()?;
        Some(Self(*digest.bytes()))
    }

    /// The first eight bytes.
    pub(crate) fn prefix(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

/// Seals and opens the chunks of one blob.
pub(crate) struct ChunkKey(Box<Aes256Gcm>);

impl ChunkKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Box::new(cipher(key)))
    }

    /// Seals in place and appends the tag.
    pub(crate) fn seal(&self, number: u64, chunk: &mut Vec<u8>) {
        // Fails only beyond 64 GiB; a chunk has 64 KiB.
        let tag = self.0.encrypt_in_place_detached(&nonce(number), b"", chunk).unwrap_or_default();
        chunk.extend_from_slice(&tag);
    }

    /// Opens in place and takes the tag off; `false` where the chunk is not the one that was sealed.
    pub(crate) fn open(&self, number: u64, chunk: &mut Vec<u8>) -> bool {
        let Some(length) = chunk.len().checked_sub(TAG_BYTES) else { return false };
        let (plain, tag) = chunk.split_at_mut(length);
        let opened = self.0.decrypt_in_place_detached(&nonce(number), b"", plain, Tag::from_slice(tag)).is_ok();
        chunk.truncate(length);
        opened
    }
}

impl std::fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChunkKey")
    }
}

/// Where a chunk begins in the file.
pub(crate) fn chunk_offset(number: u64) -> u64 {
    HEADER_BYTES as u64 + number * SEALED_CHUNK_BYTES
}

/// How long the file of a blob is.
pub(crate) fn file_bytes(length: u64) -> u64 {
    let whole = length / CHUNK_BYTES as u64;
    let rest = length % CHUNK_BYTES as u64;
    chunk_offset(whole) + if rest == 0 { 0 } else { rest + TAG_BYTES as u64 }
}

fn nonce(number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; NONCE_BYTES];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce.into()
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
}

fn keyed(key: &[u8; 32], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    // HMAC takes keys of any length.
    if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) {
        mac.update(text);
        bytes.copy_from_slice(&mac.finalize().into_bytes());
    }
    bytes
}

/// Bytes that nobody can foresee.
pub(crate) fn random<const N: usize>() -> std::io::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}
