//! An engine in this process, for as long as some work takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neargate_engine::{Config, Engine};

use crate::endpoint::Endpoint;
use crate::outcome::{Failure, Outcome};
use crate::panics;
use crate::screen::{Paint, Screen};

/// Starts an engine, works with it as its client, and stops it. The first signal, which sets `interrupt`, or
/// `neargate down` makes the work's calls fail; then the engine's tasks have `patience` to stop, which is said.
pub(crate) fn with_engine<T>(
    screen: &Screen,
    config: &Config,
    patience: Duration,
    interrupt: &Arc<AtomicBool>,
    work: impl FnOnce(&Endpoint) -> Outcome<T>,
) -> Outcome<T> {
    let engine = Engine::start(config)?;
    let endpoint = Endpoint::at(engine.address()).with_key(engine.key()).until(interrupt);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            engine.wait();
            interrupt.store(true, Ordering::Release);
        });
        let result = panics::catch(|| work(&endpoint));
        if interrupt.load(Ordering::Acquire) {
            let text = format!("the engine and its tasks, which have {} s", patience.as_secs());
            screen.step_in(Paint::Yellow, "stopping", &text);
        }
        // Ends the wait above.
        engine.ask_to_stop();
        result
    });
    let stopped = engine.stop(patience).map_err(Failure::failed);
    result.and_then(|value| stopped.map(|()| value))
}
