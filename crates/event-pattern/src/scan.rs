//! Reading an event's bytes: tokens where a rule asks, skipping where none does.
//!
//! Invariant: nothing here allocates, except an escaped string's text into a buffer given by the caller; what is
//! skipped is followed by its quotes and brackets only, not checked.

/// A position in the bytes of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) pos: usize,
}

/// The text is not JSON at the scan's position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken;

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// The next byte that is not blank, without taking it.
    #[inline]
    pub(crate) fn token(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.pos += 1;
        }
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or(&[])
    }

    /// Reads a string whose opening quote is at the position. The flag says that it holds escapes.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<(&'a [u8], bool), Broken> {
        self.pos += 1;
        let rest = self.rest();
        let mut len = 0;
        let mut escaped = false;
        loop {
            len += text_len(rest.get(len..).unwrap_or(&[]));
            match rest.get(len) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    len += 2;
                }
                _ => {
                    self.pos += len;
                    return Err(Broken);
                }
            }
        }
        self.pos += len + 1;
        Ok((rest.get(..len).ok_or(Broken)?, escaped))
    }

    /// Skips a string whose opening quote is at the position.
    #[inline]
    fn skip_string(&mut self) -> Result<(), Broken> {
        self.pos += 1;
        let rest = self.rest();
        let mut len = 0;
        loop {
            len += text_len(rest.get(len..).unwrap_or(&[]));
            match rest.get(len) {
                Some(b'"') => {
                    self.pos += len + 1;
                    return Ok(());
                }
                Some(b'\\') => {}
                _ => return Err(Broken),
            }
            len += 2;
        }
    }

    /// Reads a number at the position.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<&'a [u8], Broken> {
        let rest = self.rest();
        let len = crate::number::token_len(rest).ok_or(Broken)?;
        self.pos += len;
        rest.get(..len).ok_or(Broken)
    }

    /// Reads `true`, `false` or `null` at the position.
    #[inline]
    pub(crate) fn literal(&mut self) -> Result<&'a [u8], Broken> {
        let rest = self.rest();
        for word in [b"true".as_slice(), b"false", b"null"] {
            if rest.starts_with(word) {
                self.pos += word.len();
                return Ok(word);
            }
        }
        Err(Broken)
    }

    /// Skips the value at the position.
    #[inline(always)]
    pub(crate) fn skip_value(&mut self) -> Result<(), Broken> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b'{' | b'[') => self.skip_nested(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let end = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r');
                let rest = self.rest();
                self.pos += rest.iter().position(end).unwrap_or(rest.len());
                Ok(())
            }
            _ => Err(Broken),
        }
    }

    /// Skips the object or array that opens at the position, a block at a time where it holds no escape.
    #[inline(never)]
    fn skip_nested(&mut self) -> Result<(), Broken> {
        self.pos += 1;
        let mut depth = 1usize;
        let mut within = false;
        while let Some(block) = self.bytes.get(self.pos..).and_then(|rest| rest.first_chunk()) {
            let (special, odd_quotes) = look(block);
            if special == 0 {
                within ^= odd_quotes != 0;
                self.pos += BLOCK;
                continue;
            }
            if has_escape(block) {
                if self.skip_bytes(&mut depth, &mut within)? {
                    return Ok(());
                }
                continue;
            }
            let (quotes, brackets) = places(block);
            let strings = within_strings(quotes) ^ if within { u32::MAX } else { 0 };
            let mut brackets = brackets & !strings;
            while brackets != 0 {
                let at = brackets.trailing_zeros() as usize;
                // The third bit is set in closing ones.
                if block.get(at).is_some_and(|byte| byte & 4 != 0) {
                    depth -= 1;
                    if depth == 0 {
                        self.pos += at + 1;
                        return Ok(());
                    }
                } else {
                    depth += 1;
                }
                brackets &= brackets - 1;
            }
            within ^= odd_quotes != 0;
            self.pos += BLOCK;
        }
        while self.pos < self.bytes.len() {
            if self.skip_bytes(&mut depth, &mut within)? {
                return Ok(());
            }
        }
        Err(Broken)
    }

    /// Skips eight bytes (nine when the eighth escapes the ninth), one by one. True when the nesting ended.
    fn skip_bytes(&mut self, depth: &mut usize, within: &mut bool) -> Result<bool, Broken> {
        let end = self.pos + 8;
        while self.pos < end {
            let Some(byte) = self.peek() else { return Err(Broken) };
            self.pos += 1;
            match byte {
                b'\\' if *within => self.pos += 1,
                b'"' => *within = !*within,
                b'{' | b'[' if !*within => *depth += 1,
                b'}' | b']' if !*within => {
                    *depth -= 1;
                    if *depth == 0 {
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

/// Bytes that are looked at together. The loops over a block are such that the compiler turns them into vector
/// instructions.
const BLOCK: usize = 32;

/// Of all bytes that JSON has outside strings, only brackets are `y` but for these bits.
#[inline(always)]
fn is_bracket(byte: u8) -> bool {
    (byte | 0x20) & !0x06 == b'y'
}

/// Whether a block holds a bracket or an escape, and whether it holds an odd number of quotes.
#[inline(never)]
fn look(block: &[u8; BLOCK]) -> (u8, u8) {
    let (mut special, mut quotes) = (0, 0);
    for byte in block {
        special |= u8::from(is_bracket(*byte)) | u8::from(*byte == b'\\');
        quotes ^= u8::from(*byte == b'"');
    }
    (special, quotes)
}

#[inline(never)]
fn has_escape(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0, |any, byte| any | u8::from(*byte == b'\\')) != 0
}

/// The bit of each byte among eight.
const BITS: [u8; BLOCK] = [
    1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128,
];

/// Where quotes and brackets are in a block, a bit for each byte.
#[inline(never)]
fn places(block: &[u8; BLOCK]) -> (u32, u32) {
    let (mut quotes, mut brackets) = ([0; BLOCK], [0; BLOCK]);
    for ((byte, bit), (quote, bracket)) in block.iter().zip(&BITS).zip(quotes.iter_mut().zip(&mut brackets)) {
        *quote = *bit & u8::from(*byte == b'"').wrapping_neg();
        *bracket = *bit & u8::from(is_bracket(*byte)).wrapping_neg();
    }
    (gather(&quotes), gather(&brackets))
}

/// A bit for each byte, of bytes that hold their bit or nothing.
#[inline(always)]
fn gather(bits: &[u8; BLOCK]) -> u32 {
    let mut all = 0;
    for (at, eight) in bits.chunks_exact(8).enumerate() {
        all |= (eight.iter().map(|bit| u64::from(*bit)).sum::<u64>() as u32) << (8 * at);
    }
    all
}

/// For each bit whether an odd number of bits is set up to and with it: from a quote to before the next.
#[inline(always)]
fn within_strings(quotes: u32) -> u32 {
    (0..5).fold(quotes, |bits, power| bits ^ (bits << (1 << power)))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Bytes before the first quote, backslash or control byte, eight at a time.
#[inline]
fn text_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    for word in bytes.chunks_exact(8) {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        // Marks the high bit of each zero byte; bytes after the first marked one may be marked wrongly.
        let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
        let quotes = zeros(word ^ (ONES * 0x22));
        let backslashes = zeros(word ^ (ONES * 0x5c));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quotes | backslashes | controls) & HIGHS;
        if found != 0 {
            return len + (found.trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    let rest = bytes.get(len..).unwrap_or(&[]);
    len + rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// Appends the text of a string's escaped `raw` bytes to `out`. A lone surrogate becomes `?`. The error is the offset
/// of an escape that JSON does not have.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.iter().position(|b| *b == b'\\').unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or(rest));
        at += plain;
        let Some(kind) = raw.get(at + 1) else {
            return if at == raw.len() { Ok(()) } else { Err(at) };
        };
        let byte = match kind {
            b'"' | b'\\' | b'/' => *kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                at = unescape_unicode(raw, at, out).ok_or(at)?;
                continue;
            }
            _ => return Err(at),
        };
        out.push(byte);
        at += 2;
    }
    Ok(())
}

/// Reads `\uXXXX` (and a second half, if it is one) at `at`; returns the offset after it.
fn unescape_unicode(raw: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let unit = |at: usize| -> Option<u32> {
        let text = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
        text.iter().try_fold(0, |sum, b| Some(sum * 16 + char::from(*b).to_digit(16)?))
    };
    let first = unit(at)?;
    let mut next = at + 6;
    let mut code = first;
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = unit(next).filter(|low| (0xdc00..0xe000).contains(low))
    {
        code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        next += 6;
    }
    let c = char::from_u32(code).unwrap_or('?');
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_skipped_whatever_they_hold() {
        let parts =
            ["{}", "[]", "\"a\"", "\"]}\"", "\"\\\"]\"", "\"\\\\\"", "[{\"x\":[1,2]}]", "12345678", "\"\u{e9}{\""];
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..3000 {
            let items: Vec<&str> = (0..rng.usize(..8)).map(|_| parts[rng.usize(..parts.len())]).collect();
            let text = format!("{}[{}]", " ".repeat(rng.usize(..9)), items.join(","));
            for after in ["", ",\"]]]]]]]]]]]]"] {
                let whole = format!("{text}{after}");
                let mut scan = Scan::new(whole.as_bytes());
                scan.token();
                assert!(scan.skip_value().is_ok(), "{whole}");
                assert_eq!(scan.pos, text.len(), "{whole}");
            }
            let cut = &text.as_bytes()[..text.len() - 1];
            let mut scan = Scan::new(cut);
            scan.token();
            assert!(scan.skip_value().is_err(), "{text}");
        }
    }
}
