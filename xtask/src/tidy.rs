//! `cargo xtask tidy`: what keeps the house a house and the compiler does not prove.
//!
//! Invariant: reads the checkout, changes nothing; every finding names a file and what to do about it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// Lines of a hand-written file.
const LINES_MAX: usize = 600;

/// Names that say their author did not know where the code belongs.
const HOMELESS: [&str; 4] = ["utils.rs", "helpers.rs", "common.rs", "service.rs"];

/// Who must not know whom: a crate, and what its manifest must not name. `services` stands for each of them.
const WALLS: [(&str, &[&str]); 12] = [
    ("api", &["neargate-kernel", "neargate-wire", "serde", "tokio"]),
    ("base", &["neargate-", "tokio"]),
    ("shape", &["neargate-wire", "neargate-kernel", "tokio"]),
    ("wire", &["neargate-kernel", "hyper", "tokio"]),
    ("template", &["neargate-constructs", "neargate-kernel", "tokio"]),
    ("decide", &["neargate-k", "neargate-s", "neargate-w", "neargate-t", "neargate-e", "neargate-i", "tokio"]),
    ("event-pattern", &["neargate-"]),
    ("event-transform", &["neargate-"]),
    ("schedule", &["neargate-"]),
    ("kernel", &["neargate-wire", "neargate-runtime", "hyper", "tokio", "rusqlite"]),
    ("constructs", &["neargate-kernel", "neargate-wire", "neargate-engine", "neargate-runtime", "hyper", "tokio"]),
    ("runtime", &["neargate-kernel", "neargate-wire", "neargate-shape", "tokio"]),
];

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
    findings.extend(check_harnesses(root));
    findings.extend(check_dependencies(root));
    findings.extend(check_map(root));
    findings
}

fn check_source(file: &str, text: &str) -> Vec<String> {
    let mut findings = vec![];
    let lines = text.lines().count();
    if lines > LINES_MAX && !text.contains("@generated") {
        findings.push(format!("{file}: {lines} lines, at most {LINES_MAX}: split it by what it is about"));
    }
    if HOMELESS.iter().any(|name| file.ends_with(&format!("/{name}"))) {
        findings.push(format!("{file}: name it after what it holds"));
    }
    findings.extend(check_resource_type(file, text));
    let is_test = file.contains("/tests") || file.contains("/benches/");
    if !is_test && !text.starts_with("//!") {
        findings.push(format!("{file}: begin with `//!` and the file's purpose in a sentence"));
    }
    // Written apart, so that this file does not find itself.
    for path in
        [concat!("/wor", "k/main"), concat!("/wor", "k/shared"), concat!("/tm", "p/tgt"), concat!("/ro", "ot/.cargo")]
    {
        if text.contains(path) {
            findings.push(format!("{file}: contains `{path}`, a path of somebody's machine"));
        }
    }
    findings
}

/// Writes to the state, as they look in a call.
const WRITES: [&str; 6] = [".put(", ".put::<", ".update(", ".update::<", ".delete(", ".delete::<"];

/// A resource type changes nothing but through operations, which ask for permission: it writes no record.
fn check_resource_type(file: &str, text: &str) -> Option<String> {
    if !file.starts_with("crates/services/") || !file.contains("/src/resources/") {
        return None;
    }
    let writes = |line: &&str| WRITES.iter().any(|write| line.contains(&format!("cx{write}")));
    let line = text.lines().position(|line| writes(&line))? + 1;
    Some(format!("{file}:{line}: a resource type calls an operation instead of writing a record"))
}

/// The `NG-X0000` codes in a text.
fn error_codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"NG-").filter_map(|(at, _)| {
        let code = text.get(at + 1..at + 9)?;
        let digits = code.get(4..)?;
        (digits.bytes().all(|b| b.is_ascii_digit()) && text.get(at + 9..at + 10) == Some("\"")).then_some(code)
    })
}

fn check_error_pages(root: &Path, codes: &BTreeSet<String>) -> Vec<String> {
    let folder = root.join("docs/errors");
    let names = fs::read_dir(&folder).into_iter().flatten().flatten();
    let pages: BTreeSet<String> =
        names.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".md").map(str::to_owned)).collect();
    let missing = codes.difference(&pages).map(|code| format!("docs/errors/{code}.md: is missing"));
    let dead = pages.difference(codes).map(|code| format!("docs/errors/{code}.md: no code says `{code}` any more"));
    missing.chain(dead).collect()
}

