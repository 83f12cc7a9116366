//! Test binaries with a harness of ours.

use std::fs;
use std::path::Path;

use super::files::{files_below, manifests};

/// In a test binary with a harness of ours the compiler drops `#[test]` without a word.
pub(super) fn check_harnesses(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    for manifest in manifests(root) {
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        let tests = text.split("[[test]]").skip(1).filter_map(|rest| rest.split("\n[").next());
        let ours = tests.filter(|section| section.contains("harness = false"));
        let names = ours.filter_map(|section| section.split("name = \"").nth(1)?.split('"').next());
        for name in names {
            let Some(folder) = manifest.parent().map(|folder| folder.join("tests").join(name)) else { continue };
            for file in files_below(folder) {
                if fs::read_to_string(&file).is_ok_and(|text| text.contains(concat!("#[te", "st]"))) {
                    let shown = file.strip_prefix(root).unwrap_or(&file).display();
                    findings
                        .push(format!("{shown}: `#[test]` is never run here: say what it needs with `#[needs(...)]`"));
                }
            }
        }
    }
    findings
}
