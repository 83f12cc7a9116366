//! Which data directory each root key is for, so that the key goes when its directory has gone.
//!
//! ```text
//! <instance>.key       the root key
//! <instance>.json      where its data directory is, and since when that is gone
//! ```
//!
//! Invariant: a key is removed only for a directory that was purged, or that has been gone for a week from a file system
//! that is there: a disk that is not mounted, a directory that was moved, a backup that comes back keep theirs.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use neargate_base::Timestamp;
use serde::{Deserialize, Serialize};

use super::{claim, private};

/// How long a key outlives a directory that was deleted past us.
const GRACE_MS: i64 = 7 * 24 * 3600 * 1000;
const PLACE_BYTES_MAX: u64 = 64 * 1024;

/// Where a key's data directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    data_dir: PathBuf,
    /// The device that holds the directory above it.
    device: u64,
    /// The device that holds the directory itself: another one where a disk is mounted there.
    #[serde(default)]
    own_device: Option<u64>,
    gone_since: Option<Timestamp>,
}

/// Notes where the data directory of an instance is. Without a key there is nothing to note.
pub(crate) fn note(key: &Path, data_dir: &Path) -> std::io::Result<()> {
    if !key.exists() {
        return Ok(());
    }
    let data_dir = std::path::absolute(data_dir)?;
    let device = fs::metadata(data_dir.parent().unwrap_or(Path::new("/")))?.dev();
    let own_device = fs::metadata(&data_dir).ok().map(|it| it.dev());
    let place = Place { data_dir, device, own_device, gone_since: None };
    if read(key).as_ref() == Some(&place) { Ok(()) } else { write(key, &place) }
}

/// Removes a key and the note of its place.
pub(crate) fn remove(key: &Path) -> std::io::Result<()> {
    for file in [key.to_owned(), note_of(key)] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The keys of data directories at a path, whether these are there or not.
pub(crate) fn keys_of(keys: &Path, data_dir: &Path) -> Vec<PathBuf> {
    let Ok(data_dir) = std::path::absolute(data_dir) else { return vec![] };
    all(keys)
        .into_iter()
        .filter(|key| read(key).is_some_and(|place| place.data_dir == data_dir && !was_mount_point(&place)))
        .collect()
}

/// Removes the keys of directories that have been gone for a week, and notes which are gone since now: those are answered.
pub(crate) fn sweep(keys: &Path, now: Timestamp) -> Vec<PathBuf> {
    let mut gone = vec![];
    for key in all(keys) {
        let Some(place) = read(&key) else { continue };
        let since = match (is_gone(&key, &place), place.gone_since) {
            (false, None) => continue,
            (false, Some(_)) => None,
            (true, None) => {
                gone.push(place.data_dir.clone());
                Some(now)
            }
            (true, Some(since)) if since.plus_ms(GRACE_MS) <= now => {
                // Tried again at the next start where it fails.
                let _ = remove(&key);
                continue;
            }
            (true, Some(since)) => Some(since.min(now)),
        };
        let _ = write(&key, &Place { gone_since: since, ..place });
    }
    gone
}

/// Whether a key is that of a data directory at another place than this one, which is a copy of it.
pub(crate) fn is_of_another(key: &Path, data_dir: &Path) -> bool {
    let instance = key.file_stem().and_then(|stem| stem.to_str());
    let is_same = |place: &Place| match (fs::canonicalize(&place.data_dir), fs::canonicalize(data_dir)) {
        (Ok(noted), Ok(given)) => noted == given,
        _ => false,
    };
    read(key).is_some_and(|place| {
        !is_same(&place) && claim::instance(&place.data_dir).is_some_and(|of| Some(of.as_str()) == instance)
    })
}

/// Whether the key's state is certainly not where it was, on a file system that is there.
fn is_gone(key: &Path, place: &Place) -> bool {
    let above = place.data_dir.parent().unwrap_or(Path::new("/"));
    let is_mounted = fs::metadata(above).is_ok_and(|above| above.dev() == place.device);
    let instance = key.file_stem().and_then(|stem| stem.to_str());
    let is_there = place.data_dir.join("state.sqlite").exists()
        && claim::instance(&place.data_dir).is_none_or(|of| Some(of.as_str()) == instance);
    is_mounted && !was_mount_point(place) && !is_there
}

/// Whether a disk was mounted at the directory itself: it may come back.
fn was_mount_point(place: &Place) -> bool {
    place.own_device.is_some_and(|own| own != place.device)
}

fn all(keys: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(keys).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut keys: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "key")).collect();
    keys.sort();
    keys
}

fn note_of(key: &Path) -> PathBuf {
    key.with_extension("json")
}

