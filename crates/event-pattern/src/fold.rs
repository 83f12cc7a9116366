//! Matching that ignores case the way Event Ruler does: character by character, each pattern character standing for
//! its lower-case and its upper-case spelling.
//!
//! So `ß` also takes `SS` (but not `ss`), `ı` takes `I`, and a character outside the basic plane takes `??`, because
//! each of its surrogates is folded alone.
//!
//! Invariant: matching is one pass over a set of positions in the value that never holds more than the longest
//! spelling's number of bytes; the cost is at most `characters × spelling bytes`, never exponential.

/// One character of a pattern: its spellings, lower case first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Character {
    lower: Box<[u8]>,
    upper: Box<[u8]>,
}

/// A pattern text compiled for matching without case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Folded {
    characters: Box<[Character]>,
}

impl Folded {
    pub(crate) fn new(text: &str) -> Self {
        let mut characters = Vec::with_capacity(text.len());
        for c in text.chars() {
            if u32::from(c) > 0xffff {
                let lone = || Character { lower: b"?".as_slice().into(), upper: b"?".as_slice().into() };
                characters.extend([lone(), lone()]);
            } else {
                let spell = |s: String| s.into_bytes().into_boxed_slice();
                characters.push(Character {
                    lower: spell(c.to_lowercase().collect()),
                    upper: spell(c.to_uppercase().collect()),
                });
            }
        }
        Self { characters: characters.into_boxed_slice() }
    }

    /// The text in lower case when every character has only ASCII spellings; then ASCII folding of both sides decides.
    pub(crate) fn ascii(&self) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(self.characters.len());
        for c in &*self.characters {
            match (&*c.lower, &*c.upper) {
                ([lower], [upper]) if lower.is_ascii() && upper.to_ascii_lowercase() == *lower => text.push(*lower),
                _ => return None,
            }
        }
        Some(text)
    }

    pub(crate) fn is_whole(&self, value: &[u8]) -> bool {
        self.ends(value, self.characters.iter(), |rest, spelling| rest.strip_prefix(spelling))
            .any(|rest| rest.is_empty())
    }

    pub(crate) fn is_prefix(&self, value: &[u8]) -> bool {
        self.ends(value, self.characters.iter(), |rest, spelling| rest.strip_prefix(spelling)).next().is_some()
    }

    pub(crate) fn is_suffix(&self, value: &[u8]) -> bool {
        self.ends(value, self.characters.iter().rev(), |rest, spelling| rest.strip_suffix(spelling)).next().is_some()
    }

    /// What remains of `value` after all characters were taken, for each way to take them.
    fn ends<'v, 'c>(
        &self,
        value: &'v [u8],
        characters: impl Iterator<Item = &'c Character>,
        take: impl Fn(&'v [u8], &[u8]) -> Option<&'v [u8]>,
    ) -> impl Iterator<Item = &'v [u8]> {
        let mut rests = vec![value];
        let mut next: Vec<&[u8]> = Vec::new();
        for c in characters {
            for rest in &rests {
                for spelling in [&c.lower, &c.upper] {
                    if let Some(left) = take(rest, spelling)
                        && !next.iter().any(|known| known.len() == left.len())
                    {
                        next.push(left);
                    }
                }
            }
            std::mem::swap(&mut rests, &mut next);
            next.clear();
            if rests.is_empty() {
                break;
            }
        }
        rests.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, value: &str, whole: bool) {
        assert_eq!(Folded::new(pattern).is_whole(value.as_bytes()), whole, "{pattern} {value}");
    }

    #[test]
    fn each_character_has_two_spellings() {
        check("us-EAST-1", "US-east-1", true);
        check("É", "é", true);
        check("ß", "SS", true);
        check("ß", "ss", false);
        check("ss", "ß", false);
        check("ı", "I", true);
        check("i", "ı", false);
        check("K", "k", true);
        check("😀", "😀", false);
        check("😀", "??", true);
        check("", "", true);
        check("", "a", false);
    }

    #[test]
    fn ends_are_found_from_either_side() {
        let dot_png = Folded::new(".PNG");
        assert!(dot_png.is_suffix(b"file.png") && !dot_png.is_suffix(b"png"));
        let sharp = Folded::new("aß");
        assert!(sharp.is_prefix("Assz".to_uppercase().as_bytes()) && sharp.is_suffix("zAß".as_bytes()));
    }
}
