//! Calling an OCI runtime, and what its answers mean.
//!
//! Invariant: a runtime that is called ends when its caller does, and when the shim lets go of the caller.
//!
//! Invariant: a runtime inherits no descriptor but its standard streams and those that the container is to have.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid};

use super::super::{die_with_parent, resources};
use crate::event::{StartFailure, StartFailureKind};
use crate::sys::{self, Forked};

/// What the runtime finds its helpers by.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// As much of a runtime's log as is looked at.
const LOG_BYTES_MAX: usize = 64 * 1024;
/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// What runtimes put before the reason.
const PREFIXES: &[&str] = &[
    "runc create failed: ",
    "runc start failed: ",
    "runc run failed: ",
    "unable to start container process: ",
    "unable to start init: ",
    "exec failed: ",
    "OCI runtime create failed: ",
];

/// The standard streams of a call.
#[derive(Debug)]
pub(super) struct Streams<'a> {
    pub(super) stdin: &'a OwnedFd,
    pub(super) stdout: &'a OwnedFd,
    pub(super) stderr: &'a OwnedFd,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// With this exit code; 128 + n for signal n.
    Exited(i32),
    /// The shim let go: what was waited for has been killed.
    LetGo,
}

/// An OCI runtime with the state of one container.
#[derive(Debug)]
pub(super) struct Runtime<'a> {
    pub(super) program: &'a Path,
    /// Where it keeps its state.
    pub(super) state: &'a Path,
    /// Where it says what went wrong.
    pub(super) log: &'a Path,
    /// Closed by the shim to let go.
    pub(super) line: &'a OwnedFd,
}

impl Runtime<'_> {
    /// Runs a command of the runtime's to its end.
    pub(super) fn call(
        &self,
        forked: &Forked,
        arguments: &[&str],
        streams: &Streams<'_>,
        given: Option<&OwnedFd>,
    ) -> Result<(), StartFailure> {
        let _ = std::fs::remove_file(self.log);
        let paths = [self.program, self.state, self.log].map(|path| path.to_string_lossy().into_owned());
        let [program, state, log] = paths;
        let arguments = [program.as_str(), "--root", &state, "--log", &log, "--log-format", "json"]
            .into_iter()
            .chain(arguments.iter().copied())
            .map(|text| CString::new(text).map_err(|_| resources("a path holds a zero byte")))
            .collect::<Result<Vec<_>, _>>()?;
        let path = CString::new(program.as_str()).map_err(|_| resources("a path holds a zero byte"))?;
        let env = [CString::new(PATH).unwrap_or_default()];
        match sys::fork_again(forked).map_err(|e| resources(format!("fork: {e}")))? {
            None => become_runtime(forked, streams, given, &path, &arguments, &env),
            Some(pid) => match wait_for(pid, self.line)? {
                Waited::Exited(0) => Ok(()),
                Waited::Exited(code) => Err(self.failure(code)),
                Waited::LetGo => Err(let_go()),
            },
        }
    }

    fn failure(&self, code: i32) -> StartFailure {
        let text = std::fs::read(self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(text.get(..LOG_BYTES_MAX).unwrap_or(&text)).into_owned();
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match last_error(&text) {
            Some(message) => understood(&message),
            None => resources(format!("{name} ended with exit code {code} and without a word")),
        }
    }
}

fn become_runtime(
    forked: &Forked,
    streams: &Streams<'_>,
    given: Option<&OwnedFd>,
    path: &CString,
    arguments: &[CString],
    env: &[CString],
) -> ! {
    // Nothing can be said from here but by the exit code: the log is the runtime's.
    let taken = rustix::stdio::dup2_stdin(streams.stdin)
        .and_then(|()| rustix::stdio::dup2_stdout(streams.stdout))
        .and_then(|()| rustix::stdio::dup2_stderr(streams.stderr))
        .is_ok();
    let alone = match given {
        Some(given) => sys::close_all_but_as_third(forked, given).is_ok(),
        None => sys::close_all_but(forked, &[]).is_ok(),
    };
    if taken && alone && die_with_parent().is_ok() {
        sys::default_signals();
        let _ = sys::exec(path, arguments, env);
    }
    sys::exit_now(127)
}

pub(super) fn let_go() -> StartFailure {
    StartFailure::new(StartFailureKind::Cancelled, "the container was stopped before it was started")
}

