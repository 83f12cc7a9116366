//! Who must not know whom.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::dependencies;

/// Who must not know whom: a crate, and what its manifest must not name. `services` stands for each of them.
const WALLS: [(&str, &[&str]); 13] = [
    ("api", &["neargate-kernel", "neargate-wire", "serde", "tokio"]),
    ("base", &["neargate-", "tokio"]),
    ("shape", &["neargate-wire", "neargate-kernel", "tokio"]),
    ("wire", &["neargate-kernel", "hyper", "tokio"]),
    ("template", &["neargate-constructs", "neargate-kernel", "tokio"]),
    ("decide", &["neargate-k", "neargate-s", "neargate-w", "neargate-t", "neargate-e", "neargate-i", "tokio"]),
    ("kit", &["neargate-a", "neargate-k", "neargate-s", "neargate-w", "neargate-e", "neargate-i", "serde", "tokio"]),
    ("event-pattern", &["neargate-"]),
    ("event-transform", &["neargate-"]),
    ("schedule", &["neargate-"]),
    ("kernel", &["neargate-wire", "neargate-runtime", "hyper", "tokio", "rusqlite"]),
    ("constructs", &["neargate-kernel", "neargate-wire", "neargate-engine", "neargate-runtime", "hyper", "tokio"]),
    ("runtime", &["neargate-kernel", "neargate-wire", "neargate-shape", "tokio"]),
];

pub(super) fn check_walls(root: &Path) -> Vec<String> {
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

/// A wall is a name, or with a dash at its end the beginning of many.
fn breaks(dependency: &str, wall: &str) -> bool {
    if wall.ends_with('-') { dependency.starts_with(wall) } else { dependency == wall }
}

/// The map names every crate.
pub(super) fn check_map(root: &Path) -> Vec<String> {
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