fn read(key: &Path) -> Option<Place> {
    let mut text = String::new();
    let file = private::options().read(true).open(note_of(key)).ok()?;
    file.take(PLACE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(key: &Path, place: &Place) -> std::io::Result<()> {
    let draft = key.with_extension(format!("{}.json.new", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = private::options().write(true).create_new(true).open(&draft)?;
    file.write_all(&serde_json::to_vec(place)?)?;
    file.sync_all()?;
    fs::rename(&draft, note_of(key))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use neargate_base::Timestamp;

    use super::{GRACE_MS, keys_of, note, sweep};

    #[test]
    fn a_key_goes_a_week_after_its_directory_unless_that_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, data) = (folder.path().join("keys"), folder.path().join("data"));
        let key = keys.join("0123abcd.key");
        fs::create_dir(&keys).unwrap();
        let make = || {
            fs::create_dir_all(&data).unwrap();
            fs::write(data.join("state.sqlite"), "").unwrap();
        };
        make();
        note(&key, &data).unwrap();
        assert_eq!(fs::read_dir(&keys).unwrap().count(), 0, "no key, no note");
        fs::write(&key, [0; 32]).unwrap();
        note(&key, &data).unwrap();
        assert_eq!(keys_of(&keys, &data), std::slice::from_ref(&key));

        let at = Timestamp(1_800_000_000_000);
        assert!(sweep(&keys, at).is_empty(), "it is there");
        fs::rename(&data, folder.path().join("elsewhere")).unwrap();
        assert_eq!(sweep(&keys, at), std::slice::from_ref(&data), "reported once");
        assert!(sweep(&keys, at.plus_ms(GRACE_MS - 1)).is_empty());
        fs::rename(folder.path().join("elsewhere"), &data).unwrap();
        assert!(sweep(&keys, at.plus_ms(GRACE_MS * 2)).is_empty(), "back again");
        fs::remove_dir_all(&data).unwrap();
        assert_eq!(sweep(&keys, at.plus_ms(GRACE_MS * 2)), std::slice::from_ref(&data));
        assert!(key.exists());
        assert!(sweep(&keys, at.plus_ms(GRACE_MS * 3)).is_empty());
        assert_eq!(fs::read_dir(&keys).unwrap().count(), 0, "key and note are gone");
    }

    #[test]
    fn a_directory_of_another_instance_at_the_same_place_keeps_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, data) = (folder.path().join("keys"), folder.path().join("data"));
        let key = keys.join("0123abcd.key");
        fs::create_dir(&keys).unwrap();
        fs::write(&key, [0; 32]).unwrap();
        super::claim::claim(&data).unwrap();
        fs::write(data.join("state.sqlite"), "").unwrap();
        super::claim::note_instance(&data, "0123abcd").unwrap();
        note(&key, &data).unwrap();
        assert!(sweep(&keys, Timestamp(1)).is_empty());
        super::claim::note_instance(&data, "ffffffff").unwrap();
        assert_eq!(sweep(&keys, Timestamp(1)), [data]);
    }

    #[test]
    fn a_copy_is_told_from_its_original_and_a_disk_that_was_mounted_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, data, copy) = (folder.path().join("keys"), folder.path().join("data"), folder.path().join("copy"));
        let key = keys.join("0123abcd.key");
        fs::create_dir(&keys).unwrap();
        fs::write(&key, [0; 32]).unwrap();
        for directory in [&data, &copy] {
            super::claim::claim(directory).unwrap();
            super::claim::note_instance(directory, "0123abcd").unwrap();
        }
        note(&key, &data).unwrap();
        assert!(super::is_of_another(&key, &copy) && !super::is_of_another(&key, &data));
        fs::remove_dir_all(&data).unwrap();
        assert!(!super::is_of_another(&key, &copy), "the original is gone");
        let mounted = super::Place { own_device: Some(u64::MAX), ..super::read(&key).unwrap() };
        super::write(&key, &mounted).unwrap();
        assert!(sweep(&keys, Timestamp(1)).is_empty() && keys_of(&keys, &data).is_empty());
    }

    #[test]
    fn a_file_system_that_is_not_there_keeps_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, data) = (folder.path().join("keys"), folder.path().join("disk/data"));
        let key = keys.join("0123abcd.key");
        fs::create_dir(&keys).unwrap();
        fs::write(&key, [0; 32]).unwrap();
        super::write(&key, &super::Place { data_dir: data, device: u64::MAX, own_device: None, gone_since: None })
            .unwrap();
        assert!(sweep(&keys, Timestamp(1)).is_empty(), "its directory is not there at all");
        fs::create_dir(folder.path().join("disk")).unwrap();
        assert!(sweep(&keys, Timestamp(1)).is_empty(), "another file system is there");
    }
}
