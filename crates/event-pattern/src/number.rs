//! Numbers as Event Ruler compares them.
//!
//! A number is *comparable* when the shortest decimal of its nearest double is the number itself; comparable numbers
//! compare by value (`300` = `3.0e2`), all others only by their spelling.
//!
//! Invariant: the key of a comparable number orders as the number does, and `-0` has the key of `0`.

use std::fmt::Write as _;

/// Length of the JSON number at the start of `bytes`, or `None` when there is none.
pub(crate) fn token_len(bytes: &[u8]) -> Option<usize> {
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let digits = |mut i: usize| {
        while at(i).is_ascii_digit() {
            i += 1;
        }
        i
    };
    let start = usize::from(at(0) == b'-');
    let mut end = digits(start);
    if end == start || (at(start) == b'0' && end > start + 1) {
        return None;
    }
    if at(end) == b'.' {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(at(end), b'e' | b'E') {
        let exponent = end + 1 + usize::from(matches!(at(end + 1), b'+' | b'-'));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    let follows = at(end);
    (matches!(follows, 0 | b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')).then_some(end)
}

/// The double nearest to a JSON number.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// A key that orders as the doubles do.
pub(crate) fn key(value: f64) -> u64 {
    let bits = if value == 0.0 { 0 } else { value.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The key of `text` when it is a comparable number.
pub(crate) fn comparable_key(text: &[u8]) -> Option<u64> {
    let value = parse(text)?;
    is_comparable(text, value).then(|| key(value))
}

/// Whether `text`, whose nearest double is `value`, is comparable.
pub(crate) fn is_comparable(text: &[u8], value: f64) -> bool {
    let decimal = Decimal::read(text);
    if decimal.len == 0 {
        return value == 0.0;
    }
    let magnitude = value.abs();
    if decimal.len <= 15 && (1e-290..1e290).contains(&magnitude) {
        return true;
    }
    if decimal.len > 17 {
        return false;
    }
    is_shortest(magnitude, &decimal).unwrap_or_else(|| is_shortest_by_spelling(magnitude, &decimal))
}

/// Whether `decimal`, of at most 17 digits, is the shortest decimal of `magnitude`, its nearest double: of the decimals
/// of its length it is the nearest, and none with a digit less has the same double. Nothing for numbers whose
/// products do not fit 128 bits, ties, and doubles with unequal neighbours.
fn is_shortest(magnitude: f64, decimal: &Decimal) -> Option<bool> {
    let bits = magnitude.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    let scale = 1075 - i64::try_from(bits >> 52).ok()?;
    let places = i64::try_from(decimal.len).ok()? - 1 - decimal.exponent;
    if mantissa == 0 || !(1..=66).contains(&scale) || !(1..=21).contains(&places) {
        return None;
    }
    // Everything in units of a last decimal place over 2^scale.
    let ten = 10u128.pow(u32::try_from(places).ok()?);
    let exact = u128::from(mantissa | 1 << 52) * ten;
    let away = |digits: u64| 2 * (u128::from(digits) << scale).abs_diff(exact);
    let shorter = u64::try_from((exact >> scale) / 10).ok()? * 10;
    if away(decimal.digits) == 1 << scale || [shorter, shorter + 10].iter().any(|digits| away(*digits) == ten) {
        return None;
    }
    Some(away(decimal.digits) < 1 << scale && [shorter, shorter + 10].iter().all(|digits| away(*digits) > ten))
}

/// The same for all doubles, at some more cost.
fn is_shortest_by_spelling(magnitude: f64, decimal: &Decimal) -> bool {
    let mut shortest = Buffer::default();
    if write!(shortest, "{magnitude:e}").is_err() {
        return false;
    }
    let mut own = Decimal::read(shortest.as_bytes());
    if own.len == 1 {
        // Java shows at least two digits and takes the nearer ones: 4.9E-324, not 5E-324.
        shortest = Buffer::default();
        if write!(shortest, "{magnitude:.1e}").is_err() {
            return false;
        }
        own = Decimal::read(shortest.as_bytes());
    }
    own == *decimal
}

/// Significant digits and the power of ten of the first of them. Digits beyond the 19th only count.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: u64,
    len: usize,
    exponent: i64,
}

impl Decimal {
    /// Most digits that surely fit.
    const DIGITS_MAX: usize = 19;

    fn read(text: &[u8]) -> Self {
        let (mut digits, mut count, mut power, mut fraction) = (0u64, 0usize, 0i64, false);
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                    count += usize::from(count > 0 || byte > b'0');
                    power -= i64::from(fraction);
                }
                b'.' => fraction = true,
                b'e' | b'E' => {
                    power = power.saturating_add(read_exponent(bytes.as_slice()));
                    break;
                }
                _ => {}
            }
        }
        if count > Self::DIGITS_MAX {
            return Self::read_long(text);
        }
        if count == 0 {
            return Self { digits: 0, len: 0, exponent: 0 };
        }
        let exponent = power.saturating_add(i64::try_from(count).unwrap_or(0) - 1);
        while digits.is_multiple_of(10) {
            digits /= 10;
            count -= 1;
        }
        Self { digits, len: count, exponent }
    }

    /// The same for any number of digits.
    fn read_long(text: &[u8]) -> Self {
        let (mut digits, mut len, mut zeros, mut exponent) = (0u64, 0usize, 0usize, -1i64);
        let mut fraction = false;
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'.' => fraction = true,
                b'e' | b'E' => {
                    exponent = exponent.saturating_add(read_exponent(bytes.as_slice()));
                    break;
                }
                b'0' if len == 0 => exponent -= i64::from(fraction),
                b'0' => {
                    zeros += 1;
                    exponent += i64::from(!fraction);
                }
                b'1'..=b'9' => {
                    for _ in 0..zeros.min(20) {
                        digits = digits.wrapping_mul(10);
                    }
                    len += zeros + 1;
                    zeros = 0;
                    digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                    exponent += i64::from(!fraction);
                }
                _ => {}
            }
        }
        if len == 0 {
            exponent = 0;
        }
        Self { digits, len, exponent }
    }
}

