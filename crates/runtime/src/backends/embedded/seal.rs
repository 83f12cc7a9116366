//! Sealing the frames of a container's spool, and opening them again.
//!
//! AES-256-GCM under the task's spool key. Associated data binds a frame to the spool's version and encoding, its task, its
//! container and its place in the file: a frame that was moved, or taken from another container, does not open.
//!
//! A nonce is 64 bits from the kernel's random numbers, taken anew whenever a spool is opened for writing, and 32 bits that
//! count the frames from there; when they are used up, 64 new bits are taken. So no writer repeats a nonce, whether or not
//! what it sealed was kept: bytes that were cut off again and written anew at the same place are sealed under the next one.
//! Two writers under one key repeat one only if they drew the same 64 bits: with n openings in a task's life that has a chance
//! of n²/2⁶⁵, less than 1 in 10¹³ for a thousand.
//!
//! Invariant: a writer's cipher and count are used in the shim alone; a forked child drops its copy.

use std::fmt;
use std::io;

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};

use crate::secret::{SpoolKey, fill_random};
use crate::spec::TaskId;

pub(super) const NONCE_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;
const PREFIX_BYTES: usize = 8;
/// Version 3, encoding 1.
pub(super) const HEADER: [u8; 8] = [b'N', b'G', b'S', b'P', 3, 0, 1, 0];

/// Header, a task id's digits, two numbers.
const PLACE_BYTES: usize = HEADER.len() + 32 + 8 + 8;

/// Seals and opens the frames of one container's spool.
pub(super) struct FrameSeal {
    cipher: Box<Aes256Gcm>,
    /// Spool version and encoding, task, container, and room for the offset.
    place: [u8; PLACE_BYTES],
}

impl fmt::Debug for FrameSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameSeal")
    }
}

impl FrameSeal {
    /// For the container at that place in the task.
    pub(super) fn new(key: &SpoolKey, task: &TaskId, index: usize) -> io::Result<Self> {
        let no_key = || io::Error::new(io::ErrorKind::InvalidInput, "the task's spool key was not given");
        let key = key.bytes().ok_or_else(no_key)?;
        let index = u64::try_from(index).unwrap_or(u64::MAX).to_le_bytes();
        let mut place = [0; PLACE_BYTES];
        let parts = HEADER.iter().chain(task.as_str().as_bytes()).chain(&index);
        place.iter_mut().zip(parts).for_each(|(place, byte)| *place = *byte);
        Ok(Self { cipher: cipher(key), place })
    }

    fn associated(&self, offset: u64) -> [u8; PLACE_BYTES] {
        let mut associated = self.place;
        if let Some(room) = associated.last_chunk_mut() {
            *room = offset.to_le_bytes();
        }
        associated
    }

    /// Encrypts a body in its place, for a frame that begins at the offset; gives the tag.
    pub(super) fn seal(&self, nonce: [u8; NONCE_BYTES], offset: u64, body: &mut [u8]) -> io::Result<[u8; TAG_BYTES]> {
        let sealed = self.cipher.encrypt_in_place_detached(Nonce::from_slice(&nonce), &self.associated(offset), body);
        sealed.map(Into::into).map_err(|_| io::Error::other("the frame is too long to be sealed"))
    }

    /// Decrypts a body in its place. Nothing is decrypted of one that was not sealed so.
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        offset: u64,
        body: &mut [u8],
        tag: [u8; TAG_BYTES],
    ) -> Option<()> {
        let tag = Tag::from(tag);
        let (nonce, associated) = (Nonce::from_slice(&nonce), self.associated(offset));
        self.cipher.decrypt_in_place_detached(nonce, &associated, body, &tag).ok()
    }
}

/// On the heap, where a move leaves no copy behind; what making it leaves on the stack is below the caller's frame.
#[inline(never)]
fn cipher(key: &[u8; 32]) -> Box<Aes256Gcm> {
    Box::new(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key)))
}

/// Gives each nonce once; see the file's head.
#[derive(Debug)]
pub(super) struct Nonces {
    prefix: [u8; PREFIX_BYTES],
    /// The next, where the prefix has one left.
    next: Option<u32>,
}

impl Nonces {
    pub(super) fn new() -> io::Result<Self> {
        let mut prefix = [0; PREFIX_BYTES];
        fill_random(&mut prefix)?;
        Ok(Self { prefix, next: Some(0) })
    }

    pub(super) fn take(&mut self) -> io::Result<[u8; NONCE_BYTES]> {
        let count = match self.next {
            Some(count) => count,
            None => {
                *self = Self::new()?;
                0
            }
        };
        self.next = count.checked_add(1);
        let mut nonce = [0; NONCE_BYTES];
        let (prefix, counter) = nonce.split_at_mut(PREFIX_BYTES);
        prefix.copy_from_slice(&self.prefix);
        counter.copy_from_slice(&count.to_le_bytes());
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_prefix_is_used_up_another_is_taken() {
        let mut nonces = Nonces::new().unwrap();
        nonces.next = Some(u32::MAX - 1);
        let taken: Vec<_> = (0..4).map(|_| nonces.take().unwrap()).collect();
        assert_eq!(taken[0][..8], taken[1][..8]);
        assert_ne!(taken[1][..8], taken[2][..8]);
        assert_eq!(taken[2][..8], taken[3][..8]);
        let counters: Vec<u32> = taken.iter().map(|n| u32::from_le_bytes(n[8..].try_into().unwrap())).collect();
        assert_eq!(counters, [u32::MAX - 1, u32::MAX, 0, 1]);
    }
}
