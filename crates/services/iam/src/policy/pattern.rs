//! Patterns with `*` and `?`, policy variables, and what ARNs add to them.
//!
//! Invariant: what a variable stands for is compared letter by letter; a `*` in it is no wildcard.

use super::context::Context;

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, none included.
    Many,
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
    like(pattern, action, Case::Ignored, None)
}

/// Whether text fits a pattern with wildcards, and with variables where a context is given.
pub(super) fn like(pattern: &str, text: &str, case: Case, variables: Option<&Context>) -> bool {
    if pattern == "*" {
        return true;
    }
    expand(pattern, variables).is_some_and(|tokens| matches(&tokens, text, case))
}

/// Whether text is what the pattern says, wildcards being ordinary letters.
pub(super) fn equal(pattern: &str, text: &str, case: Case, variables: Option<&Context>) -> bool {
    let Some(tokens) = expand(pattern, variables) else { return false };
    let literal = |token: Token| match token {
        Token::One | Token::OneWithin => '?',
        Token::Many | Token::ManyWithin => '*',
        Token::Letter(letter) => letter,
    };
    let tokens: Vec<_> = tokens.into_iter().map(|token| Token::Letter(literal(token))).collect();
    matches(&tokens, text, case)
}

/// Whether an ARN fits the pattern of a `Resource` element.
///
/// A pattern with fewer than six parts is completed with `*`. A wildcard inside one of the first five parts stays in its part,
/// unless it is a `*` at the part's end.
pub(super) fn resource_matches(pattern: &str, arn: &str, variables: Option<&Context>) -> bool {
    if pattern == "*" || (pattern == arn && !pattern.contains("${")) {
        return true;
    }
    let Some(mut tokens) = expand(pattern, variables) else { return false };
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
    matches(&tokens, arn, Case::Matters)
}

/// Whether an ARN fits a pattern part by part, as the `Arn` operators compare.
pub(super) fn arn_like(pattern: &str, arn: &str, variables: Option<&Context>) -> bool {
    let parts = split_arn(pattern);
    let own: Vec<_> = arn.splitn(6, ':').collect();
    parts.len() == own.len()
        && parts.iter().zip(own).all(|(pattern, part)| like(pattern, part, Case::Matters, variables))
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

/// The pattern's steps, variables replaced; `None` where a variable has no single value.
fn expand(pattern: &str, variables: Option<&Context>) -> Option<Vec<Token>> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let variable = variables.zip(rest.strip_prefix("${").and_then(|inner| inner.split_once('}')));
        if let Some((context, (name, after))) = variable {
            tokens.extend(value_of(name, context)?.chars().map(Token::Letter));
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
    Some(tokens)
}

/// What stands for `${name}`: a value of the context, the default after a comma, or one of the escapes `*`, `?`, `$`.
fn value_of<'a>(name: &'a str, context: &'a Context) -> Option<&'a str> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name);
    }
    let (key, default) = name.split_once(',').map_or((name, None), |(key, default)| (key, Some(default.trim())));
    match context.get(key.trim()) {
        Some([value]) => Some(value),
        Some(_) => None,
        None => default?.strip_prefix('\'')?.strip_suffix('\''),
    }
}

/// Whether all of `text` can be walked along all of `tokens`: row by row over the tokens, a row saying which prefixes of the text
/// are reached.
fn matches(tokens: &[Token], text: &str, case: Case) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let mut reached = vec![false; letters.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for token in tokens {
        let mut next = vec![false; letters.len() + 1];
        let is_many = matches!(token, Token::Many | Token::ManyWithin);
        let mut arrived = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            let letter = before.and_then(|before| letters.get(before));
            let steps = letter.is_some_and(|letter| fits(*token, *letter, case));
            arrived = if is_many {
                reached.get(at).is_some_and(|r| *r) || (arrived && steps)
            } else {
                steps && before.and_then(|before| reached.get(before)).is_some_and(|r| *r)
            };
            *slot = arrived;
        }
        reached = next;
    }
    reached.last().is_some_and(|end| *end)
}

fn fits(token: Token, letter: char, case: Case) -> bool {
    match token {
        Token::One | Token::Many => true,
        Token::OneWithin | Token::ManyWithin => letter != ':',
        Token::Letter(wanted) if case == Case::Ignored => wanted.to_lowercase().eq(letter.to_lowercase()),
        Token::Letter(wanted) => wanted == letter,
    }
}
