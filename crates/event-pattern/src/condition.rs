//! One test on one value, and the value it is asked of.
//!
//! Event Ruler tests the text of a value, strings in their quotes. That shows in places: the prefix `"` takes the
//! empty string. Conditions hold the text without quotes and say those cases apart.
//!
//! Invariant: a condition looks at one value and nothing else; its cost is at most `condition bytes × value bytes`.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::fold::Folded;
use crate::hash::Map;
use crate::ip::{self, Block, Digits};
use crate::number;
use crate::wildcard::Wildcard;

/// A test that a field's value can pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// A string, equal.
    Exact(Arc<[u8]>),
    /// The spelling of a number, `true`, `false` or `null`.
    Literal(Arc<[u8]>),
    /// A comparable number, equal.
    Number(u64),
    /// Any value at all.
    Exists,
    Prefix(Arc<[u8]>),
    Suffix(Arc<[u8]>),
    /// A string, equal but for case; ASCII texts only, in lower case. Likewise the next two.
    AsciiFold(Arc<[u8]>),
    AsciiFoldPrefix(Arc<[u8]>),
    AsciiFoldSuffix(Arc<[u8]>),
    Fold(Arc<Folded>),
    FoldPrefix(Arc<Folded>),
    FoldSuffix(Arc<Folded>),
    Wildcard(Arc<Wildcard>),
    /// A comparable number between two keys.
    Range(Arc<Range>),
    Ip(Arc<Block>),
    /// Any value that passes none of these.
    AnythingBut(Arc<But>),
}

/// Conditions of which none may hold.
#[derive(Debug)]
pub(crate) struct But {
    conditions: Box<[Condition]>,
    /// The same, to look up, when they are many.
    table: Option<Tests>,
}

/// Lists that are longer than this are looked up, not gone through.
const LISTED_MAX: usize = 16;

impl But {
    pub(crate) fn new(conditions: Vec<Condition>) -> Self {
        let test = |condition: &Condition| Test { condition: condition.clone(), view: View::default() };
        let tests: Vec<Test> =
            if conditions.len() > LISTED_MAX { conditions.iter().map(test).collect() } else { Vec::new() };
        let table = (!tests.is_empty()).then(|| Tests::of(tests.iter()));
        Self { conditions: conditions.into(), table }
    }

    pub(crate) fn first(&self) -> Option<&Condition> {
        self.conditions.first()
    }

    fn any_holds(&self, value: &Value<'_>, view: View) -> bool {
        let Some(table) = &self.table else { return self.conditions.iter().any(|c| c.holds(value, view)) };
        // Strings that the view hides pass no test of texts, and no string passes one of numbers.
        if view.addresses && value.is_address() {
            return false;
        }
        let mut any = false;
        table.find_passed(value, &mut Vec::new(), |found| {
            any |= match found {
                Found::Passed(_) => true,
                Found::Ask(id) => !any && self.conditions.get(id as usize).is_some_and(|c| c.holds(value, view)),
            };
        });
        any
    }
}

impl PartialEq for But {
    fn eq(&self, other: &Self) -> bool {
        self.conditions == other.conditions
    }
}

impl Eq for But {}

impl Hash for But {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.conditions.hash(state);
    }
}

/// Bounds of a numeric range, as number keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) bottom: u64,
    pub(crate) bottom_open: bool,
    pub(crate) top: u64,
    pub(crate) top_open: bool,
}

impl Range {
    pub(crate) fn contains(&self, key: u64) -> bool {
        (if self.bottom_open { key > self.bottom } else { key >= self.bottom })
            && (if self.top_open { key < self.top } else { key <= self.top })
    }
}

/// What the other tests on a field change about how its values are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct View {
    /// An address test is on the field: strings that are addresses are seen as addresses only.
    pub(crate) addresses: bool,
    /// A numeric test is on the field: comparable numbers are seen as numbers only.
    pub(crate) numbers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Literal,
}

/// A value of an event: a string's bytes without quotes and escapes, or the spelling of anything else.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a [u8],
    parsed: Cell<Option<Option<f64>>>,
    comparable: Cell<Option<bool>>,
    address: Cell<Option<Option<Digits>>>,
}

impl<'a> Value<'a> {
    pub(crate) fn new(kind: Kind, text: &'a [u8]) -> Self {
        Self { kind, text, parsed: Cell::new(None), comparable: Cell::new(None), address: Cell::new(None) }
    }

    /// The number's double, comparable or not.
    pub(crate) fn double(&self) -> Option<f64> {
        if self.kind != Kind::Number {
            return None;
        }
        if let Some(known) = self.parsed.get() {
            return known;
        }
        let value = number::parse(self.text);
        self.parsed.set(Some(value));
        value
    }

