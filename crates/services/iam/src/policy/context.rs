//! Condition keys and their values.

/// What is known about a request: condition keys, whose case does not matter, with one or more values each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(Vec<(String, Vec<String>)>);

impl Context {
    /// The same context with one more key. A key that is there already gets the new values.
    #[must_use]
    pub fn with(mut self, key: &str, values: Vec<String>) -> Self {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, old)) => *old = values,
            None => self.0.push((key.to_owned(), values)),
        }
        self
    }

    /// The values of a key; `None` where the request does not carry it.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, values)| values.as_slice())
    }
}
