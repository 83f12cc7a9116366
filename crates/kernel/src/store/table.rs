//! One table: rows of one record type, held without their type, and what is worked out from them.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;

use neargate_base::Scope;

use super::{Derived, Record};
use crate::Row;

/// A record whose type only its service knows.
pub(super) trait AnyRecord: Debug + Send {
    fn as_any(&self) -> &dyn Any;
    fn encode(&self) -> Result<Vec<u8>, String>;
    fn version(&self) -> u32;
}

impl<R: Record> AnyRecord for R {
    fn as_any(&self) -> &dyn Any {
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

type Decode = fn(&[u8]) -> Result<Box<dyn AnyRecord>, String>;

#[derive(Debug)]
pub(super) struct Table {
    version: u32,
    pub(super) sealed: bool,
    decode: Decode,
    pub(super) rows: BTreeMap<String, Box<dyn AnyRecord>>,
    pub(super) derived: Option<Box<dyn AnyDerived>>,
}

impl Table {
    pub(super) fn of<R: Record>() -> Self {
        Self { version: R::VERSION, sealed: R::SEALED, decode: decode::<R>, rows: BTreeMap::new(), derived: None }
    }

    /// Puts or takes away a row and answers what was there; whatever is worked out from the rows follows.
    pub(super) fn replace(&mut self, key: &str, record: Option<Box<dyn AnyRecord>>) -> Option<Box<dyn AnyRecord>> {
        if let Some(derived) = &mut self.derived {
            derived.change(key, self.rows.get(key).map(|record| &**record), record.as_deref());
        }
        match record {
            Some(record) => self.rows.insert(key.to_owned(), record),
            None => self.rows.remove(key),
        }
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

fn decode<R: Record>(body: &[u8]) -> Result<Box<dyn AnyRecord>, String> {
    serde_json::from_slice::<R>(body)
        .map(|record| Box::new(record) as Box<dyn AnyRecord>)
        .map_err(|error| error.to_string())
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
