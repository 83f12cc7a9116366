//! Descriptions of CloudFormation's resource types.
//!
//! Invariant: templates write numbers and truth values as text too, so `5` and `"5"` are one value.

use serde_json::Value as Json;

/// A property: its name and the property type below it: none where any name goes, with `*` before it where a map's own keys lie
/// between.
pub type Property = (&'static str, &'static str);

/// What a resource type's schema says of its properties. Paths within them have `/` between names and `*` for each item.
#[derive(Debug)]
pub struct ResourceShape {
    /// Such as `AWS::ECS::Cluster`.
    pub name: &'static str,
    /// The property types by name; the type's own properties first, under no name.
    pub shapes: &'static [(&'static str, &'static [Property])],
    /// The properties that a property type must have, where it must have any.
    pub required: &'static [(&'static str, &'static [&'static str])],
    /// The properties that cannot be changed: another value is another resource.
    pub create_only: &'static [&'static str],
    /// What only the service sets: attributes.
    pub read_only: &'static [&'static str],
    /// What tells one resource of the type from another.
    pub primary_id: &'static [&'static str],
    /// The property that holds the tags, where there are any.
    pub tags: Option<&'static str>,
}

impl ResourceShape {
    /// The properties of a property type; of the type itself under no name.
    pub fn properties(&self, shape: &str) -> Option<&'static [Property]> {
        self.shapes.iter().find(|(name, _)| *name == shape).map(|(_, properties)| *properties)
    }

    /// The properties that a property type must have.
    pub fn required(&self, shape: &str) -> &'static [&'static str] {
        self.required.iter().find(|(name, _)| *name == shape).map_or(&[], |(_, names)| names)
    }

    /// A resource type of which nothing is known but its name.
    pub const fn unknown(name: &'static str) -> Self {
        Self { name, shapes: &[], required: &[], create_only: &[], read_only: &[], primary_id: &[], tags: None }
    }

    /// The properties that cannot be changed and differ all the same.
    pub fn changes_of_fixed(&self, before: &Json, after: &Json) -> impl Iterator<Item = &'static str> {
        self.create_only.iter().copied().filter(move |path| {
            let parts: Vec<_> = path.split('/').collect();
            !same(&at(before, &parts), &at(after, &parts))
        })
    }
}

/// What lies at a path; `*` is each item of a list.
fn at<'j>(json: &'j Json, path: &[&str]) -> Vec<&'j Json> {
    match (path, json) {
        ([], json) => vec![json],
        (["*", rest @ ..], Json::Array(items)) => items.iter().flat_map(|item| at(item, rest)).collect(),
        ([first, rest @ ..], Json::Object(members)) => members.get(*first).map_or(vec![], |it| at(it, rest)),
        _ => vec![],
    }
}

fn same(before: &[&Json], after: &[&Json]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(before, after)| equal(before, after))
}

/// Templates write numbers and truth values as text too.
fn equal(before: &Json, after: &Json) -> bool {
    let text = |json: &Json| match json {
        Json::Bool(_) | Json::Number(_) => Some(json.to_string()),
        Json::String(text) => Some(text.clone()),
        _ => None,
    };
    match (before, after) {
        (Json::Array(before), Json::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| equal(before, after))
        }
        (Json::Object(before), Json::Object(after)) => {
            before.len() == after.len()
                && before.iter().all(|(name, it)| after.get(name).is_some_and(|other| equal(it, other)))
        }
        _ => before == after || text(before).is_some_and(|it| Some(it) == text(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::{at, equal};
    use serde_json::json;

    #[test]
    fn numbers_and_truth_values_are_what_their_text_is() {
        for (before, after, expected) in [
            (json!(5), json!("5"), true),
            (json!(true), json!("true"), true),
            (json!({"a": [1, {"b": "2"}]}), json!({"a": ["1", {"b": 2}]}), true),
            (json!([1, 2]), json!([2, 1]), false),
            (json!({"a": 1}), json!({"a": 1, "b": 1}), false),
            (json!("a"), json!("b"), false),
            (json!([]), json!(""), false),
        ] {
            assert_eq!(equal(&before, &after), expected, "{before} {after}");
        }
    }

    #[test]
    fn paths_lead_into_lists() {
        let json = json!({"a": [{"b": 1}, {"c": 2}, {"b": 3}]});
        assert_eq!(at(&json, &["a", "*", "b"]), [&json!(1), &json!(3)]);
        assert!(at(&json, &["a", "b"]).is_empty());
    }
}
