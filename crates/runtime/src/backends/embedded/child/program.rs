//! Finding and executing the program, with the texts an OCI runtime gives when that fails.
//!
//! Invariant: the search happens in the container's root, as the container's user.
//! Invariant: no text of a failure holds a value of the environment: failures are written down.

use std::ffi::CString;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::rootfs::{LINKS_MAX, make_dir_through_links};
use super::{invalid, resources};
use crate::event::{StartFailure, StartFailureKind};
use crate::spec::ContainerSpec;
use crate::sys;

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program's environment: PATH, HOSTNAME and HOME where they are not given; a later entry replaces an earlier one,
/// and a secret every other.
pub(super) fn environment(spec: &ContainerSpec, hostname: &str, home: &str) -> Vec<(String, String)> {
    let short = hostname.to_owned();
    let mut result: Vec<(String, String)> =
        vec![("PATH".to_owned(), DEFAULT_PATH.to_owned()), ("HOSTNAME".to_owned(), short)];
    let plain = spec.env.iter().map(|(name, value)| (name, value.as_str()));
    for (name, value) in plain.chain(spec.secrets.iter().map(|(name, value)| (name, value.expose()))) {
        match result.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => result.push((name.clone(), value.to_owned())),
        }
    }
    if !result.iter().any(|(name, _)| name == "HOME") {
        result.push(("HOME".to_owned(), home.to_owned()));
    }
    result
}

/// Goes to the working directory, making it where it is missing.
pub(super) fn enter_working_dir(dir: &str) -> Result<(), StartFailure> {
    let dir = if dir.is_empty() { "/" } else { dir };
    if !dir.starts_with('/') {
        return Err(invalid(format!("working directory `{dir}` is not absolute")));
    }
    if rustix::process::chdir(dir).is_ok() {
        return Ok(());
    }
    make_dir_through_links(Path::new(dir), LINKS_MAX)
        .and_then(|()| rustix::process::chdir(dir).map_err(Into::into))
        .map_err(|e| {
            StartFailure::new(StartFailureKind::RootFs, format!("chdir to cwd (\"{dir}\") failed: {}", plain(&e)))
        })
}

/// Where the program is.
pub(super) fn find(argv: &[String], env: &[(String, String)]) -> Result<PathBuf, StartFailure> {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else {
        return Err(StartFailure::new(StartFailureKind::CommandNotFound, "no command specified"));
    };
    if name.contains('/') {
        let path = Path::new(name);
        return executable(path).map(|()| path.to_owned()).map_err(|e| named_failure(name, &e));
    }
    let path = env.iter().find(|(key, _)| key == "PATH").map_or("", |(_, value)| value.as_str());
    path.split(':')
        .map(|dir| if dir.is_empty() { Path::new("./").join(name) } else { Path::new(dir).join(name) })
        .find(|candidate| executable(candidate).is_ok())
        .ok_or_else(|| {
            let text = format!("exec: \"{name}\": executable file not found in $PATH");
            StartFailure::new(StartFailureKind::CommandNotFound, text)
        })
}

fn executable(path: &Path) -> Result<(), ErrorKind> {
    let found = std::fs::metadata(path).map_err(|e| e.kind())?;
    match () {
        () if found.is_dir() => Err(ErrorKind::IsADirectory),
        () if found.permissions().mode() & 0o111 == 0 => Err(ErrorKind::PermissionDenied),
        () => Ok(()),
    }
}

fn named_failure(name: &str, kind: &ErrorKind) -> StartFailure {
    match kind {
        ErrorKind::PermissionDenied => {
            StartFailure::new(StartFailureKind::PermissionDenied, format!("exec: \"{name}\": permission denied"))
        }
        ErrorKind::IsADirectory => {
            StartFailure::new(StartFailureKind::PermissionDenied, format!("exec: \"{name}\": is a directory"))
        }
        _ => StartFailure::new(
            StartFailureKind::CommandNotFound,
            format!("exec: \"{name}\": stat {name}: no such file or directory"),
        ),
    }
}

