//! Pages of lists, by key: a page begins after the last item of the page before, wherever that stands by then.
//!
//! A token is opaque text of letters and digits. It says the key and the place of the last item given, and what list it belongs to.
//!
//! Invariant: while a list changes between two pages, no item that stays in it is left out or given twice; in a list without an order
//! of keys that holds as long as the last item given is still there.

use std::hash::Hash;

use neargate_base::Scope;

use crate::fingerprint::Fingerprint;

/// The longest key that stands in a token itself. Some services bound tokens at 320 characters.
const KEY_BYTES_MAX: usize = 140;

/// Where a call's page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// What the list is: its name, its filter, and where it is.
    list: u64,
    after: Option<Last>,
}

/// A token that the list did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignToken;

/// The last item of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Last {
    /// How many items stood before it.
    before: usize,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Text(String),
    /// The fingerprint of a key that is too long for a token.
    Of(u64),
}

impl Pages {
    /// Where the page of a call begins: at the list's beginning, or where its token says.
    ///
    /// `list` is the operation's name, `filter` whatever of its input decides which items it lists and in which order.
    ///
    /// # Errors
    /// Where the list did not give this token for this filter.
    pub fn read(scope: &Scope, list: &str, filter: impl Hash, token: Option<&str>) -> Result<Self, ForeignToken> {
        let of = (scope.account.as_str(), scope.region.as_str(), list, filter);
        let mut pages = Self { list: Fingerprint::of(&of), after: None };
        if let Some(token) = token {
            pages.after = Some(pages.last(token).ok_or(ForeignToken)?);
        }
        Ok(pages)
    }

