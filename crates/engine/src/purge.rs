//! Removing an engine's data directory with everything of it on this machine.
//!
//! Invariant: nothing is removed but what an engine makes: entries of its own names, also in its folders, in a directory that it claimed. No link
//! is followed, no mount is entered, and a directory that an engine uses is refused.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use neargate_base::{Code, Diagnostic};
use neargate_runtime::backends::embedded::{EmbeddedConfig, erase};

use crate::disk::{DataDirectory, OWN_ENTRIES, claim, own, root_key};

/// What a purge has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purged {
    /// There was no data directory.
    Nothing,
    /// The directory is gone.
    Directory,
    /// What was the engine's is gone; the directory stays, since it holds these.
    Contents(Vec<String>),
}

/// Removes a data directory, what its tasks may have left of containers and networks, its place under `/run` and its root key.
///
/// # Errors
/// `NG-E0102` where an engine uses it, `NG-E0107` where something cannot be removed.
pub fn purge(data_dir: &Path) -> Result<Purged, Diagnostic> {
    let cannot = |error: String| {
        Diagnostic::error(Code("NG-E0107"), format!("cannot remove the data directory: {error}"))
            .at(data_dir.display().to_string())
    };
    if !claim::is_data_directory(data_dir) {
        if !data_dir.exists() {
            root_key::remove_of(data_dir).map_err(|error| cannot(error.to_string()))?;
        }
        return Ok(Purged::Nothing);
    }
    let directory = DataDirectory::lock(data_dir)?;
    let state = data_dir.join("state.sqlite");
    let instance = match state.exists().then(|| directory.journal()) {
        Some(Ok(journal)) => Some(journal.instance().to_owned()),
        Some(Err(unreadable)) => Some(claim::instance(data_dir).ok_or(unreadable)?),
        None => claim::instance(data_dir),
    };
    // A copy has its original's instance: that one keeps its tasks and its key.
    let instance = instance.filter(|instance| !root_key::is_of_another(instance, data_dir));
    if let Some(instance) = &instance {
        let config = EmbeddedConfig::new(instance, data_dir).map_err(|error| cannot(error.to_string()))?;
        erase(&config).map_err(|error| cannot(error.to_string()))?;
    }
    if let Some(mount) = mount_in(data_dir) {
        return Err(cannot(format!("`{}` is mounted in it", mount.display())).hint("unmount it first"));
    }
    if let Some(instance) = &instance {
        root_key::remove(instance).map_err(|error| cannot(error.to_string()))?;
    }
    let others = own::remove(data_dir).map_err(|error| cannot(error.to_string()))?;
    drop(directory);
    leave(data_dir, others).map_err(|error| cannot(error.to_string()))
}

/// Removes the directory if it is empty by now; else it holds `others` in our folders, and what is beside these.
fn leave(data_dir: &Path, mut others: Vec<String>) -> std::io::Result<Purged> {
    match fs::remove_dir(data_dir) {
        Ok(()) => return Ok(Purged::Directory),
        // Not empty, a link of the user's own, or in a directory that is not ours to write to.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DirectoryNotEmpty
                    | ErrorKind::NotADirectory
                    | ErrorKind::PermissionDenied
                    | ErrorKind::ResourceBusy
            ) => {}
        Err(error) => return Err(error),
    }
    for entry in fs::read_dir(data_dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !OWN_ENTRIES.contains(&name.as_str()) {
            others.push(name);
        }
    }
    others.sort();
    Ok(Purged::Contents(others))
}

/// A mount point inside a directory, if there is one.
fn mount_in(directory: &Path) -> Option<PathBuf> {
    let directory = fs::canonicalize(directory).ok()?;
    let mounts = fs::read("/proc/self/mountinfo").ok()?;
    let points = mounts.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points
        .map(|point| PathBuf::from(std::ffi::OsString::from_vec(unescaped(point))))
        .find(|point| *point != directory && point.starts_with(&directory))
}

