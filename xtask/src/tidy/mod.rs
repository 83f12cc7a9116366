//! `cargo xtask tidy`: what keeps the house a house and the compiler does not prove.
//!
//! Invariant: reads the checkout, changes nothing; every finding names a file and what to do about it.

mod circles;
mod clippy;
mod files;
mod handlers;
mod harnesses;
mod pages;
mod skips;
mod sources;
mod unused;
mod walls;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::root;
use circles::check_circles;
use clippy::check_clippy;
use files::rust_files;
use handlers::check_handlers;
use harnesses::check_harnesses;
use pages::{check_dependencies, check_error_pages, error_codes};
use skips::check_skips;
use sources::check_source;
use unused::check_unused;
use walls::check_walls;

/// Runs every check.
pub(crate) fn run() -> Result<(), String> {
    let findings = findings(&root());
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

fn findings(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    let mut codes = BTreeSet::new();
    for file in rust_files(root) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        findings.extend(check_source(&shown, &text));
        codes.extend(error_codes(&text).map(str::to_owned));
    }
    findings.extend(check_error_pages(root, &codes));
    findings.extend(check_walls(root));
    findings.extend(check_circles(root));
    findings.extend(check_harnesses(root));
    findings.extend(check_dependencies(root));
    findings.extend(check_clippy(root));
    findings.extend(check_handlers(root));
    findings.extend(check_skips(root));
    findings.extend(check_unused(root));
    findings
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn the_house_is_tidy() {
        let findings = findings(&crate::root());
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
