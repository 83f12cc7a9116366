//! Patterns with `*` and `?`, policy variables, and what ARNs add to them.
//!
//! Invariant: what a variable stands for is compared letter by letter; a `*` in it is no wildcard.
//!
//! Invariant: a pattern with a variable whose value is not known differs for certain, or fits for all that is known; it never fits.

use std::collections::BTreeSet;

use super::context::{Context, Lookup};
use super::truth::Truth;

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, none included.
    Many,
    /// A variable whose value is not known: any characters.
    Variable,
    /// `*` or `?` inside one of an ARN's first five parts, where it does not reach over a colon.
    OneWithin,
    ManyWithin,
}

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// Whether an action fits a pattern such as `ecs:Run*`. Case does not matter, variables do not exist.
pub(super) fn action_matches(pattern: &str, action: &str) -> bool {
    like(pattern, action, Case::Ignored, None) == Truth::Yes
}

/// Whether text fits a pattern with wildcards, and with variables where a context is given.
pub(super) fn like(pattern: &str, text: &str, case: Case, variables: Option<&Context>) -> Truth {
    if pattern == "*" {
        return Truth::Yes;
    }
    if !begins_alike(pattern, text, case) {
        return Truth::No;
    }
    expand(pattern, 0, variables).map_or(Truth::No, |pattern| pattern.fits(text, case))
}

/// Whether text is what the pattern says, wildcards being ordinary letters.
pub(super) fn equal(pattern: &str, text: &str, case: Case, variables: Option<&Context>) -> Truth {
    let Some(mut expanded) = expand(pattern, 0, variables) else { return Truth::No };
    for token in &mut expanded.tokens {
        match token {
            Token::One => *token = Token::Letter('?'),
            Token::Many => *token = Token::Letter('*'),
            _ => {}
        }
    }
    expanded.fits(text, case)
}

/// Whether an ARN fits the pattern of a `Resource` element.
///
/// A pattern with fewer than six parts is completed with `*`. A wildcard inside one of the first five parts stays in its part,
/// unless it is a `*` at the part's end. Variables stand in the last part alone; before it, `${` is text.
pub(super) fn resource_matches(pattern: &str, arn: &str, variables: Option<&Context>) -> Truth {
    if pattern == "*" || (pattern == arn && !pattern.contains("${")) {
        return Truth::Yes;
    }
    if !begins_alike(pattern, arn, Case::Matters) {
        return Truth::No;
    }
    let last_part = pattern.match_indices(':').nth(4).map_or(pattern.len(), |(colon, _)| colon);
    let Some(mut expanded) = expand(pattern, last_part, variables) else { return Truth::No };
    let tokens = &mut expanded.tokens;
    let colons = tokens.iter().filter(|token| **token == Token::Letter(':')).count();
    for _ in colons..5 {
        tokens.extend([Token::Letter(':'), Token::Many]);
    }
    let mut part = 0;
    for at in 0..tokens.len() {
        let ends_part = tokens.get(at + 1).is_none_or(|next| *next == Token::Letter(':'));
        let Some(token) = tokens.get_mut(at) else { break };
        match token {
            Token::Letter(':') => part += 1,
            Token::Many if part < 5 && !ends_part => *token = Token::ManyWithin,
            Token::One if part < 5 => *token = Token::OneWithin,
            _ => {}
        }
    }
    expanded.fits(arn, Case::Matters)
}

/// Whether an ARN fits a pattern part by part, as the `Arn` operators compare.
pub(super) fn arn_like(pattern: &str, arn: &str, variables: Option<&Context>) -> Truth {
    let parts = split_arn(pattern);
    let own: Vec<_> = arn.splitn(6, ':').collect();
    // A variable can stand for a whole ARN.
    if parts.len() < own.len() && pattern.starts_with("${") {
        return like(pattern, arn, Case::Matters, variables);
    }
    if parts.len() != own.len() {
        return Truth::No;
    }
    Truth::all(parts.iter().zip(own).map(|(pattern, part)| like(pattern, part, Case::Matters, variables)))
}