/// A path as `mountinfo` has it: spaces and the like as `\040`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::{Purged, purge, unescaped};
    use crate::disk::{DataDirectory, claim};

    const TASK: &str = "0123456789abcdef0123456789abcdef";

    /// What a directory holds, with modes; a link with its target.
    fn tree(directory: &Path) -> String {
        let mut lines = vec![];
        let mut waiting = vec![directory.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let found = fs::symlink_metadata(&path).unwrap();
                let name = path.strip_prefix(directory).unwrap().display().to_string();
                if found.is_symlink() {
                    lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
                    continue;
                }
                lines.push(format!("{name} {:o}", found.mode() & 0o7777));
                if found.is_dir() {
                    waiting.push(path);
                }
            }
        }
        lines.sort();
        lines.join("\n")
    }

    fn engine_was_here(directory: &Path) {
        DataDirectory::open(directory).unwrap().journal().unwrap();
        fs::create_dir_all(directory.join("tasks").join(TASK)).unwrap();
        for file in ["engine.log", "segments/a%2fone", "images/oci-layout", &format!("tasks/{TASK}/shim.json")] {
            write(&directory.join(file));
        }
    }

    fn check_claim(prepare: impl FnOnce(&Path), expected: Expect) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("data");
        prepare(&directory);
        let before = directory.is_dir().then(|| tree(&directory));
        let shown = match claim::claim(&directory) {
            Ok(()) => format!("a data directory\n{}", tree(&directory)),
            Err(refused) => {
                assert_eq!(before, directory.is_dir().then(|| tree(&directory)), "nothing was changed");
                format!("{} {}", refused.code, refused.message)
            }
        };
        expected.assert_eq(&shown);
    }

    fn make(directory: &Path, folders: &[&str], files: &[&str]) {
        fs::create_dir(directory).unwrap();
        folders.iter().for_each(|folder| fs::create_dir_all(directory.join(folder)).unwrap());
        files.iter().for_each(|file| write(&directory.join(file)));
    }

    fn write(file: &Path) {
        fs::write(file, "x").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }

    #[test]
    fn what_becomes_a_data_directory() {
        let refused = expect!["NG-E0109 this is no data directory of Neargate's, and not empty: it holds `thesis.txt`"];
        check_claim(|_| {}, expect![["a data directory\nneargate-data 600"]]);
        check_claim(|it| make(it, &[], &[]), expect![["a data directory\nneargate-data 600"]]);
        check_claim(|it| make(it, &[], &["thesis.txt"]), refused);
        check_claim(
            |it| make(it, &["segments", "tasks"], &["thesis.txt"]),
            expect!["NG-E0109 this is no data directory of Neargate's, and not empty: it holds `segments`"],
        );
        check_claim(
            |it| make(it, &[], &["neargate-data"]),
            expect!["NG-E0109 this is no data directory of Neargate's, and not empty: it holds `neargate-data`"],
        );
        check_claim(
            |it| {
                make(it, &[], &[]);
                let other = it.with_extension("other");
                claim::claim(&other).unwrap();
                symlink(other.join("neargate-data"), it.join("neargate-data")).unwrap();
            },
            expect!["NG-E0109 this is no data directory of Neargate's, and not empty: it holds `neargate-data`"],
        );
        check_claim(
            |it| fs::write(it, "").unwrap(),
            expect!["NG-E0101 cannot use the data directory: not a directory"],
        );
    }

    #[test]
    fn a_purge_leaves_what_others_keep_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (data, outside) = (folder.path().join("data"), folder.path().join("outside"));
        make(&outside, &["deep"], &["thesis.txt", "deep/notes.txt"]);
        engine_was_here(&data);
        write(&data.join("thesis.txt"));
        // Links of our names go, those of others stay.
        symlink(&outside, data.join("tasks").join(TASK.replace('0', "9"))).unwrap();
        symlink(outside.join("thesis.txt"), data.join("segments/b%2ftwo")).unwrap();
        symlink(&outside, data.join("tasks/link")).unwrap();
        fs::remove_dir_all(data.join("images")).unwrap();
        symlink(&outside, data.join("images")).unwrap();
        let before = tree(&outside);
        fs::create_dir_all(data.join("runtime/mine/deep")).unwrap();
        write(&data.join("runtime/mine/deep/notes.txt"));
        write(&data.join("segments/notes.txt"));
        let others = ["runtime/mine", "segments/notes.txt", "tasks/link", "thesis.txt"].map(str::to_owned);
        assert_eq!(purge(&data).unwrap(), Purged::Contents(others.to_vec()));
        let left = tree(&data);
        let names: Vec<&str> = left.lines().filter_map(|line| line.split(' ').next()).collect();
        let expected = [
            "runtime",
            "runtime/mine",
            "runtime/mine/deep",
            "runtime/mine/deep/notes.txt",
            "segments",
            "segments/notes.txt",
            "tasks",
            "tasks/link",
            "thesis.txt",
        ];
        assert_eq!(names, expected);
        assert_eq!(tree(&outside), before);
        assert_eq!(purge(&data).unwrap(), Purged::Nothing, "it is no data directory any more");
        assert_eq!(tree(&data), left);
    }

    #[test]
    fn a_purge_removes_the_directory_and_a_link_to_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        engine_was_here(&data);
        assert_eq!(purge(&data).unwrap(), Purged::Directory);
        assert!(!data.exists());
        fs::create_dir(&data).unwrap();
        symlink(&data, &link).unwrap();
        engine_was_here(&link);
        assert_eq!(purge(&link).unwrap(), Purged::Contents(vec![]));
        assert_eq!(tree(folder.path()), format!("data 700\nlink -> {}", data.display()));
    }

    #[test]
    fn a_purge_removes_what_a_killed_engine_left_of_its_trials() {
        let folder = tempfile::tempdir().unwrap();
        let (data, outside) = (folder.path().join("data"), folder.path().join("outside"));
        let leave = |data: &Path| {
            for name in
                ["runtime/.neargate-probe-0123abcd", "runtime/.neargate-trial-00000000", ".neargate-trial-fedcba98"]
            {
                fs::create_dir_all(data.join(name).join("layer/deep")).unwrap();
                write(&data.join(name).join("layer/deep/file"));
            }
            symlink(&outside, data.join(".neargate-probe-76543210")).unwrap();
        };
        make(&outside, &[], &["thesis.txt"]);
        engine_was_here(&data);
        leave(&data);
        assert_eq!(purge(&data).unwrap(), Purged::Directory);
        // Where the directory itself stays, the next engine takes it.
        fs::create_dir(&data).unwrap();
        let link = folder.path().join("link");
        symlink(&data, &link).unwrap();
        engine_was_here(&link);
        leave(&data);
        assert_eq!(purge(&link).unwrap(), Purged::Contents(vec![]));
        claim::claim(&data).unwrap();
        assert_eq!(tree(&outside), "thesis.txt 644");
    }

    #[test]
    fn a_directory_in_use_and_one_that_is_none_are_not_purged() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let engine = DataDirectory::open(&data).unwrap();
        let before = tree(&data);
        assert_eq!(purge(&data).unwrap_err().code.0, "NG-E0102");
        assert_eq!(tree(&data), before);
        drop(engine);
        assert_eq!(purge(&data).unwrap(), Purged::Directory);

        make(&data, &[], &["state.sqlite", "lock"]);
        assert_eq!(purge(&data).unwrap(), Purged::Nothing);
        assert_eq!(tree(&data), "lock 644\nstate.sqlite 644");
        assert_eq!(purge(&folder.path().join("nowhere")).unwrap(), Purged::Nothing);
    }

    #[test]
    fn a_state_that_cannot_be_read_is_purged_by_the_marker() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        engine_was_here(&data);
        fs::write(data.join("state.sqlite"), "no database at all, but of some length").unwrap();
        assert_eq!(purge(&data).unwrap(), Purged::Directory);
    }

    #[test]
    fn opening_takes_everything_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        engine_was_here(&data);
        for (name, mode) in [("", 0o755), ("segments", 0o775), ("images", 0o777), ("tasks", 0o755)] {
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        for name in ["state.sqlite", "lock", "engine.log", "neargate-data", "segments/a%2fone"] {
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o666)).unwrap();
        }
        DataDirectory::open(&data).unwrap();
        expect![[r"
            engine.log 600
            images 700
            images/oci-layout 644
            lock 600
            neargate-data 600
            segments 700
            segments/a%2fone 600
            state.sqlite 600
            tasks 700
            tasks/0123456789abcdef0123456789abcdef 755
            tasks/0123456789abcdef0123456789abcdef/shim.json 644"]]
        .assert_eq(&tree(&data));
        assert_eq!(fs::metadata(&data).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        let check = |text: &str, expected: &str| assert_eq!(unescaped(text.as_bytes()), expected.as_bytes());
        check("/plain", "/plain");
        check(r"/with\040space\134and\011tab", "/with space\\and\ttab");
        check(r"/a\9", r"/a\9");
    }
}
