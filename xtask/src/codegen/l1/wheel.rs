//! The pinned wheel that holds the schemas, fetched once into the build directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The package and version on PyPI.
pub(super) const PINNED: &str = "cfn-lint 1.58.0";
const REQUIREMENT: &str = "cfn-lint==1.58.0";
const WHEEL: &str = "cfn_lint-1.58.0-py3-none-any.whl";
const SCHEMAS: &str = "cfnlint/data/schemas";

/// The unpacked schemas of one region.
pub(super) struct Schemas {
    root: PathBuf,
    by_type: Value,
}

impl Schemas {
    /// Downloads and unpacks the wheel where that has not happened yet.
    pub(super) fn open() -> Result<Self, String> {
        let directory =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
        let unpacked = directory.join("upstream").join(PINNED.replace(' ', "-"));
        let root = unpacked.join(SCHEMAS);
        if !root.is_dir() {
            fetch(&directory.join("upstream"), &unpacked)?;
        }
        let by_type = read_json(&root.join("providers/us-east-1.json"))?;
        Ok(Self { root, by_type })
    }

    /// The schema of one resource type.
    pub(super) fn read(&self, type_name: &str) -> Result<Value, String> {
        let file =
            self.by_type.get(type_name).and_then(Value::as_str).ok_or(format!("{PINNED} has no `{type_name}`"))?;
        read_json(&self.root.join(format!("resources/{file}.json")))
    }
}

fn fetch(downloads: &Path, unpacked: &Path) -> Result<(), String> {
    std::fs::create_dir_all(downloads).map_err(|error| format!("{}: {error}", downloads.display()))?;
    let wheel = downloads.join(WHEEL);
    if !wheel.is_file() {
        python(&[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            &downloads.to_string_lossy(),
            REQUIREMENT,
        ])?;
    }
    python(&["-m", "zipfile", "-e", &wheel.to_string_lossy(), &unpacked.to_string_lossy()])
}

fn python(args: &[&str]) -> Result<(), String> {
    let status =
        Command::new("python3").args(args).status().map_err(|error| format!("python3 does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`python3 {}` failed: {status}", args.join(" "))) }
}

fn read_json(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
