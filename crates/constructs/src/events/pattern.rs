//! Event patterns.

use neargate_l1::Json;
use serde_json::{Value as Plain, json};

/// What a field must be: a value, or a comparison.
///
/// ```
/// use neargate_constructs::events::{EventPattern, Match};
///
/// let pattern = EventPattern {
///     source: vec!["com.corp.orders".into(), Match::prefix("com.corp.returns")],
///     detail: Some(serde_json::json!({"total": [Match::greater_than(100).to_json()]})),
///     ..Default::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Match(Plain);

impl From<&str> for Match {
    fn from(value: &str) -> Self {
        Self(Plain::from(value))
    }
}

impl From<String> for Match {
    fn from(value: String) -> Self {
        Self(Plain::from(value))
    }
}

impl Match {
    /// The comparison as it stands in a pattern's list.
    pub fn to_json(&self) -> Plain {
        self.0.clone()
    }

    /// A text that begins so.
    pub fn prefix(text: &str) -> Self {
        Self(json!({ "prefix": text }))
    }

    /// A text that ends so.
    pub fn suffix(text: &str) -> Self {
        Self(json!({ "suffix": text }))
    }

    /// A text of this shape: `*` stands for any characters.
    pub fn wildcard(text: &str) -> Self {
        Self(json!({ "wildcard": text }))
    }

    /// This text, in small letters or capitals.
    pub fn equals_ignore_case(text: &str) -> Self {
        Self(json!({ "equals-ignore-case": text }))
    }

    /// Anything but these.
    pub fn anything_but(values: Vec<Plain>) -> Self {
        Self(json!({ "anything-but": values }))
    }

    /// A text that does not begin so.
    pub fn anything_but_prefix(text: &str) -> Self {
        Self(json!({"anything-but": {"prefix": text}}))
    }

    /// The field is there.
    pub fn exists() -> Self {
        Self(json!({ "exists": true }))
    }

    /// The field is not there.
    pub fn does_not_exist() -> Self {
        Self(json!({ "exists": false }))
    }

    /// A number above this.
    pub fn greater_than(number: impl Into<serde_json::Number>) -> Self {
        Self(json!({"numeric": [">", number.into()]}))
    }

    /// A number below this.
    pub fn less_than(number: impl Into<serde_json::Number>) -> Self {
        Self(json!({"numeric": ["<", number.into()]}))
    }

    /// A number from the first to the second, both included.
    pub fn interval(from: impl Into<serde_json::Number>, to: impl Into<serde_json::Number>) -> Self {
        Self(json!({"numeric": [">=", from.into(), "<=", to.into()]}))
    }

    /// An address in this range.
    pub fn cidr(range: &str) -> Self {
        Self(json!({ "cidr": range }))
    }
}

/// Which events a rule is for: every field that is given must match; of a field's list, one entry must.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPattern {
    /// The accounts that sent them. Default: any.
    pub account: Vec<Match>,
    /// What the events say: an object of lists or of such objects, as JSON. Default: anything.
    pub detail: Option<Plain>,
    /// What kind of detail it is. Default: any.
    pub detail_type: Vec<Match>,
    /// Their ids. Default: any.
    pub id: Vec<Match>,
    /// The regions they happened in. Default: any.
    pub region: Vec<Match>,
    /// The ARNs of what they are about. Default: any.
    pub resources: Vec<Match>,
    /// Who sent them. Default: anyone.
    pub source: Vec<Match>,
    /// When they happened. Default: any time.
    pub time: Vec<Match>,
    /// The version of the envelope. Default: any.
    pub version: Vec<Match>,
}

