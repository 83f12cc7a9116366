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
    if !begins_alike(pattern, text, case) {
        return false;
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
    if !begins_alike(pattern, arn, Case::Matters) {
        return false;
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

/// Whether all of `text` can be walked along all of `tokens`. Keeps the places of the text that are reached, in order: one at most
/// until the first `*`.
fn matches(tokens: &[Token], text: &str, case: Case) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let mut reached = vec![0];
    for token in tokens {
        match token {
            Token::Many => {
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
        Token::One | Token::Many => true,
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
