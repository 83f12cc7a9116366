//! The files of the checkout that checks read.

use std::fs;
use std::path::{Path, PathBuf};

/// The manifests of crates and services.
pub(super) fn manifests(root: &Path) -> Vec<PathBuf> {
    let folders = ["crates", "crates/services"].map(|folder| fs::read_dir(root.join(folder)));
    let folders = folders.into_iter().flatten().flatten().flatten();
    let mut manifests: Vec<PathBuf> =
        folders.map(|entry| entry.path().join("Cargo.toml")).filter(|path| path.exists()).collect();
    manifests.sort();
    manifests
}

/// The names in a manifest's `[dependencies]`, its own tests' apart.
pub(super) fn dependencies(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let mut names = vec![];
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line.ends_with(".dependencies]");
        } else if inside && let Some((name, _)) = line.split_once(['.', '=', ' ']) {
            names.push(name.trim().to_owned());
        }
    }
    names
}

/// Every Rust file of the checkout, in order.
pub(super) fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["crates", "examples", "xtask"].iter().flat_map(|name| files_below(root.join(name))).collect();
    files.sort();
    files
}

/// The Rust files below a folder.
pub(super) fn files_below(folder: PathBuf) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != "cdk.out") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}
