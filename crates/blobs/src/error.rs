//! What can go wrong.
//!
//! Invariant: after every error of an upload nothing of it is on disk but, at most, a file that the next sweep removes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use neargate_base::{BlobRef, Digest};
use rustix::io::Errno;

/// A blob could not be written, found or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlobError {
    /// As many uploads are open as may be.
    TooManyUploads {
        /// How many may be.
        max: usize,
    },
    /// The open uploads together hold as many bytes as they may.
    TooManyBytes {
        /// How many they may hold.
        max: u64,
    },
    /// One blob is longer than it may be.
    TooLong {
        /// How long it may be.
        max: u64,
    },
    /// The disk is full, or would be with less than what must stay free.
    Full {
        /// Where the blobs are.
        folder: PathBuf,
    },
    /// The bytes that came are others than were announced.
    Mismatch {
        /// What was announced.
        expected: BlobRef,
        /// What came.
        got: BlobRef,
    },
    /// There is no blob with this digest.
    NotFound(Digest),
    /// A file is not what was written: cut off, changed, or of another store.
    Damaged {
        /// The blob that was asked for.
        digest: Digest,
        /// What is wrong.
        what: &'static str,
    },
    /// A sweep is running.
    SweepRunning,
    /// The system refused something else.
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl BlobError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| {
            let errno = cause.raw_os_error().map(Errno::from_raw_os_error);
            if matches!(errno, Some(Errno::NOSPC | Errno::DQUOT)) {
                return Self::Full { folder: path.parent().unwrap_or(path).to_owned() };
            }
            Self::Io { doing, path: path.to_owned(), cause }
        }
    }
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyUploads { max } => write!(f, "{max} uploads are open, as many as may be at once"),
            Self::TooManyBytes { max } => write!(f, "open uploads hold {max} bytes, as many as they may together"),
            Self::TooLong { max } => write!(f, "the body is longer than {max} bytes"),
            Self::Full { folder } => write!(f, "the disk that holds `{}` is full", folder.display()),
            Self::Mismatch { expected, got } => write!(
                f,
                "expected {} bytes with digest `{}`, got {} bytes with digest `{}`",
                expected.length, expected.digest, got.length, got.digest
            ),
            Self::NotFound(digest) => write!(f, "there is no blob `{digest}`"),
            Self::Damaged { digest, what } => write!(f, "the file of blob `{digest}` is damaged: {what}"),
            Self::SweepRunning => f.write_str("a sweep of the blobs is running"),
            Self::Io { doing, path, cause } => write!(f, "cannot {doing} `{}`: {cause}", path.display()),
        }
    }
}

impl std::error::Error for BlobError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
