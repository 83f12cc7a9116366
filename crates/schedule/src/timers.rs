//! Millions of due times, handed out in order.
//!
//! One ordered map from (due time, insertion sequence) to the key. Against a hierarchical wheel: nothing cascades when the
//! clock jumps by years, there is no tick to round to, order is exact, and removal leaves nothing behind. Inserting and
//! removing cost a walk down a tree of a few levels; handing out costs what is handed out.
//!
//! Invariant: what is due comes out by time, then by insertion; two timers are never the same, whatever their keys.

use std::collections::BTreeMap;

/// Names a timer until it is handed out or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    due_ms: i64,
    sequence: u64,
}

impl TimerId {
    /// When the timer is due.
    pub fn due_ms(self) -> i64 {
        self.due_ms
    }
}

/// A timer that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due<K> {
    /// When it was due.
    pub due_ms: i64,
    /// What was put in.
    pub key: K,
}

/// Timers in service time.
#[derive(Debug, Clone)]
pub struct TimerQueue<K> {
    timers: BTreeMap<TimerId, K>,
    sequence: u64,
}

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self { timers: BTreeMap::new(), sequence: 0 }
    }
}

impl<K> TimerQueue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a timer in. It may be due in the past already.
    pub fn insert(&mut self, due_ms: i64, key: K) -> TimerId {
        let id = TimerId { due_ms, sequence: self.sequence };
        self.sequence += 1;
        self.timers.insert(id, key);
        id
    }

    /// Takes a timer out before it is due.
    pub fn remove(&mut self, id: TimerId) -> Option<K> {
        self.timers.remove(&id)
    }

    /// The earliest timer that is due at `now_ms`, taken out. Ask until `None`; timers put in meanwhile take their place.
    pub fn pop_due(&mut self, now_ms: i64) -> Option<Due<K>> {
        let first = self.timers.first_entry().filter(|first| first.key().due_ms <= now_ms)?;
        let (id, key) = first.remove_entry();
        Some(Due { due_ms: id.due_ms, key })
    }

    /// Everything that is due at `now_ms`, taken out, in order.
    pub fn drain_due(&mut self, now_ms: i64) -> Vec<Due<K>> {
        std::iter::from_fn(|| self.pop_due(now_ms)).collect()
    }

    /// When the earliest timer is due.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.timers.first_key_value().map(|(id, _)| id.due_ms)
    }

    /// How many timers there are.
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }
}
