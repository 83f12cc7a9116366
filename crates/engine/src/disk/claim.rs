//! Whether a directory is a data directory of ours, and making one of it.
//!
//! Invariant: a directory that holds anything becomes a data directory only if it is one already, so nothing that somebody
//! else keeps there is ever taken for ours.
//!
//! Invariant: the marker is a file of ours, never the target of a link.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use neargate_base::{Code, Diagnostic};
use rustix::fs::OFlags;

use super::private;

/// The file that makes a directory a data directory.
pub(crate) const MARKER: &str = "neargate-data";
const MARKER_TEXT: &str = "Neargate keeps its data here; `neargate down --purge` removes it.\n";
const INSTANCE: &str = "instance ";
const MARKER_BYTES_MAX: u64 = 4096;

/// Makes a directory that is new or empty a data directory, readable by its owner alone. One that is a data directory
/// already stays one; any other is refused and left as it is.
///
/// # Errors
/// `NG-E0101` where it cannot be made or read, `NG-E0109` where it holds what is not ours.
pub fn claim(path: &Path) -> Result<(), Diagnostic> {
    let cannot = |error: std::io::Error| super::unusable(path, &error);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(cannot(ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => private::make_directory(path).map_err(cannot)?,
        Err(error) => return Err(cannot(error)),
    }
    if !is_data_directory(path)
        && let Some(other) = first_entry(path).map_err(cannot)?
    {
        let text = format!("this is no data directory of Neargate's, and not empty: it holds `{other}`");
        let hint = "name a new or an empty directory with `--data-dir`";
        return Err(Diagnostic::error(Code("NG-E0109"), text).at(path.display().to_string()).hint(hint));
    }
    // The path may be a link of the user's own: its target is the directory then.
    fs::canonicalize(path).and_then(|path| private::tighten(&path)).map_err(cannot)?;
    if read_marker(path).is_none() {
        write_marker(path, None).map_err(cannot)?;
    }
    Ok(())
}

/// Whether a directory is a data directory: it has the marker, or what only a data directory of before the marker has.
pub(crate) fn is_data_directory(path: &Path) -> bool {
    let find = |name: &str| fs::symlink_metadata(path.join(name)).ok();
    let is_file = |name: &str| find(name).is_some_and(|found| found.is_file());
    let are_folders = |names: &[&str]| names.iter().all(|name| find(name).is_some_and(|found| found.is_dir()));
    let of_engine = || is_file("state.sqlite") && are_folders(&["segments", "tasks"]);
    let of_images = || is_file("images/oci-layout") && are_folders(&["images/blobs", "images/builds", "images/layers"]);
    read_marker(path).is_some() || of_engine() || of_images()
}

/// The instance that the marker names, where it names one.
pub(crate) fn instance(path: &Path) -> Option<String> {
    let text = read_marker(path)?;
    let instance = text.lines().find_map(|line| line.strip_prefix(INSTANCE))?;
    let is_id = instance.len() == 8 && instance.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| instance.to_owned())
}

/// Notes the instance in the marker, so that what belongs to it is found even where the state cannot be read.
pub(crate) fn note_instance(path: &Path, id: &str) -> std::io::Result<()> {
    if instance(path).as_deref() == Some(id) { Ok(()) } else { write_marker(path, Some(id)) }
}

/// Something in a directory, if anything is. A file system's own `lost+found` does not count.
fn first_entry(path: &Path) -> std::io::Result<Option<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != "lost+found");
    Ok(names.into_iter().min())
}

fn read_marker(path: &Path) -> Option<String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path.join(MARKER)).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(MARKER_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.starts_with(MARKER_TEXT).then_some(text)
}

/// Written beside its name and renamed: a crash leaves the whole marker or the one before.
fn write_marker(path: &Path, instance: Option<&str>) -> std::io::Result<()> {
    let draft = path.join(format!("{MARKER}.new"));
    let _ = fs::remove_file(&draft);
    let mut file = private::options().write(true).create_new(true).open(&draft)?;
    file.write_all(MARKER_TEXT.as_bytes())?;
    if let Some(instance) = instance {
        writeln!(file, "{INSTANCE}{instance}")?;
    }
    file.sync_all()?;
    fs::rename(&draft, path.join(MARKER))
}
