//! The checksums that S3's clients send beside a body, or behind it.
//!
//! Follows <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>.
//!
//! Invariant: one pass, no memory but the state of the algorithm.

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest as CrcDigest, Table};
use neargate_shape::scalar::base64_encode;
use sha2::{Digest as _, Sha256};

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64_NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 of zip and Ethernet.
    Crc32,
    /// CRC-32C of iSCSI.
    Crc32c,
    /// CRC-64 of NVMe.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// Every algorithm.
pub const CHECKSUM_ALGORITHMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32c,
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

impl ChecksumAlgorithm {
    /// The header or trailer that carries it: `x-amz-checksum-crc32`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The name in S3's API: `CRC32`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of a header or trailer, in any case.
    pub fn of_header(name: &str) -> Option<Self> {
        CHECKSUM_ALGORITHMS.into_iter().find(|algorithm| algorithm.header().eq_ignore_ascii_case(name))
    }
}

/// A checksum while it is computed.
#[derive(Clone)]
pub struct Checksum(State);

#[derive(Clone)]
enum State {
    Crc32(ChecksumAlgorithm, CrcDigest<'static, u32, Table<16>>),
    Crc64(CrcDigest<'static, u64, Table<16>>),
    Sha1(Box<sha1::Sha1>),
    Sha256(Box<Sha256>),
}

impl Checksum {
    /// Of no bytes yet.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        Self(match algorithm {
            ChecksumAlgorithm::Crc32 => State::Crc32(algorithm, CRC32.digest()),
            ChecksumAlgorithm::Crc32c => State::Crc32(algorithm, CRC32C.digest()),
            ChecksumAlgorithm::Crc64Nvme => State::Crc64(CRC64_NVME.digest()),
            ChecksumAlgorithm::Sha1 => State::Sha1(Box::default()),
            ChecksumAlgorithm::Sha256 => State::Sha256(Box::default()),
        })
    }

    /// Which it is.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        match self.0 {
            State::Crc32(algorithm, _) => algorithm,
            State::Crc64(_) => ChecksumAlgorithm::Crc64Nvme,
            State::Sha1(_) => ChecksumAlgorithm::Sha1,
            State::Sha256(_) => ChecksumAlgorithm::Sha256,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(_, digest) => digest.update(bytes),
            State::Crc64(digest) => digest.update(bytes),
            State::Sha1(digest) => digest.update(bytes),
            State::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The checksum as S3 writes it: base64 of its bytes, the most significant first.
    pub fn finish(self) -> String {
        match self.0 {
            State::Crc32(_, digest) => base64_encode(&digest.finalize().to_be_bytes()),
            State::Crc64(digest) => base64_encode(&digest.finalize().to_be_bytes()),
            State::Sha1(digest) => base64_encode(&digest.finalize()),
            State::Sha256(digest) => base64_encode(&digest.finalize()),
        }
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Checksum").field(&self.algorithm()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECKSUM_ALGORITHMS, Checksum, ChecksumAlgorithm};

    /// The check values of the catalogues: of `123456789`.
    #[test]
    fn the_check_values_are_those_of_the_standards() {
        for (algorithm, expected) in [
            (ChecksumAlgorithm::Crc32, "y/Q5Jg=="),
            (ChecksumAlgorithm::Crc32c, "4waSgw=="),
            (ChecksumAlgorithm::Crc64Nvme, "rosUhgp5mIg="),
            (ChecksumAlgorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (ChecksumAlgorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let mut checksum = Checksum::new(algorithm);
            checksum.update(b"1234");
            checksum.update(b"");
            checksum.update(b"56789");
            assert_eq!((checksum.algorithm(), checksum.finish()), (algorithm, expected.to_owned()));
        }
    }

    #[test]
    fn headers_name_their_algorithms() {
        for algorithm in CHECKSUM_ALGORITHMS {
            assert_eq!(ChecksumAlgorithm::of_header(&algorithm.header().to_uppercase()), Some(algorithm));
            assert!(algorithm.header().ends_with(&algorithm.name().to_lowercase()));
        }
        assert_eq!(ChecksumAlgorithm::of_header("x-amz-checksum-md5"), None);
    }
}
