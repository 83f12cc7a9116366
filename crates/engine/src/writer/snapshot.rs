//! What is read outside the writer: the durable state of the published tables, and whether the writer can write.
//!
//! The writer brings the snapshot up to date after each commit and before it answers, so a credential is good for the next call
//! as soon as the call that made it is answered, and for none once the call that deleted it is.
//!
//! Invariant: nothing is in the snapshot that is not durable.
//!
//! Invariant: a look waits for no commit: the lock is held for a look at rows, for one call that reads, or for as long as it takes to
//! put rows in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use neargate_kernel::{Reads, Reply, Request, Store, Undo};

use crate::wall;

/// The reading side, to be cloned freely.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    published: Arc<Published>,
}

#[derive(Debug)]
struct Published {
    store: Mutex<Store>,
    failure: Mutex<Option<String>>,
}

impl Snapshot {
    /// Of a state that is durable as it is.
    pub(super) fn of(store: &Store) -> Self {
        let published = Published { store: Mutex::new(store.published()), failure: Mutex::default() };
        Self { published: Arc::new(published) }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.published.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up a row or a few.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.store())
    }

    /// Reads as much as there is; the writer goes on meanwhile.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        let store = self.store().shared();
        read(&store)
    }

    /// Answers a call that only reads; `None` where the writer has to. Its authorisation is the same, over the same rows.
    pub(super) fn answer(&self, reads: &Reads, request: &Request) -> Option<Reply> {
        reads.answer(&mut self.store(), wall::now(), request)
    }

    /// Why the writer cannot write, while it cannot.
    pub(crate) fn failure(&self) -> Option<String> {
        self.published.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what commands wrote that are durable now.
    pub(super) fn publish<'u>(&self, from: &Store, written: impl Iterator<Item = &'u Undo>) {
        let mut store = self.store();
        written.for_each(|written| store.publish(from, written));
    }

    pub(super) fn set_failure(&self, failure: Option<String>) {
        *self.published.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
