//! The small init process of a container that an OCI runtime makes.
//!
//! A runtime executes a program, so there must be one, and it must run in any image: a few instructions that need nothing, in a
//! sealed file in memory that the runtime hands to the container as an open descriptor. As without a runtime it forwards
//! signals to the program, collects orphans, ends as the program ends, holds no descriptor and is called `init`.
//!
//! ```text
//! init <path of the program> <the program's own arguments, its name first>
//! ```
//!
//! Invariant: it is under the container's filter of system calls and has the program's user and rights, as the runtime gave them.

use std::io;
use std::os::fd::OwnedFd;

use crate::backends::embedded::bare;
use crate::backends::embedded::sealed;
use crate::sys;

/// How the runtime names the descriptor that it hands on.
pub(super) const PATH: &str = "/proc/self/fd/3";
/// How many descriptors it is to hand on.
pub(super) const DESCRIPTORS: &str = "1";

/// The program.
pub(super) fn program() -> io::Result<OwnedFd> {
    match sys::init_code() {
        Some(code) => sealed::file(&bare::program(code)),
        None => Err(io::Error::other("with an OCI runtime it is implemented for x86-64 alone")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::process::{Command, Output};

    use super::*;

    fn run(script: &str) -> Output {
        let program = program().unwrap();
        let path = format!("/proc/{}/fd/{}", std::process::id(), program.as_raw_fd());
        Command::new(path).args(["/bin/sh", "sh", "-c", script, "name", "a b"]).env("X", "y").output().unwrap()
    }

    #[test]
    fn it_runs_the_program_and_ends_as_it_does() {
        let output = run("echo \"$0,$1,$X\"; exit 7");
        assert_eq!((output.stdout.as_slice(), output.status.code()), (b"name,a b,y\n".as_slice(), Some(7)));
        assert_eq!(run("kill -9 $$").status.code(), Some(137));
        assert_eq!(run("exit 255").status.code(), Some(255));
    }

    #[test]
    fn it_is_called_init_and_forwards_signals() {
        let script = "trap 'exit 5' TERM; tr '\\0' '|' < /proc/$PPID/cmdline; cat /proc/$PPID/comm; \
                      ls /proc/$PPID/fd | wc -l; kill $PPID; while :; do sleep 0.1; done";
        let output = run(script);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text.replace('|', ""), "initinit\n0\n");
        assert_eq!(output.status.code(), Some(5));
    }
}
