//! Space-delimited fields: `[ip, user, ..., status = 4* && status != 404, bytes]`.

use super::condition::{Condition, Found, Scalar};
use super::invalid;
use crate::errors::LogsError;

/// The fields of a line, in order.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    before: Vec<Field>,
    /// The fields after `...`, where there is one.
    after: Option<Vec<Field>>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    condition: Option<Condition>,
}

impl Row {
    pub(super) fn parse(text: &str) -> Result<Self, LogsError> {
        let mut row = Self { before: vec![], after: None };
        for part in parts(text) {
            match (part.trim(), &mut row.after) {
                ("...", None) => row.after = Some(vec![]),
                ("...", Some(_)) => return Err(invalid("'...' can be used once")),
                ("", _) => return Err(invalid("a field has no name")),
                (part, None) => row.before.push(field(part)?),
                (part, Some(after)) => after.push(field(part)?),
            }
        }
        row.check()
    }

    /// A condition on a field that the row does not have would never hold.
    fn check(self) -> Result<Self, LogsError> {
        let fields: Vec<_> = self.before.iter().chain(self.after.iter().flatten()).collect();
        let mut selectors = fields.iter().filter_map(|field| field.condition.as_ref()).flat_map(Condition::selectors);
        match selectors.find(|selector| fields.iter().all(|field| field.name != *selector)) {
            Some(unknown) => Err(invalid(&format!("'{unknown}' is not a field of the pattern"))),
            None => Ok(self),
        }
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let values = split(message);
        let after = self.after.as_deref().unwrap_or_default();
        let Some(skipped) = values.len().checked_sub(self.before.len() + after.len()) else { return false };
        if skipped > 0 && self.after.is_none() {
            return false;
        }
        let tail = values.iter().skip(self.before.len() + skipped);
        let bound: Vec<_> = self.before.iter().zip(&values).chain(after.iter().zip(tail)).collect();
        let find = |name: &str, found: &mut Found<'_>| {
            bound.iter().filter(|(field, _)| field.name == name).for_each(|(_, value)| found(Scalar::Text(value)));
        };
        bound.iter().filter_map(|(field, _)| field.condition.as_ref()).all(|condition| condition.holds(&find))
    }
}

fn field(text: &str) -> Result<Field, LogsError> {
    if text.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-') {
        return Ok(Field { name: text.to_owned(), condition: None });
    }
    let condition = Condition::parse(text)?;
    Ok(Field {
        name: condition.selectors().first().copied().unwrap_or_default().to_owned(),
        condition: Some(condition),
    })
}

/// The pieces between commas outside quotes.
fn parts(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let splits = |letter| {
        is_quoted ^= letter == '"';
        letter == ',' && !is_quoted
    };
    text.split(splits).collect()
}

/// The fields of a line: words, `"quoted"` or `[bracketed]` text, without what encloses them.
fn split(line: &str) -> Vec<&str> {
    let mut fields = vec![];
    let mut rest = line.trim();
    while !rest.is_empty() {
        let enclosed = |open, close| rest.strip_prefix(open).and_then(|text: &str| text.split_once::<char>(close));
        let (field, after) = enclosed('"', '"')
            .or_else(|| enclosed('[', ']'))
            .unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}
