//! Whether the rest of an event can still hold one of a few names.
//!
//! Invariant: "quiet" is only said when no name of an object in the tail is one of the marks, or begins with one and
//! a dot; the contrary is said more often than true (a value may look like a name), which costs time only.

/// Bytes looked at together; the compiler turns a block into vector instructions.
const BLOCK: usize = 32;
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
        // The first and the third byte of each name, the first twice when it is shorter.
        let mut pairs = [(0u8, 0u8); NAMES_MAX];
        let Some(names) = self.names.get(..self.count) else { return false };
        let mut long = true;
        for (slot, name) in pairs.iter_mut().zip(names) {
            let Some(&first) = name.first() else { return false };
            *slot = (first, name.get(2).copied().unwrap_or(first));
            long &= name.len() > 2;
        }
        let third = if long { 3 } else { 1 };
        match pairs {
            [a, ..] if self.count <= 1 => self.search(tail, [a], third),
            [a, b, ..] if self.count == 2 => self.search(tail, [a, b], third),
            [a, b, c, ..] if self.count == 3 => self.search(tail, [a, b, c], third),
            [a, b, c, d, ..] if self.count <= 4 => self.search(tail, [a, b, c, d], third),
            [a, b, c, d, e, f, g, h, ..] if self.count <= 8 => self.search(tail, [a, b, c, d, e, f, g, h], third),
            _ => self.search(tail, pairs, third),
        }
    }

    fn search<const N: usize>(&self, tail: &[u8], pairs: [(u8, u8); N], third: usize) -> bool {
        let (second, third) = (tail.get(1..).unwrap_or(&[]), tail.get(third..).unwrap_or(&[]));
        let pairs = if third.len() < second.len() { pairs } else { pairs.map(|(first, _)| (first, first)) };
        let last = third.len().saturating_sub(BLOCK);
        let mut at = 0;
        loop {
            let at_block = |bytes: &[u8]| bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>().copied());
            let (Some(block), Some(second), Some(third)) = (at_block(tail), at_block(second), at_block(third)) else {
                return self.is_quiet_at(tail, at, tail.len());
            };
            let mut hit = 0u8;
            for ((byte, after), later) in block.into_iter().zip(second).zip(third) {
                let begins = pairs.iter().fold(0, |any, (a, b)| any | (u8::from(after == *a) & u8::from(later == *b)));
                hit |= u8::from(byte == b'\\') | (u8::from(byte == b'"') & begins);
            }
            if hit != 0 && !self.is_quiet_at(tail, at, at + BLOCK) {
                return false;
            }
            if at == last {
                // What is left is too short for a name with its quotes, a colon, a value and a bracket.
                return true;
            }
            at = (at + BLOCK).min(last);
        }
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
        for at in 0..220 {
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
