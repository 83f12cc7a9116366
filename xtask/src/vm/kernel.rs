//! The guest's kernel: one that is installed, or Debian's package fetched and unpacked once.
//!
//! Invariant: a kernel in the cache is whole; an unpacking that was cut short is not found again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::needed;

/// The package that depends on the newest cloud kernel.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// A kernel and its modules.
#[derive(Debug)]
pub(super) struct Kernel {
    /// `6.1.0-57-cloud-amd64`.
    pub(super) version: String,
    pub(super) image: PathBuf,
    /// Holds `kernel/`.
    pub(super) modules: PathBuf,
}

/// The kernel that is in the cache or installed, else the one that Debian has.
pub(super) fn find(cache: &Path) -> Result<Kernel, String> {
    let kept = cache.join("kernel");
    if let Some(found) = in_tree(&kept).or_else(|| in_tree(Path::new("/"))) {
        return Ok(found);
    }
    let left_out = |error: String| format!("left out: no kernel for a guest: {error}; install `{PACKAGE}`");
    let unpacked = tempfile::tempdir_in(cache).map_err(|error| error.to_string())?;
    let package = download(unpacked.path()).map_err(left_out)?;
    let tree = unpacked.path().join("tree");
    super::command(&needed("dpkg", "dpkg")?, &["-x".as_ref(), package.as_ref(), tree.as_ref()]).map_err(left_out)?;
    fs::rename(&tree, &kept).map_err(|error| format!("{}: {error}", kept.display()))?;
    in_tree(&kept).ok_or_else(|| left_out(format!("`{PACKAGE}` holds none")))
}

/// A cloud kernel in a tree that has `boot` and `lib/modules`.
fn in_tree(tree: &Path) -> Option<Kernel> {
    let names = fs::read_dir(tree.join("boot")).ok()?.flatten();
    let mut images: Vec<PathBuf> = names.map(|entry| entry.path()).collect();
    images.sort();
    images.into_iter().rev().find_map(|image| {
        let version = image.file_name()?.to_str()?.strip_prefix("vmlinuz-")?.to_owned();
        let modules = tree.join("lib/modules").join(&version);
        (version.ends_with("-cloud-amd64") && modules.join("kernel").is_dir()).then_some(Kernel {
            version,
            image,
            modules,
        })
    })
}

/// Fetches the newest kernel's package into a directory.
fn download(directory: &Path) -> Result<PathBuf, String> {
    let text = |command: &mut Command| -> Result<String, String> {
        let output = command.current_dir(directory).output().map_err(|error| format!("cannot run apt: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).lines().next_back().unwrap_or("apt failed").to_owned())
    };
    let answer = text(Command::new("apt-cache").args(["depends", PACKAGE]))?;
    let name = answer.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let name = name.ok_or_else(|| format!("apt does not know `{PACKAGE}`"))?;
    text(Command::new("apt-get").args(["-o", "APT::Sandbox::User=root", "download", name]))?;
    let files = fs::read_dir(directory).map_err(|error| error.to_string())?.flatten();
    let mut packages = files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "deb"));
    packages.next().ok_or_else(|| format!("apt fetched no `{name}`"))
}
