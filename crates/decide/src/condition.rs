//! Condition operators.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and, for
//! keys with several values, `reference_policies_condition-single-vs-multi-valued-context-keys.html` there.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use neargate_base::Timestamp;

use super::context::{Context, Lookup};
use super::pattern::{Case, arn_like, equal, like};
use super::truth::Truth;

/// One operator with one key: `"ForAnyValue:StringLikeIfExists": {"key": [values]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// As it was written, with its prefix and suffix.
    name: String,
    test: Test,
    /// Whether it is the operator's `Not…` form.
    negated: bool,
    quantifier: Option<Quantifier>,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// How one value is compared with one value of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Text(Case),
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    ForAllValues,
    ForAnyValue,
}

const OPERATORS: &[(&str, Test, bool)] = &[
    ("StringEquals", Test::Text(Case::Matters), false),
    ("StringNotEquals", Test::Text(Case::Matters), true),
    ("StringEqualsIgnoreCase", Test::Text(Case::Ignored), false),
    ("StringNotEqualsIgnoreCase", Test::Text(Case::Ignored), true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    ("NumericEquals", Test::Number(Order::Equal), false),
    ("NumericNotEquals", Test::Number(Order::Equal), true),
    ("NumericLessThan", Test::Number(Order::Less), false),
    ("NumericLessThanEquals", Test::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Test::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Order::Equal), false),
    ("DateNotEquals", Test::Date(Order::Equal), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::Address, false),
    ("NotIpAddress", Test::Address, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Condition {
    /// The condition; `None` where there is no such operator.
    pub(super) fn read(name: &str, key: &str, values: Vec<String>) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Quantifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (operator, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |operator| (operator, true));
        let (_, test, negated) = *OPERATORS.iter().find(|(known, _, _)| *known == operator)?;
        if test == Test::Null && (if_exists || quantifier.is_some()) {
            return None;
        }
        Some(Self { name: name.to_owned(), test, negated, quantifier, if_exists, key: key.to_owned(), values })
    }

    /// Whether the request satisfies it.
    pub(super) fn holds(&self, context: &Context, has_variables: bool) -> Truth {
        let got = match context.lookup(&self.key) {
            Lookup::Unknown => return Truth::unknown(&self.key),
            Lookup::Values(values) => Some(values),
            Lookup::Absent => None,
        };
        if self.test == Test::Null {
            let is_absent = if got.is_some() { "false" } else { "true" };
            return self.values.iter().any(|wanted| wanted.eq_ignore_ascii_case(is_absent)).into();
        }
        let variables = has_variables.then_some(context);
        let fits = |value: &String| {
            Truth::any(self.values.iter().map(|wanted| self.test.passes(wanted, value, variables))).not_if(self.negated)
        };
        match (self.quantifier, got) {
            (Some(Quantifier::ForAllValues), got) => Truth::all(got.unwrap_or_default().iter().map(fits)),
            (Some(Quantifier::ForAnyValue), Some(got)) => Truth::any(got.iter().map(fits)),
            (None, Some(got)) if self.negated => Truth::all(got.iter().map(fits)),
            (None, Some(got)) => Truth::any(got.iter().map(fits)),
            (Some(Quantifier::ForAnyValue), None) => self.if_exists.into(),
            (None, None) => (self.if_exists || self.negated).into(),
        }
    }

    /// What it wants and what the request has, for a reader.
    pub(super) fn shown(&self, context: &Context, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| format!("`{}`", values.join("`, `"));
        let got = match context.lookup(&self.key) {
            Lookup::Values(values) => list(values),
            Lookup::Absent => "nothing".to_owned(),
            Lookup::Unknown => "a value that Neargate does not have".to_owned(),
        };
        write!(f, "condition {} `{}`: expected {}, got {got}", self.name, self.key, list(&self.values))
    }
}

impl Test {
    fn passes(self, wanted: &str, got: &str, variables: Option<&Context>) -> Truth {
        match self {
            Self::Text(case) => equal(wanted, got, case, variables),
            Self::Like => like(wanted, got, Case::Matters, variables),
            Self::Number(order) => numbers(wanted, got, order).into(),
            Self::Date(order) => {
                date(wanted).zip(date(got)).is_some_and(|(wanted, got)| order.holds(&got, &wanted)).into()
            }
            Self::Bool => wanted.eq_ignore_ascii_case(got).into(),
            Self::Binary => (wanted.trim_end_matches('=') == got.trim_end_matches('=')).into(),
            Self::Address => address_in(wanted, got).into(),
            Self::Arn => arn_like(wanted, got, variables),
            Self::Null => Truth::No,
        }
    }
}

impl Order {
    fn holds<T: PartialOrd>(self, got: &T, wanted: &T) -> bool {
        let Some(order) = got.partial_cmp(wanted) else { return false };
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

/// Whole numbers are compared to their last digit, all others as binary64.
fn numbers(wanted: &str, got: &str, order: Order) -> bool {
    let whole = |text: &str| text.trim().parse::<i128>().ok();
    if let (Some(wanted), Some(got)) = (whole(wanted), whole(got)) {
        return order.holds(&got, &wanted);
    }
    number(wanted).zip(number(got)).is_some_and(|(wanted, got)| order.holds(&got, &wanted))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// ISO 8601 in the forms of W3C's note (a year, a month or a day alone, times without seconds), or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let parse = |text: &str| text.parse().ok();
    if let Some(time) = parse(text) {
        return Some(time);
    }
    // Four digits are a year, all other numbers are seconds.
    if let Some(seconds) = text.parse().ok().filter(|_| text.len() != 4) {
        return Some(Timestamp::from_seconds(seconds));
    }
    match text.split_once('T') {
        // `hh:mm` and the zone.
        Some((_, time)) if time.len() > 5 => parse(&format!("{}:00{}", text.get(..16)?, text.get(16..)?)),
        Some(_) => None,
        None if text.len() > 10 => None,
        None => parse(&format!("{}T00:00:00Z", format!("{text}-01-01").get(..10)?)),
    }
}

fn address_in(range: &str, address: &str) -> bool {
    let (network, prefix) = range.split_once('/').map_or((range, None), |(network, prefix)| (network, Some(prefix)));
    let bits = |text: &str| match text.parse().ok()? {
        IpAddr::V4(address) => Some((u128::from(address.to_bits()), 32_u32)),
        IpAddr::V6(address) => Some((address.to_bits(), 128)),
    };
    let (Some((network, width)), Some((address, own_width))) = (bits(network), bits(address)) else { return false };
    let Some(prefix) = prefix.map_or(Some(width), |prefix| prefix.parse::<u32>().ok().filter(|p| *p <= width)) else {
        return false;
    };
    let host_bits = width - prefix;
    let part = |bits: u128| bits.checked_shr(host_bits).unwrap_or(0);
    width == own_width && part(network) == part(address)
}
