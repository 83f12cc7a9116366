//! How much a request's body would become.
//!
//! A value in memory takes many times the bytes that spell it: `[1,1,1…]` as JSON, `a.a.a.a=&…` as a form, `<a/><a/>…` as XML.
//!
//! Invariant: one pass, no memory; never less is counted than the codecs make of the body.

use crate::codec::DecodeError;

/// More than any operation takes: ten thousand log events with three members each are a third of it.
pub(crate) const VALUES_MAX: usize = 100_000;

/// Refuses a body in JSON that has too many members and elements. Text inside strings does not count.
pub(crate) fn check_json(body: &[u8]) -> Result<(), DecodeError> {
    check(json(body))
}

/// Refuses a form that has too many fields, or whose fields' names have too many parts.
pub(crate) fn check_form(body: &[u8]) -> Result<(), DecodeError> {
    check(form(body))
}

/// Refuses XML that has too many elements and attributes.
pub(crate) fn check_xml(body: &[u8]) -> Result<(), DecodeError> {
    // A closing tag makes nothing.
    let opening = body.iter().zip(body.iter().skip(1)).filter(|pair| *pair.0 == b'<' && *pair.1 != b'/');
    check(opening.count() + body.iter().filter(|byte| **byte == b'=').count() / 8)
}

fn check(count: usize) -> Result<(), DecodeError> {
    if count <= VALUES_MAX {
        return Ok(());
    }
    Err(DecodeError::Malformed(format!("the request's body has {count} values, at most {VALUES_MAX} are read")))
}

fn json(body: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            // An opening bracket may have one element, a comma has one more.
            b'{' | b'[' | b',' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

fn form(body: &[u8]) -> usize {
    let (mut count, mut in_name) = (1, true);
    for byte in body {
        match byte {
            b'&' => (count, in_name) = (count + 1, true),
            b'=' => in_name = false,
            b'.' if in_name => count += 1,
            _ => {}
        }
    }
    // A dot may be spelt `%2E`.
    count + body.windows(3).filter(|three| three.eq_ignore_ascii_case(b"%2e")).count()
}

#[cfg(test)]
mod tests {
    use super::{VALUES_MAX, check_form, check_json, form, json};

    #[test]
    fn what_becomes_a_value_counts_and_what_is_text_does_not() {
        let cases: &[(&str, usize)] = &[
            ("", 1),
            ("{}", 2),
            (r#"{"a":1}"#, 2),
            (r#"{"a":[1,2,{"b":3}]}"#, 6),
            (r#" [ "a,b{c[", "\\",  "\"," ] "#, 4),
        ];
        for (body, expected) in cases {
            assert_eq!(json(body.as_bytes()), *expected, "{body}");
        }
        let cases: &[(&str, usize)] =
            &[("Action=A", 1), ("Action=A&Version=1.2.3", 2), ("a.member.1=x&a.member.2=y", 6), ("a%2eb%2Ec=1", 3)];
        for (body, expected) in cases {
            assert_eq!(form(body.as_bytes()), *expected, "{body}");
        }
    }

    #[test]
    fn the_largest_is_read_and_one_more_is_not() {
        let list = |items: usize| format!("[{}1]", "1,".repeat(items));
        assert!(check_json(list(VALUES_MAX - 2).as_bytes()).is_ok());
        assert!(check_json(list(VALUES_MAX - 1).as_bytes()).is_err());
        assert!(check_form("a&".repeat(VALUES_MAX - 1).as_bytes()).is_ok());
        assert!(check_form("a&".repeat(VALUES_MAX).as_bytes()).is_err());
    }
}