fn read_exponent(text: &[u8]) -> i64 {
    let negative = text.first() == Some(&b'-');
    let mut value = 0i64;
    for byte in text.iter().filter(|b| b.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
    }
    if negative { -value } else { value }
}

/// Room for a double in scientific notation.
#[derive(Default)]
struct Buffer {
    bytes: [u8; 32],
    len: usize,
}

impl Buffer {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, comparable: bool) {
        assert_eq!(comparable_key(text.as_bytes()).is_some(), comparable, "{text}");
    }

    #[test]
    fn what_a_double_shows_back_is_comparable() {
        for text in ["0", "-0", "0.1", "1e300", "9007199254740992", "0.30000000000000004", "1e-7", "4.9e-324", "0e9"] {
            check(text, true);
        }
        for text in ["9007199254740993", "0.12345678901234567890", "1E309", "1E-325", "5e-324", "1e99999999999999999"] {
            check(text, false);
        }
    }

    #[test]
    fn both_ways_to_the_shortest_decimal_agree() {
        let mut rng = fastrand::Rng::with_seed(11);
        let mut decided = 0;
        for _ in 0..60_000 {
            let value = (rng.f64() - 0.5) * 10f64.powi(rng.i32(-6..12));
            let whole = format!("{value}");
            let mut other = whole.clone().into_bytes();
            if let Some(last) = other.last_mut() {
                *last = rng.u8(b'1'..=b'9');
            }
            for text in [whole.as_bytes(), &other, format!("{value:.15e}").as_bytes()] {
                let nearest = parse(text).unwrap();
                let decimal = Decimal::read(text);
                if decimal.len == 0 || decimal.len > 17 {
                    continue;
                }
                if let Some(shortest) = is_shortest(nearest.abs(), &decimal) {
                    decided += 1;
                    let spelled = is_shortest_by_spelling(nearest.abs(), &decimal);
                    assert_eq!(shortest, spelled, "{}", String::from_utf8_lossy(text));
                }
            }
        }
        assert!(decided > 50_000, "{decided}");
    }

    #[test]
    fn both_readings_of_a_decimal_agree() {
        for text in ["0", "-0.0", "120", "0.0120", "-122.42916360922355", "1e3", "10.50E-7", "1200e99", "7", "0e9"] {
            assert_eq!(Decimal::read(text.as_bytes()), Decimal::read_long(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn spelling_does_not_matter_to_the_key() {
        for (a, b) in [
            ("300", "3.0e2"),
            ("-0", "0.00"),
            ("1000", "1E+3"),
            ("0.001", "1e-3"),
            ("10", "0.1e2"),
            ("1", "1.000000000000000000000000"),
        ] {
            assert_eq!(comparable_key(a.as_bytes()), comparable_key(b.as_bytes()), "{a} {b}");
        }
    }

    #[test]
    fn keys_order_as_numbers_do() {
        let keys: Vec<_> =
            ["-1e9", "-2", "-1.5", "0", "1e-9", "3", "1e300"].iter().map(|t| comparable_key(t.as_bytes())).collect();
        assert!(keys.is_sorted() && keys.iter().all(Option::is_some), "{keys:?}");
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for (text, len) in [
            ("12,", Some(2)),
            ("-0.5e+3}", Some(7)),
            ("01", None),
            ("1.", None),
            ("-", None),
            (".5", None),
            ("1x", None),
        ] {
            assert_eq!(token_len(text.as_bytes()), len, "{text}");
        }
    }
}
