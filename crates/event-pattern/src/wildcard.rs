//! Wildcard patterns: `*` stands for any bytes, `\*` and `\\` for themselves.
//!
//! EventBridge refuses a field whose wildcards could be part-matched in too many ways at once. The number it looks at
//! is the most states of all the field's wildcards together that some value can reach at the same time; [`exceeds`]
//! computes it from the borders of the texts between the stars instead of walking all sets of states.
//!
//! Invariant: matching is greedy and never backtracks beyond the last star: at most `pattern × value` byte
//! comparisons, whatever the pattern.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// EventBridge refuses patterns above this. Known outcomes: 7 is accepted, 11 is refused; what lies between is
/// accepted here.
pub(crate) const COMPLEXITY_MAX: usize = 10;

/// A wildcard text compiled for matching: what must come first, what last, and what between, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard {
    /// Texts around the stars; one more than there are stars.
    segments: Box<[Box<[u8]>]>,
}

impl Wildcard {
    /// Compiles the text of a wildcard; the error is Event Ruler's, its positions count the opening quote.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut segment = Vec::new();
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'*' => {
                    if bytes.next_if(|(_, b)| *b == b'*').is_some() {
                        return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                    }
                    segments.push(std::mem::take(&mut segment).into_boxed_slice());
                }
                b'\\' => match bytes.next_if(|(_, b)| matches!(b, b'*' | b'\\')) {
                    Some((_, escaped)) => segment.push(escaped),
                    None => return Err(format!("Invalid escape character at pos {}", at + 1)),
                },
                _ => segment.push(byte),
            }
        }
        segments.push(segment.into_boxed_slice());
        Ok(Self { segments: segments.into_boxed_slice() })
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let Some((first, rest)) = self.segments.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return **first == *value };
        let Some(mut left) = value.strip_prefix(&**first).and_then(|left| left.strip_suffix(&**last)) else {
            return false;
        };
        for segment in middle {
            match find(left, segment) {
                Some(at) => left = left.get(at + segment.len()..).unwrap_or(&[]),
                None => return false,
            }
        }
        true
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((head, tail)) = part.split_first() else { return Some(0) };
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.iter().position(|b| b == head)?;
        if text.get(at + 1..)?.starts_with(tail) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Whether some value can reach more than `most` states at once in all `groups` together, each group being one pattern with
/// one or more wildcards; wildcards without a star do not count. Looks no further once it is so: then a wildcard with too
/// many beginnings costs no more than one that has too many stars.
pub(crate) fn exceeds(groups: &[Vec<&Wildcard>], most: usize) -> bool {
    let mut by_head: HashMap<&[u8], Vec<(usize, &Wildcard)>> = HashMap::new();
    for (group, wildcards) in groups.iter().enumerate() {
        for wildcard in wildcards.iter().filter(|w| w.segments.len() > 1) {
            by_head.entry(head(wildcard)).or_default().push((group, wildcard));
        }
    }
    let lens: BTreeSet<usize> = by_head.keys().map(|head| head.len()).collect();
    let mut heads: Vec<&[u8]> = by_head.keys().copied().collect();
    heads.sort_unstable_by_key(|head| (std::cmp::Reverse(head.len()), *head));
    heads.iter().any(|longest| {
        // All wildcards that can be begun by a value starting with `longest`.
        let begun = lens.range(..=longest.len()).filter_map(|len| by_head.get(longest.get(..*len)?)).flatten();
        let mut states = States::default();
        for (group, wildcard) in begun {
            states.add(*group, wildcard);
            if states.loops > most {
                return true;
            }
        }
        states.loops + states.most_at_once() > most
    })
}

fn head(wildcard: &Wildcard) -> &[u8] {
    wildcard.segments.first().map_or(&[], |s| s)
}

/// The states of several wildcards, and the trie of the texts that follow their stars (the last one closed by the
/// quote that ends a value).
#[derive(Default)]
struct States {
    /// State after a byte, or after a star (`None`), by the state before. Equal beginnings in one group share states.
    next: BTreeMap<(usize, Option<u8>), usize>,
    /// How many states loop on a star: each stays reached for good.
    loops: usize,
    trie: BTreeMap<(usize, u8), usize>,
    /// States at each node of the trie.
    at: Vec<BTreeSet<usize>>,
}

impl States {
    fn step(&mut self, state: usize, by: Option<u8>) -> usize {
        let fresh = FIRST_STATE + self.next.len();
        let state = *self.next.entry((state, by)).or_insert(fresh);
        self.loops += usize::from(state == fresh && by.is_none());
        state
    }

