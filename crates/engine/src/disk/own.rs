//! What an engine makes in its data directory, by name, so that a purge takes nothing else.
//!
//! Invariant: what has no name of ours stays, also inside our folders. Links are removed, not followed.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use neargate_runtime::images::remove_tree;

use super::OWN_ENTRIES;

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Ours, with whatever is in it.
    Ours,
    /// A folder of ours, in which others may have put something.
    Folder,
    Others,
}

fn owner(path: &[&str]) -> Owner {
    let ours = |is_ours: bool| if is_ours { Owner::Ours } else { Owner::Others };
    match path {
        ["runtime" | "tasks" | "segments" | "images"]
        | ["runtime", "tasks" | "storage"]
        | ["runtime", "storage", "ready"]
        | ["images", "blobs" | "layers" | "layers-user" | "builds" | "tmp"]
        | ["images", "blobs", "sha256"] => Owner::Folder,
        [name] => ours(OWN_ENTRIES.contains(name) || is_leftover(name)),
        ["runtime", name] if is_leftover(name) => Owner::Ours,
        ["tasks", task] | ["runtime", "tasks", task] => ours(is_hex(task, 32)),
        ["runtime", "storage", name] => ours(is_template(name)),
        ["runtime", "storage", "ready", name] => ours(name.strip_suffix(".ext4").is_some_and(is_number)),
        ["segments", name] => ours(is_segment(name)),
        ["images", name] => ours(matches!(*name, "oci-layout" | "index.json" | "index.lock" | "work.lock")),
        ["images", "blobs", "sha256", name] | ["images", "builds", name] => ours(is_hex(name, 64)),
        ["images", "layers" | "layers-user", name] => {
            ours(*name == "empty" || is_hex(name.strip_suffix(".lock").unwrap_or(name), 64))
        }
        ["images", "tmp", name] => ours(is_scratch(name)),
        _ => Owner::Others,
    }
}

fn is_hex(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `21-gib.ext4`, and `21-gib.<process>-<number>.new` while it is made.
fn is_template(name: &str) -> bool {
    let Some((gib, rest)) = name.split_once("-gib.") else { return false };
    is_number(gib) && (rest == "ext4" || rest.strip_suffix(".new").is_some_and(is_pair))
}

/// `<process>-<number>`.
fn is_pair(name: &str) -> bool {
    name.split_once('-').is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Unfinished work, and layers on their way out: `gc-<process>-<layer>`.
fn is_scratch(name: &str) -> bool {
    let doomed =
        |rest: &str| rest.split_once('-').is_some_and(|(process, layer)| is_number(process) && is_hex(layer, 64));
    is_pair(name) || name.strip_prefix("gc-").is_some_and(doomed)
}

/// What a killed engine left of its trials of the machine: `.neargate-<purpose>-<8 hex digits>`.
fn is_leftover(name: &str) -> bool {
    let suffix = ["probe", "trial"].iter().find_map(|it| name.strip_prefix(".neargate-")?.strip_prefix(it));
    suffix.and_then(|suffix| suffix.strip_prefix('-')).is_some_and(|suffix| is_hex(suffix, 8))
}

/// The name of every segment has slashes, which are escaped.
fn is_segment(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'%');
    name.contains("%2f") && name.bytes().all(is_plain)
}

/// Removes what an engine made in its data directory, leftovers first, then in the order of [`OWN_ENTRIES`]; answers what of
/// others is in its folders.
pub(crate) fn remove(directory: &Path) -> io::Result<Vec<String>> {
    let mut others = vec![];
    for entry in fs::read_dir(directory)? {
        let entry = entry?.file_name();
        if let Some(name) = entry.to_str().filter(|name| is_leftover(name)) {
            remove_entry(directory, &[name], &mut others)?;
        }
    }
    for name in OWN_ENTRIES {
        remove_entry(directory, &[name], &mut others)?;
    }
    Ok(others)
}

fn remove_entry(directory: &Path, path: &[&str], others: &mut Vec<String>) -> io::Result<()> {
    let name = path.join("/");
    let entry = directory.join(&name);
    let told = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", entry.display()));
    let is_directory = match fs::symlink_metadata(&entry) {
        Ok(found) => found.is_dir(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(told(error)),
    };
    let removed = match owner(path) {
        Owner::Others => {
            others.push(name);
            return Ok(());
        }
        Owner::Ours if is_directory => remove_tree(&entry),
        Owner::Folder if is_directory => {
            for child in fs::read_dir(&entry).map_err(told)? {
                let child = child.map_err(told)?.file_name();
                match child.to_str() {
                    Some(child) => remove_entry(directory, &[path, &[child]].concat(), others)?,
                    None => others.push(format!("{name}/{}", child.to_string_lossy())),
                }
            }
            match fs::remove_dir(&entry) {
                // It holds what is not ours.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
                other => other,
            }
        }
        Owner::Ours | Owner::Folder => fs::remove_file(&entry),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(told(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ours_are_told_from_others() {
        let (task, layer) = ("0123456789abcdef".repeat(2), "0123456789abcdef".repeat(4));
        let check = |path: &str, expected: Owner| {
            let path = path.replace("TASK", &task).replace("LAYER", &layer);
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!(owner(&parts), expected, "{path}");
        };
        for path in
            ["runtime", "runtime/storage/ready", "tasks", "segments", "images/blobs/sha256", "images/layers-user"]
        {
            check(path, Owner::Folder);
        }
        for path in [
            "state.sqlite-wal",
            "lock",
            "tasks/TASK",
            "runtime/tasks/TASK",
            ".neargate-probe-0123abcd",
            "runtime/.neargate-trial-fedcba98",
            "runtime/storage/21-gib.ext4",
            "runtime/storage/21-gib.4711-0.new",
            "runtime/storage/ready/7.ext4",
            "segments/logs%2f000000000000%2feu-west-1%2f0000000000000001-00000000",
            "images/oci-layout",
            "images/blobs/sha256/LAYER",
            "images/layers/LAYER",
            "images/layers/LAYER.lock",
            "images/layers-user/empty",
            "images/builds/LAYER",
            "images/tmp/12-3",
            "images/tmp/gc-12-LAYER",
        ] {
            check(path, Owner::Ours);
        }
        for path in [
            "thesis.txt",
            "tasks/notes",
            "tasks/TASK.bak",
            ".neargate-probe",
            ".neargate-mine-0123abcd",
            "tasks/.neargate-probe-0123abcd",
            "runtime/.neargate-trial-0123abcd.bak",
            "runtime/.neargate-trial-mine",
            "runtime/notes",
            "runtime/tasks/TASKA",
            "runtime/storage/my.ext4",
            "runtime/storage/a-gib.ext4",
            "runtime/storage/ready/old.ext4",
            "segments/notes",
            "segments/notes.txt",
            "segments/a%2fb.txt",
            "images/notes",
            "images/index.json.bak",
            "images/blobs/sha512",
            "images/blobs/sha256/LAYER.bak",
            "images/layers/mine",
            "images/tmp/mine",
            "images/tmp/gc-x-LAYER",
        ] {
            check(path, Owner::Others);
        }
    }
}
