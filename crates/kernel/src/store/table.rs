//! One table: rows of one record type, held without their type.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;

use neargate_base::Scope;

use super::Record;
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

type Decode = fn(&[u8]) -> Result<Box<dyn AnyRecord>, String>;

#[derive(Debug)]
pub(super) struct Table {
    version: u32,
    decode: Decode,
    pub(super) rows: BTreeMap<String, Box<dyn AnyRecord>>,
}

impl Table {
    pub(super) fn of<R: Record>() -> Self {
        Self { version: R::VERSION, decode: decode::<R>, rows: BTreeMap::new() }
    }

    pub(super) fn load(&mut self, row: &Row) -> Result<(), String> {
        if row.version > self.version {
            return Err(format!("its form has version {}, this Neargate reads up to {}", row.version, self.version));
        }
        self.rows.insert(row.key.clone(), (self.decode)(&row.body)?);
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
