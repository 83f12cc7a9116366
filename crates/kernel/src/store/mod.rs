//! All state, as typed tables of records keyed by account and region.
//!
//! A service names its records and reaches no one else's: another crate's record types are not in its sight. Writes go through
//! the transaction of a [`crate::Cx`]; what a failed command wrote is put back.

mod table;
mod transaction;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use neargate_base::Scope;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Clock, Delta, Row};
use table::{Shared, Table, place_of, row_key};
pub(crate) use transaction::Transaction;
pub use transaction::Undo;

/// A kind of thing that is kept.
pub trait Record: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// The table's name: `service.thing`, never changed once released.
    const TABLE: &'static str;
    /// The version of the record's form; a row of a later version is refused.
    const VERSION: u32 = 1;
    /// Whether its rows reach the journal encrypted under the root key: for records that may hold secrets.
    const SEALED: bool = false;
    /// Whether the records, once durable, can be read outside the writer: see [`Store::published`].
    const IS_PUBLISHED: bool = false;
}

/// What a service works out from the records of one kind and keeps at hand: an index, an automaton.
///
/// It hears of every change of a row as the row changes: written, put back by a failed command, loaded after a restart. So it
/// never differs from the rows, and nothing of it goes to disk.
pub trait Derived: Default + Debug + Send + 'static {
    /// The records it is worked out from.
    type Record: Record;

    /// A row is about to change from `before` to `after`. The outcome depends on the rows alone, not on the way to them.
    fn change(&mut self, scope: &Scope, id: &str, before: Option<&Self::Record>, after: Option<&Self::Record>);
}

/// Every table of every service.
#[derive(Debug, Default)]
pub struct Store {
    tables: BTreeMap<&'static str, Table>,
    /// Set in a copy that has some tables only: whether one of the others was asked for.
    missed: Option<AtomicBool>,
}

impl Store {
    /// Makes a record's table known, so that its rows can be loaded.
    pub fn register<R: Record>(&mut self) {
        if self.missed.is_some() {
            // A copy has the tables that it has.
            let _ = self.table::<R>();
            return;
        }
        self.tables.entry(R::TABLE).or_insert_with(Table::of::<R>);
    }

    /// Makes a record's table known together with what is worked out from it. To be called before rows are there.
    pub fn register_with<D: Derived>(&mut self) {
        self.register::<D::Record>();
        if let Some(table) = self.tables.get_mut(D::Record::TABLE) {
            table.derived = Some(Box::new(D::default()));
        }
    }

    /// The table of a kind of record; that a copy lacks it is kept in mind.
    fn table<R: Record>(&self) -> Option<&Table> {
        let table = self.tables.get(R::TABLE);
        if table.is_none() {
            self.miss();
        }
        table
    }

