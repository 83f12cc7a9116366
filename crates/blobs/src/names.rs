//! Which blobs are held, and which were when a sweep began or since.
//!
//! Invariant: a name is held before its file gets it, and until the [`Kept`] is dropped.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use neargate_base::BlobRef;

use crate::Store;
use crate::format::Name;

/// How many names a sweep remembers; beyond, it removes nothing more.
pub(crate) const TOUCHED_MAX: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Names {
    /// How often each is held.
    pub(crate) kept: HashMap<Name, usize>,
    /// While a sweep runs.
    pub(crate) touched: Option<Touched>,
}

/// What was held when a sweep began, or since.
#[derive(Debug)]
pub(crate) enum Touched {
    /// These.
    Names(HashSet<Name>),
    /// Too many to remember.
    TooMany,
}

impl Touched {
    pub(crate) fn of(kept: &HashMap<Name, usize>) -> Self {
        if kept.len() > TOUCHED_MAX { Self::TooMany } else { Self::Names(kept.keys().copied().collect()) }
    }
}

impl Names {
    /// Whether a sweep may remove a blob that no record refers to.
    pub(crate) fn may_remove(&self, name: Name) -> bool {
        let touched = match &self.touched {
            Some(Touched::Names(names)) => names.contains(&name),
            Some(Touched::TooMany) | None => true,
        };
        !touched && !self.kept.contains_key(&name)
    }
}

/// A blob that no sweep removes while this lives. To be dropped when the record that refers to the blob is durable.
#[derive(Debug)]
pub struct Kept {
    hold: Hold,
    blob: BlobRef,
}

impl Kept {
    pub(crate) fn new(hold: Hold, blob: BlobRef) -> Self {
        Self { hold, blob }
    }

    /// The reference.
    pub fn blob(&self) -> BlobRef {
        self.blob
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::new(hold(&self.hold.store, self.hold.name), self.blob)
    }
}

/// Holds a name.
#[derive(Debug)]
pub(crate) struct Hold {
    store: Arc<Store>,
    name: Name,
}

pub(crate) fn hold(store: &Arc<Store>, name: Name) -> Hold {
    let mut names = store.lock_names();
    *names.kept.entry(name).or_default() += 1;
    match &mut names.touched {
        Some(Touched::Names(touched)) if touched.len() < TOUCHED_MAX => drop(touched.insert(name)),
        Some(touched) => *touched = Touched::TooMany,
        None => {}
    }
    drop(names);
    Hold { store: Arc::clone(store), name }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut names = self.store.lock_names();
        if let Some(count) = names.kept.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                names.kept.remove(&self.name);
            }
        }
    }
}

impl Store {
    /// Nothing that holds the lock can panic half way.
    pub(crate) fn lock_names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
