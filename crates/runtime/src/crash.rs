//! Where a crash is interesting: counted points at which a test can have the process killed.
//!
//! `NEARGATE_CRASH_AT=N` kills the process with SIGKILL at the N-th point it reaches; without it a point costs one load.
//! `NEARGATE_CRASH_AT=0` only counts, and the engine's control endpoint tells the count. The module is here, below the
//! engine, so that the steps of a backend have points too; a shim is started with an empty environment and has none.
//!
//! Invariant: nothing of the thread that reaches the wanted point runs after it, and no destructor of any thread does.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static REACHED: AtomicU64 = AtomicU64::new(0);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn wanted() -> Option<u64> {
    static WANTED: OnceLock<Option<u64>> = OnceLock::new();
    *WANTED.get_or_init(|| number("NEARGATE_CRASH_AT"))
}

/// A point has been reached.
pub fn point() {
    let Some(wanted) = wanted() else { return };
    if REACHED.fetch_add(1, Ordering::Relaxed) + 1 == wanted {
        kill_this_process();
    }
}

/// How many points have been reached.
pub fn reached() -> u64 {
    REACHED.load(Ordering::Relaxed)
}

/// How many commands a commit may hold, where a test wants few, so that there are states on disk between them:
/// `NEARGATE_CRASH_BATCH=N`.
pub fn commands_per_commit_max() -> Option<usize> {
    static MAX: OnceLock<Option<u64>> = OnceLock::new();
    MAX.get_or_init(|| number("NEARGATE_CRASH_BATCH")).and_then(|max| usize::try_from(max).ok())
}

/// The very signal that the kernel's memory killer or a user sends: SIGABRT would do as much harm, but might write a core
/// first, and a test could not tell it from a panic that aborts.
#[cfg(target_os = "linux")]
fn kill_this_process() {
    if let Ok(pid) = i32::try_from(std::process::id()) {
        let _ = crate::sys::kill(pid, libc::SIGKILL);
    }
    // The signal is taken on the way back from the call; should it have been refused, the end must come all the same.
    std::process::abort();
}

#[cfg(not(target_os = "linux"))]
fn kill_this_process() {
    std::process::abort();
}
