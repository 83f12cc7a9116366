//! Finding and executing the program, with the texts an OCI runtime gives when that fails.
//!
//! Invariant: the search happens in the container's root, as the container's user.
//!
//! Invariant: no text of a failure holds a value of the environment: failures are written down.

use std::ffi::{CString, OsStr};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;

use super::inside::Root;
use super::{invalid, resources};
use crate::event::{StartFailure, StartFailureKind};
use crate::images::{Bytes, Elf};
use crate::spec::ContainerSpec;
use crate::sys;

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What this machine's kernel loads, by the machine numbers of ELF: its own programs and those of 32 bits.
const MACHINES: &[u64] = if cfg!(target_arch = "aarch64") { &[183, 40] } else { &[62, 3] };
/// As many interpreters in a row as the kernel follows, and the loader of the last.
const INTERPRETERS_MAX: u32 = 6;

/// As much of a script as the kernel reads for its first line.
const SCRIPT_BYTES_MAX: usize = 256;

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

/// Goes to the working directory, which was made with the root file system.
pub(super) fn enter_working_dir(root: &Root, dir: &str) -> Result<(), StartFailure> {
    let dir = if dir.is_empty() { "/" } else { dir };
    if !dir.starts_with('/') {
        return Err(invalid(format!("working directory `{dir}` is not absolute")));
    }
    let fail = |why: String| {
        Err(StartFailure::new(StartFailureKind::RootFs, format!("chdir to cwd (\"{dir}\") failed: {why}")))
    };
    let entered = root.find(Path::new(dir), OFlags::PATH | OFlags::DIRECTORY).and_then(rustix::process::fchdir);
    if let Err(e) = entered {
        return fail(plain(&e.into()));
    }
    match rustix::process::getcwd(Vec::new()) {
        // The kernel says `(unreachable)` of a directory that is outside.
        Ok(here) if here.to_bytes().starts_with(b"/") => Ok(()),
        Ok(_) => fail("it is outside of the container's root".to_owned()),
        Err(e) => fail(plain(&e.into())),
    }
}

/// Where the program is.
pub(super) fn find(
    root: &Root,
    working_dir: &str,
    argv: &[String],
    env: &[(String, String)],
) -> Result<PathBuf, StartFailure> {
    let Some(name) = argv.first() else {
        return Err(StartFailure::new(StartFailureKind::CommandNotFound, "no command specified"));
    };
    let here = Path::new("/").join(working_dir);
    if name.contains('/') {
        let path = Path::new(name);
        return executable(root, &here.join(path)).map(|()| path.to_owned()).map_err(|e| named_failure(name, &e));
    }
    let path = env.iter().find(|(key, _)| key == "PATH").map_or("", |(_, value)| value.as_str());
    path.split(':')
        .filter(|_| !name.is_empty())
        .map(|dir| if dir.is_empty() { Path::new("./").join(name) } else { Path::new(dir).join(name) })
        .find(|candidate| executable(root, &here.join(candidate)).is_ok())
        .ok_or_else(|| {
            let text = format!("exec: \"{name}\": executable file not found in $PATH");
            StartFailure::new(StartFailureKind::CommandNotFound, text)
        })
}

/// Whether something in the container can be executed. What lies on none of its mounts (an open descriptor, this very
/// program by `/proc/self/exe`) cannot, nor by way of an interpreter.
fn executable(root: &Root, path: &Path) -> Result<(), ErrorKind> {
    let kind = |e: Errno| match e {
        Errno::LOOP => ErrorKind::PermissionDenied,
        e => std::io::Error::from(e).kind(),
    };
    let found = root.find(path, OFlags::PATH).map_err(kind)?;
    let found = fstat(&found).map_err(kind)?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::Directory => return Err(ErrorKind::IsADirectory),
        FileType::RegularFile if found.st_mode & 0o111 != 0 => {}
        _ => return Err(ErrorKind::PermissionDenied),
    }
    match interpreter(root, path) {
        Some(interpreter) => root.find(&interpreter, OFlags::PATH).map(drop).or_else(|e| match e {
            Errno::LOOP => Err(ErrorKind::PermissionDenied),
            // Which the kernel will say better.
            _ => Ok(()),
        }),
        None => Ok(()),
    }
}

