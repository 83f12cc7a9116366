//! What AWS refuses before a service sees a request, in AWS's words.
//!
//! Invariant: pure; the same value always gives the same findings in the same order.

use crate::descriptor::{Constraints, Kind, Shape};
use crate::operation::Protocol;
use crate::pattern;
use crate::value::Value;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, as AWS writes it: `containerOverrides.1.member.name`.
    pub path: String,
    /// The value as AWS writes it.
    pub value: Shown,
    /// What it breaks.
    pub rule: Rule,
}

/// A value in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// There is none.
    Absent,
    /// There is one, which is nobody's business.
    Hidden,
    /// The value.
    Text(String),
}

/// What a value can break.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A required member is absent.
    NotNull,
    /// The values of an enum.
    OneOf(&'static [&'static str]),
    /// The least length of text, bytes or lists.
    LengthMin(i64),
    /// The greatest length of text, bytes or lists.
    LengthMax(i64),
    /// The least number.
    Min(i64),
    /// The greatest number.
    Max(i64),
    /// A regular expression that the whole text must match.
    Pattern(&'static str),
    /// What the items of a list, or the values of a map, must satisfy.
    Items(Vec<Rule>),
}

impl Rule {
    /// AWS's words.
    pub fn text(&self) -> String {
        match self {
            Self::NotNull => "Member must not be null".to_owned(),
            Self::OneOf(values) => format!("Member must satisfy enum value set: [{}]", values.join(", ")),
            Self::LengthMin(min) => format!("Member must have length greater than or equal to {min}"),
            Self::LengthMax(max) => format!("Member must have length less than or equal to {max}"),
            Self::Min(min) => format!("Member must have value greater than or equal to {min}"),
            Self::Max(max) => format!("Member must have value less than or equal to {max}"),
            Self::Pattern(pattern) => format!("Member must satisfy regular expression pattern: {pattern}"),
            Self::Items(rules) => {
                let rules: Vec<_> = rules.iter().map(Self::text).collect();
                format!("Member must satisfy constraint: [{}]", rules.join(", "))
            }
        }
    }
}

/// Everything that is wrong with a value, in the order of the shape's members.
///
/// A pattern that is not supported holds always; the tests prove that there is none among the shapes that exist here.
pub fn validate(shape: &Shape, value: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    visit(shape, value, "", &mut found);
    found
}

/// `2 validation errors detected: Value 'x' at 'y' failed to satisfy constraint: ..; Value null at ..`.
pub fn describe(violations: &[Violation]) -> String {
    let one = |violation: &Violation| {
        let value = match &violation.value {
            Shown::Absent => " null".to_owned(),
            Shown::Hidden => String::new(),
            Shown::Text(value) => format!(" '{value}'"),
        };
        format!("Value{value} at '{}' failed to satisfy constraint: {}", violation.path, violation.rule.text())
    };
    let all: Vec<_> = violations.iter().map(one).collect();
    let errors = if violations.len() == 1 { "error" } else { "errors" };
    format!("{} validation {errors} detected: {}", violations.len(), all.join("; "))
}

/// The error code and message with which a protocol's services usually refuse; `None` where nothing is wrong.
///
/// Services that use another code (`InvalidParameterException` of CloudWatch Logs) replace it.
pub fn refusal(protocol: Protocol, violations: &[Violation]) -> Option<(&'static str, String)> {
    let first = violations.first()?;
    Some(match (protocol, &first.rule) {
        (Protocol::Ec2, Rule::NotNull) => {
            ("MissingParameter", format!("The request must contain the parameter {}", capitalised(&first.path)))
        }
        (Protocol::Ec2, _) => {
            let value = if let Shown::Text(value) = &first.value { value } else { "" };
            ("InvalidParameterValue", format!("Value ({value}) for parameter {} is invalid.", capitalised(&first.path)))
        }
        (Protocol::Query, _) => ("ValidationError", describe(violations)),
        _ => ("ValidationException", describe(violations)),
    })
}

/// The longest pattern of a user's, in bytes: it is nested no deeper.
const USERS_PATTERN_MAX: usize = 256;

/// Whether a user's pattern is found anywhere in a text; `None` where it is too long or uses what is not supported.
pub fn finds_pattern(pattern: &str, text: &str) -> Option<bool> {
    if pattern.len() > USERS_PATTERN_MAX {
        return None;
    }
    pattern::Pattern::new(&format!("[\\s\\S]*(?:{pattern})[\\s\\S]*")).map(|pattern| pattern.matches(text))
}

/// Whether a pattern can be checked.
pub fn supports_pattern(pattern: &'static str) -> bool {
    pattern::matches(pattern, "").is_some()
}

fn visit(shape: &Shape, value: &Value, path: &str, found: &mut Vec<Violation>) {
    own(shape, value, path, found);
    match (shape.kind, value) {
        (Kind::Structure { members }, Value::Structure(_)) => {
            for member in members {
                let path = join(path, &decapitalised(member.name));
                match value.get(member.name) {
                    Some(value) => visit(member.shape.get(), value, &path, found),
                    None if member.required => {
                        found.push(Violation { path, value: Shown::Absent, rule: Rule::NotNull })
                    }
                    None => {}
                }
            }
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}.{}.member", index + 1);
                parts(member.get(), item, &path, found);
            }
        }
        (Kind::Map { value, .. }, Value::Map(entries)) => {
            for (key, item) in entries {
                let path = format!("{path}.{key}.member");
                parts(value.get(), item, &path, found);
            }
        }
        _ => {}
    }
}

