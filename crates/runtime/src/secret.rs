//! What must never reach a file: the key of a task's output, and environment values that are secrets.
//!
//! Neither type can be written by serde nor shows itself in `Debug`, so that no record, message or log holds one by
//! accident; both are overwritten when they are dropped.
//!
//! Invariant: a key that was not given is told from every key that was: what is read from a file has none.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

/// How long a spool key is.
const KEY_BYTES: usize = 32;

/// The key under which a task's output lies on disk: 256 bits for AES in Galois/Counter Mode.
#[derive(Clone, PartialEq, Eq)]
pub struct SpoolKey(Option<Zeroizing<Box<[u8]>>>);

impl SpoolKey {
    /// A key of these bytes. A task keeps one key for its life, and no two tasks share one.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::copy(&bytes)
    }

    /// A copy of the bytes on the heap, where a move leaves no other behind.
    pub(crate) fn copy(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(Some(Zeroizing::new(bytes.as_slice().into())))
    }

    /// A new key from the kernel's random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes: Zeroizing<Box<[u8]>> = Zeroizing::new([0; KEY_BYTES].into());
        fill_random(&mut bytes)?;
        Ok(Self(Some(bytes)))
    }

    /// What a specification has that was read from a file.
    pub(crate) fn not_given() -> Self {
        Self(None)
    }

    /// The key's bytes, where it was given.
    pub(crate) fn bytes(&self) -> Option<&[u8; KEY_BYTES]> {
        self.0.as_ref()?.first_chunk()
    }
}

impl fmt::Debug for SpoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "SpoolKey" } else { "SpoolKey (not given)" })
    }
}

/// A text that is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text, for whoever may know it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

/// Fills the bytes with what nobody can foresee.
#[cfg(target_os = "linux")]
pub(crate) fn fill_random(mut bytes: &mut [u8]) -> io::Result<()> {
    use rustix::io::Errno;
    use rustix::rand::{GetRandomFlags, getrandom};
    while !bytes.is_empty() {
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(filled) => bytes = bytes.get_mut(filled..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Fills the bytes with what nobody can foresee.
#[cfg(not(target_os = "linux"))]
pub(crate) fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")?.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_themselves() {
        let shown = format!("{:?} {:?}", SecretText::from("hunter2".to_owned()), SpoolKey::new([0x41; 32]));
        assert_eq!(shown, "SecretText SpoolKey");
        assert_eq!(format!("{:?}", SpoolKey::not_given()), "SpoolKey (not given)");
    }

    #[test]
    fn random_keys_differ() {
        assert_ne!(SpoolKey::random().unwrap(), SpoolKey::random().unwrap());
    }
}
