//! Dependencies that no line of a crate uses.

use std::fs;
use std::path::Path;

use super::files::{files_below, manifests};

/// Packages whose library has another name.
const LIBRARIES: [(&str, &str); 1] = [("md-5", "md5")];

/// A finding for each dependency whose name is in none of the files that may use it.
pub(super) fn check_unused(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    for manifest in manifests(root).into_iter().chain([root.join("xtask/Cargo.toml")]) {
        let Some(folder) = manifest.parent() else { continue };
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        let shown = manifest.strip_prefix(root).unwrap_or(&manifest).display().to_string();
        let read = |folders: &[&str]| -> String {
            let files = folders.iter().flat_map(|name| files_below(folder.join(name)));
            files.filter_map(|file| fs::read_to_string(file).ok()).collect()
        };
        let (product, tests) = (read(&["src"]), read(&["src", "tests", "benches", "examples"]));
        for (section, sources) in [("[dependencies]", &product), ("[dev-dependencies]", &tests)] {
            let unused = names(&text, section).into_iter().filter(|name| !is_used(sources, name));
            findings.extend(unused.map(|name| format!("{shown}: no line uses `{name}` of `{section}`")));
        }
    }
    findings
}

/// The names in a section of a manifest.
fn names(manifest: &str, section: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != section).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(['.', '=', ' ']));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Whether the name stands in the text as a word of its own; documentation's examples count.
fn is_used(text: &str, name: &str) -> bool {
    let library = LIBRARIES.iter().find(|(package, _)| *package == name).map_or(name, |(_, library)| library);
    let name = library.replace('-', "_");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(&name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_used, names};

    #[test]
    fn a_name_counts_as_a_word_of_its_own() {
        assert!(is_used("use serde_json::json;", "serde-json"));
        assert!(!is_used("use serde::Serialize;", "serde-json"));
        assert!(!is_used("use serde_json::json;", "serde"));
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\"\n\n[dev-dependencies]\nc = { version = \"1\" }\n";
        assert_eq!(names(manifest, "[dependencies]"), ["a", "b"]);
        assert_eq!(names(manifest, "[dev-dependencies]"), ["c"]);
    }
}
