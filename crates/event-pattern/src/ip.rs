//! IP addresses and CIDR blocks as Event Ruler sees them: strings of hexadecimal digits, compared digit by digit.
//!
//! The first digit that differs decides, and nothing asks that two addresses be of one family, so `0.0.0.0/0` also
//! takes most IPv6 addresses, and even bare numbers whose spelling starts with a digit inside the block. That is how
//! EventBridge behaves, so it is kept.
//!
//! Invariant: only dotted IPv4 and colon-only IPv6 texts are addresses; no name is ever looked up.

/// Hexadecimal digits of an address: 8 for IPv4, 32 for IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digits {
    bytes: [u8; 32],
    len: u8,
}

impl Digits {
    fn new(address: &[u8]) -> Self {
        let mut bytes = [0; 32];
        for (pair, byte) in bytes.chunks_exact_mut(2).zip(address) {
            for (slot, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *slot = if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
            }
        }
        Self { bytes, len: u8::try_from(address.len() * 2).unwrap_or(32) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// Addresses from `bottom` to `top`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Block {
    bottom: Digits,
    top: Digits,
}

impl Block {
    /// The block of one address.
    pub(crate) fn of_address(text: &[u8]) -> Option<Self> {
        let digits = parse(text)?;
        Some(Self { bottom: digits, top: digits })
    }

    /// Reads `address/bits`; the error is Event Ruler's.
    pub(crate) fn of_cidr(cidr: &str) -> Result<Self, String> {
        let trimmed = cidr.trim_end_matches('/');
        let mut parts = trimmed.split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: i32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        if bits < 0 {
            return Err("Malformed CIDR, mask bits must not be negative".to_owned());
        }
        if !looks_like_address(address.as_bytes()) {
            return Err(format!("Nonstandard IP address: {address}"));
        }
        let Some(ip) = parse_bytes(address.as_bytes()) else {
            return Err(format!("Invalid IP address: {address}"));
        };
        let (family, size) = if ip.len() == 4 { ("IPv4", 32) } else { ("IPv6", 128) };
        if bits >= size {
            return Err(format!("{family} mask bits must be < {size}"));
        }
        let mut fixed = u32::try_from(bits).unwrap_or(0);
        let (mut bottom, mut top) = (Vec::with_capacity(16), Vec::with_capacity(16));
        for byte in ip {
            let here = fixed.min(8);
            fixed -= here;
            let free = 0xffu8.checked_shr(here).unwrap_or(0);
            bottom.push(byte & !free);
            top.push(byte | free);
        }
        Ok(Self { bottom: Digits::new(&bottom), top: Digits::new(&top) })
    }

    /// Whether `digits` lies in the block, by the first digits that decide it.
    pub(crate) fn contains(&self, digits: &[u8]) -> bool {
        let (mut on_bottom, mut on_top) = (true, true);
        let bounds = self.bottom.as_bytes().iter().zip(self.top.as_bytes());
        let mut given = digits.iter();
        for (&bottom, &top) in bounds {
            let Some(&digit) = given.next() else { return false };
            if !matches!(digit, b'0'..=b'9' | b'A'..=b'F') {
                return false;
            }
            if (on_bottom && digit < bottom) || (on_top && digit > top) {
                return false;
            }
            on_bottom &= digit == bottom;
            on_top &= digit == top;
            if !on_bottom && !on_top {
                return true;
            }
        }
        true
    }
}

/// The digits of `text` when it is an address.
pub(crate) fn parse(text: &[u8]) -> Option<Digits> {
    looks_like_address(text).then(|| parse_bytes(text))?.map(|ip| Digits::new(&ip))
}

fn looks_like_address(text: &[u8]) -> bool {
    if !matches!(text.first(), Some(b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':')) {
        return false;
    }
    if text.contains(&b':') {
        return text.iter().all(|b| b.is_ascii_hexdigit() || *b == b':');
    }
    let mut parts = text.split(|b| *b == b'.');
    let numeric = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    (0..4).all(|_| parts.next().is_some_and(numeric)) && parts.next().is_none()
}

fn parse_bytes(text: &[u8]) -> Option<Vec<u8>> {
    if text.contains(&b':') { parse_v6(text) } else { parse_v4(text) }
}

fn parse_v4(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > 15 {
        return None;
    }
    text.split(|b| *b == b'.')
        .map(|part| {
            let value = part
                .iter()
                .try_fold(0u32, |sum, b| sum.checked_mul(10)?.checked_add(u32::from(b.wrapping_sub(b'0'))))?;
            u8::try_from(value).ok()
        })
        .collect()
}

fn parse_v6(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let group = |part: &str| u16::from_str_radix(part, 16).ok();
    let groups = |side: &str| side.split(':').map(group).collect::<Option<Vec<u16>>>();
    let words = match text.split_once("::") {
        None => groups(text)?,
        Some((head, tail)) => {
            let head = if head.is_empty() { Vec::new() } else { groups(head)? };
            let tail = if tail.is_empty() { Vec::new() } else { groups(tail)? };
            let missing = 8usize.checked_sub(head.len() + tail.len()).filter(|n| *n > 0)?;
            [head, vec![0; missing], tail].concat()
        }
    };
    if words.len() != 8 {
        return None;
    }
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
    let mapped = bytes.starts_with(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    Some(if mapped { bytes.get(12..)?.to_vec() } else { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cidr: &str, value: &str, contained: bool) {
        let block = Block::of_cidr(cidr).unwrap();
        let digits = parse(value.as_bytes());
        let text = digits.as_ref().map_or(value.as_bytes(), Digits::as_bytes);
        assert_eq!(block.contains(text), contained, "{cidr} {value}");
    }

    #[test]
    fn blocks_take_whole_ranges() {
        check("10.0.0.77/24", "10.0.0.5", true);
        check("10.0.0.77/24", "010.0.0.255", true);
        check("10.0.0.0/31", "10.0.0.2", false);
        check("2001:db8::/32", "2001:DB8:0:0::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("10.0.0.0/8", "::ffff:a00:5", true);
    }

    #[test]
    fn digits_decide_across_families() {
        check("0.0.0.0/0", "2001:db9::1", true);
        check("0.0.0.0/0", "1e3", true);
        check("0.0.0.0/0", "0.1", false);
        check("0.0.0.0/0", "true", false);
    }

    #[test]
    fn texts_that_are_no_addresses() {
        for text in [
            "",
            "10.0.0",
            "256.0.0.1",
            "08:23",
            ":",
            ":::",
            "1:2:3:4:5:6:7:8:9",
            "fe80::1%eth0",
            "::ffff:10.0.0.5",
            "1::2::3",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
