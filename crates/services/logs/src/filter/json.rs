//! Conditions on a JSON message: `{ $.user.id = 7 && $.tags[0] = "x" }`.

use serde_json::Value;

use super::condition::{Condition, Found, Scalar};
use super::invalid;
use crate::errors::LogsError;

/// Reads the condition between the braces. Every selector begins with `$`.
pub(super) fn parse(text: &str) -> Result<Condition, LogsError> {
    let condition = Condition::parse(text)?;
    match condition.selectors().iter().find(|selector| !selector.starts_with('$')) {
        Some(selector) => Err(invalid(&format!("'{selector}' is not a property selector; they begin with '$.'"))),
        None => Ok(condition),
    }
}

/// Whether a message is a JSON object or list for which the condition holds.
pub(super) fn matches(condition: &Condition, message: &str) -> bool {
    let Ok(root) = serde_json::from_str::<Value>(message) else { return false };
    condition.holds(&|selector, found| walk(&root, selector.strip_prefix('$').unwrap_or(selector), found))
}

/// Gives every value at a path such as `.a.b[0]` or `.list[*].name`.
fn walk(value: &Value, path: &str, found: &mut Found<'_>) {
    if path.is_empty() {
        return found(scalar(value));
    }
    if let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
        if index == "*" {
            return value.as_array().into_iter().flatten().for_each(|item| walk(item, rest, found));
        }
        let name = index.strip_prefix(['"', '\'']).and_then(|name| name.strip_suffix(['"', '\'']));
        let item = match name {
            Some(name) => value.get(name),
            None => index.parse::<usize>().ok().and_then(|index| value.get(index)),
        };
        return item.into_iter().for_each(|item| walk(item, rest, found));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let (name, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    if let (Some(member), false) = (value.get(name), name.is_empty()) {
        walk(member, rest, found);
    } else if name.is_empty() && rest.starts_with('[') {
        walk(value, rest, found);
    }
}

fn scalar(value: &Value) -> Scalar<'_> {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(truth) => Scalar::Bool(*truth),
        Value::Number(number) => number.as_f64().map_or(Scalar::Other, Scalar::Number),
        Value::String(text) => Scalar::Text(text),
        Value::Array(_) | Value::Object(_) => Scalar::Other,
    }
}
