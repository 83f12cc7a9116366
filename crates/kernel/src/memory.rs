//! A journal and segments without a disk, for tests and simulation.

use std::collections::BTreeMap;

use crate::{Delta, Journal, JournalError, Row, Segments};

/// A journal in memory that can lose what was not made durable.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    durable: BTreeMap<(String, String), Row>,
    tail: Vec<Delta>,
    sequence: u64,
}

impl MemoryJournal {
    /// What a power cut does: everything not yet durable is gone.
    pub fn lose_tail(&mut self) {
        self.tail.clear();
    }
}

impl Journal for MemoryJournal {
    fn load(&mut self) -> Result<Vec<Row>, JournalError> {
        Ok(self.durable.values().cloned().collect())
    }

    fn append(&mut self, deltas: Vec<Delta>) -> Result<u64, JournalError> {
        self.tail.extend(deltas);
        self.sequence += 1;
        Ok(self.sequence)
    }

    fn durable(&mut self, _sequence: u64) -> Result<(), JournalError> {
        for delta in self.tail.drain(..) {
            match delta {
                Delta::Put(row) => drop(self.durable.insert((row.table.clone(), row.key.clone()), row)),
                Delta::Delete { table, key } => drop(self.durable.remove(&(table, key))),
            }
        }
        Ok(())
    }

    fn discard(&mut self) {
        self.tail.clear();
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

/// Segments in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySegments(BTreeMap<String, Vec<u8>>);

impl Segments for MemorySegments {
    fn write(&mut self, segment: &str, offset: u64, bytes: &[u8]) -> Result<(), JournalError> {
        let held = self.0.entry(segment.to_owned()).or_default();
        held.resize(usize::try_from(offset).unwrap_or(usize::MAX), 0);
        held.extend_from_slice(bytes);
        Ok(())
    }

    fn read(&self, segment: &str, offset: u64, length: usize) -> Result<Vec<u8>, JournalError> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(segment).and_then(|held| held.get(offset..)).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }

    fn remove(&mut self, segment: &str) -> Result<(), JournalError> {
        self.0.remove(segment);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}
