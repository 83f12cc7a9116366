//! JSON from strangers: counted before it is kept.
//!
//! A few bytes of text can become a hundred times as much in memory, so a text is first read through without keeping anything.
//!
//! Invariant: what is parsed has at most [`VALUES_MAX`] values and keys.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Manifests, configurations and indexes larger than this are refused.
pub(crate) const JSON_BYTES_MAX: u64 = 8 << 20;
/// As are those with more values and keys. An image of 500 layers with a history has 10,000.
pub(crate) const VALUES_MAX: u64 = 50_000;

/// The value of a text.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    count(bytes)?;
    serde_json::from_slice(bytes)
}

/// How many values and keys a text has.
pub(crate) fn count(bytes: &[u8]) -> serde_json::Result<u64> {
    let mut count = 0;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Counter(&mut count).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(count)
}

struct Counter<'a>(&'a mut u64);

impl Counter<'_> {
    fn one<E: de::Error>(self) -> Result<(), E> {
        *self.0 += 1;
        if *self.0 > VALUES_MAX { Err(E::custom(format!("more than {VALUES_MAX} values and keys"))) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Counter<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.one()
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.one()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.one()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.one()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.one()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.one()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Counter(&mut *self.0))?.is_some() {}
        self.one()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_key_seed(Counter(&mut *self.0))?.is_some() {
            entries.next_value_seed(Counter(&mut *self.0))?;
        }
        self.one()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_keys_are_counted_and_bounded() {
        for (text, expected) in [("1", 1), ("[]", 1), ("[1,\"a\",null]", 4), (r#"{"a":{"b":true},"c":1.5,"d":-1}"#, 9)]
        {
            assert_eq!(count(text.as_bytes()).unwrap(), expected, "{text}");
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
        let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert!(parse(zeros(49_999).as_bytes()).is_ok());
        let problem = parse(zeros(50_000).as_bytes()).unwrap_err().to_string();
        assert!(problem.contains("more than 50000 values and keys"), "{problem}");
        for wrong in ["", "[1", "[1] 2", "{\"a\"}"] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
