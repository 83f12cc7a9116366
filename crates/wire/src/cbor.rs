//! As much CBOR (RFC 8949) as Smithy's RPC v2 speaks, read by a shape and written.
//!
//! Invariant: nesting and the number of values are bounded while reading, what the shape does not have included; a length is never
//! believed before as many bytes are there.

use neargate_base::Timestamp;
use neargate_shape::{Kind, Shape, ShapeError, Value, scalar};

use crate::codec::DecodeError;
use crate::size::VALUES_MAX;

const DEPTH_MAX: usize = 128;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const OTHER: u8 = 7;

/// The head of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Head {
    /// A major type and its number; no number for a length that is not said.
    Item(u8, Option<u64>),
    Bool(bool),
    Null,
    Float(f64),
    /// The end of what has no length.
    Break,
}

/// Reads one item as a shape. Members that the shape does not have are left out, and their paths added to `unknown`.
pub(crate) fn read(shape: &Shape, bytes: &[u8], unknown: &mut Vec<String>) -> Result<Value, DecodeError> {
    let mut reader = Reader { rest: bytes, values: 0, unknown };
    let value = reader.value(shape, &mut String::new(), 0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(malformed("bytes follow the value")) }
}

/// The texts of a map's entries that are texts: what an error says.
pub(crate) fn texts(bytes: &[u8]) -> Result<Vec<(String, String)>, DecodeError> {
    let mut reader = Reader { rest: bytes, values: 0, unknown: &mut Vec::new() };
    let Head::Item(MAP, mut count) = reader.head()? else { return Err(malformed("a map is expected")) };
    let mut found = Vec::new();
    while reader.next_of(&mut count)? {
        let key = reader.text()?;
        if reader.rest.first().is_some_and(|first| first >> 5 == TEXT) {
            found.push((key, reader.text()?));
        } else {
            reader.skip(0)?;
        }
    }
    Ok(found)
}

