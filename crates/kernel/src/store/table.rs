//! One table: rows of one record type, held without their type, and what is worked out from them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use neargate_base::Scope;

use super::{Derived, Record};
use crate::Row;

/// A record whose type only its service knows.
pub(crate) trait AnyRecord: Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn encode(&self) -> Result<Vec<u8>, String>;
    fn version(&self) -> u32;
}

impl<R: Record> AnyRecord for R {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn encode(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    fn version(&self) -> u32 {
        R::VERSION
    }
}

/// What is worked out from a table, whose type only its service knows.
pub(super) trait AnyDerived: Debug + Send {
    fn as_any(&self) -> &dyn Any;
    fn change(&mut self, key: &str, before: Option<&dyn AnyRecord>, after: Option<&dyn AnyRecord>);
}

impl<D: Derived> AnyDerived for D {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn change(&mut self, key: &str, before: Option<&dyn AnyRecord>, after: Option<&dyn AnyRecord>) {
        if let Some((scope, id)) = place_of(key) {
            D::change(self, &scope, id, before.and_then(typed), after.and_then(typed));
        }
    }
}

fn typed<R: Record>(record: &dyn AnyRecord) -> Option<&R> {
    record.as_any().downcast_ref()
}

/// A row, shared with whoever reads it elsewhere: a change puts another in its place.
pub(super) type Shared = Arc<dyn AnyRecord>;

type Decode = fn(&[u8]) -> Result<Shared, String>;

#[derive(Debug)]
pub(super) struct Table {
    version: u32,
    pub(super) sealed: bool,
    decode: Decode,
    is_published: bool,
    /// Behind a counter, so that a published table can be read on while the next rows are put into it.
    pub(super) rows: Arc<BTreeMap<String, Shared>>,
    pub(super) derived: Option<Box<dyn AnyDerived>>,
}

impl Table {
    pub(super) fn of<R: Record>() -> Self {
        Self {
            version: R::VERSION,
            sealed: R::SEALED,
            decode: decode::<R>,
            is_published: R::IS_PUBLISHED,
            rows: Arc::default(),
            derived: None,
        }
    }

    /// Puts or takes away a row and answers what was there; whatever is worked out from the rows follows.
    pub(super) fn replace(&mut self, key: &str, record: Option<Shared>) -> Option<Shared> {
        if let Some(derived) = &mut self.derived {
            derived.change(key, self.rows.get(key).map(|record| &**record), record.as_deref());
        }
        let rows = Arc::make_mut(&mut self.rows);
        match record {
            Some(record) => rows.insert(key.to_owned(), record),
            None => rows.remove(key),
        }
    }

    /// A table of the same rows for readers, where the records are published.
    pub(super) fn published(&self) -> Option<Self> {
        self.is_published.then(|| Self { rows: Arc::new((*self.rows).clone()), ..self.shared() })
    }

    /// The same table without what is worked out from it; the rows are not copied.
    pub(super) fn shared(&self) -> Self {
        let Self { version, sealed, decode, is_published, ref rows, .. } = *self;
        Self { version, sealed, decode, is_published, rows: Arc::clone(rows), derived: None }
    }

    pub(super) fn load(&mut self, row: &Row) -> Result<(), String> {
        if row.version > self.version {
            return Err(format!("its form has version {}, this Neargate reads up to {}", row.version, self.version));
        }
        let record = (self.decode)(&row.body)?;
        self.replace(&row.key, Some(record));
        Ok(())
    }
}

fn decode<R: Record>(body: &[u8]) -> Result<Shared, String> {
    serde_json::from_slice::<R>(body).map(|record| Arc::new(record) as Shared).map_err(|error| error.to_string())
}

/// `account/region/id`.
pub(super) fn row_key(scope: &Scope, id: &str) -> String {
    let (account, region) = (scope.account.as_str(), scope.region.as_str());
    let mut key = String::with_capacity(account.len() + region.len() + id.len() + 2);
    for part in [account, "/", region, "/", id] {
        key.push_str(part);
    }
    key
}

/// The scope and id of a key: the inverse of [`row_key`].
pub(super) fn place_of(key: &str) -> Option<(Scope, &str)> {
    let mut parts = key.splitn(3, '/');
    let scope = Scope::new(parts.next()?, parts.next()?);
    Some((scope, parts.next()?))
}
