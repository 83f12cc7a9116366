//! Finding an OCI runtime.
//!
//! Invariant: what is found is an absolute path: the directory that a shim works in does not matter.
//!
//! Invariant: root runs no program that another user could have put there or could change.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is said where there is none.
pub(super) const MISSING: &str = "there is neither `runc` nor `crun`";
/// The runtimes that are looked for, in this order.
const NAMES: [&str; 2] = ["runc", "crun"];
/// Where they may be beside the `PATH`, which often lacks them.
const TOOL_DIRS: [&str; 4] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin"];

/// Bits of a mode: writable for the group or for others.
const WRITABLE: u32 = 0o022;
/// Bit of a mode: who may write to a directory removes and renames there what is theirs alone.
const STICKY: u32 = 0o1000;

/// The first that may be run; where there is none, a path at which nothing is.
pub(super) fn find() -> PathBuf {
    let first = all().into_iter().next().map(|(_, path)| path);
    first.unwrap_or_else(|| Path::new("/nonexistent").join(NAMES[0]))
}

/// Those that there are and that may be run, with their names.
pub(super) fn all() -> Vec<(&'static str, PathBuf)> {
    let find = |name: &'static str| candidates(name).find_map(|path| runnable(&path).ok()).map(|path| (name, path));
    NAMES.into_iter().filter_map(find).collect()
}

/// Those that are passed over, and why.
pub(super) fn passed_over() -> Vec<(PathBuf, String)> {
    NAMES.into_iter().flat_map(candidates).filter_map(|path| Some((path.clone(), runnable(&path).err()?))).collect()
}

fn missing() -> String {
    let others =
        passed_over().into_iter().map(|(path, reason)| format!("; `{}` is passed over: {reason}", path.display()));
    [MISSING.to_owned()].into_iter().chain(others).collect()
}

fn candidates(name: &'static str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    in_dirs(&path, name).into_iter()
}

fn in_dirs(path: &OsStr, name: &str) -> Vec<PathBuf> {
    let dirs = std::env::split_paths(path).filter(|dir| dir.is_absolute());
    let mut found: Vec<PathBuf> = Vec::new();
    for file in dirs.chain(TOOL_DIRS.iter().map(PathBuf::from)).map(|dir| dir.join(name)) {
        if file.is_file() && !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

/// The program to run, or why root does not run it. Everybody else runs what their `PATH` says.
fn runnable(program: &Path) -> Result<PathBuf, String> {
    if rustix::process::geteuid().is_root() { roots_own(program) } else { Ok(program.to_owned()) }
}

/// Where a program's links lead, if the file and its directory are root's and nobody else may write to them, nor replace what
/// is above them.
fn roots_own(program: &Path) -> Result<PathBuf, String> {
    let real = fs::canonicalize(program).map_err(|e| e.to_string())?;
    for (depth, place) in real.ancestors().enumerate() {
        let meta = fs::metadata(place).map_err(|e| format!("`{}`: {e}", place.display()))?;
        // In a directory such as `/tmp` nobody can replace what is root's.
        let is_sticky = depth > 1 && meta.mode() & STICKY != 0;
        if meta.uid() != 0 {
            return Err(format!("`{}` is not root's", place.display()));
        }
        if meta.mode() & WRITABLE != 0 && !is_sticky {
            return Err(format!("others may write to `{}`", place.display()));
        }
    }
    Ok(real)
}

/// What a runtime says of itself, in a line.
pub(super) fn version(runtime: &Path) -> io::Result<String> {
    let output = match Command::new(runtime).arg("--version").env_clear().stdin(Stdio::null()).output() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(io::Error::new(io::ErrorKind::NotFound, missing()));
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
        assert!(error.to_string().starts_with(MISSING), "{error}");
        assert!(find().is_absolute());
    }

    #[test]
    fn a_program_that_is_no_runtime_is_told() {
        let error = version(Path::new("/bin/false")).unwrap_err();
        assert!(error.to_string().starts_with("`/bin/false --version` says nothing"), "{error}");
    }

    #[test]
    fn what_others_could_have_put_there_is_passed_over() {
        use std::os::unix::fs::{PermissionsExt, chown, symlink};
        if !rustix::process::geteuid().is_root() {
            assert_eq!(runnable(Path::new("/tmp/runc")), Ok("/tmp/runc".into()));
            return;
        }
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (program, bin) = (dir.path().join("bin/runc"), dir.path().join("bin"));
        fs::create_dir(&bin).unwrap();
        fs::write(&program, "").unwrap();
        for path in [dir.path(), &bin, &program] {
            mode(path, 0o755);
        }
        assert_eq!(in_dirs(bin.as_os_str(), "runc").first(), Some(&program));
        let link = dir.path().join("crun");
        symlink(&program, &link).unwrap();
        let place = |path: &Path| path.display().to_string();
        for path in [dir.path(), &bin, &program] {
            assert_eq!((runnable(&program), runnable(&link)), (Ok(program.clone()), Ok(program.clone())));
            for bits in [0o775, 0o757] {
                mode(path, bits);
                let refusal = format!("others may write to `{}`", place(path));
                assert_eq!((runnable(&program), runnable(&link)), (Err(refusal.clone()), Err(refusal)));
            }
            mode(path, 0o755);
            chown(path, Some(1000), None).unwrap();
            assert_eq!(runnable(&program), Err(format!("`{}` is not root's", place(path))));
            chown(path, Some(0), None).unwrap();
        }
        mode(&bin, 0o1777);
        assert_eq!(runnable(&program), Err(format!("others may write to `{}`", place(&bin))));
    }
}
