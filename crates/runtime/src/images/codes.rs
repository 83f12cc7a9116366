//! The diagnostics of the image store: their codes and the few shapes that many places share.
//!
//! Invariant: every code of this module is listed here, in the range `NG-R0101` to `NG-R0199`.

use std::io;
use std::path::Path;

use neargate_base::{Code, Diagnostic};

/// The text is no image reference.
pub const INVALID_REFERENCE: Code = Code("NG-R0101");
/// The directory holds an image store of a format this version does not know.
pub const STORE_FORMAT: Code = Code("NG-R0102");
/// Reading or writing a file failed.
pub const IO: Code = Code("NG-R0103");
/// No store holds the image.
pub const NOT_FOUND: Code = Code("NG-R0104");
/// A blob, manifest or index is missing or does not read.
pub const CORRUPT: Code = Code("NG-R0105");
/// Content does not have the digest or size it is known by.
pub const DIGEST_MISMATCH: Code = Code("NG-R0106");
/// The archive is cut short or no image archive at all.
pub const BAD_ARCHIVE: Code = Code("NG-R0107");
/// A layer tries to write outside its own tree.
pub const LAYER_ESCAPE: Code = Code("NG-R0108");
/// A layer is larger than the limits allow.
pub const LAYER_LIMIT: Code = Code("NG-R0109");
/// Something the image asks for that this program does not do.
pub const UNSUPPORTED: Code = Code("NG-R0110");
/// A multi-platform image has nothing for this machine.
pub const NO_PLATFORM: Code = Code("NG-R0111");
/// The archive does not say what its image is called.
pub const NEEDS_REFERENCE: Code = Code("NG-R0112");
/// The image was made for another kind of machine.
pub const OTHER_ARCHITECTURE: Code = Code("NG-R0113");
/// A file given to a build cannot go into an image.
pub const BUILD_INPUT: Code = Code("NG-R0120");
/// A dynamically linked program was given as a static one.
pub const NOT_STATIC: Code = Code("NG-R0121");
/// A host program was not found, or is nothing that can run.
pub const NO_PROGRAM: Code = Code("NG-R0122");
/// A shared library that a program needs was not found.
pub const NO_LIBRARY: Code = Code("NG-R0123");
/// The image's own command is not in the image.
pub const NO_COMMAND: Code = Code("NG-R0124");
/// The store may only be read.
pub const READ_ONLY: Code = Code("NG-R0125");

/// A failed file operation: `verb` says what was tried, as in "cannot {verb} `path`".
pub(crate) fn io_error(verb: &str, path: &Path, error: &io::Error) -> Diagnostic {
    let diagnostic = Diagnostic::error(IO, format!("cannot {verb} `{}`: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::PermissionDenied => diagnostic.hint("run as a user who may, or give another directory"),
        io::ErrorKind::StorageFull => diagnostic.hint("free some space on that file system"),
        _ => diagnostic,
    }
}

/// Something in the store or in an archive that does not read as it must.
pub(crate) fn corrupt(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(CORRUPT, message).hint("import or build the image again")
}
