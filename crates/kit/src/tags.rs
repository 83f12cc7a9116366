//! Sets of tags: what a call may add, how it is merged, and the pairs that condition keys ask about.
//!
//! Follows <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#id_tags_naming_best_practices>.
//!
//! Invariant: a set has each key once, and no more tags than its limit. AWS's own tags, which a stack gives, do not come this way.

/// How a service's tags look.
#[derive(Debug)]
pub struct Tagging<T> {
    /// A tag's key.
    pub key: fn(&T) -> &str,
    /// A tag's value.
    pub value: fn(&T) -> &str,
    /// Which keys are one.
    pub keys: Keys,
}

/// Which keys are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those that are written alike.
    AsWritten,
    /// Also those that differ in case only.
    IgnoringCase,
}

/// Why tags are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagFlaw {
    /// A key that begins with `aws:`, in whatever case.
    Reserved(String),
    /// A key that comes twice.
    Twice(String),
    /// There would be more tags than a resource can have.
    TooMany,
}

/// The most tags that a resource can have.
const TAGS_MAX: usize = 50;

impl<T> Clone for Tagging<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Tagging<T> {}

impl<T> Tagging<T> {
    /// Tags whose keys are one where they are written alike.
    pub const fn new(key: fn(&T) -> &str, value: fn(&T) -> &str) -> Self {
        Self { key, value, keys: Keys::AsWritten }
    }

    /// The same where keys that differ in case only are one.
    #[must_use]
    pub const fn ignoring_case(self) -> Self {
        Self { keys: Keys::IgnoringCase, ..self }
    }

    /// Adds tags, or gives those of the same keys new values in their places.
    ///
    /// # Errors
    /// Where the new tags are none that a caller may give; the old ones are unchanged then.
    pub fn add(&self, tags: &mut Vec<T>, new: Vec<T>) -> Result<(), TagFlaw> {
        self.check(&new)?;
        let is_there = |tag: &T| tags.iter().any(|old| self.is_one((self.key)(old), (self.key)(tag)));
        if tags.len() + new.iter().filter(|tag| !is_there(tag)).count() > TAGS_MAX {
            return Err(TagFlaw::TooMany);
        }
        for tag in new {
            match tags.iter_mut().find(|old| self.is_one((self.key)(old), (self.key)(&tag))) {
                Some(old) => *old = tag,
                None => tags.push(tag),
            }
        }
        Ok(())
    }

    /// Whether a new resource may have these tags.
    ///
    /// # Errors
    /// Where they are none that a caller may give.
    pub fn check(&self, tags: &[T]) -> Result<(), TagFlaw> {
        // One more than there may be is enough to look at.
        let keys = || tags.iter().take(TAGS_MAX + 1).map(self.key);
        let is_reserved = |key: &&str| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if let Some(key) = keys().find(is_reserved) {
            return Err(TagFlaw::Reserved(key.to_owned()));
        }
        let again = keys().enumerate().find(|(at, key)| keys().take(*at).any(|before| self.is_one(before, key)));
        if let Some((_, key)) = again {
            return Err(TagFlaw::Twice(key.to_owned()));
        }
        if tags.len() > TAGS_MAX { Err(TagFlaw::TooMany) } else { Ok(()) }
    }

    /// Takes tags away by key. A key that is not there is no error.
    pub fn remove(&self, tags: &mut Vec<T>, keys: &[String]) {
        tags.retain(|tag| !keys.iter().any(|key| self.is_one(key, (self.key)(tag))));
    }

    /// Keys and values, as `aws:RequestTag/…` and `aws:ResourceTag/…` ask about them.
    pub fn pairs(&self, tags: &[T]) -> Vec<(String, String)> {
        tags.iter().map(|tag| ((self.key)(tag).to_owned(), (self.value)(tag).to_owned())).collect()
    }

    fn is_one(&self, a: &str, b: &str) -> bool {
        match self.keys {
            Keys::AsWritten => a == b,
            Keys::IgnoringCase => a == b || a.to_lowercase() == b.to_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tag = (String, String);
    const TAGS: Tagging<Tag> = Tagging::new(|tag| &tag.0, |tag| &tag.1);

    fn tags(text: &str) -> Vec<Tag> {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_tag_that_is_given_anew_keeps_its_place() {
        let mut set = tags("a=1 b=2 c=3");
        TAGS.add(&mut set, tags("d=4 b=5")).unwrap();
        assert_eq!(set, tags("a=1 b=5 c=3 d=4"));
        TAGS.remove(&mut set, &["a".to_owned(), "x".to_owned(), "C".to_owned()]);
        assert_eq!(set, tags("b=5 c=3 d=4"));
        assert_eq!(TAGS.pairs(&set)[0], ("b".to_owned(), "5".to_owned()));
    }

    #[test]
    fn what_a_caller_may_not_give() {
        let of_case = TAGS.ignoring_case();
        let many = |count: usize| (0..count).map(|at| format!("k{at}=v ")).collect::<String>();
        for (tagging, old, new, expected) in [
            (TAGS, "", "aws:x=1", Err(TagFlaw::Reserved("aws:x".to_owned()))),
            (TAGS, "", "a=1 AWS:x=1", Err(TagFlaw::Reserved("AWS:x".to_owned()))),
            (TAGS, "", "aws=1 xaws:=2", Ok(())),
            (TAGS, "", "a=1 b=2 a=3", Err(TagFlaw::Twice("a".to_owned()))),
            (TAGS, "", "a=1 A=2", Ok(())),
            (of_case, "", "a=1 A=2", Err(TagFlaw::Twice("A".to_owned()))),
            (of_case, "a=1", "A=2", Ok(())),
            (TAGS, "x=1", &many(49), Ok(())),
            (TAGS, "x=1", &many(50), Err(TagFlaw::TooMany)),
            (TAGS, "k0=1", &many(50), Ok(())),
            (TAGS, "", &many(51), Err(TagFlaw::TooMany)),
        ] {
            let mut set = tags(old);
            let answer = tagging.add(&mut set, tags(new));
            assert_eq!(answer, expected, "{old} + {new}");
            assert!(answer.is_ok() || set == tags(old), "what is refused changes nothing");
        }
        let mut set = tags("Stage=a b=1");
        of_case.add(&mut set, tags("stage=c")).unwrap();
        assert_eq!(set, tags("stage=c b=1"));
        of_case.remove(&mut set, &["STAGE".to_owned()]);
        assert_eq!(set, tags("b=1"));
    }
}
