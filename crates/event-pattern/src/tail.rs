//! Whether the rest of an event can still hold one of a few names.
//!
//! Invariant: "quiet" is only said when no name of an object in the tail is one of the marks, or begins with one and
//! a dot; the contrary is said more often than true (a value may look like a name), which costs time only.

/// Bytes looked at together; the compiler turns a block into vector instructions.
const BLOCK: usize = 32;
/// Most different first bytes of marks.
const FIRSTS_MAX: usize = 8;
/// Most marks.
const NAMES_MAX: usize = 16;

/// Names that must not come again.
#[derive(Debug, Default)]
pub(crate) struct Marks<'m> {
    names: [&'m [u8]; NAMES_MAX],
    /// How many there are, also beyond the room.
    count: usize,
}

impl<'m> Marks<'m> {
    pub(crate) fn add(&mut self, name: &'m [u8]) {
        if let Some(slot) = self.names.get_mut(self.count) {
            *slot = name;
        }
        self.count += 1;
    }

    /// Whether `tail` holds no escape and no string that begins with one of the names. Too many names or an empty one
    /// are never quiet.
    pub(crate) fn is_quiet(&self, tail: &[u8]) -> bool {
        let mut firsts = [0u8; FIRSTS_MAX];
        let mut count = 0;
        let Some(names) = self.names.get(..self.count) else { return false };
        for name in names {
            let Some(&first) = name.first() else { return false };
            if !firsts.iter().take(count).any(|known| *known == first) {
                let Some(slot) = firsts.get_mut(count) else { return false };
                *slot = first;
                count += 1;
            }
        }
        match firsts {
            [a, _, _, _, _, _, _, _] if count <= 1 => self.search(tail, [a]),
            [a, b, _, _, _, _, _, _] if count == 2 => self.search(tail, [a, b]),
            [a, b, c, d, _, _, _, _] if count <= 4 => self.search(tail, [a, b, c, d]),
            _ => self.search(tail, firsts),
        }
    }

    fn search<const N: usize>(&self, tail: &[u8], firsts: [u8; N]) -> bool {
        let follows = tail.get(1..).unwrap_or(&[]);
        let mut at = 0;
        for (block, next) in tail.chunks_exact(BLOCK).zip(follows.chunks_exact(BLOCK)) {
            let mut hit = 0u8;
            for (&byte, &after) in block.iter().zip(next) {
                let begins = firsts.iter().fold(0, |any, first| any | u8::from(after == *first));
                hit |= u8::from(byte == b'\\') | (u8::from(byte == b'"') & begins);
            }
            if hit != 0 && !self.is_quiet_at(tail, at, at + BLOCK) {
                return false;
            }
            at += BLOCK;
        }
        self.is_quiet_at(tail, at, tail.len())
    }

    /// The same for what begins from `from` to before `to`, byte by byte.
    fn is_quiet_at(&self, tail: &[u8], from: usize, to: usize) -> bool {
        let begins = |at: usize| {
            let rest = tail.get(at + 1..).unwrap_or(&[]);
            self.names.iter().take(self.count).any(|name| name.first() == rest.first() && rest.starts_with(name))
        };
        let part = tail.get(from..to).unwrap_or(&[]).iter().zip(from..);
        !part.into_iter().any(|(byte, at)| *byte == b'\\' || (*byte == b'"' && begins(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        let mut marks = Marks::default();
        marks.add(b"state");
        marks.add(b"source");
        for at in 0..200 {
            let mut tail = vec![b'.'; 230];
            assert!(marks.is_quiet(&tail));
            tail.splice(at..at + 6, *b"\"state");
            assert!(!marks.is_quiet(&tail), "{at}");
            tail.splice(at..at + 6, *b"\"stat\"");
            assert!(marks.is_quiet(&tail), "{at}");
            tail.splice(at..=at, *b"\\");
            assert!(!marks.is_quiet(&tail), "{at}");
        }
    }
}
