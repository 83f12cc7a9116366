//! Condition keys and their values.

use crate::keys;

/// What is known about a request: condition keys, whose case does not matter, with one or more values each. A key without values is
/// absent.
///
/// Every other key is absent from the request, unless the context is [open](Context::open): then a key that AWS would fill for the
/// action and that has no value here is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(String, Vec<String>)>,
    /// Keys, or beginnings of keys up to a `/` or a second `:`, of which every value is given.
    complete: Vec<String>,
    /// The action and the resource that decide which keys AWS would fill.
    asked: Option<(String, String)>,
}

/// What a context knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The request carries it, with these values.
    Values(&'a [String]),
    /// The request does not carry it, on AWS neither.
    Absent,
    /// AWS may fill it; its values are not known here.
    Unknown,
}

impl Context {
    /// A context of an action on a resource in which the keys that AWS fills, and that have no value here, are unknown.
    pub fn open(action: &str, resource: &str) -> Self {
        Self { asked: Some((action.to_owned(), resource.to_owned())), ..Self::default() }
    }

    /// The same context with one more key. A key that is there already gets the new values.
    #[must_use]
    pub fn with(mut self, key: &str, values: Vec<String>) -> Self {
        match self.entries.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = values,
            None => self.entries.push((key.to_owned(), values)),
        }
        self
    }

    /// The same context, which has every value of this key: without one the request does not carry it. A key that ends with `/` or
    /// `:` stands for all that begin so, such as `aws:RequestTag/`.
    #[must_use]
    pub fn complete(mut self, key: &str) -> Self {
        self.complete.push(key.to_owned());
        self
    }

    /// What is known of a key.
    pub fn lookup(&self, key: &str) -> Lookup<'_> {
        if let Some((_, values)) = self.entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return if values.is_empty() { Lookup::Absent } else { Lookup::Values(values) };
        }
        let Some((action, resource)) = &self.asked else { return Lookup::Absent };
        if self.complete.iter().any(|complete| keys::means(complete, key)) || !keys::is_filled(action, resource, key) {
            Lookup::Absent
        } else {
            Lookup::Unknown
        }
    }

    /// The values of a key; `None` where the request does not carry it, or where they are not known.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        if let Lookup::Values(values) = self.lookup(key) { Some(values) } else { None }
    }
}
