//! Import circles inside a crate: files that need each other cannot be read, tested or moved one by one.
//!
//! A file needs another when it names something that is defined there. A name that a module hands on (`pub use`) counts where it
//! is defined: siblings who take each other's names from their parent are a circle all the same. A module is its file and the files
//! below it: what a child takes of what its parents define does not count, what a parent takes of its children does. What stands
//! under `#[cfg(test)]` does not count either: tests look at everything.
//!
//! Invariant: imports alone are read. A method's home is not followed, nor what a macro's expansion names.

mod components;
mod module;
mod names;
mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::files::{files_below, manifests};
use names::Crate;

/// Crates whose circles are not broken yet. The list only ever gets shorter, and a crate without circles may not stand on it.
const TO_BE_DONE: [&str; 3] = ["crates/engine", "crates/kernel", "crates/runtime"];

/// Names that tie one file to another: `(from, to)` to what `from` takes.
type Ties = BTreeMap<(String, String), BTreeSet<String>>;

/// A finding for each circle of each crate.
pub(super) fn check_circles(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    let ours = root.join("xtask/Cargo.toml");
    for manifest in manifests(root).into_iter().chain([ours]) {
        let Some(folder) = manifest.parent() else { continue };
        let source = folder.join("src");
        let shown = source.strip_prefix(root).unwrap_or(&source).display().to_string();
        let circles = circles_of(&read(&source));
        let excused = TO_BE_DONE.iter().any(|name| shown == format!("{name}/src"));
        match circles {
            Err(error) => findings.push(format!("{shown}/{error}")),
            Ok(circles) if excused && circles.is_empty() => {
                findings.push(format!("{shown}: has no circles any more: take it off the list in xtask"));
            }
            Ok(_) if excused => {}
            Ok(circles) => findings.extend(circles.iter().map(|circle| format!("{shown}: {circle}"))),
        }
    }
    findings
}

/// The Rust files of a folder by their path in it.
fn read(source: &Path) -> BTreeMap<String, String> {
    let files = files_below(source.to_path_buf());
    files.iter().filter_map(|file| Some((path_in(source, file)?, fs::read_to_string(file).ok()?))).collect()
}

fn path_in(source: &Path, file: &Path) -> Option<String> {
    Some(file.strip_prefix(source).ok()?.to_str()?.to_owned())
}

/// The circles of a crate with these files, each with what ties it.
fn circles_of(files: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let mut circles = vec![];
    for start in ["lib.rs", "main.rs"] {
        if files.contains_key(start) {
            let ties = Crate::read(files, start)?.ties();
            circles.extend(components::circles(&ties).iter().map(|circle| described(circle, &ties)));
        }
    }
    Ok(circles)
}

fn described(circle: &BTreeSet<String>, ties: &Ties) -> String {
    let inside = ties.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    let lines = inside.map(|((from, to), names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("\n    {from} takes {} from {to}", names.join(", "))
    });
    format!(
        "{} files need each other: give what they share a file of its own{}",
        circle.len(),
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests;
