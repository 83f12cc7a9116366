//! The tests that all rules together make on one field, arranged so that one value finds those it passes.
//!
//! Equality, prefixes and suffixes are looked up by hash (affixes once for each length in use); ranges, wildcards,
//! addresses, texts that fold beyond ASCII and `anything-but` are asked one after the other. A long list of `anything-but`
//! is such a table itself.
//!
//! Invariant: a test is in exactly one place, found again by its value alone, so removing it costs what adding did.

use std::sync::Arc;

use crate::condition::{Condition, Found, Kind, Order, Table, Test, Tests, Value, View, Way};
use crate::hash::Map;
use crate::number;

enum Place<'t> {
    Text(Way, bool, &'t Arc<[u8]>),
    Number(u64),
    Exists,
    Other,
}

fn place(test: &Test) -> Place<'_> {
    let View { addresses, numbers } = test.view;
    if numbers {
        return Place::Other;
    }
    match &test.condition {
        Condition::Exact(text) => Place::Text(Way::Exact, addresses, text),
        Condition::Literal(text) => Place::Text(Way::Literal, addresses, text),
        Condition::Prefix(text) => Place::Text(Way::Prefix, addresses, text),
        Condition::Suffix(text) => Place::Text(Way::Suffix, addresses, text),
        Condition::AsciiFold(text) => Place::Text(Way::Fold, addresses, text),
        Condition::AsciiFoldPrefix(text) => Place::Text(Way::FoldPrefix, addresses, text),
        Condition::AsciiFoldSuffix(text) => Place::Text(Way::FoldSuffix, addresses, text),
        Condition::Number(key) => Place::Number(*key),
        Condition::Exists => Place::Exists,
        _ => Place::Other,
    }
}

fn len_of(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

impl Tests {
    /// A table of tests under their numbers in a list. Of equal ones the first is kept.
    pub(crate) fn of<'t>(list: impl Iterator<Item = &'t Test>) -> Self {
        let mut tests = Self::default();
        for (test, id) in list.zip(0..) {
            if tests.find(test).is_none() {
                tests.insert(test, id);
            }
        }
        tests
    }
    /// The number under which `test` is known here.
    pub(crate) fn find(&self, test: &Test) -> Option<u32> {
        self.tables.iter().find_map(|table| match (table, place(test)) {
            (Table::Texts(way, hidden, texts, _), Place::Text(own, hides, text)) if (*way, *hidden) == (own, hides) => {
                texts.get(&**text).copied()
            }
            (Table::Numbers(numbers), Place::Number(key)) => numbers.get(&key).copied(),
            (Table::Exists(id), Place::Exists) => Some(*id),
            (Table::Others(tests, _), Place::Other) => tests.get(test).copied(),
            _ => None,
        })
    }

    /// Adds a test that is not here yet.
    pub(crate) fn insert(&mut self, test: &Test, id: u32) {
        self.len += 1;
        for table in &mut self.tables {
            match (table, place(test)) {
                (Table::Texts(way, hidden, texts, lens), Place::Text(own, hides, text))
                    if (*way, *hidden) == (own, hides) =>
                {
                    texts.insert(Arc::clone(text), id);
                    match lens.binary_search_by_key(&len_of(text), |(len, _)| *len) {
                        Ok(at) => lens.iter_mut().skip(at).take(1).for_each(|(_, count)| *count += 1),
                        Err(at) => lens.insert(at, (len_of(text), 1)),
                    }
                    return;
                }
                (Table::Numbers(numbers), Place::Number(key)) => {
                    numbers.insert(key, id);
                    return;
                }
                (Table::Others(tests, order), Place::Other) => {
                    tests.insert(test.clone(), id);
                    order.push(id);
                    return;
                }
                _ => {}
            }
        }
        self.tables.push(match place(test) {
            Place::Text(way, hides, text) => {
                let texts = [(Arc::clone(text), id)].into_iter().collect();
                Table::Texts(way, hides, texts, vec![(len_of(text), 1)])
            }
            Place::Number(key) => Table::Numbers([(key, id)].into_iter().collect()),
            Place::Exists => Table::Exists(id),
            Place::Other => Table::Others([(test.clone(), id)].into_iter().collect(), Order::of(id)),
        });
    }

    /// Removes a test that is here under `id`.
    pub(crate) fn remove(&mut self, test: &Test, id: u32) {
        self.len -= 1;
        self.tables.retain_mut(|table| match (table, place(test)) {
            (Table::Texts(way, hidden, texts, lens), Place::Text(own, hides, text))
                if (*way, *hidden) == (own, hides) =>
            {
                texts.remove(&**text);
                if let Ok(at) = lens.binary_search_by_key(&len_of(text), |(len, _)| *len) {
                    lens.iter_mut().skip(at).take(1).for_each(|(_, count)| *count -= 1);
                    lens.retain(|(_, count)| *count > 0);
                }
                !texts.is_empty()
            }
            (Table::Numbers(numbers), Place::Number(key)) => {
                numbers.remove(&key);
                !numbers.is_empty()
            }
            (Table::Exists(_), Place::Exists) => false,
            (Table::Others(tests, order), Place::Other) => {
                tests.remove(test);
                order.remove(id);
                !tests.is_empty()
            }
            _ => true,
        });
    }

    /// Tells `found` each test that `value` passes and each that must be asked itself. `lower` is room to work in.
    #[inline]
    pub(crate) fn find_passed(&self, value: &Value<'_>, lower: &mut Vec<u8>, mut found: impl FnMut(Found)) {
        let mut lowered = false;
        for table in &self.tables {
            match table {
                Table::Texts(_, true, ..) if value.is_address() => {}
                Table::Texts(Way::Exact, _, texts, _) => {
                    if value.kind == Kind::Text
                        && let Some(id) = texts.get(value.text)
                    {
                        found(Found::Passed(*id));
                    }
                }
                Table::Texts(Way::Literal, _, texts, _) => {
                    if value.kind != Kind::Text
                        && let Some(id) = texts.get(value.text)
                    {
                        found(Found::Passed(*id));
                    }
                }
                Table::Texts(way, _, texts, lens) => {
                    if value.kind != Kind::Text {
                        continue;
                    }
                    let mut text = value.text;
                    if matches!(way, Way::Fold | Way::FoldPrefix | Way::FoldSuffix) {
                        if !lowered {
                            lower.clear();
                            lower.extend(value.text.iter().map(u8::to_ascii_lowercase));
                            lowered = true;
                        }
                        text = lower;
                    }
                    affixes(*way, text, texts, lens, &mut found);
                }
                Table::Numbers(numbers) => {
                    if let Some(double) = value.double()
                        && let Some(id) = numbers.get(&number::key(double))
                        && value.is_comparable()
                    {
                        found(Found::Passed(*id));
                    }
                }
                Table::Exists(id) => found(Found::Passed(*id)),
                Table::Others(_, order) => order.ids.iter().for_each(|id| found(Found::Ask(*id))),
            }
        }
    }
}

#[inline]
fn affixes(way: Way, text: &[u8], texts: &Map<Arc<[u8]>, u32>, lens: &[(u32, u32)], found: &mut impl FnMut(Found)) {
    for (len, _) in lens {
        let len = *len as usize;
        let part = match way {
            Way::Suffix | Way::FoldSuffix => text.len().checked_sub(len).and_then(|at| text.get(at..)),
            Way::Fold => (text.len() == len).then_some(text),
            _ => text.get(..len),
        };
        if let Some(id) = part.and_then(|part| texts.get(part)) {
            found(Found::Passed(*id));
        }
    }
}