struct Reader<'a> {
    rest: &'a [u8],
    values: usize,
    unknown: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn take(&mut self, count: u64) -> Result<&[u8], DecodeError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| malformed("the bytes end too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: u64) -> Result<u64, DecodeError> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn head(&mut self) -> Result<Head, DecodeError> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(malformed(&format!("more than {VALUES_MAX} values")));
        }
        let first = self.number(1)?;
        let (major, info) = (u8::try_from(first >> 5).unwrap_or(OTHER), first & 31);
        if major == OTHER {
            return Ok(match info {
                20 | 21 => Head::Bool(info == 21),
                22 | 23 => Head::Null,
                25 => Head::Float(half(self.number(2)?)),
                26 => Head::Float(f64::from(f32::from_bits(u32::try_from(self.number(4)?).unwrap_or(0)))),
                27 => Head::Float(f64::from_bits(self.number(8)?)),
                31 => Head::Break,
                _ => return Err(malformed("a simple value that means nothing")),
            });
        }
        let number = match info {
            0..24 => Some(info),
            24..28 => Some(self.number(1 << (info - 24))?),
            31 if matches!(major, BYTES..=MAP) => None,
            _ => return Err(malformed("a head that means nothing")),
        };
        Ok(Head::Item(major, number))
    }

    /// Whether another item follows, of so many, or before a break.
    fn next_of(&mut self, count: &mut Option<u64>) -> Result<bool, DecodeError> {
        match count {
            Some(0) => Ok(false),
            Some(count) => {
                *count -= 1;
                Ok(true)
            }
            None if self.rest.first() == Some(&0xff) => {
                self.take(1)?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// The bytes of a string whose head was read, in one piece or in chunks.
    fn string(&mut self, major: u8, length: Option<u64>) -> Result<Vec<u8>, DecodeError> {
        if let Some(length) = length {
            return Ok(self.take(length)?.to_vec());
        }
        let mut all = Vec::new();
        loop {
            match self.head()? {
                Head::Break => return Ok(all),
                Head::Item(of, Some(length)) if of == major => all.extend_from_slice(self.take(length)?),
                _ => return Err(malformed("a chunk of another kind")),
            }
        }
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        match self.head()? {
            Head::Item(TEXT, length) => utf8(self.string(TEXT, length)?),
            _ => Err(malformed("a name that is no text")),
        }
    }

    fn value(&mut self, shape: &Shape, path: &mut String, depth: usize) -> Result<Value, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(malformed(&format!("nested more than {DEPTH_MAX} deep")));
        }
        let head = self.head()?;
        match (shape.kind, head) {
            (_, Head::Null) => Ok(Value::Null),
            (Kind::Boolean, Head::Bool(truth)) => Ok(Value::Bool(truth)),
            (Kind::Integer | Kind::Long, Head::Item(UNSIGNED | NEGATIVE, Some(_))) => match integer(head) {
                Some(number) => Ok(Value::Long(number)),
                None => Err(misfit(path, "the number does not fit 64 bits")),
            },
            (Kind::Double, head) => match float(head) {
                Some(number) => Ok(Value::Double(number)),
                None => Err(misfit(path, "expected a number")),
            },
            (Kind::String, Head::Item(TEXT, length)) => Ok(Value::String(utf8(self.string(TEXT, length)?)?)),
            (Kind::Blob, Head::Item(BYTES, length)) => Ok(Value::Blob(self.string(BYTES, length)?)),
            (Kind::Timestamp(_), Head::Item(TAG, Some(1))) => match float(self.head()?) {
                Some(seconds) => Ok(Value::Timestamp(scalar::timestamp_from_seconds(seconds))),
                None => Err(misfit(path, "expected seconds since the epoch")),
            },
            (Kind::List { member, .. }, Head::Item(ARRAY, mut count)) => {
                let mut items = Vec::new();
                while self.next_of(&mut count)? {
                    let length = step(path, &format!("[{}]", items.len()));
                    items.push(self.value(member.get(), path, depth + 1)?);
                    path.truncate(length);
                }
                Ok(Value::List(items))
            }
            (Kind::Map { value, .. }, Head::Item(MAP, mut count)) => {
                let mut entries = Vec::new();
                while self.next_of(&mut count)? {
                    let key = self.text()?;
                    let length = step(path, &key);
                    entries.push((key, self.value(value.get(), path, depth + 1)?));
                    path.truncate(length);
                }
                Ok(Value::Map(entries))
            }
            (Kind::Structure { .. }, Head::Item(MAP, count)) => self.structure(shape, count, path, depth),
            (kind, _) => Err(misfit(path, &format!("expected a value of kind {}", name(kind)))),
        }
    }

    fn structure(
        &mut self,
        shape: &Shape,
        mut count: Option<u64>,
        path: &mut String,
        depth: usize,
    ) -> Result<Value, DecodeError> {
        let mut members = Vec::new();
        while self.next_of(&mut count)? {
            let key = self.text()?;
            let length = step(path, &key);
            match shape.members().iter().find(|member| member.message_name() == key) {
                Some(member) => match self.value(member.shape.get(), path, depth + 1)? {
                    Value::Null => {}
                    value => members.push((member.name, value)),
                },
                None => {
                    self.unknown.push(path.clone());
                    self.skip(depth + 1)?;
                }
            }
            path.truncate(length);
        }
        Ok(Value::Structure(members))
    }

    /// Reads over one item.
    fn skip(&mut self, depth: usize) -> Result<(), DecodeError> {
        if depth > DEPTH_MAX {
            return Err(malformed(&format!("nested more than {DEPTH_MAX} deep")));
        }
        match self.head()? {
            Head::Item(major @ (BYTES | TEXT), length) => drop(self.string(major, length)?),
            Head::Item(ARRAY, mut count) => {
                while self.next_of(&mut count)? {
                    self.skip(depth + 1)?;
                }
            }
            Head::Item(MAP, mut count) => {
                while self.next_of(&mut count)? {
                    self.skip(depth + 1)?;
                    self.skip(depth + 1)?;
                }
            }
            Head::Item(TAG, _) => self.skip(depth + 1)?,
            Head::Break => return Err(malformed("a break where nothing is open")),
            Head::Item(..) | Head::Bool(_) | Head::Null | Head::Float(_) => {}
        }
        Ok(())
    }
}

fn step(path: &mut String, name: &str) -> usize {
    let length = path.len();
    if length > 0 && !name.starts_with('[') {
        path.push('.');
    }
    path.push_str(name);
    length
}