/// Becomes the program; answers with the failure.
pub(super) fn execute(program: &Path, argv: &[String], env: &[(String, String)]) -> StartFailure {
    let text = |text: &str| CString::new(text).map_err(|_| invalid(format!("`{text:?}` holds a zero byte")));
    let prepared = || -> Result<_, StartFailure> {
        let path = text(&program.to_string_lossy())?;
        let argv = argv.iter().map(|a| text(a)).collect::<Result<Vec<_>, _>>()?;
        let variable = |(name, value): &(String, String)| {
            let zero = |_| invalid(format!("the environment variable `{}` holds a zero byte", name.escape_debug()));
            CString::new(format!("{name}={value}")).map_err(zero)
        };
        let env = env.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
        Ok((path, argv, env))
    };
    let (path, argv, env) = match prepared() {
        Ok(prepared) => prepared,
        Err(failure) => return failure,
    };
    let error = sys::exec(&path, &argv, &env);
    let program = program.display();
    match error.raw_os_error() {
        Some(libc::ENOEXEC) => {
            StartFailure::new(StartFailureKind::ExecFormat, format!("exec {program}: exec format error"))
        }
        Some(libc::EACCES | libc::EPERM) => {
            StartFailure::new(StartFailureKind::PermissionDenied, format!("exec: \"{program}\": permission denied"))
        }
        Some(libc::ENOENT | libc::ENOTDIR) => {
            StartFailure::new(StartFailureKind::CommandNotFound, format!("exec {program}: no such file or directory"))
        }
        Some(libc::E2BIG) => invalid(format!("exec {program}: argument list too long")),
        _ => resources(format!("exec {program}: {}", plain(&error))),
    }
}

/// An error as C libraries and Go programs word it: lowercase, without the number.
pub(super) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(argv: &[&str], path: &str) -> String {
        let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
        match find(&argv, &[("PATH".to_owned(), path.to_owned())]) {
            Ok(path) => path.display().to_string(),
            Err(failure) => format!("{:?}: {}", failure.kind, failure.message),
        }
    }

    #[test]
    fn programs_are_found_and_missed_in_the_words_of_an_oci_runtime() {
        assert_eq!(check(&["sh"], "/none:/bin"), "/bin/sh");
        assert_eq!(check(&["/bin/sh"], ""), "/bin/sh");
        assert_eq!(check(&["nope"], "/bin"), "CommandNotFound: exec: \"nope\": executable file not found in $PATH");
        assert_eq!(check(&["/x/y"], "/bin"), "CommandNotFound: exec: \"/x/y\": stat /x/y: no such file or directory");
        assert_eq!(check(&["/etc"], "/bin"), "PermissionDenied: exec: \"/etc\": is a directory");
        assert_eq!(check(&["/etc/passwd"], "/bin"), "PermissionDenied: exec: \"/etc/passwd\": permission denied");
        assert_eq!(check(&[], "/bin"), "CommandNotFound: no command specified");
    }

    #[test]
    fn later_variables_win_and_the_usual_ones_are_there() {
        let mut spec = ContainerSpec::new("main", Vec::new(), Vec::new());
        spec.env =
            [("A", "1"), ("PATH", "/x"), ("A", "2"), ("B", "3")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        spec.secrets = [("B", "4"), ("C", "5")].map(|(k, v)| (k.to_owned(), v.to_owned().into())).into();
        let text: Vec<String> =
            environment(&spec, "ip-10-0-0-5", "/root").into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(text, ["PATH=/x", "HOSTNAME=ip-10-0-0-5", "A=2", "B=4", "C=5", "HOME=/root"]);
    }

    #[test]
    fn a_value_that_cannot_be_given_is_not_told() {
        let env = [("TOKEN".to_owned(), "hunter2\0".to_owned())];
        let failure = execute(Path::new("/bin/true"), &["true".to_owned()], &env);
        assert_eq!(failure.message, "the environment variable `TOKEN` holds a zero byte");
    }
}
