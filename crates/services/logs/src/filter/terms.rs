//! Terms: `ERROR "exact phrase" -unwanted`, or `?either ?or`.

use super::invalid;
use crate::errors::LogsError;

/// Terms that a message must have, must not have, or must have one of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    wanted: Vec<String>,
    unwanted: Vec<String>,
    optional: Vec<String>,
}

impl Terms {
    pub(super) fn parse(text: &str) -> Result<Self, LogsError> {
        let mut terms = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (list, term) = match (rest.strip_prefix('-'), rest.strip_prefix('?')) {
                (Some(term), _) => (&mut terms.unwanted, term),
                (_, Some(term)) => (&mut terms.optional, term),
                _ => (&mut terms.wanted, rest),
            };
            let (term, after) = one(term)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(terms)
    }

    /// Optional terms count only where no others are, as AWS has it.
    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        let is_optional = self.wanted.is_empty() && self.unwanted.is_empty() && !self.optional.is_empty();
        self.wanted.iter().all(has) && !self.unwanted.iter().any(has) && (!is_optional || self.optional.iter().any(has))
    }
}

/// The term at the start of `text`, and what follows.
fn one(text: &str) -> Result<(String, &str), LogsError> {
    if let Some(quoted) = text.strip_prefix('"') {
        return phrase(quoted).ok_or_else(|| invalid(&format!("Invalid character(s) in term '{text}'")));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.is_empty() || !term.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        return Err(invalid(&format!("Invalid character(s) in term '{term}'")));
    }
    Ok((term.to_owned(), rest))
}

/// A phrase up to its closing quote; a backslash takes the next character as it is.
pub(super) fn phrase(text: &str) -> Option<(String, &str)> {
    let mut phrase = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((phrase, text.get(at + 1..)?)),
            '\\' => phrase.push(letters.next()?.1),
            _ => phrase.push(letter),
        }
    }
    None
}
