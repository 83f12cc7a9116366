//! Signals that end a command: SIGINT, SIGTERM and SIGHUP are taken as a wish to stop and clear up, and so is output that
//! nobody reads any more, which ends other programs by SIGPIPE.
//!
//! Invariant: from [`watch`] on none of them ends this process; whoever works asks [`check`] or holds the flag.
//!
//! Invariant: a SIGHUP that this process was started to ignore (`nohup`) stays ignored.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use neargate_base::Diagnostic;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};

/// Set by the first signal.
static FLAG: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// The first signal's number.
static FIRST: AtomicI32 = AtomicI32::new(0);
/// How many have come.
static COUNT: AtomicU32 = AtomicU32::new(0);
/// Whether somebody looks at the flag.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);
/// Whether a terminal has shown `^C` since somebody last asked.
static ECHO: AtomicBool = AtomicBool::new(false);

/// What a process does when its terminal goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// It ends as at a SIGTERM.
    Ends,
    /// It goes on: nobody sits before it.
    Ignored,
}

/// Takes the signals from here on. Answers the flag that the first of them sets.
pub(crate) fn watch(hangup: Hangup) -> Outcome<Arc<AtomicBool>> {
    let cannot = |error: std::io::Error| {
        Failure::failed(Diagnostic::error(codes::ENGINE, format!("cannot watch for signals: {error}")))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(cannot)?;
    let [interrupt, terminate, hang_up] = {
        let _entered = runtime.enter();
        [
            Some(signal(SignalKind::interrupt()).map_err(cannot)?),
            Some(signal(SignalKind::terminate()).map_err(cannot)?),
            if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup()).map_err(cannot)?) },
        ]
    };
    let watching = async move {
        tokio::join!(
            note(interrupt, SignalKind::interrupt()),
            note(terminate, SignalKind::terminate()),
            note(hang_up.filter(|_| hangup == Hangup::Ends), SignalKind::hangup()),
        );
    };
    let work = move || runtime.block_on(watching);
    std::thread::Builder::new().name("signals".to_owned()).spawn(work).map_err(cannot)?;
    IS_WATCHED.store(true, Ordering::Release);
    Ok(Arc::clone(&FLAG))
}

async fn note(stream: Option<Signal>, kind: SignalKind) {
    let Some(mut stream) = stream else { return };
    while stream.recv().await.is_some() {
        let _ = FIRST.compare_exchange(0, kind.as_raw_value(), Ordering::AcqRel, Ordering::Acquire);
        COUNT.fetch_add(1, Ordering::AcqRel);
        ECHO.store(kind == SignalKind::interrupt(), Ordering::Release);
        FLAG.store(true, Ordering::Release);
    }
}

/// Nobody reads what is written any more (`neargate … | head`): whoever watches is to stop and clear up as at a signal; a
/// command with nothing to clear up ends here.
pub(crate) fn reader_gone() {
    if !IS_WATCHED.load(Ordering::Acquire) {
        std::process::exit(Exit::Signal(SignalKind::pipe().as_raw_value()).number().into());
    }
    if FIRST.compare_exchange(0, SignalKind::pipe().as_raw_value(), Ordering::AcqRel, Ordering::Acquire).is_ok() {
        COUNT.fetch_add(1, Ordering::AcqRel);
        FLAG.store(true, Ordering::Release);
    }
}

/// Whether the process was started to ignore the signal.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let mask = mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

/// How many signals have come.
pub(crate) fn count() -> u32 {
    COUNT.load(Ordering::Acquire)
}

/// Whether a terminal has shown `^C` since this was last asked.
pub(crate) fn take_echo() -> bool {
    ECHO.swap(false, Ordering::AcqRel)
}

/// Fails once a signal has come.
pub(crate) fn check() -> Outcome<()> {
    if FLAG.load(Ordering::Acquire) { Err(failure()) } else { Ok(()) }
}

/// The failure of work that was broken off: by the signal that has come, or because the engine was told to stop.
pub(crate) fn failure() -> Failure {
    let (exit, message) = match FIRST.load(Ordering::Acquire) {
        0 => (Exit::Failed, "broken off: the engine was told to stop".to_owned()),
        signal => (Exit::Signal(signal), format!("broken off by {}", name(signal))),
    };
    Failure { exit, diagnostics: vec![Diagnostic::error(codes::INTERRUPTED, message)] }
}

fn name(signal: i32) -> String {
    let known = [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
        (SignalKind::pipe(), "SIGPIPE: nobody reads the output any more"),
    ];
    let found = known.into_iter().find(|(kind, _)| kind.as_raw_value() == signal);
    found.map_or_else(|| format!("signal {signal}"), |(_, name)| name.to_owned())
}
