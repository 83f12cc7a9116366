//! Connections: how many there are, and which goes when another comes.
//!
//! Invariant: no more than `max` are open, but for the one that is being let in.
//!
//! Invariant: a connection in the middle of a request is never closed for another; among those that wait for a request, the one
//! that has waited longest is. So whoever opens connections and says nothing only loses them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Notify;

/// More than a machine's clients need.
const CONNECTIONS_MAX: u64 = 1024;
/// Few, and still some.
const CONNECTIONS_MIN: u64 = 16;

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    max: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// Those that wait for a request, longest first.
    waiting: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// One of them, open until this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    place: Mutex<Option<u64>>,
    unwanted: Arc<Notify>,
}

impl Connections {
    /// None yet, and at most so many.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default(), changed: Notify::new() })
    }

    /// Waits until another one may come: while all are busy, it stays in the backlog.
    pub(super) async fn room(&self) {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state();
                if state.open < self.max || !state.waiting.is_empty() {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Lets one in; the one that has waited longest goes if there are too many.
    pub(super) fn open(self: &Arc<Self>) -> Arc<Connection> {
        let is_full = {
            let mut state = self.state();
            state.open += 1;
            state.open > self.max
        };
        if is_full {
            self.close_one();
        }
        let connection =
            Connection { all: Arc::clone(self), place: Mutex::default(), unwanted: Arc::new(Notify::new()) };
        connection.waits();
        Arc::new(connection)
    }

    /// Closes the one that has waited longest.
    pub(super) fn close_one(&self) {
        if let Some((_, unwanted)) = self.state().waiting.pop_first() {
            unwanted.notify_one();
        }
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.state().open
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request has come.
    pub(super) fn works(&self) {
        if let Some(place) = self.place().take() {
            self.all.state().waiting.remove(&place);
        }
    }

    /// The request is answered.
    pub(super) fn waits(&self) {
        {
            let mut state = self.all.state();
            let place = state.next;
            state.next += 1;
            state.waiting.insert(place, Arc::clone(&self.unwanted));
            *self.place() = Some(place);
        }
        self.all.changed.notify_one();
    }

    /// Returns when it is to close for another.
    pub(super) async fn unwanted(&self) {
        self.unwanted.notified().await;
    }

    fn place(&self) -> MutexGuard<'_, Option<u64>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.works();
        self.all.state().open -= 1;
        self.all.changed.notify_one();
    }
}

/// How many connections this process can afford. Its soft limit of descriptors is raised to the hard one: a task needs two, and
/// the customary 1024 is for programs that use `select`.
pub(super) fn affordable() -> usize {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
    let soft = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limits.maximum,
        Err(_) => limits.current,
    };
    let quarter = soft.map_or(CONNECTIONS_MAX, |soft| soft / 4);
    usize::try_from(quarter.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::{Connection, Connections};

    fn is_ready(work: impl Future<Output = ()>) -> bool {
        pin!(work).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn is_unwanted(connection: &Connection) -> bool {
        is_ready(connection.unwanted())
    }

    #[test]
    fn the_one_that_has_waited_longest_goes_for_another() {
        let all = Connections::new(3);
        let [first, second, third] = [all.open(), all.open(), all.open()];
        first.works();
        first.waits();
        assert!(is_ready(all.room()));
        let fourth = all.open();
        assert!(is_unwanted(&second));
        assert!(!is_unwanted(&first) && !is_unwanted(&third) && !is_unwanted(&fourth));
        drop(second);
        assert_eq!(all.count(), 3);
    }

    #[test]
    fn who_is_busy_stays_and_another_waits() {
        let all = Connections::new(2);
        let busy: [Arc<Connection>; 2] = [all.open(), all.open()];
        busy.iter().for_each(|connection| connection.works());
        assert!(!is_ready(all.room()));
        busy[0].waits();
        assert!(is_ready(all.room()));
        busy[0].works();
        assert!(!is_ready(all.room()));
        drop(busy);
        assert!(is_ready(all.room()) && all.count() == 0);
    }

    #[test]
    fn some_connections_are_always_affordable() {
        assert!((16..=1024).contains(&super::affordable()));
    }
}
