//! What an unquoted YAML scalar means to CloudFormation: YAML 1.1's booleans, decimal numbers, else text.
//!
//! Invariant: dates (`2012-10-17`), versions (`1.4.0`) and digits that begin with a zero (account ids) stay text.

use serde_json::{Number, Value as Json};

/// The value of a plain scalar.
pub(crate) fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Json::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Json::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Json::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number)
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_digits(digits);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let unsigned_plus = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return unsigned_plus
            .parse::<i64>()
            .map(Number::from)
            .ok()
            .or_else(|| unsigned_plus.parse::<u64>().map(Number::from).ok());
    }
    let (fraction, exponent) = split_digits(rest.strip_prefix('.')?);
    if fraction.is_empty() {
        return None;
    }
    if !exponent.is_empty() {
        let exponent = exponent.strip_prefix(['e', 'E'])?;
        let (digits, rest) = split_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
        if digits.is_empty() || !rest.is_empty() {
            return None;
        }
    }
    unsigned_plus.parse::<f64>().ok().and_then(Number::from_f64)
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}