/// Descends into an item, whose own rules its list has already looked at.
fn parts(shape: &Shape, item: &Value, path: &str, found: &mut Vec<Violation>) {
    if matches!(item, Value::Structure(_) | Value::List(_) | Value::Map(_)) {
        visit(shape, item, path, found);
    }
}

fn own(shape: &Shape, value: &Value, path: &str, found: &mut Vec<Violation>) {
    let mut push = |rule| {
        let value = if is_secret(shape, value) { Shown::Hidden } else { Shown::Text(shown(value)) };
        found.push(Violation { path: path.to_owned(), value, rule });
    };
    broken(shape, value).into_iter().for_each(&mut push);
    let items: Vec<(&Shape, &Value)> = match (shape.kind, value) {
        (Kind::List { member, .. }, Value::List(items)) => items.iter().map(|item| (member.get(), item)).collect(),
        (Kind::Map { value, .. }, Value::Map(entries)) => entries.iter().map(|(_, item)| (value.get(), item)).collect(),
        _ => return,
    };
    let scalar = |item: &Value| !matches!(item, Value::Structure(_) | Value::List(_) | Value::Map(_));
    if items.iter().any(|(shape, item)| scalar(item) && !broken(shape, item).is_empty()) {
        push(Rule::Items(items.first().map(|(shape, item)| all(shape, item)).unwrap_or_default()));
    }
}

/// The rules of a shape that a value breaks.
fn broken(shape: &Shape, value: &Value) -> Vec<Rule> {
    all(shape, value).into_iter().filter(|rule| !holds(rule, value)).collect()
}

/// The rules of a shape for a kind of value.
fn all(shape: &Shape, value: &Value) -> Vec<Rule> {
    let Constraints { one_of, min, max, pattern, .. } = shape.constraints;
    let number = matches!(value, Value::Long(_) | Value::Double(_));
    let max = max.map(|max| if number { Rule::Max(max) } else { Rule::LengthMax(max) });
    let min = min.map(|min| if number { Rule::Min(min) } else { Rule::LengthMin(min) });
    let one_of = (!one_of.is_empty()).then_some(Rule::OneOf(one_of));
    let pattern = (!pattern.is_empty()).then_some(Rule::Pattern(pattern));
    max.into_iter().chain(min).chain(one_of).chain(pattern).collect()
}

#[allow(clippy::cast_precision_loss, reason = "bounds of models are far below 2^53")]
fn holds(rule: &Rule, value: &Value) -> bool {
    let length = || match value {
        Value::String(text) => i64::try_from(text.chars().count()).unwrap_or(i64::MAX),
        Value::Blob(bytes) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        Value::Stored(stored) => i64::try_from(stored.length()).unwrap_or(i64::MAX),
        Value::List(items) => i64::try_from(items.len()).unwrap_or(i64::MAX),
        Value::Map(entries) => i64::try_from(entries.len()).unwrap_or(i64::MAX),
        _ => 0,
    };
    match (rule, value) {
        (Rule::OneOf(values), Value::String(text)) => values.contains(&text.as_str()),
        (Rule::Pattern(pattern), Value::String(text)) => pattern::matches(pattern, text).unwrap_or(true),
        (Rule::LengthMin(min), _) => length() >= *min,
        (Rule::LengthMax(max), _) => length() <= *max,
        (Rule::Min(min), Value::Long(number)) => number >= min,
        (Rule::Max(max), Value::Long(number)) => number <= max,
        (Rule::Min(min), Value::Double(number)) => *number >= *min as f64,
        (Rule::Max(max), Value::Double(number)) => *number <= *max as f64,
        _ => true,
    }
}

/// Whether something in a value must not be shown.
fn is_secret(shape: &Shape, value: &Value) -> bool {
    shape.constraints.sensitive
        || match (shape.kind, value) {
            (Kind::List { member, .. }, Value::List(items)) => items.iter().any(|item| is_secret(member.get(), item)),
            (Kind::Map { value, .. }, Value::Map(entries)) => {
                entries.iter().any(|(_, item)| is_secret(value.get(), item))
            }
            (Kind::Structure { members }, Value::Structure(_)) => members
                .iter()
                .any(|member| value.get(member.name).is_some_and(|value| is_secret(member.shape.get(), value))),
            _ => false,
        }
}

/// A value as AWS's messages show it.
fn shown(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Blob(_) | Value::Stored(_) => "java.nio.HeapByteBuffer".to_owned(),
        Value::Timestamp(time) => time.to_string(),
        Value::List(items) => format!("[{}]", list(items.iter().map(shown).collect())),
        Value::Map(entries) => {
            format!("{{{}}}", list(entries.iter().map(|(k, v)| format!("{k}={}", shown(v))).collect()))
        }
        Value::Structure(members) => {
            format!("{{{}}}", list(members.iter().map(|(k, v)| format!("{k}={}", shown(v))).collect()))
        }
        Value::Document(json) => json.to_string(),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn capitalised(path: &str) -> String {
    let mut letters = path.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn decapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