    /// Whether [`Value::double`] stands for the number exactly enough to be compared.
    pub(crate) fn is_comparable(&self) -> bool {
        if let Some(known) = self.comparable.get() {
            return known;
        }
        let comparable = self.double().is_some_and(|value| number::is_comparable(self.text, value));
        self.comparable.set(Some(comparable));
        comparable
    }

    fn address(&self) -> Option<Digits> {
        if self.kind != Kind::Text {
            return None;
        }
        if let Some(known) = self.address.get() {
            return known;
        }
        let address = ip::parse(self.text);
        self.address.set(Some(address));
        address
    }

    /// Whether it is a string that is an address.
    pub(crate) fn is_address(&self) -> bool {
        self.address().is_some()
    }

    /// The string, unless the view hides it.
    fn string(&self, view: View) -> Option<&'a [u8]> {
        (self.kind == Kind::Text && !(view.addresses && self.address().is_some())).then_some(self.text)
    }
}

impl Condition {
    pub(crate) fn holds(&self, value: &Value<'_>, view: View) -> bool {
        let string = |test: &dyn Fn(&[u8]) -> bool| value.string(view).is_some_and(test);
        match self {
            Self::Exact(text) => string(&|s| *s == **text),
            Self::Literal(text) => value.kind != Kind::Text && *value.text == **text,
            Self::Number(key) => value.double().is_some_and(|v| number::key(v) == *key) && value.is_comparable(),
            Self::Exists => true,
            Self::Prefix(text) => string(&|s| s.starts_with(text)),
            Self::Suffix(text) => string(&|s| s.ends_with(text)),
            Self::AsciiFold(text) => string(&|s| s.eq_ignore_ascii_case(text)),
            Self::AsciiFoldPrefix(text) => {
                string(&|s| s.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text)))
            }
            Self::AsciiFoldSuffix(text) => string(&|s| {
                s.len()
                    .checked_sub(text.len())
                    .and_then(|at| s.get(at..))
                    .is_some_and(|end| end.eq_ignore_ascii_case(text))
            }),
            Self::Fold(text) => string(&|s| text.is_whole(s)),
            Self::FoldPrefix(text) => string(&|s| text.is_prefix(s)),
            Self::FoldSuffix(text) => string(&|s| text.is_suffix(s)),
            Self::Wildcard(wildcard) => string(&|s| wildcard.matches(s)),
            Self::Range(range) => {
                value.double().is_some_and(|v| range.contains(number::key(v))) && value.is_comparable()
            }
            Self::Ip(block) => match value.kind {
                Kind::Text => value.address().is_some_and(|digits| block.contains(digits.as_bytes())),
                Kind::Number => !(view.numbers && value.is_comparable()) && block.contains(value.text),
                Kind::Literal => false,
            },
            Self::AnythingBut(but) => !but.any_holds(value, view),
        }
    }

    /// Whether how the condition sees values depends on the other tests on its field.
    pub(crate) fn depends_on(&self, view: View) -> View {
        let none = View::default();
        match self {
            Self::Ip(_) => View { addresses: false, ..view },
            Self::Literal(_) | Self::Number(_) | Self::Exists | Self::Range(_) => none,
            Self::AnythingBut(but) => but.first().map_or(none, |c| c.depends_on(view)),
            _ => View { numbers: false, ..view },
        }
    }
}

/// A condition and how it sees values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Test {
    pub(crate) condition: Condition,
    pub(crate) view: View,
}

impl Test {
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        self.condition.holds(value, self.view)
    }
}

/// Tests on one field by what they compare; only the tables in use exist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tests {
    pub(crate) tables: Vec<Table>,
    pub(crate) len: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Table {
    /// The flag says that strings which are addresses are hidden from the tests.
    Texts(Way, bool, Map<Arc<[u8]>, u32>, Vec<(u32, u32)>),
    Numbers(Map<u64, u32>),
    Exists(u32),
    Others(Map<Test, u32>, Order),
}

/// Numbers in no particular order, each found at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    pub(crate) ids: Vec<u32>,
    places: Map<u32, usize>,
}

impl Order {
    pub(crate) fn of(id: u32) -> Self {
        let mut order = Self::default();
        order.push(id);
        order
    }

    pub(crate) fn push(&mut self, id: u32) {
        self.places.insert(id, self.ids.len());
        self.ids.push(id);
    }

    pub(crate) fn remove(&mut self, id: u32) {
        let Some(place) = self.places.remove(&id) else { return };
        self.ids.swap_remove(place);
        if let Some(moved) = self.ids.get(place) {
            self.places.insert(*moved, place);
        }
    }
}

/// How a text is compared with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Exact,
    Literal,
    Prefix,
    Suffix,
    Fold,
    FoldPrefix,
    FoldSuffix,
}

/// A test that a value passes, or that has to be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    Passed(u32),
    Ask(u32),
}
