//! Many rules matched together while they change.
//!
//! Two versions of the index exist. Matching takes the active one (a reference count under a lock held for that
//! only), so it never waits for a rule to be compiled. A change is made to the other version, which then becomes the
//! active one; the change is made to the first version, too, when the next change comes and the last match on it has
//! ended. Every rule is therefore stored twice, and a change costs two additions to an index, whatever its size.
//!
//! Invariant: `matches` sees every change that returned before it began, and never half of one.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::branch::Branch;
use crate::error::EventError;
use crate::index::Index;
use crate::pattern::Pattern;
use crate::walk;

/// Rules under keys, compiled into one automaton.
///
/// ```
/// use neargate_event_pattern::{Pattern, RuleSet};
///
/// let rules = RuleSet::new();
/// rules.add("stopped", &Pattern::parse(r#"{"detail": {"state": ["stopped"]}}"#)?);
/// rules.add("any", &Pattern::parse(r#"{"source": [{"prefix": "aws."}]}"#)?);
/// let event = br#"{"source": "aws.ec2", "detail": {"state": "running"}}"#;
/// assert_eq!(rules.matches(event), Ok(vec!["any"]));
/// rules.remove(&"any");
/// assert_eq!(rules.matches(event), Ok(vec![]));
/// # Ok::<(), neargate_event_pattern::PatternError>(())
/// ```
pub struct RuleSet<K> {
    active: RwLock<Arc<Version<K>>>,
    writer: Mutex<Writer<K>>,
}

struct Version<K> {
    index: Index,
    /// Keys by rule number.
    keys: Vec<Option<K>>,
    rules: HashMap<K, u32>,
}

struct Writer<K> {
    standby: Arc<Version<K>>,
    /// Made to the active version, not yet to the one standing by.
    missed: Option<Change<K>>,
}

enum Change<K> {
    Add(K, Arc<[Branch]>),
    Remove(K),
}

/// What became of an event in a set of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<K> {
    /// The keys of the rules that match.
    pub matched: Vec<K>,
    /// The keys of the rules that were given up after [`crate::JOIN_STEPS_MAX`] steps.
    pub undecided: Vec<K>,
}

impl<K: Clone + Eq + Hash> Version<K> {
    fn new() -> Arc<Self> {
        Arc::new(Self { index: Index::default(), keys: Vec::new(), rules: HashMap::new() })
    }

    fn make(&mut self, change: &Change<K>) {
        match change {
            Change::Add(key, branches) => {
                self.remove(key);
                let rule = self.index.add(branches);
                let at = rule as usize;
                if self.keys.len() <= at {
                    self.keys.resize(at + 1, None);
                }
                if let Some(slot) = self.keys.get_mut(at) {
                    *slot = Some(key.clone());
                }
                self.rules.insert(key.clone(), rule);
            }
            Change::Remove(key) => self.remove(key),
        }
    }

    fn remove(&mut self, key: &K) {
        if let Some(rule) = self.rules.remove(key) {
            self.index.remove(rule);
            if let Some(slot) = self.keys.get_mut(rule as usize) {
                *slot = None;
            }
        }
    }
}

impl<K: Clone + Eq + Hash> Writer<K> {
    /// Makes a change to the version standing by, after the one it missed. Waits for the last match on it to end;
    /// no new one can begin, as only the active version is given out. True when the key had a rule before.
    fn make(&mut self, change: &Change<K>) -> bool {
        loop {
            if let Some(version) = Arc::get_mut(&mut self.standby) {
                if let Some(missed) = self.missed.take() {
                    version.make(&missed);
                }
                let (Change::Add(key, _) | Change::Remove(key)) = change;
                let had = version.rules.contains_key(key);
                version.make(change);
                return had;
            }
            std::thread::yield_now();
        }
    }
}

impl<K: Clone + Eq + Hash> RuleSet<K> {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        let writer = Writer { standby: Version::new(), missed: None };
        Self { active: RwLock::new(Version::new()), writer: Mutex::new(writer) }
    }

    /// Adds a rule, in place of the one that `key` had. True when it had one.
    pub fn add(&self, key: K, pattern: &Pattern) -> bool {
        self.change(Change::Add(key, Arc::clone(pattern.branches())))
    }

    /// Removes the rule of `key`. True when there was one.
    pub fn remove(&self, key: &K) -> bool {
        self.active().rules.contains_key(key) && self.change(Change::Remove(key.clone()))
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.active().rules.len()
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys of the rules that match an event, given as JSON text, in no particular but a repeatable order.
    ///
    /// The event is read once and only as far as it can change the answer.
    ///
    /// # Errors
    /// When what was read of the event is not a JSON object, or its arrays combine in too many ways for one of the
    /// rules; [`RuleSet::decide`] answers for the others all the same.
    pub fn matches(&self, event: &[u8]) -> Result<Vec<K>, EventError> {
        let Decision { matched, undecided } = self.decide(event)?;
        if undecided.is_empty() { Ok(matched) } else { Err(EventError::TooComplex) }
    }

    /// As [`RuleSet::matches`], with the rules that an event is too complex for named apart.
    ///
    /// # Errors
    /// When what was read of the event is not a JSON object.
    pub fn decide(&self, event: &[u8]) -> Result<Decision<K>, EventError> {
        let version = self.active();
        let keys = |rules: &[u32]| {
            rules.iter().filter_map(|rule| version.keys.get(*rule as usize)?.clone()).collect::<Vec<K>>()
        };
        walk::with_matched(&version.index, event, |matched, undecided| Decision {
            matched: keys(matched),
            undecided: keys(undecided),
        })
    }

    fn active(&self) -> Arc<Version<K>> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a change; true when the key had a rule before.
    fn change(&self, change: Change<K>) -> bool {
        let mut writer: MutexGuard<'_, _> = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let had = writer.make(&change);
        writer.missed = Some(change);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *active, &mut writer.standby);
        had
    }
}

impl<K: Clone + Eq + Hash> Default for RuleSet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for RuleSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleSet").finish_non_exhaustive()
    }
}