fn integer(head: Head) -> Option<i64> {
    match head {
        Head::Item(UNSIGNED, Some(number)) => i64::try_from(number).ok(),
        Head::Item(NEGATIVE, Some(number)) => i64::try_from(number).ok().map(|number| -1 - number),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number that is read as a float has a float's precision")]
fn float(head: Head) -> Option<f64> {
    match head {
        Head::Float(number) => Some(number),
        head => integer(head).map(|number| number as f64),
    }
}

/// A float of 16 bits.
fn half(bits: u64) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, bits & 1023);
    let fraction = f64::from(u32::try_from(fraction).unwrap_or(0));
    let exponent = i32::try_from(exponent).unwrap_or(0);
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Integer | Kind::Long => "integer",
        Kind::Double => "double",
        Kind::String => "string",
        Kind::Blob => "blob",
        Kind::Timestamp(_) => "timestamp",
        Kind::List { .. } => "list",
        Kind::Map { .. } => "map",
        Kind::Structure { .. } => "structure",
        _ => "document",
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, DecodeError> {
    String::from_utf8(bytes).map_err(|_| malformed("a text that is no UTF-8"))
}

fn malformed(what: &str) -> DecodeError {
    DecodeError::Malformed(format!("Unable to parse the request body as CBOR: {what}"))
}

fn misfit(path: &str, what: &str) -> DecodeError {
    let error = ShapeError::kind(what);
    DecodeError::Shape(if path.is_empty() { error } else { error.under(path) })
}

/// Writes a value as a shape.
pub(crate) fn write(shape: &Shape, value: &Value, into: &mut Vec<u8>) {
    match (shape.kind, value) {
        (Kind::Structure { members }, Value::Structure(_)) => {
            let present = members.iter().filter_map(|member| Some((member, value.get(member.name)?)));
            let present: Vec<_> = present.collect();
            head(MAP, present.len() as u64, into);
            for (member, value) in present {
                text(member.message_name(), into);
                write(member.shape.get(), value, into);
            }
        }
        (Kind::Map { value: shape, .. }, Value::Map(entries)) => {
            head(MAP, entries.len() as u64, into);
            for (key, value) in entries {
                text(key, into);
                write(shape.get(), value, into);
            }
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            head(ARRAY, items.len() as u64, into);
            items.iter().for_each(|item| write(member.get(), item, into));
        }
        (_, Value::Bool(truth)) => into.push(if *truth { 0xf5 } else { 0xf4 }),
        (_, Value::Long(number)) => long(*number, into),
        (_, Value::Double(number)) => double(*number, into),
        (_, Value::String(string)) => text(string, into),
        (_, Value::Blob(bytes)) => {
            head(BYTES, bytes.len() as u64, into);
            into.extend_from_slice(bytes);
        }
        (_, Value::Timestamp(time)) => write_time(*time, into),
        // What has no form here, and null.
        _ => into.push(0xf6),
    }
}

/// The body of an error.
pub(crate) fn error(code: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    head(MAP, 2, &mut body);
    for part in ["__type", code, "message", message] {
        text(part, &mut body);
    }
    body
}

fn head(major: u8, number: u64, into: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let (info, used) = match number {
        0..24 => (u8::try_from(number).unwrap_or(0), 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    into.push(major << 5 | info);
    into.extend_from_slice(bytes.get(8 - used..).unwrap_or_default());
}

fn text(text: &str, into: &mut Vec<u8>) {
    head(TEXT, text.len() as u64, into);
    into.extend_from_slice(text.as_bytes());
}

fn long(number: i64, into: &mut Vec<u8>) {
    match u64::try_from(number) {
        Ok(number) => head(UNSIGNED, number, into),
        Err(_) => head(NEGATIVE, (-1 - number).unsigned_abs(), into),
    }
}

/// In 32 bits where nothing is lost, which readers of single floats need.
#[allow(clippy::cast_possible_truncation, reason = "only taken where nothing is lost")]
fn double(number: f64, into: &mut Vec<u8>) {
    let single = number as f32;
    if f64::from(single) == number || number.is_nan() {
        into.push(0xfa);
        into.extend_from_slice(&single.to_be_bytes());
    } else {
        into.push(0xfb);
        into.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_time(time: Timestamp, into: &mut Vec<u8>) {
    head(TAG, 1, into);
    if time.millis() % 1000 == 0 { long(time.millis() / 1000, into) } else { double(time.seconds_f64(), into) }
}

#[cfg(test)]
mod tests {
    use neargate_shape::{Shape, Value, Wire as _, shape};

    use super::{read, texts, write};

    shape! {
        /// All kinds.
        pub struct All as "All" {
            b: Option<bool> = "b",
            i: Option<i64> = "i",
            d: Option<f64> = "d",
            s: Option<String> = "s",
            x: Option<neargate_shape::Blob> = "x",
            t: Option<neargate_base::Timestamp> = "t",
            l: Option<Vec<i64>> = "l",
            m: Option<std::collections::BTreeMap<String, String>> = "m",
            n: Option<Box<All>> = "n",
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|letter| letter.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    fn shown(hex: &str) -> String {
        let mut unknown = Vec::new();
        match read(All::shape(), &bytes(hex), &mut unknown) {
            Ok(value) if unknown.is_empty() => neargate_shape::to_json(&value).to_string(),
            Ok(value) => format!("{} without {unknown:?}", neargate_shape::to_json(&value)),
            Err(error) => error.to_string(),
        }
    }

    /// RFC 8949, appendix A, as members.
    #[test]
    fn every_width_and_form_is_read() {
        for (hex, expected) in [
            ("a0", "{}"),
            ("bfff", "{}"),
            ("a16162f5", r#"{"b":true}"#),
            ("a1616217", "`b`: expected a value of kind boolean"),
            ("a1616917", r#"{"i":23}"#),
            ("a161691818", r#"{"i":24}"#),
            ("a16169190400", r#"{"i":1024}"#),
            ("a161691b7fffffffffffffff", r#"{"i":9223372036854775807}"#),
            ("a161691b8000000000000000", "`i`: the number does not fit 64 bits"),
            ("a161693b7fffffffffffffff", r#"{"i":-9223372036854775808}"#),
            ("a161693b8000000000000000", "`i`: the number does not fit 64 bits"),
            ("a16164f93c00", r#"{"d":1.0}"#),
            ("a16164f97bff", r#"{"d":65504.0}"#),
            ("a16164f90001", r#"{"d":5.960464477539063e-8}"#),
            ("a16164f9c400", r#"{"d":-4.0}"#),
            ("a16164f97c00", r#"{"d":"Infinity"}"#),
            ("a16164fa47c35000", r#"{"d":100000.0}"#),
            ("a16164fb3ff199999999999a", r#"{"d":1.1}"#),
            ("a1616405", r#"{"d":5.0}"#),
            ("a1617363c3bc61", r#"{"s":"üa"}"#),
            ("a161737f61616162ff", r#"{"s":"ab"}"#),
            ("a161785f4101420203ff", r#"{"x":"AQID"}"#),
            ("a16174c11a514b67b0", r#"{"t":1363896240}"#),
            ("a16174c1fb41d452d9ec200000", r#"{"t":1363896240.5}"#),
            ("a1616c9f010203ff", r#"{"l":[1,2,3]}"#),
            ("a1616ca161616162", "`l`: expected a value of kind list"),
            ("a1616c82016161", "`l[1]`: expected a value of kind integer"),
            ("a1616dbf61616162ff", r#"{"m":{"a":"b"}}"#),
            ("a1616ea16173f6", r#"{"n":{}}"#),
            ("a26179a161618101616905", r#"{"i":5} without ["y"]"#),
            ("a1616ea1617a00", r#"{"n":{}} without ["n.z"]"#),
        ] {
            assert_eq!(shown(hex), expected, "{hex}");
        }
    }

    #[test]
    fn what_is_cut_off_or_means_nothing_is_refused() {
        for hex in [
            "",
            "a1",
            "a16162",
            "ff",
            "a161",
            "a1616b",
            "a1f500",
            "1c",
            "a0a0",
            "a16173ff",
            "a161737fff01",
            "a1617362",
            "f8",
            "a1617361ff",
            "a161735f4161ff",
            "a16174c2f5",
            "bf6162",
            "a1617a9f",
            "a1617aff",
            "9bffffffffffffffff",
            "a1617a5bffffffffffffffff00",
        ] {
            assert!(read(All::shape(), &bytes(hex), &mut Vec::new()).is_err(), "{hex}");
        }
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth: usize| [bytes("a1616e").repeat(depth), bytes("a0")].concat();
        assert!(read(All::shape(), &nested(100), &mut Vec::new()).is_ok());
        assert!(read(All::shape(), &nested(1_000_000), &mut Vec::new()).is_err());
        let unknown = [bytes("a1617a"), bytes("81").repeat(1_000_000)].concat();
        assert!(read(All::shape(), &unknown, &mut Vec::new()).is_err());
        let tagged = [bytes("a1617a"), bytes("c1").repeat(1_000_000)].concat();
        assert!(read(All::shape(), &tagged, &mut Vec::new()).is_err());
        let list = |items: usize| [bytes("a1616c9f"), bytes("01").repeat(items), bytes("ff")].concat();
        assert!(read(All::shape(), &list(90_000), &mut Vec::new()).is_ok());
        assert!(read(All::shape(), &list(110_000), &mut Vec::new()).is_err());
    }

    #[test]
    fn errors_are_read_as_texts() {
        let parts = [text("__type"), text("a#B"), text("n"), bytes("8101"), text("message"), text("m")];
        let error = [bytes("a3"), parts.concat()].concat();
        let expected = [("__type", "a#B"), ("message", "m")].map(|(key, text)| (key.to_owned(), text.to_owned()));
        assert_eq!(texts(&error).unwrap(), expected);
    }

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        super::text(text, &mut bytes);
        bytes
    }

    #[test]
    fn floats_are_as_short_as_they_can_be_without_loss() {
        let double: &Shape = f64::shape();
        for number in [0.0, -0.0, 1.5, 0.1, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            let mut bytes = Vec::new();
            write(double, &Value::Double(number), &mut bytes);
            let short = number == 0.0 || number == 1.5 || number.is_infinite();
            assert_eq!(bytes.len(), if short { 5 } else { 9 }, "{number}");
            assert_eq!(read(double, &bytes, &mut Vec::new()), Ok(Value::Double(number)));
        }
    }
}
