//! The small init process of a container that asks for one.
//!
//! The container's first process stays behind as PID 1: it forwards signals to the program, collects orphans, and ends
//! as the program ends.
//!
//! Invariant: the init process holds no descriptor, so the container's output ends when its writers end.
//!
//! Invariant: its name and arguments say nothing of the host.
//!
//! Invariant: it splits off after the program's user and capabilities were taken, so it has no right the program has not.

use rustix::process::{WaitOptions, WaitStatus, wait};

use super::{die_with_parent, resources};
use crate::event::StartFailure;
use crate::sys::{self, Forked};

/// Splits in two: returns in the child, which goes on to be the program; the parent stays as init and never returns.
pub(super) fn split(forked: &Forked) -> Result<(), StartFailure> {
    match sys::fork_again(forked).map_err(|e| resources(format!("init process: {e}")))? {
        None => {
            die_with_parent()?;
            let _ = rustix::process::setsid();
            Ok(())
        }
        Some(pid) => {
            sys::block_signals();
            sys::close_all(forked);
            sys::rename_process(forked, c"init");
            sys::exit_now(reap_until(pid))
        }
    }
}

fn reap_until(program: i32) -> i32 {
    loop {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid.as_raw_nonzero().get() == program {
                return exit_code(status);
            }
        }
        let signal = sys::wait_signal();
        if signal > 0 && signal != libc::SIGCHLD {
            let _ = sys::kill(program, signal);
        }
    }
}

fn exit_code(status: WaitStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(255)
}
