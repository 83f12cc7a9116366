//! What every `Describe…` does with its ids, filters and pages.
//!
//! Invariant: a list is in the order of ids, and a page's token is the last id of the page before, so a page neither
//! repeats nor skips what was there all the time.

use crate::api;
use crate::errors::Ec2Error;

/// A filter's name and the values it compares with.
pub(crate) type Field<T> = (&'static str, fn(&T) -> Vec<String>);

/// What a `Describe…` lists.
pub(crate) trait Listed: Sized + 'static {
    /// The filters, but those of tags.
    const FIELDS: &'static [Field<Self>];

    /// Its id.
    fn id(&self) -> &str;

    /// Its tags.
    fn tags(&self) -> &[api::Tag];

    /// That there is none of that id.
    fn missing(id: &str) -> Ec2Error;
}

/// What a caller asks of a list.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) filters: Option<Vec<api::Filter>>,
    pub(crate) max_results: Option<i32>,
    pub(crate) next_token: Option<String>,
}

/// One page of what is asked for, and the token of the next.
pub(crate) fn list<T: Listed>(mut all: Vec<T>, query: Query) -> Result<(Vec<T>, Option<String>), Ec2Error> {
    all.sort_by(|a, b| a.id().cmp(b.id()));
    if let Some(ids) = query.ids.filter(|ids| !ids.is_empty()) {
        if let Some(absent) = ids.iter().find(|id| all.iter().all(|it| it.id() != id.as_str())) {
            return Err(T::missing(absent));
        }
        all.retain(|it| ids.iter().any(|id| it.id() == id));
    }
    let chosen = select(all, query.filters.as_deref(), T::FIELDS, T::tags)?;
    Ok(page(chosen, T::id, query.next_token.as_deref(), query.max_results))
}

/// At most `max` after the token, and the token of the next page.
pub(crate) fn page<T>(
    all: Vec<T>,
    id: fn(&T) -> &str,
    token: Option<&str>,
    max: Option<i32>,
) -> (Vec<T>, Option<String>) {
    let max = max.and_then(|max| usize::try_from(max).ok()).filter(|max| *max > 0).unwrap_or(1000);
    let mut rest = all.into_iter().skip_while(|it| token.is_some_and(|token| id(it) <= token)).peekable();
    let page: Vec<T> = rest.by_ref().take(max).collect();
    let next = rest.peek().and(page.last()).map(|last| id(last).to_owned());
    (page, next)
}

/// Those that pass every filter. A filter passes what has one of its values; `*` and `?` are wildcards.
pub(crate) fn select<T>(
    mut all: Vec<T>,
    filters: Option<&[api::Filter]>,
    fields: &[Field<T>],
    tags: fn(&T) -> &[api::Tag],
) -> Result<Vec<T>, Ec2Error> {
    for filter in filters.into_iter().flatten() {
        let name = filter.name.as_deref().unwrap_or_default();
        let wanted = filter.values.as_deref().unwrap_or_default();
        let passes = |value: &String| wanted.iter().any(|pattern| matches(pattern, value));
        let keys = |it: &T| -> Vec<String> { tags(it).iter().filter_map(|tag| tag.key.clone()).collect() };
        let values = |it: &T, key: Option<&str>| -> Vec<String> {
            let of_key = tags(it).iter().filter(|tag| key.is_none_or(|key| tag.key.as_deref() == Some(key)));
            of_key.filter_map(|tag| tag.value.clone()).collect()
        };
        match (name.strip_prefix("tag:"), name, fields.iter().find(|(field, _)| *field == name)) {
            (Some(key), ..) => all.retain(|it| values(it, Some(key)).iter().any(passes)),
            (_, "tag-key", _) => all.retain(|it| keys(it).iter().any(passes)),
            (_, "tag-value", _) => all.retain(|it| values(it, None).iter().any(passes)),
            (_, _, Some((_, field))) => all.retain(|it| field(it).iter().any(passes)),
            _ => return Err(Ec2Error::InvalidValue(format!("The filter '{name}' is invalid"))),
        }
    }
    Ok(all)
}

/// Whether the whole text matches: `*` is any text, `?` any character, a backslash takes the next character as it is.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // `reached[n]`: the pattern so far matches the first n characters.
    let mut reached: Vec<bool> = std::iter::once(true).chain(text.iter().map(|_| false)).collect();
    let mut rest = pattern.iter();
    while let Some(symbol) = rest.next() {
        let literal = if *symbol == '\\' { rest.next().unwrap_or(symbol) } else { symbol };
        let mut next = Vec::with_capacity(reached.len());
        let mut any = false;
        for (at, here) in reached.iter().enumerate() {
            any |= here;
            let before = at.checked_sub(1);
            let came = before.and_then(|before| reached.get(before)).copied().unwrap_or(false);
            next.push(match symbol {
                '*' => any,
                '?' => came,
                _ => came && before.and_then(|before| text.get(before)) == Some(literal),
            });
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// A member as filter values.
pub(crate) fn text(member: &Option<String>) -> Vec<String> {
    member.iter().cloned().collect()
}

/// A truth value as filter values.
pub(crate) fn flag(member: Option<bool>) -> Vec<String> {
    member.iter().map(bool::to_string).collect()
}

/// A number as filter values.
pub(crate) fn number(member: Option<i32>) -> Vec<String> {
    member.iter().map(i32::to_string).collect()
}

/// One member of every item of a list as filter values.
pub(crate) fn each<T>(list: &Option<Vec<T>>, member: fn(&T) -> Option<String>) -> Vec<String> {
    list.iter().flatten().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::{matches, page};

    #[test]
    fn patterns_match_whole_texts() {
        let cases = [
            ("web", "web", true),
            ("web", "webs", false),
            ("we*", "web", true),
            ("*b", "web", true),
            ("w*b*", "web", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            (r"w\*b", "w*b", true),
            (r"w\*b", "web", false),
            (r"a\", r"a\", true),
            ("Web", "web", false),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn pages_follow_on_each_other() {
        let all = || ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let get = |token: Option<&str>| page(all(), String::as_str, token, Some(2));
        assert_eq!(get(None), (vec!["a".into(), "b".into()], Some("b".into())));
        assert_eq!(get(Some("b")), (vec!["c".into(), "d".into()], Some("d".into())));
        assert_eq!(get(Some("d")), (vec!["e".into()], None));
        assert_eq!(page(all(), String::as_str, None, Some(5)).1, None);
    }
}