fn check_walls(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    for (name, forbidden) in WALLS {
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        findings.extend(
            dependencies(&manifest)
                .into_iter()
                .filter(|it| forbidden.iter().any(|wall| breaks(it, wall)))
                .map(|it| format!("crates/{name}/Cargo.toml: must not know `{it}`")),
        );
    }
    let services = fs::read_dir(root.join("crates/services")).into_iter().flatten().flatten();
    let services: Vec<PathBuf> = services.map(|entry| entry.path()).collect();
    let siblings: Vec<String> =
        services.iter().filter_map(|path| Some(format!("neargate-{}", path.file_name()?.to_str()?))).collect();
    for service in &services {
        for dependency in dependencies(&service.join("Cargo.toml")) {
            if siblings.contains(&dependency) || ["tokio", "hyper", "neargate-wire"].contains(&dependency.as_str()) {
                let shown = service.strip_prefix(root).unwrap_or(service).display();
                findings.push(format!("{shown}/Cargo.toml: a service must not know `{dependency}`"));
            }
        }
    }
    findings
}

/// In a test binary with a harness of ours the compiler drops `#[test]` without a word.
fn check_harnesses(root: &Path) -> Vec<String> {
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

/// The manifests of crates and services.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let folders = ["crates", "crates/services"].map(|folder| fs::read_dir(root.join(folder)));
    let folders = folders.into_iter().flatten().flatten().flatten();
    folders.map(|entry| entry.path().join("Cargo.toml")).filter(|path| path.exists()).collect()
}

/// A wall is a name, or with a dash at its end the beginning of many.
fn breaks(dependency: &str, wall: &str) -> bool {
    if wall.ends_with('-') { dependency.starts_with(wall) } else { dependency == wall }
}

/// The names in a manifest's `[dependencies]`, its own tests' apart.
fn dependencies(manifest: &Path) -> Vec<String> {
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

/// Every crate of others has its paragraph, and no paragraph is of a crate that is gone.
fn check_dependencies(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let page = fs::read_to_string(root.join("docs/dependencies.md")).unwrap_or_default();
    let section =
        manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let names: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with("neargate") && !name.starts_with('#'))
        .collect();
    let missing = names.iter().filter(|name| !page.contains(&format!("**{name}**")));
    let missing = missing.map(|name| format!("docs/dependencies.md: a paragraph on **{name}** is missing"));
    let told = page.match_indices("\n- **").filter_map(|(at, _)| page.get(at + 5..)?.split("**").next());
    let dead =
        told.filter(|name| !names.contains(name)).map(|name| format!("docs/dependencies.md: **{name}** is not used"));
    missing.chain(dead).collect()
}

/// The map names every crate.
fn check_map(root: &Path) -> Vec<String> {
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let mut findings = vec![];
    for folder in ["crates", "crates/services"] {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().join("Cargo.toml").exists() && !map.contains(&format!("`{name}`")) {
                findings.push(format!("ARCHITECTURE.md: the crate `{name}` is not on the map"));
            }
        }
    }
    findings
}

/// Every Rust file of the checkout, in order.
fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["crates", "examples", "xtask"].iter().flat_map(|name| files_below(root.join(name))).collect();
    files.sort();
    files
}

/// The Rust files below a folder.
fn files_below(folder: PathBuf) -> Vec<PathBuf> {
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

#[cfg(test)]
mod tests {
    use super::{check_resource_type, check_source, error_codes, findings};

    #[test]
    fn the_house_is_tidy() {
        let findings = findings(&crate::root());
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn a_file_without_purpose_or_with_too_many_lines_is_found() {
        assert_eq!(check_source("crates/x/src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(check_source("crates/x/src/utils.rs", &format!("//! x\n{}", "\n".repeat(700))).len(), 2);
        assert!(check_source("crates/x/src/a.rs", "//! x\n").is_empty());
    }

    #[test]
    fn a_resource_type_that_writes_is_found() {
        let file = "crates/services/x/src/resources/thing.rs";
        for write in ["cx.put(&id, it);", "cx.update::<Thing, _>(id, |it| ());", "    cx.delete::<Thing>(id);"] {
            assert!(check_resource_type(file, &format!("//! x\n{write}\n")).is_some(), "{write}");
            assert!(check_resource_type("crates/services/x/src/ops/thing.rs", write).is_none());
        }
        assert!(check_resource_type(file, "cx.call(\"x\", \"PutThing\", input)?; update(cx, request)").is_none());
    }

    #[test]
    fn codes_are_found_where_they_are_said() {
        let text = format!(r#"Code({q}NG-E0101{q}) and {q}NG-E1{q}"#, q = '"');
        assert_eq!(error_codes(&text).collect::<Vec<_>>(), ["NG-E0101"]);
    }
}
