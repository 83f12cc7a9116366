//! Faults of the program's own: what its user is told of a panic, and what the command comes to then.
//!
//! A thread of an engine that panics ends alone: the engine answers the call that it was about with 500 and goes on.
//!
//! Invariant: a panic is told with file and line, which a binary without symbols has all the same.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Arc;

use neargate_base::Diagnostic;

use crate::codes;
use crate::outcome::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// Tells of every panic from here on.
pub(crate) fn watch(screen: &Arc<Screen>) {
    let screen = Arc::clone(screen);
    std::panic::set_hook(Box::new(move |panic| {
        let mut diagnostic = told(panic);
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            diagnostic.details.extend(trace.to_string().lines().map(|line| line.trim_end().to_owned()));
        }
        screen.diagnostic(&diagnostic);
    }));
}

/// Does some work; a panic in it, which was told where it happened, is a failure like others.
pub(crate) fn catch<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "broken off by a fault of Neargate's own, which is told above";
        Err(Failure { exit: Exit::Failed, diagnostics: vec![Diagnostic::error(codes::OWN_FAULT, message)] })
    })
}

fn told(panic: &PanicHookInfo<'_>) -> Diagnostic {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let message = panic.payload_as_str().unwrap_or("no message").replace('\n', " ");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    Diagnostic::error(codes::OWN_FAULT, format!("a fault of Neargate's own: {message}"))
        .at(place)
        .detail(format!("neargate {}, thread `{thread}`", env!("CARGO_PKG_VERSION")))
        .hint("please report these lines, with what you did before; RUST_BACKTRACE=1 shows the way there")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_and_is_a_failure() {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let ours = Arc::clone(&heard);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|it| it.file().ends_with("src/panics.rs")) {
                ours.lock().unwrap().push(told(panic).to_string());
            } else {
                before(panic);
            }
        }));
        let line = line!() + 1;
        let failure = catch(|| -> Outcome<()> { panic!("the {}\nthing", "impossible") }).unwrap_err();
        assert_eq!((failure.exit, failure.beside_containers().exit.number()), (Exit::Failed, 125));
        let _ = std::thread::Builder::new().name("driver".to_owned()).spawn(|| panic!("other")).unwrap().join();
        let heard = heard.lock().unwrap();
        let [first, second] = heard.as_slice() else { panic!("{heard:?}") };
        assert!(first.starts_with("error[NG-E0290]: a fault of Neargate's own: the impossible thing\n"), "{first}");
        assert!(first.contains(&format!("crates/cli/src/panics.rs:{line}:")), "{first}");
        assert!(second.contains("thread `driver`") && second.contains("please report these lines"), "{second}");
    }
}