/// An ARN pattern's six parts. Colons in a variable's name do not count.
fn split_arn(pattern: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::with_capacity(6), 0, 0_u32);
    for (at, letter) in pattern.char_indices() {
        match letter {
            '{' if pattern.get(..at).is_some_and(|before| before.ends_with('$')) => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && parts.len() < 5 => {
                parts.extend(pattern.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(pattern.get(start..));
    parts
}

/// A pattern whose variables are replaced.
struct Expanded {
    tokens: Vec<Token>,
    /// The condition keys of variables whose values are not known.
    unknown: BTreeSet<String>,
}

impl Expanded {
    fn fits(self, text: &str, case: Case) -> Truth {
        match matches(&self.tokens, text, case) {
            true if !self.unknown.is_empty() => Truth::Unknown(self.unknown),
            fits => fits.into(),
        }
    }
}

/// What stands for a variable.
enum Value<'a> {
    Text(&'a str),
    Unknown(&'a str),
    /// Nothing: the pattern fits no text.
    None,
}

/// The pattern's steps, variables from a place on replaced; `None` where a variable has no single value.
fn expand(pattern: &str, variables_from: usize, variables: Option<&Context>) -> Option<Expanded> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut unknown = BTreeSet::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let is_place = pattern.len() - rest.len() >= variables_from;
        let variable =
            variables.filter(|_| is_place).zip(rest.strip_prefix("${").and_then(|inner| inner.split_once('}')));
        if let Some((context, (name, after))) = variable {
            match value_of(name, context) {
                Value::Text(text) => tokens.extend(text.chars().map(Token::Letter)),
                Value::Unknown(key) => {
                    unknown.insert(key.to_owned());
                    tokens.push(Token::Variable);
                }
                Value::None => return None,
            }
            rest = after;
            continue;
        }
        tokens.push(match letter {
            '*' => Token::Many,
            '?' => Token::One,
            letter => Token::Letter(letter),
        });
        rest = rest.get(letter.len_utf8()..)?;
    }
    Some(Expanded { tokens, unknown })
}

/// What stands for `${name}`: a value of the context, the default after a comma, or one of the escapes `*`, `?`, `$`.
fn value_of<'a>(name: &'a str, context: &'a Context) -> Value<'a> {
    if matches!(name, "*" | "?" | "$") {
        return Value::Text(name);
    }
    let (key, default) = name.split_once(',').map_or((name, None), |(key, default)| (key, Some(default.trim())));
    match context.lookup(key.trim()) {
        Lookup::Values([value]) => Value::Text(value),
        Lookup::Values(_) => Value::None,
        Lookup::Unknown => Value::Unknown(key.trim()),
        Lookup::Absent => {
            let default = default.and_then(|default| default.strip_prefix('\'')?.strip_suffix('\''));
            default.map_or(Value::None, Value::Text)
        }
    }
}

/// Whether all of `text` can be walked along all of `tokens`. Keeps the places of the text that are reached, in order: one at most
/// until the first `*`.
fn matches(tokens: &[Token], text: &str, case: Case) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let mut reached = vec![0];
    for token in tokens {
        match token {
            Token::Many | Token::Variable => {
                let first = reached.first().copied().unwrap_or_default();
                reached = (first..=letters.len()).collect();
            }
            Token::ManyWithin => reached = within_part(&reached, &letters),
            token => {
                reached.retain(|at| letters.get(*at).is_some_and(|letter| fits(*token, *letter, case)));
                reached.iter_mut().for_each(|at| *at += 1);
            }
        }
        if reached.is_empty() {
            return false;
        }
    }
    reached.last() == Some(&letters.len())
}

/// Every place that can be reached from these without stepping over a colon.
fn within_part(reached: &[usize], letters: &[char]) -> Vec<usize> {
    let mut places: Vec<usize> = vec![];
    for start in reached {
        let mut at = *start;
        while places.last().is_none_or(|last| at > *last) && at <= letters.len() {
            places.push(at);
            if letters.get(at) == Some(&':') {
                break;
            }
            at += 1;
        }
    }
    places
}

fn fits(token: Token, letter: char, case: Case) -> bool {
    match token {
        Token::One | Token::Many | Token::Variable => true,
        Token::OneWithin | Token::ManyWithin => letter != ':',
        Token::Letter(wanted) if case == Case::Ignored => wanted.to_lowercase().eq(letter.to_lowercase()),
        Token::Letter(wanted) => wanted == letter,
    }
}

/// Whether a text begins as a pattern does before its first wildcard or variable; most patterns are told apart by that.
fn begins_alike(pattern: &str, text: &str, case: Case) -> bool {
    let fixed = pattern.split(['*', '?', '$']).next().unwrap_or_default();
    match case {
        Case::Matters => text.starts_with(fixed),
        Case::Ignored => {
            !fixed.is_ascii() || text.get(..fixed.len()).is_some_and(|start| start.eq_ignore_ascii_case(fixed))
        }
    }
}
