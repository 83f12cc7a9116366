//! Why a pattern matches an event or not.
//!
//! This is a second way to the verdict: it reads the whole event, puts each value to each test itself, and uses none
//! of the index. Tests hold the two against each other.
//!
//! Invariant: an explanation quotes the event, shortened; it is for people and is not to be logged unasked.

use std::collections::HashMap;
use std::fmt;

use crate::branch::{Branch, Field};
use crate::condition::{Found, Tests};
use crate::condition::{Kind, Value};
use crate::error::EventError;
use crate::join::{self, Elements, Places, TooManySteps, WHOLE};
use crate::scan::{Broken, Scan, unescape};

/// Most values of a field that an explanation shows, and most characters of each.
const VALUES_SHOWN: usize = 3;
const CHARACTERS_SHOWN: usize = 60;
/// Tests of a field that are asked one by one before a table is made of them.
const ASKED_MAX: usize = 1 << 14;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explanation {
    /// The pattern matches.
    Match,
    /// A field failed: the first, by name, of the `$or` branch that came nearest.
    Field {
        /// Dotted name of the field.
        path: String,
        /// Its alternatives as the pattern spells them.
        wanted: String,
        /// Some of its values as the event spells them; empty when it is absent.
        got: Vec<String>,
    },
    /// Each field passed, but not within one element of an array.
    Elements {
        /// Dotted names of the fields.
        paths: Vec<String>,
    },
    /// The event could not be read.
    Event(EventError),
}

impl Explanation {
    /// The verdict.
    ///
    /// # Errors
    /// When the event could not be read.
    pub fn matches(&self) -> Result<bool, EventError> {
        match self {
            Self::Match => Ok(true),
            Self::Field { .. } | Self::Elements { .. } => Ok(false),
            Self::Event(error) => Err(*error),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match => f.write_str("match"),
            Self::Field { path, got, .. } if got.is_empty() => write!(f, "no match: {path} is absent"),
            Self::Field { path, wanted, got } => {
                write!(f, "no match: {path} is {}, wanted {wanted}", got.join(", "))
            }
            Self::Elements { paths } => {
                write!(f, "no match: {} match only in different elements of an array", paths.join(" and "))
            }
            Self::Event(error) => write!(f, "no match: {error}"),
        }
    }
}

pub(crate) fn explain(branches: &[Branch], event: &[u8]) -> Explanation {
    let mut collector = Collector::new(branches);
    if let Err(error) = collector.read(event) {
        return Explanation::Event(error);
    }
    let mut nearest: Option<(usize, Explanation)> = None;
    let mut undecided = false;
    for (branch, seen) in branches.iter().zip(&collector.seen) {
        let passed =
            |seen: &Seen| !seen.places.passed.is_empty() || seen.places.present.as_ref().is_some_and(Vec::is_empty);
        let count = seen.iter().filter(|s| passed(s)).count();
        let places: Vec<Places> = seen.iter().map(Seen::distinct).collect();
        match join::consistent(&collector.elements, &places) {
            Ok(true) => return Explanation::Match,
            Ok(false) if nearest.as_ref().is_none_or(|(best, _)| count > *best) => {
                let failed = branch.fields.iter().zip(seen).find(|(_, s)| !passed(s));
                nearest = Some((count, describe(branch, failed.map(|(field, seen)| (&**field, seen)))));
            }
            Ok(false) => {}
            Err(TooManySteps) => undecided = true,
        }
    }
    if undecided {
        return Explanation::Event(EventError::TooComplex);
    }
    nearest.map_or(Explanation::Elements { paths: Vec::new() }, |(_, explanation)| explanation)
}

fn describe(branch: &Branch, failed: Option<(&Field, &Seen)>) -> Explanation {
    match failed {
        Some((field, seen)) => {
            Explanation::Field { path: field.name.clone(), wanted: field.wanted.clone(), got: seen.got.clone() }
        }
        None => Explanation::Elements { paths: branch.fields.iter().map(|field| field.name.clone()).collect() },
    }
}

impl Field {
    /// Whether a value passes one of the field's tests, given as a table.
    fn any_passes(&self, table: &Tests, value: &Value<'_>) -> bool {
        let mut any = false;
        table.find_passed(value, &mut Vec::new(), |found| {
            any |= match found {
                Found::Passed(_) => true,
                Found::Ask(id) => !any && self.tests.get(id as usize).is_some_and(|test| test.holds(value)),
            };
        });
        any
    }
}

/// What was seen of one field of one branch.
#[derive(Debug, Default)]
struct Seen {
    places: Places,
    got: Vec<String>,
    /// How many tests were put to values so far, or looked up.
    asked: usize,
}

impl Seen {
    fn distinct(&self) -> Places {
        let distinct = |places: &Vec<u32>| {
            let mut places = places.clone();
            places.sort_unstable();
            places.dedup();
            places
        };
        Places { passed: distinct(&self.places.passed), present: self.places.present.as_ref().map(distinct) }
    }
}

struct Collector<'p> {
    branches: &'p [Branch],
    /// Branch and field numbers by field name.
    names: HashMap<&'p str, Vec<(usize, usize)>>,
    seen: Vec<Vec<Seen>>,
    elements: Elements,
    /// The tests of fields of which much was asked, to look up; all branches with a field share it.
    tables: HashMap<*const Field, Tests>,
}

