//! The lanes into the writer, each with a bound.
//!
//! | lane | what | when it is full |
//! |---|---|---|
//! | calls | API calls, what the control endpoint asks for | HTTP waits for a place; beyond a bound of those who wait, calls are refused |
//! | reports | news of drivers, what they ask the core for | the driver's thread waits, and reads no further |
//!
//! Due jobs are the third lane: they lie in the state, so they need no queue. Every commit takes of each lane, see
//! [`super::commit`], so that none waits for another to be empty.
//!
//! Invariant: a lane holds no more than its bound, in number and, for reports, in bytes.
//!
//! Invariant: within a lane, first come first served.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that may lie in their lane.
pub(super) const CALLS_MAX: usize = 1024;
/// Calls that may wait for a place in it.
pub(super) const CALLS_WAITING_MAX: usize = 4096;
/// Reports that may lie in their lane.
pub(super) const REPORTS_MAX: usize = 1024;
/// What the reports may weigh together; one that is heavier by itself travels alone.
pub(super) const REPORT_BYTES_MAX: usize = 8 << 20;

/// Why nothing was taken into a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait already.
    Busy,
    /// The writer takes no more.
    Stopping,
}

/// The right to lie in the lane of calls, given back when the call is taken out.
pub(super) type Place = OwnedSemaphorePermit;

/// The lanes.
pub(super) struct Lanes<C, R> {
    held: Mutex<Held<C, R>>,
    /// Something came in.
    news: Condvar,
    /// There is room for reports again.
    room: Condvar,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

struct Held<C, R> {
    calls: VecDeque<(C, Option<Place>)>,
    reports: VecDeque<(R, usize)>,
    report_bytes: usize,
    is_closed: bool,
}

impl<C, R> std::fmt::Debug for Lanes<C, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (calls, reports) = self.len();
        f.debug_struct("Lanes").field("calls", &calls).field("reports", &reports).finish_non_exhaustive()
    }
}

impl<C, R> Lanes<C, R> {
    pub(super) fn new() -> Self {
        let held = Held { calls: VecDeque::new(), reports: VecDeque::new(), report_bytes: 0, is_closed: false };
        Self {
            held: Mutex::new(held),
            news: Condvar::new(),
            room: Condvar::new(),
            places: Arc::new(Semaphore::new(CALLS_MAX)),
            waiting: AtomicUsize::new(0),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held<C, R>> {
        // A panic elsewhere leaves the lanes whole: every change to them is one call.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the lane of calls; waits for one where the lane is full and not too many wait already.
    pub(super) async fn place(&self) -> Result<Place, Refused> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(&self.waiting)?;
        Arc::clone(&self.places).acquire_owned().await.map_err(|_| Refused::Stopping)
    }

    /// Takes in a call. The engine's own threads make one at a time and need no place.
    pub(super) fn push_call(&self, call: C, place: Option<Place>) -> Result<(), Refused> {
        let mut held = self.held();
        if held.is_closed {
            return Err(Refused::Stopping);
        }
        held.calls.push_back((call, place));
        drop(held);
        self.news.notify_one();
        Ok(())
    }

    /// Takes in a report that weighs so many bytes, once there is room.
    pub(super) fn push_report(&self, report: R, bytes: usize) -> Result<(), Refused> {
        let is_full = |held: &mut Held<C, R>| {
            let fits = held.reports.len() < REPORTS_MAX && held.report_bytes + bytes <= REPORT_BYTES_MAX;
            !held.is_closed && !fits && !held.reports.is_empty()
        };
        let mut held = self.room.wait_while(self.held(), is_full).unwrap_or_else(PoisonError::into_inner);
        if held.is_closed {
            return Err(Refused::Stopping);
        }
        held.report_bytes += bytes;
        held.reports.push_back((report, bytes));
        drop(held);
        self.news.notify_one();
        Ok(())
    }

    /// Puts reports back to the front of their lane, the last given first.
    pub(super) fn put_back(&self, reports: impl DoubleEndedIterator<Item = (R, usize)>) {
        let mut held = self.held();
        for (report, bytes) in reports.rev() {
            held.report_bytes += bytes;
            held.reports.push_front((report, bytes));
        }
    }

    /// The next call.
    pub(super) fn take_call(&self) -> Option<C> {
        self.held().calls.pop_front().map(|(call, _place)| call)
    }

    /// The next report, unless it weighs more than `bytes_max`.
    pub(super) fn take_report(&self, bytes_max: usize) -> Option<(R, usize)> {
        let mut held = self.held();
        let (_, bytes) = held.reports.front()?;
        if *bytes > bytes_max {
            return None;
        }
        let taken = held.reports.pop_front();
        held.report_bytes -= taken.as_ref().map_or(0, |(_, bytes)| *bytes);
        drop(held);
        self.room.notify_all();
        taken
    }

    /// Waits until there is something in a lane (of calls alone, where `reports` do not count), or the lanes are closed, or so
    /// much time has passed.
    pub(super) fn wait(&self, reports: bool, at_most: Option<Duration>) {
        let is_idle =
            |held: &mut Held<C, R>| held.calls.is_empty() && (!reports || held.reports.is_empty()) && !held.is_closed;
        let held = self.held();
        match at_most {
            Some(at_most) => drop(self.news.wait_timeout_while(held, at_most, is_idle)),
            None => drop(self.news.wait_while(held, is_idle)),
        }
    }

    /// Takes nothing more; what lies in the lanes already can still be taken out.
    pub(super) fn close(&self) {
        self.held().is_closed = true;
        self.places.close();
        self.news.notify_all();
        self.room.notify_all();
    }

    /// Whether nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.held().is_closed
    }

    /// How many calls and reports lie in the lanes.
    pub(super) fn len(&self) -> (usize, usize) {
        let held = self.held();
        (held.calls.len(), held.reports.len())
    }

    /// Drops what lies in the lanes: whoever waits for it is told so by its end.
    pub(super) fn clear(&self) {
        let mut held = self.held();
        let left = (std::mem::take(&mut held.calls), std::mem::take(&mut held.reports));
        held.report_bytes = 0;
        drop(held);
        drop(left);
    }
}

/// One who waits for a place, also when it stops waiting.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Result<Self, Refused> {
        if count.fetch_add(1, Ordering::Relaxed) < CALLS_WAITING_MAX {
            return Ok(Self(count));
        }
        count.fetch_sub(1, Ordering::Relaxed);
        Err(Refused::Busy)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