    fn miss(&self) {
        if let Some(missed) = &self.missed {
            missed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether something was asked for, since this was last called, that this copy does not have.
    pub(crate) fn has_missed(&self) -> bool {
        self.missed.as_ref().is_some_and(|missed| missed.swap(false, Ordering::Relaxed))
    }

    /// What was worked out from the records of a kind, where their service registered it.
    pub fn derived<D: Derived>(&self) -> Option<&D> {
        let derived = self.table::<D::Record>()?.derived.as_deref();
        if derived.is_none() {
            self.miss();
        }
        derived?.as_any().downcast_ref()
    }

    /// Takes one row from the journal. `Err` names the row and what is wrong with it.
    pub(crate) fn load(&mut self, row: Row) -> Result<(), String> {
        let table = self.tables.get_mut(row.table.as_str());
        let table =
            table.ok_or_else(|| format!("unknown table `{}`: made by a later version of Neargate", row.table))?;
        table.load(&row).map_err(|cause| format!("row `{}` of `{}`: {cause}", row.key, row.table))
    }

    /// The name of a table that is to be encrypted, where this is one.
    pub(crate) fn sealed_name(&self, table: &str) -> Option<&'static str> {
        self.tables.get_key_value(table).filter(|(_, table)| table.sealed).map(|(name, _)| *name)
    }

    /// One record.
    pub fn get<R: Record>(&self, scope: &Scope, id: &str) -> Option<&R> {
        self.table::<R>()?.rows.get(&row_key(scope, id))?.as_any().downcast_ref()
    }

    /// One record as it is now, to be held while the state changes.
    pub fn share<R: Record>(&self, scope: &Scope, id: &str) -> Option<Arc<R>> {
        let row = self.table::<R>()?.rows.get(&row_key(scope, id))?;
        Arc::clone(row).into_any().downcast().ok()
    }

    /// The records of a scope whose ids begin with `prefix`, in order of id.
    pub fn scan<'s, R: Record>(
        &'s self,
        scope: &Scope,
        prefix: &str,
    ) -> impl Iterator<Item = (&'s str, &'s R)> + use<'s, R> {
        let start = row_key(scope, prefix);
        let id_at = row_key(scope, "").len();
        let rows = self.table::<R>().into_iter().flat_map(move |table| {
            let end = start.clone();
            table.rows.range(start.clone()..).take_while(move |(key, _)| key.starts_with(&end))
        });
        rows.filter_map(move |(key, record)| Some((key.get(id_at..)?, record.as_any().downcast_ref()?)))
    }

    /// Every record of the kind, in all scopes.
    pub fn all<R: Record>(&self) -> impl Iterator<Item = (Scope, &str, &R)> {
        let rows = self.table::<R>().into_iter().flat_map(|table| table.rows.iter());
        rows.filter_map(|(key, record)| {
            let (scope, id) = place_of(key)?;
            Some((scope, id, record.as_any().downcast_ref()?))
        })
    }

    /// The first record of the kind in key order.
    pub(crate) fn first<R: Record>(&self) -> Option<(String, &R)> {
        let (key, record) = self.table::<R>()?.rows.first_key_value()?;
        Some((key.splitn(3, '/').nth(2)?.to_owned(), record.as_any().downcast_ref()?))
    }

    /// How many records of the kind there are in all scopes.
    pub fn count<R: Record>(&self) -> usize {
        self.table::<R>().map_or(0, |table| table.rows.len())
    }

    fn replace(&mut self, table: &'static str, key: &str, record: Option<Shared>) -> Option<Shared> {
        self.tables.get_mut(table)?.replace(key, record)
    }

    /// A copy of the tables whose records are published: what is read outside the writer. [`Store::publish`] brings it up to date.
    pub fn published(&self) -> Self {
        let tables = self.tables.iter().filter_map(|(name, table)| Some((*name, table.published()?)));
        Self { tables: tables.collect(), missed: Some(AtomicBool::new(false)) }
    }

    /// Takes over the rows of published tables that a command wrote, as they are now.
    pub fn publish(&mut self, from: &Self, written: &Undo) {
        for (table, key) in written.0.keys() {
            if let Some(own) = self.tables.get_mut(table) {
                let row = from.tables.get(table).and_then(|table| table.rows.get(key));
                own.replace(key, row.cloned());
            }
        }
    }

    /// The same tables as they are now, without copying a row: what is published later does not change them.
    pub fn shared(&self) -> Self {
        let missed = self.missed.as_ref().map(|_| AtomicBool::new(false));
        Self { tables: self.tables.iter().map(|(name, table)| (*name, table.shared())).collect(), missed }
    }

    /// The clock, as the state has it.
    pub fn clock(&self) -> Clock {
        let (scope, id) = Clock::place();
        self.get::<Clock>(&scope, id).cloned().unwrap_or_default()
    }

    /// Puts back what a command wrote that did not become durable. Commands are undone in the reverse of their order.
    pub(crate) fn undo(&mut self, undo: Undo) {
        for ((table, key), before) in undo.0 {
            self.replace(table, &key, before);
        }
    }

    pub(crate) fn delta(&self, table: &'static str, key: &str) -> Result<Delta, String> {
        match self.tables.get(table).and_then(|table| table.rows.get(key)) {
            None => Ok(Delta::Delete { table: table.to_owned(), key: key.to_owned() }),
            Some(record) => {
                let body = record.encode()?;
                Ok(Delta::Put(Row { table: table.to_owned(), key: key.to_owned(), version: record.version(), body }))
            }
        }
    }
}

#[cfg(test)]
mod tests;