/// Waits for a child of ours; kills it when the shim lets go.
pub(super) fn wait_for(pid: i32, line: &OwnedFd) -> Result<Waited, StartFailure> {
    let failed = |e: Errno| resources(format!("waiting for process {pid}: {e}"));
    let process = Pid::from_raw(pid).ok_or_else(|| failed(Errno::SRCH))?;
    let pidfd = pidfd_open(process, PidfdFlags::empty()).map_err(failed)?;
    loop {
        // The end of a connection is told unasked.
        let mut both = [PollFd::new(&pidfd, PollFlags::IN), PollFd::new(line, PollFlags::empty())];
        match poll(&mut both, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(e) => return Err(failed(e)),
        }
        let [ended, let_go] = both.map(|it| !it.revents().is_empty());
        if ended {
            let status = waitpid(Some(process), WaitOptions::empty()).map_err(failed)?.map(|(_, status)| status);
            let code = status.and_then(|it| it.exit_status().or_else(|| it.terminating_signal().map(|n| 128 + n)));
            return Ok(Waited::Exited(code.unwrap_or(255)));
        }
        if let_go {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let patience = PATIENCE.try_into().ok();
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], patience.as_ref());
            let _ = waitpid(Some(process), WaitOptions::NOHANG);
            return Ok(Waited::LetGo);
        }
    }
}

/// Kills what a keeper has as children, among it what a runtime that was killed left half made, and waits until none is left: a
/// process in the keeper's mount namespace would hold the task's storage.
pub(super) fn clear(more: impl Fn()) {
    let deadline = Instant::now() + PATIENCE;
    let own = rustix::process::getpid().as_raw_nonzero();
    loop {
        more();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        // They are ours and not waited for, so no number is another's.
        for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid > 1) {
            let _ = sys::kill(child, libc::SIGKILL);
        }
        match waitpid(None, WaitOptions::NOHANG) {
            Ok(Some(_)) => continue,
            Err(Errno::CHILD) => return,
            _ => {}
        }
        if Instant::now() >= deadline {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The last thing that a runtime called an error.
fn last_error(log: &str) -> Option<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let errors = lines.filter(|line| line.get("level").and_then(|it| it.as_str()) == Some("error"));
    errors.filter_map(|line| Some(line.get("msg")?.as_str()?.trim().to_owned())).next_back()
}

/// A runtime's message as a failure to start.
fn understood(message: &str) -> StartFailure {
    let mut text = message;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    let lower = text.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let of_program = lower.starts_with("exec") || has("executable file");
    let kind = if has("executable file") && has("not found") {
        StartFailureKind::CommandNotFound
    } else if of_program && has("exec format error") {
        StartFailureKind::ExecFormat
    } else if of_program && (has("permission denied") || has("is a directory")) {
        StartFailureKind::PermissionDenied
    } else if of_program && has("no such file") {
        StartFailureKind::CommandNotFound
    } else if has("sysctl") || has("rlimit") || has("capabilit") {
        StartFailureKind::InvalidSetting
    } else if has("mount") || has("rootfs") || has("chdir") || has("mkdir") {
        StartFailureKind::RootFs
    } else {
        StartFailureKind::Resources
    };
    StartFailure::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_say_is_understood() {
        for (message, kind, text) in [
            (
                "runc create failed: unable to start container process: exec: \"x\": executable file not found in $PATH",
                StartFailureKind::CommandNotFound,
                "exec: \"x\": executable file not found in $PATH",
            ),
            (
                "runc create failed: unable to start container process: exec: \"/x\": permission denied",
                StartFailureKind::PermissionDenied,
                "exec: \"/x\": permission denied",
            ),
            (
                "executable file `x` not found in $PATH: No such file or directory",
                StartFailureKind::CommandNotFound,
                "executable file `x` not found in $PATH: No such file or directory",
            ),
            (
                "runc create failed: unable to start container process: error during container init: error mounting \"proc\" to rootfs",
                StartFailureKind::RootFs,
                "error during container init: error mounting \"proc\" to rootfs",
            ),
            ("unknown version specified", StartFailureKind::Resources, "unknown version specified"),
        ] {
            assert_eq!(understood(message), StartFailure::new(kind, text), "{message}");
        }
    }

    #[test]
    fn the_last_error_of_a_log_counts() {
        let log = "{\"level\":\"warning\",\"msg\":\"w\"}\n{\"level\":\"error\",\"msg\":\"one\"}\nnoise\n\
                   {\"level\":\"error\",\"msg\":\"two\"}\n";
        assert_eq!(last_error(log), Some("two".to_owned()));
        assert_eq!(last_error("noise"), None);
    }
}
