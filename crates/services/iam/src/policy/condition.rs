//! Condition operators.
//!
//! Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and, for
//! keys with several values, `reference_policies_condition-single-vs-multi-valued-context-keys.html` there.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use neargate_base::Timestamp;

use super::context::Context;
use super::pattern::{Case, arn_like, equal, like};

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
    pub(super) fn holds(&self, context: &Context, has_variables: bool) -> bool {
        let got = context.get(&self.key);
        if self.test == Test::Null {
            return self
                .values
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(if got.is_some() { "false" } else { "true" }));
        }
        let variables = has_variables.then_some(context);
        let fits = |value: &String| self.values.iter().any(|wanted| self.test.passes(wanted, value, variables));
        match (self.quantifier, got) {
            (Some(Quantifier::ForAllValues), got) => {
                got.unwrap_or_default().iter().all(|value| fits(value) != self.negated)
            }
            (Some(Quantifier::ForAnyValue), Some(got)) => got.iter().any(|value| fits(value) != self.negated),
            (None, Some(got)) => got.iter().any(fits) != self.negated,
            (Some(Quantifier::ForAnyValue), None) => self.if_exists,
            (None, None) => self.if_exists || self.negated,
        }
    }

    /// What it wants and what the request has, for a reader.
    pub(super) fn shown(&self, context: &Context, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| format!("`{}`", values.join("`, `"));
        let got = context.get(&self.key).map_or("nothing".to_owned(), list);
        write!(f, "condition {} `{}`: expected {}, got {got}", self.name, self.key, list(&self.values))
    }
}

impl Test {
    fn passes(self, wanted: &str, got: &str, variables: Option<&Context>) -> bool {
        match self {
            Self::Text(case) => equal(wanted, got, case, variables),
            Self::Like => like(wanted, got, Case::Matters, variables),
            Self::Number(order) => {
                number(wanted).zip(number(got)).is_some_and(|(wanted, got)| order.holds(&got, &wanted))
            }
            Self::Date(order) => date(wanted).zip(date(got)).is_some_and(|(wanted, got)| order.holds(&got, &wanted)),
            Self::Bool => wanted.eq_ignore_ascii_case(got),
            Self::Binary => wanted.trim_end_matches('=') == got.trim_end_matches('='),
            Self::Address => address_in(wanted, got),
            Self::Arn => arn_like(wanted, got, variables),
            Self::Null => false,
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

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// ISO 8601, a date alone included, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let seconds = || text.parse().ok().map(Timestamp::from_seconds);
    text.parse().ok().or_else(seconds).or_else(|| format!("{text}T00:00:00Z").parse().ok())
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