impl EventPattern {
    /// The pattern as EventBridge reads it; none where nothing is given.
    pub fn to_json(&self) -> Option<Plain> {
        let lists = [
            ("account", &self.account),
            ("detail-type", &self.detail_type),
            ("id", &self.id),
            ("region", &self.region),
            ("resources", &self.resources),
            ("source", &self.source),
            ("time", &self.time),
            ("version", &self.version),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let mut pattern: serde_json::Map<String, Plain> = lists
            .map(|(name, list)| (name.to_owned(), Plain::Array(list.iter().map(Match::to_json).collect())))
            .collect();
        if let Some(detail) = &self.detail {
            pattern.insert("detail".to_owned(), detail.clone());
        }
        (!pattern.is_empty()).then_some(Plain::Object(pattern))
    }
}

/// Adds a pattern to another: lists grow, objects merge. Answers with what does not fit.
pub(super) fn merge(into: &mut Plain, from: Plain, path: &str) -> Vec<String> {
    let (Plain::Object(target), Plain::Object(source)) = (&mut *into, from) else {
        return vec![format!("`{path}` is an object in one pattern and none in the other")];
    };
    let mut problems = Vec::new();
    for (key, value) in source {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (target.get_mut(&key), value) {
            (None, value) => {
                target.insert(key, value);
            }
            (Some(Plain::Array(known)), Plain::Array(more)) => {
                for value in more {
                    if !known.contains(&value) {
                        known.push(value);
                    }
                }
            }
            (Some(known @ Plain::Object(_)), value @ Plain::Object(_)) => problems.extend(merge(known, value, &path)),
            (Some(_), _) => problems.push(format!("`{path}` is a list in one pattern and an object in the other")),
        }
    }
    problems
}

/// What EventBridge would refuse at once: leaves that are no lists, empty lists and empty objects.
pub(super) fn problems(pattern: &Plain, path: &str) -> Vec<String> {
    match pattern {
        Plain::Array(values) if values.is_empty() => vec![format!("`{path}` is an empty list: nothing could match")],
        Plain::Array(_) => vec![],
        Plain::Object(fields) if fields.is_empty() => vec![format!("`{path}` is an empty object: nothing could match")],
        Plain::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                // `$or` holds a list of patterns.
                ("$or", Plain::Array(alternatives)) => {
                    alternatives.iter().flat_map(|pattern| problems(pattern, path)).collect()
                }
                _ => problems(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }),
            })
            .collect(),
        other => vec![format!("`{path}` is `{other}`: expected a list, such as `[{other}]`")],
    }
}

/// The pattern in a template.
pub(super) fn render(pattern: &Plain) -> Option<Json> {
    pattern.as_object().filter(|fields| !fields.is_empty()).map(|_| Json::from_plain(pattern.clone()))
}

#[cfg(test)]
mod tests {
    use super::{Match, merge, problems};
    use serde_json::{Value, json};

    #[test]
    fn patterns_merge_by_lists_and_objects() {
        let mut pattern = json!({"source": ["a"], "detail": {"x": [1]}});
        assert_eq!(
            merge(&mut pattern, json!({"source": ["a", "b"], "detail": {"x": [2], "y": [3]}}), ""),
            Vec::<String>::new()
        );
        assert_eq!(pattern, json!({"source": ["a", "b"], "detail": {"x": [1, 2], "y": [3]}}));
        assert_eq!(
            merge(&mut pattern, json!({"detail": ["x"]}), ""),
            vec!["`detail` is a list in one pattern and an object in the other"]
        );
    }

    #[test]
    fn what_cannot_match_is_found() {
        let check = |pattern: Value, expected: &[&str]| assert_eq!(problems(&pattern, ""), expected);
        check(json!({"source": ["a"], "detail": {"$or": [{"x": [1]}, {"y": ["2"]}]}}), &[]);
        check(
            json!({"detail": {"x": "1", "y": [], "z": {}}}),
            &[
                "`detail.x` is `\"1\"`: expected a list, such as `[\"1\"]`",
                "`detail.y` is an empty list: nothing could match",
                "`detail.z` is an empty object: nothing could match",
            ],
        );
    }

    #[test]
    fn comparisons_are_event_bridge_s() {
        assert_eq!(Match::interval(1, 5).to_json(), json!({"numeric": [">=", 1, "<=", 5]}));
        assert_eq!(Match::anything_but(vec![json!("a"), json!(2)]).to_json(), json!({"anything-but": ["a", 2]}));
    }
}