/// What the kernel would load in a program's place: a script's interpreter, a program's loader.
fn interpreter(root: &Root, path: &Path) -> Option<PathBuf> {
    let file = root.find(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY).ok()?;
    let bytes = Bytes::File(&std::fs::File::from(file));
    let start = bytes.read(0, SCRIPT_BYTES_MAX).ok()?;
    if let Some(line) = start.strip_prefix(b"#!") {
        let line = line.split(|b| *b == b'\n').next()?.trim_ascii_start();
        let name = line.split(|b| matches!(*b, b' ' | b'\t' | 0)).next()?;
        return Some(Path::new("/").join(OsStr::from_bytes(name)));
    }
    Elf::read(&bytes).ok()??.interpreter.map(|loader| Path::new("/").join(loader))
}

/// Whether the kernel will take a program that was found, in the words of [`execute`]: for a runtime, which learns it too
/// late to say.
pub(super) fn check_loadable(root: &Root, path: &Path, program: &Path) -> Result<(), StartFailure> {
    let program = program.display();
    let mut path = path.to_owned();
    for _ in 0..INTERPRETERS_MAX {
        let Ok(file) = root.find(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) else {
            let text = format!("exec {program}: no such file or directory");
            return Err(StartFailure::new(StartFailureKind::CommandNotFound, text));
        };
        let bytes = Bytes::File(&std::fs::File::from(file));
        let is_script = bytes.read(0, 2).is_ok_and(|start| start == b"#!");
        let elf = Elf::read(&bytes).ok().flatten();
        if !is_script && !elf.is_some_and(|elf| MACHINES.contains(&elf.machine)) && !has_other_formats() {
            return Err(StartFailure::new(StartFailureKind::ExecFormat, format!("exec {program}: exec format error")));
        }
        match interpreter(root, &path) {
            Some(interpreter) => path = interpreter,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Whether this machine's administrator has taught the kernel to run other files, such as those for other machines.
fn has_other_formats() -> bool {
    let formats = std::fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    formats.map(|entry| entry.file_name()).any(|name| name != "register" && name != "status")
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

/// Path, arguments and environment as the kernel takes them.
pub(super) fn prepare(
    program: &Path,
    argv: &[String],
    env: &[(String, String)],
) -> Result<(CString, Vec<CString>, Vec<CString>), StartFailure> {
    let text = |text: &str| CString::new(text).map_err(|_| invalid(format!("`{text:?}` holds a zero byte")));
    let path = text(&program.to_string_lossy())?;
    let argv = argv.iter().map(|a| text(a)).collect::<Result<Vec<_>, _>>()?;
    let variable = |(name, value): &(String, String)| {
        let zero = |_| invalid(format!("the environment variable `{}` holds a zero byte", name.escape_debug()));
        CString::new(format!("{name}={value}")).map_err(zero)
    };
    let env = env.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
    Ok((path, argv, env))
}

/// Becomes the program; answers with the failure.
pub(super) fn execute(program: &Path, argv: &[String], env: &[(String, String)]) -> StartFailure {
    let prepared = prepare(program, argv, env);
    let (path, argv, env) = match prepared {
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
        let root = Root::of_this_process().unwrap();
        match find(&root, "/", &argv, &[("PATH".to_owned(), path.to_owned())]) {
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
        assert_eq!(check(&[""], "/bin"), "CommandNotFound: exec: \"\": executable file not found in $PATH");
        assert_eq!(check(&["/dev/null"], ""), "PermissionDenied: exec: \"/dev/null\": permission denied");
    }

    #[test]
    fn what_lies_on_no_mount_of_the_container_is_not_executed() {
        let own = "/proc/self/exe";
        assert_eq!(check(&[own], ""), format!("PermissionDenied: exec: \"{own}\": permission denied"));
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, content: &[u8]| {
            let path = dir.path().join(name).display().to_string();
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            path
        };
        for script in ["#!/proc/self/exe\n", "#! /proc/self/fd/3 -x\n", "#!/proc/self/../self/exe"] {
            let path = make("script", script.as_bytes());
            assert_eq!(
                check(&[&path], ""),
                format!("PermissionDenied: exec: \"{path}\": permission denied"),
                "{script}"
            );
        }
        let path = make("script", b"#!/bin/sh\n");
        assert_eq!(check(&[&path], ""), path);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(own, &link).unwrap();
        let link = link.display().to_string();
        assert_eq!(check(&[&link], ""), format!("PermissionDenied: exec: \"{link}\": permission denied"));
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
