//! Finding an OCI runtime.
//!
//! Invariant: what is found is an absolute path: the directory that a shim works in does not matter.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is said where there is none.
pub(super) const MISSING: &str = "there is neither `runc` nor `crun`";
/// The runtimes that are looked for, in this order.
const NAMES: [&str; 2] = ["runc", "crun"];
/// Where they may be beside the `PATH`, which often lacks them.
const TOOL_DIRS: [&str; 4] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin"];

/// The first that there is; where there is none, where the first would be.
pub(super) fn find() -> PathBuf {
    let first = all().into_iter().next().map(|(_, path)| path);
    first.unwrap_or_else(|| Path::new("/usr/sbin").join(NAMES[0]))
}

/// Those that there are, with their names.
pub(super) fn all() -> Vec<(&'static str, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .chain(TOOL_DIRS.iter().map(PathBuf::from))
        .collect();
    let find = |name: &'static str| {
        let mut candidates = dirs.iter().map(|dir| dir.join(name));
        candidates.find(|candidate| candidate.is_file()).map(|path| (name, path))
    };
    NAMES.into_iter().filter_map(find).collect()
}

/// What a runtime says of itself, in a line.
pub(super) fn version(runtime: &Path) -> io::Result<String> {
    let output = match Command::new(runtime).arg("--version").env_clear().stdin(Stdio::null()).output() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(io::Error::new(io::ErrorKind::NotFound, MISSING));
        }
        other => other?,
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = text.lines().next().unwrap_or_default().trim();
    if !output.status.success() || first.is_empty() {
        return Err(io::Error::other(format!("`{} --version` says nothing: {}", runtime.display(), output.status)));
    }
    Ok(format!("{} (`{}`)", first.replace(" version ", " "), runtime.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_is_not_there_is_said_to_be_missing() {
        let error = version(Path::new("/no/such/runc")).unwrap_err();
        assert_eq!(error.to_string(), MISSING);
        assert!(find().is_absolute());
    }

    #[test]
    fn a_program_that_is_no_runtime_is_told() {
        let error = version(Path::new("/bin/false")).unwrap_err();
        assert!(error.to_string().starts_with("`/bin/false --version` says nothing"), "{error}");
    }
}
