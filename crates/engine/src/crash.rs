//! Where a crash is interesting: counted points at which a test can have the process killed.
//!
//! `NEARGATE_CRASH_AT=N` kills the process with SIGKILL at the N-th point it reaches; without it a point costs one load.
//! `NEARGATE_CRASH_AT=0` only counts, and the count is printed by the control endpoint.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static REACHED: AtomicU64 = AtomicU64::new(0);

fn wanted() -> Option<u64> {
    static WANTED: OnceLock<Option<u64>> = OnceLock::new();
    *WANTED.get_or_init(|| std::env::var("NEARGATE_CRASH_AT").ok()?.parse().ok())
}

/// A point has been reached.
pub(crate) fn point(_name: &str) {
    let Some(wanted) = wanted() else { return };
    if REACHED.fetch_add(1, Ordering::Relaxed) + 1 == wanted {
        // `kill` is a program everywhere; this runs only in crash tests, and nothing after it does.
        let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    }
}

/// How many points have been reached.
pub(crate) fn reached() -> u64 {
    REACHED.load(Ordering::Relaxed)
}
