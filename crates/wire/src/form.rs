//! `application/x-www-form-urlencoded` and percent-encoding.
//!
//! Invariant: decoding never fails; what is malformed stands for itself.

use std::fmt::Write as _;

/// The pairs of a form or a query string, decoded; what is no UTF-8 is replaced.
pub fn parse_form(text: &[u8]) -> Vec<(String, String)> {
    pairs(text).collect()
}

/// The first value of that name in a form or a query string.
pub fn form_value(text: &[u8], name: &str) -> Option<String> {
    pairs(text).find(|(key, _)| key == name).map(|(_, value)| value)
}

fn pairs(text: &[u8]) -> impl Iterator<Item = (String, String)> {
    let decode = |part: &[u8]| {
        let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        String::from_utf8_lossy(&decode_bytes(&spaced)).into_owned()
    };
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(move |pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        (decode(parts.next().unwrap_or_default()), decode(parts.next().unwrap_or_default()))
    })
}

/// Replaces `%XX` by the byte it stands for; a percent sign without two digits stands for itself. A plus sign stays.
pub fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&decode_bytes(text.as_bytes())).into_owned()
}

/// Encodes everything but unreserved characters (RFC 3986) and those in `keep`.
pub fn percent_encode(text: &str, keep: &str) -> String {
    encode_bytes(text.as_bytes(), keep)
}

fn encode_bytes(text: &[u8], keep: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Text that is encoded in some way in the one way that is canonical, byte by byte.
pub(crate) fn percent_recode(text: &str, keep: &str) -> String {
    encode_bytes(&decode_bytes(text.as_bytes()), keep)
}

fn decode_bytes(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(*byte),
        }
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{parse_form, percent_decode, percent_encode};

    #[test]
    fn forms_are_decoded_pair_by_pair() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            parse_form(b"Action=A&B=a+b%2Bc&C&&D=%"),
            [pair("Action", "A"), pair("B", "a b+c"), pair("C", ""), pair("D", "%")]
        );
    }

    #[test]
    fn percent_encoding_and_decoding_are_inverse() {
        for text in ["", "a b/c", "100%", "ü€😀", "-._~", "a+b"] {
            assert_eq!(percent_decode(&percent_encode(text, "/")), text);
        }
        assert_eq!(percent_encode("a b/ü", "/"), "a%20b/%C3%BC");
    }
}
