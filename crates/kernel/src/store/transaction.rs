//! What one command wrote, so that it can be journaled or put back.

use std::collections::BTreeMap;
use std::sync::Arc;

use neargate_base::Scope;

use super::table::{Shared, row_key};
use super::{Record, Store};
use crate::Delta;

type Before = BTreeMap<(&'static str, String), Option<Shared>>;

/// What the rows were that a command wrote: until it is durable it can be undone.
#[derive(Debug, Default)]
#[must_use]
pub struct Undo(pub(super) Before);

/// The rows touched, each with what it held before; in layers, so that a part of the command can be put back alone.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    bottom: Before,
    nested: Vec<Before>,
}

impl Transaction {
    pub(crate) fn put<R: Record>(&mut self, store: &mut Store, scope: &Scope, id: &str, record: R) {
        store.register::<R>();
        self.replace(store, R::TABLE, row_key(scope, id), Some(Arc::new(record)));
    }

    pub(crate) fn delete<R: Record>(&mut self, store: &mut Store, scope: &Scope, id: &str) {
        store.register::<R>();
        self.replace(store, R::TABLE, row_key(scope, id), None);
    }

    fn replace(&mut self, store: &mut Store, table: &'static str, key: String, record: Option<Shared>) {
        let old = store.replace(table, &key, record);
        self.nested.last_mut().unwrap_or(&mut self.bottom).entry((table, key)).or_insert(old);
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.bottom.is_empty() && self.nested.iter().all(BTreeMap::is_empty)
    }

    /// Opens a layer and answers how many there were before.
    pub(crate) fn begin(&mut self) -> usize {
        self.nested.push(Before::new());
        self.nested.len() - 1
    }

    /// Closes the top layer and keeps what it wrote; what the layer below saw first stays the state to go back to.
    pub(crate) fn keep(&mut self) {
        let top = self.nested.pop().unwrap_or_default();
        let below = self.nested.last_mut().unwrap_or(&mut self.bottom);
        for (row, before) in top {
            below.entry(row).or_insert(before);
        }
    }

    /// Closes layers until no more than `depth` are open, and puts back what they wrote: those too that a panic left open.
    pub(crate) fn undo_to(&mut self, store: &mut Store, depth: usize) {
        while self.nested.len() > depth {
            self.undo(store);
        }
    }

    /// Closes the top layer and puts back what it wrote.
    fn undo(&mut self, store: &mut Store) {
        for ((table, key), before) in self.nested.pop().unwrap_or_default() {
            store.replace(table, &key, before);
        }
    }

    /// Whether anything was touched.
    pub(crate) fn is_change(&self) -> bool {
        self.nested.iter().chain([&self.bottom]).any(|layer| !layer.is_empty())
    }

    /// Whether anything touched is kept encrypted.
    pub(crate) fn is_sealed(&self, store: &Store) -> bool {
        self.nested
            .iter()
            .chain([&self.bottom])
            .flat_map(BTreeMap::keys)
            .any(|(table, _)| store.sealed_name(table).is_some())
    }

    /// The deltas of everything touched, in table and key order. A row that was made and deleted again leaves none.
    pub(crate) fn deltas(&mut self, store: &Store) -> Result<Vec<Delta>, String> {
        while !self.nested.is_empty() {
            self.keep();
        }
        let mut deltas = Vec::with_capacity(self.bottom.len());
        for ((table, key), before) in &self.bottom {
            match store.delta(table, key)? {
                Delta::Delete { .. } if before.is_none() => {}
                delta => deltas.push(delta),
            }
        }
        Ok(deltas)
    }

    /// The way back to the state before the command, which took place.
    pub(crate) fn into_undo(mut self) -> Undo {
        while !self.nested.is_empty() {
            self.keep();
        }
        Undo(self.bottom)
    }

    /// Puts everything back as it was before the command.
    pub(crate) fn roll_back(mut self, store: &mut Store) {
        self.undo_to(store, 0);
        for ((table, key), before) in self.bottom {
            store.replace(table, &key, before);
        }
    }
}