#[derive(Clone, Copy)]
struct Frame {
    path_len: usize,
    top: bool,
    element: u32,
    array: Option<u32>,
    owns_element: bool,
    first: bool,
}

impl<'p> Collector<'p> {
    fn new(branches: &'p [Branch]) -> Self {
        let mut names: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        let mut seen = Vec::new();
        for (b, branch) in branches.iter().enumerate() {
            let mut fields = Vec::with_capacity(branch.fields.len());
            for (f, field) in branch.fields.iter().enumerate() {
                names.entry(&field.name).or_default().push((b, f));
                let places = Places { passed: Vec::new(), present: field.absent.then(Vec::new) };
                fields.push(Seen { places, got: Vec::new(), asked: 0 });
            }
            seen.push(fields);
        }
        let mut elements = Elements::default();
        elements.clear();
        Self { branches, names, seen, elements, tables: HashMap::new() }
    }

    fn read(&mut self, event: &[u8]) -> Result<(), EventError> {
        let mut scan = Scan::new(event);
        if scan.token() != Some(b'{') {
            return Err(EventError::NotAnObject);
        }
        let mut superseded = Vec::new();
        crate::superseded::superseded(event, &mut superseded)?;
        let mut path = String::new();
        scan.pos += 1;
        let mut frames =
            vec![Frame { path_len: 0, top: true, element: WHOLE, array: None, owns_element: false, first: true }];
        while let Some(frame) = frames.last_mut() {
            let first = std::mem::replace(&mut frame.first, false);
            let frame = *frame;
            path.truncate(frame.path_len);
            let broken = |scan: &Scan<'_>| EventError::Malformed(scan.pos);
            match scan.token() {
                Some(byte) if byte == if frame.array.is_some() { b']' } else { b'}' } => {
                    scan.pos += 1;
                    if frame.owns_element {
                        self.elements.close(frame.element);
                    }
                    if let Some(array) = frame.array {
                        self.elements.close_array(array);
                    }
                    frames.pop();
                    continue;
                }
                Some(b',') if !first => scan.pos += 1,
                Some(_) if first => {}
                _ => return Err(broken(&scan)),
            }
            scan.token();
            if frame.array.is_none() {
                if scan.peek() != Some(b'"') {
                    return Err(broken(&scan));
                }
                let (raw, _) = scan.string().map_err(|Broken| broken(&scan))?;
                if !frame.top {
                    path.push('.');
                }
                let mut name = Vec::new();
                unescape(raw, &mut name).map_err(|_| broken(&scan))?;
                path.push_str(&String::from_utf8_lossy(&name));
                if scan.token() != Some(b':') {
                    return Err(broken(&scan));
                }
                scan.pos += 1;
                scan.token();
                if superseded.binary_search(&scan.pos).is_ok() {
                    scan.skip_value().map_err(|Broken| broken(&scan))?;
                    continue;
                }
            }
            self.value(&mut scan, &mut frames, &frame, &path).map_err(|Broken| broken(&scan))?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        scan: &mut Scan<'_>,
        frames: &mut Vec<Frame>,
        around: &Frame,
        path: &str,
    ) -> Result<(), Broken> {
        let start = scan.pos;
        let mut buffer = Vec::new();
        let (kind, text) = match scan.peek() {
            Some(byte @ (b'{' | b'[')) => {
                scan.pos += 1;
                let element = match around.array {
                    Some(array) => self.elements.open(around.element, array),
                    None => around.element,
                };
                let array = (byte == b'[').then(|| self.elements.open_array());
                let owns_element = around.array.is_some();
                frames.push(Frame { path_len: path.len(), top: false, element, array, owns_element, first: true });
                return Ok(());
            }
            Some(b'"') => {
                let (raw, _) = scan.string()?;
                unescape(raw, &mut buffer).map_err(|_| Broken)?;
                (Kind::Text, &*buffer)
            }
            Some(b'-' | b'0'..=b'9') => (Kind::Number, scan.number()?),
            _ => (Kind::Literal, scan.literal()?),
        };
        let value = Value::new(kind, text);
        let spelled = scan.bytes.get(start..scan.pos).unwrap_or(&[]);
        for &(b, f) in self.names.get(path).map_or(&[][..], Vec::as_slice) {
            let field = self.branches.get(b).and_then(|branch| branch.fields.get(f)).map(|field| &**field);
            let seen = self.seen.get_mut(b).and_then(|fields| fields.get_mut(f));
            let (Some(field), Some(seen)) = (field, seen) else { continue };
            if seen.got.len() < VALUES_SHOWN {
                seen.got.push(shorten(spelled));
            }
            if let Some(present) = &mut seen.places.present {
                present.push(around.element);
            }
            seen.asked += field.tests.len();
            let passes = if seen.asked <= ASKED_MAX {
                field.tests.iter().any(|test| test.holds(&value))
            } else {
                let table = self.tables.entry(std::ptr::from_ref(field));
                field.any_passes(table.or_insert_with(|| Tests::of(field.tests.iter())), &value)
            };
            if passes {
                seen.places.passed.push(around.element);
            }
        }
        Ok(())
    }
}

fn shorten(spelled: &[u8]) -> String {
    let text = String::from_utf8_lossy(spelled);
    match text.char_indices().nth(CHARACTERS_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text.into_owned(),
    }
}
