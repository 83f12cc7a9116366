//! The only source of randomness in the core, seeded by whoever composes it.

/// A seeded generator: the same seed gives the same ids.
#[derive(Debug)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// A generator that repeats itself for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// `digits` lower-case hexadecimal digits, as in the id of a task (32) or a subnet (17).
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(u32::from(self.0.u8(..16)), 16).unwrap_or('0')).collect()
    }

    /// `length` upper-case letters and digits, as in the id of a role.
    pub fn upper_alphanumeric(&mut self, length: usize) -> String {
        (0..length).map(|_| self.0.alphanumeric().to_ascii_uppercase()).collect()
    }

    /// A random (version 4) UUID.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.0.u64(..), self.0.u64(..));
        let (variant, rest) = (0x8000 | (low >> 48) & 0x3fff, low & 0xffff_ffff_ffff);
        format!("{:08x}-{:04x}-4{:03x}-{variant:04x}-{rest:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff)
    }

    /// A number below `bound`, which must not be zero; zero gives zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.u64(..bound) }
    }
}
