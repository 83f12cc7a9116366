//! Files and folders that their owner alone may read, whatever the process's umask is.
//!
//! Invariant: no last part of a path that is a symbolic link is opened or changed through it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// Makes a folder and those above it that are missing.
pub(crate) fn make_directory(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
}

/// Options that make a file for its owner alone, and open no link.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Opens a file to read and write, making it where there is none, and takes it from everybody else.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    let file = options().read(true).write(true).create(true).truncate(false).open(path)?;
    restrict(&file)?;
    Ok(file)
}

/// Takes a folder from everybody but its owner, who may do everything with it.
pub(crate) fn tighten(folder: &Path) -> std::io::Result<()> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    restrict(&OpenOptions::new().read(true).custom_flags(flags).open(folder)?)
}

/// Takes every file in a folder from everybody but its owner. Links and folders in it are left alone.
pub(crate) fn tighten_files(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        match OpenOptions::new().read(true).custom_flags(flags).open(entry.path()) {
            Ok(file) => restrict(&file)?,
            // Gone meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn restrict(file: &File) -> std::io::Result<()> {
    let found = file.metadata()?;
    let owner = if found.is_dir() { FOLDER_MODE } else { FILE_MODE };
    let mode = found.permissions().mode() & 0o7777;
    let wanted = mode & !OTHERS | owner;
    if mode == wanted { Ok(()) } else { file.set_permissions(Permissions::from_mode(wanted)) }
}
