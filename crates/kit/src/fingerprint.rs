//! A number for what a token belongs to. The same on every machine and in every release, unlike the standard library's.

use std::hash::{Hash, Hasher};

/// FNV-1a in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of anything that can be hashed.
    pub(crate) fn of(value: &impl Hash) -> u64 {
        let mut fingerprint = Self(0xcbf2_9ce4_8422_2325);
        value.hash(&mut fingerprint);
        fingerprint.finish()
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