    /// A page of items that come in ascending order of their keys, and the token of the next where there is one.
    pub fn sorted<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
        items_max: usize,
    ) -> (Vec<T>, Option<String>) {
        let mut skipped = 0;
        let is_given = |item: &T| match self.after.as_ref().map(|last| &last.key) {
            Some(Key::Text(last)) => key(item) <= last.as_str(),
            // Its order is not known; its place is.
            Some(Key::Of(_)) | None => false,
        };
        if matches!(self.after, Some(Last { key: Key::Of(_), .. })) {
            return self.listed(items.into_iter().collect(), |item| key(item).to_owned(), items_max);
        }
        let mut rest = items.into_iter().skip_while(|item| {
            let given = is_given(item);
            skipped += usize::from(given);
            given
        });
        let page: Vec<T> = rest.by_ref().take(items_max).collect();
        let has_more = rest.next().is_some();
        drop(rest);
        let next = page.last().filter(|_| has_more).map(|last| self.token(skipped + page.len() - 1, key(last)));
        (page, next)
    }

    /// A page of items that come in the list's own order, each with a key that no other has, and the token of the next.
    pub fn listed<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String, items_max: usize) -> (Vec<T>, Option<String>) {
        let is_last = |wanted: &Key, item: &T| match wanted {
            Key::Text(text) => key(item) == *text,
            Key::Of(fingerprint) => Fingerprint::of(&key(item).as_str()) == *fingerprint,
        };
        let skipped = self.after.as_ref().map_or(0, |last| {
            let place = items.iter().position(|item| is_last(&last.key, item));
            place.map_or(last.before, |place| place + 1)
        });
        let has_more = items.len() > skipped.saturating_add(items_max);
        let page: Vec<T> = items.into_iter().skip(skipped).take(items_max).collect();
        let next = page.last().filter(|_| has_more).map(|last| self.token(skipped + page.len() - 1, &key(last)));
        (page, next)
    }

    fn token(&self, before: usize, key: &str) -> String {
        let (kind, key) = match key.len() <= KEY_BYTES_MAX {
            true => (b'k', key.as_bytes().to_vec()),
            false => (b'f', Fingerprint::of(&key).to_be_bytes().to_vec()),
        };
        let mut bytes = vec![kind];
        bytes.extend(u32::try_from(before).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(key);
        let seal = Fingerprint::of(&(self.list, bytes.as_slice()));
        seal.to_be_bytes().iter().chain(&bytes).map(|byte| format!("{byte:02x}")).collect()
    }

    fn last(&self, token: &str) -> Option<Last> {
        if !token.is_ascii() || token.len() % 2 == 1 {
            return None;
        }
        let pair = |at: usize| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..token.len()).step_by(2).map(pair).collect::<Option<_>>()?;
        let (seal, bytes) = bytes.split_first_chunk::<8>()?;
        if u64::from_be_bytes(*seal) != Fingerprint::of(&(self.list, bytes)) {
            return None;
        }
        let (kind, bytes) = bytes.split_first()?;
        let (before, key) = bytes.split_first_chunk::<4>()?;
        let key = match kind {
            b'k' => Key::Text(String::from_utf8(key.to_vec()).ok()?),
            _ => Key::Of(u64::from_be_bytes(key.try_into().ok()?)),
        };
        Some(Last { before: usize::try_from(u32::from_be_bytes(*before)).ok()?, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("000000000000", "eu-west-1")
    }

    fn names(count: usize, letters: usize) -> Vec<String> {
        (0..count).map(|at| format!("{at:03}{}", "x".repeat(letters))).collect()
    }

    fn read(token: Option<&str>) -> Pages {
        Pages::read(&scope(), "ListThings", ("a", None::<i32>), token).unwrap()
    }

    type Take = fn(&Pages, Vec<String>, usize) -> (Vec<String>, Option<String>);
    const WAYS: [Take; 2] = [
        |pages, items, max| pages.sorted(items, String::as_str, max),
        |pages, items, max| pages.listed(items, String::clone, max),
    ];

    #[test]
    fn pages_follow_on_each_other_whatever_the_length_of_keys() {
        for take in WAYS {
            for letters in [0, 137, 138, 500] {
                let (all, mut got, mut token) = (names(7, letters), vec![], None::<String>);
                loop {
                    let (page, next) = take(&read(token.as_deref()), all.clone(), 3);
                    assert!(page.len() <= 3 && next.as_ref().is_none_or(|next| next.len() <= 320 && page.len() == 3));
                    got.extend(page);
                    token = next;
                    if token.is_none() {
                        break;
                    }
                }
                assert_eq!(got, all, "{letters}");
                assert_eq!(take(&read(None), all.clone(), 7).1, None, "no page follows the last item");
            }
        }
    }

    /// Items come and go between pages: what stays the whole time is given once.
    #[test]
    fn what_stays_is_given_once_while_the_rest_changes() {
        let mut rng = fastrand::Rng::with_seed(1);
        for round in 0..400 {
            let take = WAYS[round % 2];
            let mut items: Vec<String> = (0..rng.usize(0..40)).map(|_| format!("{:04}", rng.u32(..9999))).collect();
            items.sort();
            items.dedup();
            let (mut stays, mut got, mut token) = (items.clone(), vec![], None::<String>);
            loop {
                let (page, next) = take(&read(token.as_deref()), items.clone(), rng.usize(1..6));
                let last = page.last().cloned();
                got.extend(page);
                let Some(next) = next else { break };
                token = Some(next);
                // In a list without an order the last item given stays.
                let may_go = |item: &String| round % 2 == 0 || Some(item) != last.as_ref();
                let mut goes: Vec<String> = items.iter().filter(|item| may_go(item)).cloned().collect();
                rng.shuffle(&mut goes);
                goes.truncate(rng.usize(0..3));
                items.retain(|item| !goes.contains(item));
                stays.retain(|item| !goes.contains(item));
                items.extend((0..rng.usize(0..3)).map(|_| format!("{:04}", rng.u32(..9999))));
                items.sort();
                items.dedup();
            }
            let times = |item: &String| got.iter().filter(|it| *it == item).count();
            assert!(stays.iter().all(|item| times(item) == 1), "{stays:?} {got:?}");
            assert!(got.iter().all(|item| times(item) == 1), "{got:?}");
        }
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let (_, token) = read(None).listed(names(3, 2), String::clone, 1);
        let token = token.unwrap();
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
        let mut forged: Vec<String> =
            ["", "0", "garbage", "1", "é", "00112233445566778899"].map(str::to_owned).to_vec();
        for at in 0..token.len() {
            let other = if token[at..].starts_with('0') { "1" } else { "0" };
            forged.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
            forged.push(token[..at].to_owned());
        }
        for token in &forged {
            let read = Pages::read(&scope(), "ListThings", ("a", None::<i32>), Some(token));
            assert_eq!(read, Err(ForeignToken), "{token}");
        }
        let elsewhere = Scope::new("000000000000", "us-east-1");
        assert!(Pages::read(&elsewhere, "ListThings", ("a", None::<i32>), Some(&token)).is_err());
        assert!(Pages::read(&scope(), "ListOthers", ("a", None::<i32>), Some(&token)).is_err());
        assert!(Pages::read(&scope(), "ListThings", ("b", None::<i32>), Some(&token)).is_err());
        assert!(Pages::read(&scope(), "ListThings", ("a", Some(1)), Some(&token)).is_err());
        assert!(Pages::read(&scope(), "ListThings", ("a", None::<i32>), Some(&token)).is_ok());
    }
}