    fn walk(&mut self, node: usize, byte: u8, state: usize) -> usize {
        let fresh = self.at.len().max(1);
        let node = *self.trie.entry((node, byte)).or_insert(fresh);
        self.at.resize(self.at.len().max(node + 1), BTreeSet::new());
        if let Some(states) = self.at.get_mut(node) {
            states.insert(state);
        }
        node
    }

    fn add(&mut self, group: usize, wildcard: &Wildcard) {
        // All ends of a group are one state, numbered as the group itself.
        let end = group;
        let mut state = self.step(group, Some(0));
        for byte in head(wildcard) {
            state = self.step(state, Some(*byte));
        }
        for (i, segment) in wildcard.segments.iter().enumerate().skip(1) {
            state = self.step(state, None);
            let mut node = 0;
            for byte in segment.iter() {
                state = self.step(state, Some(*byte));
                node = self.walk(node, *byte, state);
            }
            if i + 1 == wildcard.segments.len() {
                self.walk(node, b'"', end);
            }
        }
    }

    /// The most states that lie inside texts at once, over every value that could have been read last: for each node
    /// of the trie, the states there and at each of its suffixes.
    fn most_at_once(&self) -> usize {
        let mut suffix = vec![0; self.at.len()];
        let mut count = vec![0; self.at.len()];
        // Ends, unlike other states, are reached through several texts.
        let mut ends = vec![BTreeSet::new(); self.at.len()];
        let mut most = 0;
        let mut level = vec![0];
        while !level.is_empty() {
            let mut below = Vec::new();
            for node in level {
                for (&(_, byte), &child) in self.trie.range((node, 0)..=(node, u8::MAX)) {
                    let mut shorter = suffix.get(node).copied().unwrap_or(0);
                    let mut found = None;
                    if node != 0 {
                        found = self.trie.get(&(shorter, byte)).copied();
                        while found.is_none() && shorter != 0 {
                            shorter = suffix.get(shorter).copied().unwrap_or(0);
                            found = self.trie.get(&(shorter, byte)).copied();
                        }
                    }
                    let found = found.unwrap_or(0);
                    let own = self.at.get(child);
                    let inner = own.map_or(0, |states| states.range(FIRST_STATE..).count());
                    let here = inner + count.get(found).copied().unwrap_or(0);
                    let mut ended: BTreeSet<usize> = ends.get(found).cloned().unwrap_or_default();
                    ended.extend(own.into_iter().flat_map(|states| states.range(..FIRST_STATE)));
                    most = most.max(here + ended.len());
                    if let (Some(s), Some(c), Some(e)) =
                        (suffix.get_mut(child), count.get_mut(child), ends.get_mut(child))
                    {
                        (*s, *c, *e) = (found, here, ended);
                    }
                    below.push(child);
                }
            }
            level = below;
        }
        most
    }
}

/// States from here on belong to no group's end.
const FIRST_STATE: usize = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expect: usize) {
        let wildcards: Vec<_> = texts.iter().map(|t| Wildcard::parse(t).unwrap()).collect();
        let groups = [wildcards.iter().collect()];
        assert!(!exceeds(&groups, expect), "{texts:?}");
        assert!(expect == 0 || exceeds(&groups, expect - 1), "{texts:?}");
    }

    #[test]
    fn complexity_is_event_rulers() {
        check(&["abc"], 0);
        check(&["*"], 2);
        check(&["a*b*c"], 3);
        check(&["*.jar"], 2);
        check(&["*b*"], 3);
        check(&["*aaa*"], 5);
        check(&["*/dir/*"], 4);
        check(&["*/init/*", "*/dir/*"], 5);
        check(&["*foo*", "*bar*"], 4);
        check(&["a*", "*z"], 3);
        check(&["*\""], 3);
        check(&["*checkout*"], 4);
        check(&["/Users/*/dir/dir/dir/dir/dir/doc.txt"], 7);
        check(&["*:*:*:*:*:event-bus/*"], 11);
        check(&["*a*b*c*d*e*f*g*"], 9);
        check(&["*a*a*a*a*a*a*a*"], 15);
    }

    #[test]
    fn stars_take_any_bytes() {
        let matches = |pattern: &str, value: &str| Wildcard::parse(pattern).unwrap().matches(value.as_bytes());
        assert!(matches("*", "") && matches("a*c", "ac") && matches("2*0*1*7", "2607117") && matches("a\\*c", "a*c"));
        assert!(!matches("a*a", "a") && !matches("*218", "2180") && !matches("", "x") && !matches("a\\*c", "abc"));
    }

    #[test]
    fn bad_texts_say_where() {
        let error = |text: &str| Wildcard::parse(text).unwrap_err();
        assert_eq!(error("a***b"), "Consecutive wildcard characters at pos 2");
        assert_eq!(error("\\"), "Invalid escape character at pos 1");
        assert_eq!(error("ab\\c"), "Invalid escape character at pos 3");
    }
}
